"""What a report changed can be taken back, unless somebody counted again since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.cooperatives.models import Cooperative
from backend.provenance.models import HarvestLot
from backend.stock.allocation import LedgerStockKeeper, allocate
from backend.stock.audit import find_drift
from backend.stock.errors import ReportClosed
from backend.stock.models import Movement, Report, Shortfall, Supply
from backend.stock.services import SubmittedLine, submit_report, undo_report
from backend.stock.words import Basis
from tests.backend.stock.shed import MORNING, an_order, an_uncounted_supply, available, count, variant_of
from tests.produce import a_cooperative, a_person

pytestmark = pytest.mark.django_db

LATER = MORNING + timedelta(hours=1)


@pytest.fixture
def baima() -> Cooperative:
    return a_cooperative()


@pytest.fixture
def celtuce(baima: Cooperative) -> Supply:
    supply = an_uncounted_supply(cooperative=baima, code="XY-0007")
    count(baima, {"XY-0007": "100"}, key="first")
    return supply


def undo(report: Report, *, at: datetime = LATER + timedelta(minutes=30)) -> Report:
    return undo_report(report_id=report.pk, submitted_by=None, now=at)


def newest_count(supply: Supply) -> tuple[object, ...]:
    supply.refresh_from_db()
    return (
        supply.on_hand,
        supply.counted_at,
        supply.counted_sequence,
        supply.counted_digest,
        supply.counts_from,
        supply.counted_base_units,
        supply.counted_unit,
    )


def test_undo_brings_back_the_count_before(baima: Cooperative, celtuce: Supply) -> None:
    before = newest_count(celtuce)
    report = count(baima, {"XY-0007": "30"}, at=LATER)
    assert available(celtuce, variant_of(celtuce)) == 15
    wang = a_person(email="wang@baima.example")
    undone = undo_report(report_id=report.pk, submitted_by=wang, now=LATER + timedelta(minutes=1))

    assert (undone.status, undone.undone_by) == (Report.Status.UNDONE, wang)
    assert newest_count(celtuce) == before
    assert available(celtuce, variant_of(celtuce)) == 50
    entry = Movement.objects.latest("pk")
    assert (entry.kind, entry.on_hand_delta, entry.report) == (Movement.Kind.UNDO, 35_000, report)
    assert (entry.row, entry.raw, entry.base_units) == (1, "30 斤", 15_000)
    assert find_drift() == []


def test_undoing_twice_is_undoing_once(baima: Cooperative, celtuce: Supply) -> None:
    report = count(baima, {"XY-0007": "30"}, at=LATER)
    undo(report)
    assert undo(report).status == Report.Status.UNDONE
    assert Movement.objects.filter(kind=Movement.Kind.UNDO).count() == 1
    assert available(celtuce, variant_of(celtuce)) == 50


@pytest.mark.parametrize("basis", Basis)
def test_what_was_sold_and_packed_since_stays_sold_and_packed(
    baima: Cooperative, celtuce: Supply, basis: Basis
) -> None:
    one_kilo = variant_of(celtuce)
    report = count(baima, {"XY-0007": "60"}, at=LATER, basis=basis)
    _, (line,) = an_order((one_kilo, 8))
    allocate(lines=[line], country_code="CN", now=LATER + timedelta(minutes=1))
    LedgerStockKeeper().decrease(line, 3, baima.warehouse_id)
    undo(report)

    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (47_000, 5_000)
    assert available(celtuce, one_kilo) == 42
    # A count from before the report, that comes late, is the newest again, and knows of the parcel.
    count(baima, {"XY-0007": "80"}, at=LATER - timedelta(minutes=1), now=LATER + timedelta(hours=1))
    celtuce.refresh_from_db()
    assert celtuce.on_hand == 37_000
    assert find_drift() == []


def test_a_good_that_was_counted_again_since_is_left_and_named(baima: Cooperative, celtuce: Supply) -> None:
    cabbage = an_uncounted_supply(cooperative=baima, code="XY-0008", name="儿菜")
    count(baima, {"XY-0008": "40"})
    report = count(baima, {"XY-0007": "30", "XY-0008": "50"}, at=LATER)
    count(baima, {"XY-0008": "44"}, at=LATER + timedelta(minutes=1))

    undone = undo(report)
    assert undone.status == Report.Status.PARTLY
    assert "XY-0008 儿菜" in undone.message
    assert "XY-0007" not in undone.message
    assert available(celtuce, variant_of(celtuce)) == 50
    assert available(cabbage, variant_of(cabbage)) == 22
    assert find_drift() == []


def test_undoing_two_reports_goes_back_two_counts_in_either_order(
    baima: Cooperative, celtuce: Supply
) -> None:
    before = newest_count(celtuce)
    second = count(baima, {"XY-0007": "30"}, at=LATER)
    third = count(baima, {"XY-0007": "60"}, at=LATER + timedelta(minutes=1))
    undo(third)
    assert available(celtuce, variant_of(celtuce)) == 15
    undo(second)
    assert newest_count(celtuce) == before


def test_what_a_newer_count_kept_is_taken_back_once_that_one_is_undone(
    baima: Cooperative, celtuce: Supply
) -> None:
    an_uncounted_supply(cooperative=baima, code="XY-0008", name="儿菜")
    count(baima, {"XY-0008": "40"})
    before = newest_count(celtuce)
    second = count(baima, {"XY-0007": "30", "XY-0008": "50"}, at=LATER)
    third = count(baima, {"XY-0007": "60"}, at=LATER + timedelta(minutes=1))
    first_try = undo(second)
    assert first_try.status == Report.Status.PARTLY
    again = undo(second, at=LATER + timedelta(minutes=40))
    assert (again.message, again.undone_at) == (first_try.message, first_try.undone_at)
    assert Movement.objects.filter(kind=Movement.Kind.UNDO).count() == 1

    undo(third)
    assert newest_count(celtuce)[0] == 15_000
    undone = undo(second, at=LATER + timedelta(minutes=50))
    assert undone.status == Report.Status.UNDONE
    assert "XY-0007" not in undone.message
    assert newest_count(celtuce) == before
    assert Movement.objects.filter(kind=Movement.Kind.UNDO).count() == 3
    assert find_drift() == []


def test_a_count_that_came_late_and_was_passed_over_is_named(baima: Cooperative, celtuce: Supply) -> None:
    an_uncounted_supply(cooperative=baima, code="XY-0008", name="儿菜")
    count(baima, {"XY-0008": "40"})
    report = count(baima, {"XY-0007": "60", "XY-0008": "50"}, at=LATER)
    for said, minutes in (
        ({"XY-0007": "90"}, -1),
        # Not passed over: empty, or older than what stands in the books again.
        ({"XY-0008": ""}, -2),
        ({"XY-0008": "70"}, -90),
    ):
        count(baima, said, at=LATER + timedelta(minutes=minutes), now=LATER + timedelta(minutes=5))
    undone = undo(report)
    assert (undone.status, celtuce.code in undone.message) == (Report.Status.UNDONE, True)
    assert "请重新点一遍" in undone.message and "XY-0008" not in undone.message


def test_the_first_count_of_all_can_be_undone(baima: Cooperative) -> None:
    supply = an_uncounted_supply(cooperative=baima, code="XY-0009")
    report = count(baima, {"XY-0009": "20"})
    undo(report)
    assert newest_count(supply) == (0, None, 0, "", None, None, "")
    assert available(supply, variant_of(supply)) == 0


def test_what_is_promised_beyond_the_count_before_opens_a_shortfall(
    baima: Cooperative, celtuce: Supply
) -> None:
    report = count(baima, {"XY-0007": "200"}, at=LATER)
    _, lines = an_order((variant_of(celtuce), 80))
    allocate(lines=lines, country_code="CN", now=LATER + timedelta(minutes=1))
    undo(report)
    assert Shortfall.objects.get(closed_at=None).base_units == 30_000
    assert find_drift() == []


def test_more_may_have_left_than_was_there_before(baima: Cooperative, celtuce: Supply) -> None:
    report = count(baima, {"XY-0007": "200"}, at=LATER)
    _, (line,) = an_order((variant_of(celtuce), 80))
    allocate(lines=[line], country_code="CN", now=LATER + timedelta(minutes=1))
    LedgerStockKeeper().decrease(line, 80, baima.warehouse_id)
    undo(report)
    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (0, 0)
    assert find_drift() == []


def test_what_was_never_applied_cannot_be_undone(baima: Cooperative, celtuce: Supply) -> None:
    refused = count(baima, {}, at=LATER, is_complete=True)
    with pytest.raises(ReportClosed):
        undo(refused)
    assert available(celtuce, variant_of(celtuce)) == 50


# ---- Lots -----------------------------------------------------------------------------------------------------------


def a_lot(supply: Supply, code: str, **changes: Any) -> HarvestLot:
    return HarvestLot.objects.create(
        cooperative=supply.cooperative,
        product=supply.product,
        code=code,
        harvested_on=MORNING.date(),
        best_before=MORNING.date(),
        **changes,
    )


def count_of_lot(supply: Supply, quantity: str, lot: str, *, at: datetime) -> Report:
    return submit_report(
        cooperative=supply.cooperative,
        basis=Basis.SHELF,
        counted_at=at,
        idempotency_key=f"{quantity} of {lot} at {at}",
        lines=[SubmittedLine(code=supply.code, quantity=quantity, unit="斤", lot=lot)],
        source=Report.Source.DESK,
        submitted_by=None,
        now=at + timedelta(seconds=30),
    )


def lot_on_sale(supply: Supply) -> str | None:
    supply.refresh_from_db()
    return supply.lot.code if supply.lot else None


def test_undo_puts_the_lot_before_on_sale_again(celtuce: Supply) -> None:
    for code in ("1120", "1121"):
        a_lot(celtuce, code)
    first = count_of_lot(celtuce, "90", "1120", at=LATER)
    second = count_of_lot(celtuce, "80", "1121", at=LATER + timedelta(minutes=5))
    assert lot_on_sale(celtuce) == "1121"

    said = undo(second).message
    assert lot_on_sale(celtuce) == "1120"
    assert "在售批次也换回之前的" in said and "XY-0007" in said
    undo(first)
    assert lot_on_sale(celtuce) is None
    assert celtuce.on_hand == 50_000


def test_a_lot_stays_where_somebody_counted_again_since(celtuce: Supply) -> None:
    for code in ("1120", "1121"):
        a_lot(celtuce, code)
    first = count_of_lot(celtuce, "90", "1120", at=LATER)
    second = count_of_lot(celtuce, "80", "1121", at=LATER + timedelta(minutes=5))
    assert undo(first).status == Report.Status.PARTLY
    assert lot_on_sale(celtuce) == "1121"
    # What the first one said stands, so it is what the second one goes back to.
    undo(second)
    assert lot_on_sale(celtuce) == "1120"
    assert celtuce.on_hand == 45_000


def test_a_lot_that_somebody_changed_since_stays_and_is_named(celtuce: Supply) -> None:
    a_lot(celtuce, "1120")
    by_hand = a_lot(celtuce, "1122")
    report = count_of_lot(celtuce, "90", "1120", at=LATER)
    Supply.objects.filter(pk=celtuce.pk).update(lot=by_hand)
    undone = undo(report)
    assert lot_on_sale(celtuce) == "1122"
    assert undone.status == Report.Status.UNDONE
    assert "批次之后有人改过" in undone.message and "XY-0007" in undone.message


def test_a_recalled_lot_does_not_come_back(celtuce: Supply) -> None:
    recalled = a_lot(celtuce, "1119")
    a_lot(celtuce, "1120")
    count_of_lot(celtuce, "95", "1119", at=LATER - timedelta(minutes=5))
    report = count_of_lot(celtuce, "90", "1120", at=LATER)
    HarvestLot.objects.filter(pk=recalled.pk).update(recalled_at=LATER, recall_reason="农残超标")
    assert "已召回" in undo(report).message
    assert lot_on_sale(celtuce) is None


def test_a_count_that_names_the_lot_on_sale_changes_no_lot(celtuce: Supply) -> None:
    a_lot(celtuce, "1120")
    count_of_lot(celtuce, "90", "1120", at=LATER)
    again = count_of_lot(celtuce, "85", "1120", at=LATER + timedelta(minutes=5))
    assert "批次" not in undo(again).message
    assert lot_on_sale(celtuce) == "1120"
