"""What ends a thread ends the operation that runs in it, and nobody waits for what cannot come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLError
from promise import Promise
from promise.promise import async_instance, get_default_scheduler

from backend.saleor_port import without
from backend.saleor_port.lost_promises import PromiseLost
from tests.backend.saleor_port.small_shop import ask_anew

SHOP_NAME = "{ shop { name } }"
FOR_EVER = 0.2
"""Seconds that are waited for what promise would wait for without end."""


class Shutdown(BaseException):
    """As SystemExit and KeyboardInterrupt are: no Exception."""


def shut_down(_value: Any) -> None:
    raise Shutdown


def fail() -> None:
    raise RuntimeError


@pytest.fixture(autouse=True)
def nothing_is_left_to_do() -> Iterator[None]:
    yield
    async_instance.normal_queue.clear()
    async_instance.late_queue.clear()
    async_instance.reset()


def a_promise_whose_job_fails() -> Promise:
    return Promise(lambda _resolve, _reject: async_instance.invoke(fail, get_default_scheduler()))


def is_waited_for(promise: Promise) -> bool:
    with pytest.raises(Exception, match="Timeout"):
        promise.get(timeout=FOR_EVER)
    return True


def test_promise_swallows_what_should_end_its_thread_and_waits() -> None:
    with without("lost_promises"):
        assert is_waited_for(Promise.resolve(None).then(shut_down))
        assert is_waited_for(a_promise_whose_job_fails())
        assert is_waited_for(Promise(lambda _resolve, _reject: None))


def test_what_ends_a_thread_goes_through_a_promise_and_leaves_nothing_behind() -> None:
    left: list[int] = []

    def stop_with_work_left(_value: Any) -> None:
        Promise.resolve(1).then(left.append)
        raise Shutdown

    with pytest.raises(Shutdown):
        Promise.resolve(None).then(stop_with_work_left)
    assert Promise.resolve(1).then(lambda one: one + 1).get() == 2
    assert left == []


@pytest.mark.django_db
def test_what_ends_a_thread_goes_through_an_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    from saleor.graphql.shop.types import Shop

    monkeypatch.setattr(Shop, "resolve_name", staticmethod(lambda _root, info: shut_down(info)))
    with pytest.raises(Shutdown):
        ask_anew(SHOP_NAME)
    monkeypatch.undo()
    assert not ask_anew(SHOP_NAME).errors


@pytest.mark.parametrize("lost", [a_promise_whose_job_fails, lambda: Promise(lambda _resolve, _reject: None)])
def test_what_cannot_come_is_not_waited_for(lost: Any) -> None:
    with pytest.raises(PromiseLost):
        lost().get()
    assert Promise.resolve(1).then(lambda one: one + 1).get() == 2


def test_what_a_resolver_refuses_is_an_error_as_ever() -> None:
    def refuse(_value: Any) -> None:
        raise GraphQLError("no")

    with pytest.raises(GraphQLError):
        Promise.resolve(None).then(refuse).get()
    assert Promise.all([Promise.resolve(1), Promise.resolve(2)]).get() == [1, 2]
