"""Pages for whoever is nobody in particular: kept ones beside the same drawn anew, in one run of one process.

`make bench`. The handler is called as gunicorn calls it, with all middleware; what is measured is this process alone.
"""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from backend.brand.models import Campaign
from backend.catalogue.models import Dish, Ingredient
from tests import produce

KEPT_ROUNDS = 2_000
DRAWN_ROUNDS = 12

PAGES = ["/", "/c/vegetables/", "/p/cai-1/", "/dishes/", "/brand/", "/villages/baima/"]


@pytest.fixture
def shop_of_sixty(db: None) -> None:
    cooperative = produce.a_cooperative()
    for number in range(60):
        product = produce.a_product(name=f"菜{number}", slug=f"cai-{number}", packs={500: "4", 2500: "18"})
        produce.a_supply(cooperative=cooperative, product=product, on_hand=9_000, code=f"XY-{number:04}")
        dish = Dish.objects.create(slug=f"dish-{number}", name=f"炒菜{number}", name_en="Fried")
        Ingredient.objects.create(dish=dish, name=product.name, name_en="x", product=product, amount=300)
    Campaign.objects.create(slug="corridor", title="百里川菜长廊", title_en="Corridor", body="x", body_en="x")


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The rows lie in this test's transaction, which the end of a request must not close."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def requester(path: str, **headers: str) -> Callable[[], tuple[str, bytes]]:
    """Gives a function that asks for the page once, from the environ to the bytes."""
    handler = WSGIHandler()
    factory = RequestFactory()

    def ask() -> tuple[str, bytes]:
        said: dict[str, Any] = {}
        environ = factory.get(path, headers={"accept-encoding": "gzip", **headers}).environ
        answer = handler(environ, lambda status, headers, *_: said.update(status=status))
        body = b"".join(answer)
        answer.close()
        return said["status"], body

    return ask


@dataclass(frozen=True)
class Run:
    """per_second: requests of one core. own_p99_ms: of the processor; p99_ms has other programs' turns in it."""

    per_second: float
    median_ms: float
    p99_ms: float
    own_p99_ms: float


def run(ask: Callable[[], tuple[str, bytes]], rounds: int) -> Run:
    for _ in range(5):
        assert ask()[0] == "200 OK"
    times, own = [], []
    began = time.process_time()
    for _ in range(rounds):
        start, start_own = time.perf_counter(), time.thread_time()
        ask()
        times.append((time.perf_counter() - start) * 1000)
        own.append((time.thread_time() - start_own) * 1000)
    spent = time.process_time() - began
    last = int(rounds * 0.99)
    return Run(
        per_second=rounds / spent,
        median_ms=statistics.median(times),
        p99_ms=sorted(times)[last],
        own_p99_ms=sorted(own)[last],
    )


@pytest.mark.usefixtures("shop_of_sixty")
@pytest.mark.parametrize("path", PAGES)
def test_a_kept_page_beside_the_same_drawn_anew(settings: Any, path: str) -> None:
    settings.PAGE_CACHE_SECONDS = 0
    ask = requester(path)
    run(ask, 1)
    with CaptureQueriesContext(connection) as queries:
        ask()
    asked = len(queries)
    drawn = run(ask, DRAWN_ROUNDS)
    settings.PAGE_CACHE_SECONDS = 600
    kept = run(ask, KEPT_ROUNDS)
    body = ask()[1]
    print(
        f"\n{path}: kept {kept.per_second:.0f} requests/s of one core, median {kept.median_ms:.2f} ms,"
        f" p99 {kept.p99_ms:.2f} ms, {kept.own_p99_ms:.2f} of them its own (budget 800 requests/s, p99 10 ms);"
        f" drawn anew {drawn.per_second:.0f} requests/s, median {drawn.median_ms:.0f} ms,"
        f" {asked} queries; {len(body) / 1024:.1f} KB packed of {len(gzip.decompress(body)) / 1024:.0f} KB"
        " (budget 20 KB)"
    )
