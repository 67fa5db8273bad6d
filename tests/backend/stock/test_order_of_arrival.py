"""However a day's reports arrive, late, twice or in any order, the books end in one state."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from saleor.order.models import Order, OrderLine

from backend.stock import allocation
from backend.stock.allocation import LedgerStockKeeper, allocate
from backend.stock.audit import find_drift
from backend.stock.books import take_header
from backend.stock.decide import Count
from backend.stock.feeds.document import Document
from backend.stock.models import Movement, Report, ReportLine, Shortfall, Supply
from backend.stock.words import Basis, Outcome
from tests.backend.stock.shed import MORNING, an_order, an_uncounted_supply, available, count, variant_of
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db

CODES = ("XY-0001", "XY-0002")


@dataclass(frozen=True)
class Said:
    """A report: counted at this minute; arrives after each of the delays, once for each."""

    minute: int
    sequence: int
    basis: Basis
    kilograms: tuple[int | None, int | None]
    delays: tuple[int, ...]


@dataclass(frozen=True)
class Bought:
    """An order of this many packs at this minute; after a while it is packed or cancelled, or neither."""

    minute: int
    packs: tuple[int, int]
    then: str
    after: int


# Amounts that never jump tenfold: what waits for a person depends on what stood in the books.
_kilograms = st.one_of(st.none(), st.integers(60, 140))
_said = st.builds(
    Said,
    # Few moments, so that two reports often have the same.
    minute=st.sampled_from([0, 20, 40]),
    sequence=st.integers(0, 1),
    basis=st.sampled_from(Basis),
    kilograms=st.tuples(_kilograms, _kilograms),
    delays=st.lists(st.integers(0, 90), min_size=1, max_size=3).map(tuple),
)
_bought = st.builds(
    Bought,
    minute=st.integers(0, 60),
    packs=st.tuples(st.integers(0, 5), st.integers(1, 5)),
    then=st.sampled_from(["nothing", "packed", "cancelled"]),
    after=st.integers(1, 60),
)


def test_any_order_of_arrival_ends_in_the_same_state(db: None, soak_minutes: float) -> None:
    @settings(max_examples=500 if soak_minutes else 12, deadline=None)
    @given(reports=st.lists(_said, max_size=6), orders=st.lists(_bought, max_size=5))
    def holds(reports: list[Said], orders: list[Bought]) -> None:
        at_once = [Said(each.minute, each.sequence, each.basis, each.kilograms, (0,)) for each in reports]
        assert live_a_day(reports, orders) == live_a_day(at_once, orders)

    holds()


def live_a_day(reports: list[Said], orders: list[Bought]) -> dict[str, tuple[object, ...]]:
    """Let everything happen at its minute, and answer what the books say in the evening; then forget it."""
    events: list[tuple[float, int, object]] = []
    for number, report in enumerate(reports):
        events += [(report.minute + delay, number, report) for delay in report.delays]
    for number, order in enumerate(orders):
        # Never in the same instant as a count.
        events.append((order.minute + 0.25, number, order))
        if order.then != "nothing":
            events.append((order.minute + order.after + 0.5, number, order.then))
    events.sort(key=lambda event: (event[0], event[1]))

    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        cooperative = a_cooperative()
        supplies = [an_uncounted_supply(cooperative=cooperative, code=code) for code in CODES]
        count(cooperative, dict.fromkeys(CODES, "100"), unit="公斤", at=MORNING - timedelta(hours=1))
        placed: dict[int, tuple[Order, list[OrderLine]]] = {}
        for minute, number, event in events:
            now = MORNING + timedelta(minutes=minute)
            patch.setattr(allocation.timezone, "now", lambda now=now: now)
            if isinstance(event, Said):
                said = {
                    code: kilograms
                    for code, kilograms in zip(CODES, event.kilograms, strict=True)
                    if kilograms is not None
                }
                count(
                    cooperative,
                    said,
                    unit="公斤",
                    at=MORNING + timedelta(minutes=event.minute),
                    now=now,
                    basis=event.basis,
                    sequence=event.sequence,
                    key=repr((event.minute, event.sequence, event.basis, event.kilograms)),
                )
            elif isinstance(event, Bought):
                wanted = [
                    (variant_of(supply), packs)
                    for supply, packs in zip(supplies, event.packs, strict=True)
                    if packs
                ]
                placed[number] = an_order(*wanted)
                allocate(lines=placed[number][1], country_code="CN", now=now)
            elif event == "packed":
                for line in placed[number][1]:
                    LedgerStockKeeper().decrease(line, line.quantity, cooperative.warehouse_id)
            else:
                LedgerStockKeeper().deallocate_order(placed[number][0])
            the_books_hold()
        every_figure_leads_back()
        evening: dict[str, tuple[object, ...]] = {
            supply.code: (
                supply.on_hand,
                supply.allocated,
                supply.counted_at,
                supply.counted_base_units,
                available(supply, variant_of(supply)),
                Shortfall.objects.filter(supply=supply, closed_at__isnull=True).exists(),
            )
            for supply in Supply.objects.order_by("pk")
        }
        transaction.set_rollback(True)
    return evening


def the_books_hold() -> None:
    """Invariants 1 and 2, after each event: promises beyond the count are an open shortfall, rows are the ledger's."""
    assert find_drift() == []


def every_figure_leads_back() -> None:
    """Invariants 4 and 5: balances follow from one movement to the next; an accepted line has moved them once."""
    for supply in Supply.objects.all():
        on_hand = allocated = 0
        for entry in Movement.objects.filter(supply=supply).order_by("pk"):
            on_hand, allocated = on_hand + entry.on_hand_delta, allocated + entry.allocated_delta
            assert (entry.on_hand_after, entry.allocated_after) == (on_hand, allocated)
            line = entry.report_line
            if line is not None:
                assert (line.supply_id, line.outcome) == (supply.pk, Outcome.ACCEPTED)
                (item,) = [
                    item
                    for item in json.loads(bytes(line.report.raw))["items"]
                    if item["code"] == supply.code
                ]
                assert line.raw == f"{item['quantity']} {item['unit']}"
        assert (supply.on_hand, supply.allocated) == (on_hand, allocated)
    accepted = ReportLine.objects.filter(outcome=Outcome.ACCEPTED).count()
    assert Movement.objects.filter(kind=Movement.Kind.COUNT).count() == accepted


TIED = [
    Said(minute=0, sequence=0, basis=Basis.SHELF, kilograms=(kilograms, None), delays=delays)
    for kilograms, delays in ((70, (1,)), (90, (2,)))
]
TIED_THE_OTHER_WAY_ROUND = [
    Said(minute=0, sequence=0, basis=Basis.SHELF, kilograms=(kilograms, None), delays=delays)
    for kilograms, delays in ((70, (2,)), (90, (1,)))
]


def test_two_reports_of_one_moment_and_number_end_alike_whichever_comes_first() -> None:
    assert live_a_day(TIED, []) == live_a_day(TIED_THE_OTHER_WAY_ROUND, [])


def test_without_the_hash_among_the_keys_the_first_to_come_would_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def take_header_without_hash(*, report: Report, document: Document) -> Count:
        count = take_header(report=report, document=document)
        return replace(count, key=(*count.key[:2], ""))

    monkeypatch.setattr("backend.stock.applying.take_header", take_header_without_hash)
    assert live_a_day(TIED, []) != live_a_day(TIED_THE_OTHER_WAY_ROUND, [])
