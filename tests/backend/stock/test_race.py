"""Many buyers, few boxes: first the race, with the lock off; then its absence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone
from saleor.core.exceptions import InsufficientStock
from saleor.product.models import ProductVariant
from saleor.warehouse.models import Allocation

from backend.stock import ledger
from backend.stock.allocation import LedgerStockKeeper, allocate
from backend.stock.audit import Drift, find_drift
from backend.stock.feed_services import receive_from_feed
from backend.stock.models import Feed, Movement, ReportLine, Shortfall, Supply
from backend.stock.services import apply_report
from backend.stock.ways_in.source import Fetched
from tests.backend.stock.shed import (
    MORNING,
    an_order,
    an_uncounted_supply,
    as_json,
    available,
    count,
    variant_of,
)
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Movement.Kind


@pytest.fixture
def supply() -> Supply:
    """Nothing counted yet, sold in packs of 1 kg and 500 g."""
    return an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007", packs={1000: "7", 500: "4"})


def buy(variant: ProductVariant, quantity: int = 1) -> bool:
    """One buyer's whole transaction; whether it was enough."""
    try:
        with transaction.atomic():
            _, lines = an_order((variant, quantity))
            allocate(lines=lines, country_code="CN", now=timezone.now())
        return True
    except InsufficientStock:
        return False
    finally:
        connection.close()


def all_at_once(*jobs: Callable[[], object], threads: int) -> list[object]:
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return [future.result(timeout=120) for future in [pool.submit(job) for job in jobs]]


def test_without_the_lock_the_last_box_is_sold_twice(supply: Supply, monkeypatch: pytest.MonkeyPatch) -> None:
    count(supply.cooperative, {supply.code: "2"}, at=timezone.now())
    both_have_read = threading.Barrier(2, timeout=30)

    def read_without_lock(*, supply_ids: Collection[int]) -> dict[int, Supply]:
        read = Supply.objects.in_bulk(supply_ids)
        both_have_read.wait()
        return read

    def rows_without_lock(*, supply_ids: Collection[int]) -> list[ledger.StockRow]:
        with connection.cursor() as cursor:
            cursor.execute(ledger._LOCK_STOCK_ROWS.replace("FOR UPDATE OF stock", ""), [list(supply_ids)])
            return [ledger.StockRow(*row) for row in cursor.fetchall()]

    monkeypatch.setattr(ledger, "lock_supplies", read_without_lock)
    monkeypatch.setattr(ledger, "lock_stock_rows", rows_without_lock)
    box = variant_of(supply)
    sold = all_at_once(lambda: buy(box), lambda: buy(box), threads=2)

    assert sold == [True, True]
    assert sum(Allocation.objects.values_list("quantity_allocated", flat=True)) == 2
    supply.refresh_from_db()
    assert supply.on_hand == 1000
    assert {finding.drift for finding in find_drift()} == {Drift.ALLOCATED, Drift.PROMISES}


def test_two_hundred_buyers_and_arriving_counts_sell_exactly_fifty_boxes(supply: Supply) -> None:
    cooperative, box = supply.cooperative, variant_of(supply)
    start = timezone.now() - timedelta(hours=1)
    count(cooperative, {supply.code: "100"}, at=start)

    def the_shed_is_counted(second: int) -> None:
        # Nothing has left the shed: fifty boxes lie there, sold or not. Every third count comes late.
        at = start + timedelta(seconds=second - (90 if second % 3 == 0 else 0))
        try:
            count(cooperative, {supply.code: "100"}, at=at, now=timezone.now())
        finally:
            connection.close()

    jobs: list[Callable[[], object]] = [lambda: buy(box)] * 200
    for second in range(1, 41):
        jobs.insert(second * 5, partial(the_shed_is_counted, second))
    answers = all_at_once(*jobs, threads=40)

    assert answers.count(True) == 50
    assert answers.count(False) == 150
    assert sum(Allocation.objects.values_list("quantity_allocated", flat=True)) == 50
    supply.refresh_from_db()
    assert (supply.on_hand, supply.allocated) == (50_000, 50_000)
    assert available(supply, box) == available(supply, variant_of(supply, 500)) == 0
    assert not Shortfall.objects.exists()
    assert find_drift() == []


