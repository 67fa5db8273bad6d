"""A statement of a web process ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created
from django.test import Client

from backend.config import statement_timeout

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def a_web_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(statement_timeout, "STATEMENT_TIMEOUT_S", "0.2")
    statement_timeout.limit_statements()
    connection.close()
    yield
    connection_created.disconnect(dispatch_uid="statement timeout")
    connection.close()


def wait(**_kwargs: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")


def test_a_long_statement_is_ended_and_a_short_one_is_not() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.01)")
    with pytest.raises(OperationalError, match="statement timeout"):
        wait()


def test_a_worker_has_none() -> None:
    connection_created.disconnect(dispatch_uid="statement timeout")
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_client_is_told_that_it_took_too_long(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.api.queries.board", wait)
    response = client.post(
        "/graphql/",
        {"query": "{ board { asOf } }"},
        content_type="application/json",
        headers={"Accept-Language": "en"},
    )
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"exception": {"code": "TIMEOUT"}}
    assert error["message"] == "That took too long. Please ask for less at once."
