"""Sixty-four buyers and eight feeds on the same twenty supplies: first the race, with the locks off; then its absence."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone
from saleor.core.exceptions import AllocationError, InsufficientStock
from saleor.product.models import ProductVariant

from backend.stock import ledger
from backend.stock.allocation import LedgerStockKeeper, allocate
from backend.stock.audit import find_drift
from backend.stock.feed_services import receive_from_feed
from backend.stock.models import Feed, Movement, Report, Shortfall, Supply
from backend.stock.services import apply_report
from backend.stock.ways_in.source import Fetched
from tests.backend.stock.shed import an_order, an_uncounted_supply, count, variant_of
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db(transaction=True)

SUPPLIES = 20
BUYERS = 64
FEEDS = 8
JIN = 12
"""What lies of each good, as every feed says again and again: 6 kg, for which sixty-four buyers are too many."""


class Market:
    """Buyers and feeds at work until they are told to stop; what each of them met."""

    def __init__(self) -> None:
        cooperative = a_cooperative()
        self.supplies = [
            an_uncounted_supply(cooperative=cooperative, code=f"XY-{number:04}", packs={1000: "7", 500: "4"})
            for number in range(SUPPLIES)
        ]
        self.warehouse = cooperative.warehouse_id
        self.packs = [variant_of(supply, grams) for supply in self.supplies for grams in (1000, 500)]
        self.feeds = [
            Feed.objects.create(
                cooperative=cooperative, kind=Feed.Kind.HTTP_JSON, url=f"http://127.0.0.1:9/{number}"
            )
            for number in range(FEEDS)
        ]
        count(
            cooperative,
            {supply.code: JIN for supply in self.supplies},
            at=timezone.now() - timedelta(hours=1),
        )
        self.met: Counter[str] = Counter()
        self.heard: Counter[int] = Counter()
        """Counts that came through, by feed."""
        self.errors: list[str] = []
        self.closing = threading.Event()
        self._one_at_a_time = threading.Lock()

    def note(self, what: str) -> None:
        with self._one_at_a_time:
            self.met[what] += 1

    def open(self, *, seconds: float, until: Callable[[], bool]) -> None:
        """Let everybody at it for so long, and until something is seen; a minute longer at most."""
        jobs = [(self.buy, number) for number in range(BUYERS)]
        jobs += [(self.feed, number) for number in range(FEEDS)]
        threads = [threading.Thread(target=self.work, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        while time.monotonic() < began + seconds or (time.monotonic() < began + seconds + 60 and not until()):
            time.sleep(0.1)
        self.closing.set()
        for thread in threads:
            thread.join(timeout=120)
        assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"

    def work(self, job: Callable[[random.Random, int], None], number: int) -> None:
        chance = random.Random(number)
        try:
            while not self.closing.is_set():
                try:
                    job(chance, number)
                except Exception as error:
                    self.note("error")
                    self.errors.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    def buy(self, chance: random.Random, _number: int) -> None:
        """A basket of a few packs, in any order; afterwards it is kept, packed or given back."""
        wanted: list[ProductVariant] = chance.sample(self.packs, chance.randint(1, 4))
        try:
            with transaction.atomic():
                order, lines = an_order(*[(variant, chance.randint(1, 3)) for variant in wanted])
                allocate(lines=lines, country_code="CN", now=timezone.now())
        except InsufficientStock:
            self.note("sold out")
            return
        self.note("sold")
        fate = chance.random()
        if fate < 0.6:
            LedgerStockKeeper().deallocate_order(order)
            self.note("given back")
        elif fate < 0.8:
            for line in lines:
                LedgerStockKeeper().decrease(line, line.quantity, self.warehouse)
            self.note("packed")

    def feed(self, chance: random.Random, number: int) -> None:
        """The shed is counted again; the answer may be a little old, and may come twice."""
        now = timezone.now()
        said = {
            "counted_at": (now - timedelta(seconds=chance.choice([0, 0, 1, 30]))).isoformat(),
            "sequence": number,
            "items": [
                {"code": supply.code, "quantity": JIN, "unit": "斤"}
                for supply in chance.sample(self.supplies, chance.randint(1, SUPPLIES))
            ],
        }
        fetched = Fetched(body=json.dumps(said).encode())
        report_id = receive_from_feed(feed_id=self.feeds[number].pk, fetched=fetched, now=now)
        if report_id is not None:
            for _ in range(chance.choice([1, 1, 2])):
                apply_report(report_id=report_id, now=timezone.now())
            self.note("counted")
            self.heard[number] += 1
        time.sleep(0.05)


def test_nobody_is_sold_what_is_not_there(soak_minutes: float) -> None:
    market = Market()
    everything = {"sold", "sold out", "given back", "packed", "counted"}
    market.open(
        seconds=30 if soak_minutes else 3,
        until=lambda: everything <= set(market.met) and len(market.heard) == FEEDS,
    )

    assert market.errors == []
    assert set(market.met) == everything
    # The buyers are eight to one, and yet every feed is heard.
    assert len(market.heard) == FEEDS
    # At no moment was more promised than lay there.
    assert not Movement.objects.filter(allocated_after__gt=F("on_hand_after")).exists()
    assert not Shortfall.objects.exists()
    assert not Report.objects.exclude(status=Report.Status.APPLIED).exists()
    assert find_drift() == []
    print(f"\n{BUYERS} buyers, {FEEDS} feeds: {dict(market.met)}")


def test_without_the_locks_the_books_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market()

    def read_without_lock(*, supply_ids: Collection[int]) -> dict[int, Supply]:
        return {
            supply.pk: supply for supply in Supply.objects.select_related("lot").filter(pk__in=supply_ids)
        }

    def rows_without_lock(*, supply_ids: Collection[int]) -> list[ledger.StockRow]:
        with connection.cursor() as cursor:
            cursor.execute(
                ledger._LOCK_STOCK_ROWS.replace("FOR UPDATE OF stock", ""), [ledger.bigints(supply_ids)]
            )
            return [ledger.StockRow(*row) for row in cursor.fetchall()]

    monkeypatch.setattr(ledger, "lock_supplies", read_without_lock)
    monkeypatch.setattr(ledger, "lock_stock_rows", rows_without_lock)
    monkeypatch.setattr(ledger, "hold_supplies", lambda *, supply_ids: None)

    def is_seen() -> bool:
        with suppress(DatabaseError):
            return bool(find_drift())
        return False

    market.open(seconds=0, until=is_seen)
    assert find_drift() != []
    # What went wrong is the books, or the database that refused to write them: no other fault.
    assert {error.split(":")[0] for error in market.errors} <= {
        "IntegrityError",
        "CheckViolation",
        "OperationalError",
        AllocationError.__name__,
        InsufficientStock.__name__,
    }