def test_baskets_in_opposite_order_do_not_wait_for_one_another_in_a_circle(supply: Supply) -> None:
    cooperative = supply.cooperative
    other = an_uncounted_supply(cooperative=cooperative, code="XY-0008", packs={1000: "7"})
    count(cooperative, {supply.code: "100", other.code: "100"}, at=timezone.now() - timedelta(hours=1))
    first, second = variant_of(supply), variant_of(other)

    def basket(*variants: ProductVariant) -> bool:
        try:
            with transaction.atomic():
                order, lines = an_order(*[(variant, 1) for variant in variants])
                allocate(lines=lines, country_code="CN", now=timezone.now())
            LedgerStockKeeper().deallocate_order(order)
            return True
        finally:
            connection.close()

    answers = all_at_once(*[lambda: basket(first, second), lambda: basket(second, first)] * 30, threads=16)
    assert answers == [True] * 60
    assert available(supply, first) == available(other, second) == 50
    assert find_drift() == []


def test_one_report_applied_by_eight_workers_is_applied_once(supply: Supply) -> None:
    feed = Feed.objects.create(
        cooperative=supply.cooperative, kind=Feed.Kind.HTTP_JSON, url="http://127.0.0.1/"
    )
    body = as_json([{"code": supply.code, "quantity": 100, "unit": "斤"}])
    report_id = receive_from_feed(feed_id=feed.pk, fetched=Fetched(body=body), now=MORNING)
    assert report_id is not None

    def apply() -> bool:
        try:
            return apply_report(report_id=report_id, now=timezone.now())
        finally:
            connection.close()

    assert all_at_once(*[apply] * 8, threads=8).count(True) == 1
    assert Movement.objects.count() == ReportLine.objects.count() == 1
    assert available(supply, variant_of(supply)) == 50


def waits(backend_pid: int) -> bool:
    """Whether that connection stands in line for an advisory lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = %s", [backend_pid]
        )
        return cursor.fetchone() is not None


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_count_waits_for_the_basket_that_is_in_and_for_none_that_comes_later(supply: Supply) -> None:
    cooperative, box = supply.cooperative, variant_of(supply)
    count(cooperative, {supply.code: "100"}, at=timezone.now() - timedelta(hours=1))
    pids: dict[str, int] = {}

    def own_pid(name: str) -> None:
        connection.ensure_connection()
        pids[name] = connection.connection.info.backend_pid

    def counting() -> None:
        own_pid("count")
        try:
            count(cooperative, {supply.code: "90"}, at=timezone.now() - timedelta(minutes=1))
        finally:
            connection.close()

    def buying() -> bool:
        own_pid("basket")
        return buy(box)

    with ThreadPoolExecutor(max_workers=2) as pool:
        with transaction.atomic():
            _, lines = an_order((box, 1))
            allocate(lines=lines, country_code="CN", now=timezone.now())
            counted = pool.submit(counting)
            wait_until(lambda: "count" in pids and waits(pids["count"]))
            bought = pool.submit(buying)
            wait_until(lambda: "basket" in pids and waits(pids["basket"]))
        counted.result(timeout=60)
        assert bought.result(timeout=60)

    movements = Movement.objects.order_by("pk").values_list("kind", flat=True)
    assert list(movements) == [Kind.COUNT, Kind.ALLOCATE, Kind.COUNT, Kind.ALLOCATE]
    assert find_drift() == []


def test_an_order_for_what_is_sold_out_waits_for_nobody(supply: Supply) -> None:
    count(supply.cooperative, {supply.code: "2"}, at=timezone.now() - timedelta(hours=1))
    box = variant_of(supply)
    with ThreadPoolExecutor(max_workers=1) as pool, transaction.atomic():
        ledger.close_turnstile(cooperative_id=supply.cooperative_id)
        ledger.lock_supplies(supply_ids=[supply.pk])
        assert pool.submit(buy, box, 2).result(timeout=30) is False
