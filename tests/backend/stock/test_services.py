"""From what a cooperative said to what the shop sells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from saleor.warehouse.models import Stock

from backend.cooperatives.models import Cooperative
from backend.stock.allocation import allocate
from backend.stock.audit import find_drift
from backend.stock.errors import ReportConflict
from backend.stock.feed_services import receive_from_feed
from backend.stock.models import Feed, Movement, Report, ReportLine, Shortfall, Supply, UnappliedLine
from backend.stock.services import apply_report, confirm_lines
from backend.stock.ways_in.source import Fetched
from backend.stock.words import Basis
from tests.backend.stock.shed import (
    MORNING,
    an_order,
    an_uncounted_supply,
    as_bytes,
    as_json,
    as_workbook,
    available,
    count,
    stock_of,
    variant_of,
)
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db

Outcome = ReportLine.Outcome


@pytest.fixture
def baima() -> Cooperative:
    return a_cooperative()


@pytest.fixture
def celtuce(baima: Cooperative) -> Supply:
    """莴笋, sold in packs of 1 kg and 500 g from one heap."""
    return an_uncounted_supply(cooperative=baima, code="XY-0007", packs={1000: "7", 500: "4"})


def lines_of(report: Report) -> list[tuple[object, ...]]:
    return [
        (line.row, line.column, line.code, line.raw, line.outcome, line.base_units)
        for line in report.lines.all()
    ]


def received(*, feed_id: int, fetched: Fetched, now: datetime) -> UUID:
    """The report that a feed's answer becomes."""
    report_id = receive_from_feed(feed_id=feed_id, fetched=fetched, now=now)
    assert report_id is not None
    return report_id


def test_a_count_becomes_packs_on_the_shelf(baima: Cooperative, celtuce: Supply) -> None:
    report = count(baima, {"XY-0007": "128.5"})

    assert report.status == Report.Status.APPLIED
    assert lines_of(report) == [(1, "quantity", "XY-0007", "128.5 斤", Outcome.ACCEPTED, 64_250)]
    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated, celtuce.counted_at) == (64_250, 0, MORNING)
    assert stock_of(celtuce, variant_of(celtuce, 1000)).quantity == 64
    assert stock_of(celtuce, variant_of(celtuce, 500)).quantity == 128
    assert find_drift() == []


def test_any_figure_leads_back_to_the_cell_that_said_it(baima: Cooperative, celtuce: Supply) -> None:
    report = count(baima, {"XY-0007": "一百二"})

    movement = Movement.objects.get(supply=celtuce)
    assert (movement.on_hand_delta, movement.on_hand_after, movement.happened_at) == (60_000, 60_000, MORNING)
    assert movement.report_line is not None
    assert movement.report_line.raw == "一百二 斤"
    assert movement.report_line.report == report
    assert b'"quantity":"\xe4\xb8\x80\xe7\x99\xbe\xe4\xba\x8c"' in bytes(report.raw)


def test_a_broken_row_is_refused_with_its_reason_and_the_rest_goes_through(
    baima: Cooperative, celtuce: Supply
) -> None:
    an_uncounted_supply(cooperative=baima, code="XY-0008", name="儿菜")
    report = count(baima, {"XY-0008": "三十多", "XY-0007": "100", "XY-0009": "5", "XY-0010": "#N/A"})

    outcomes = {line.code: (line.row, line.outcome) for line in report.lines.all()}
    assert outcomes == {
        "XY-0008": (1, Outcome.WAITING),
        "XY-0007": (2, Outcome.ACCEPTED),
        "XY-0009": (3, Outcome.WAITING),
        "XY-0010": (4, Outcome.WAITING),
    }
    waiting = report.lines.get(code="XY-0008")
    assert waiting.base_units == 15_000
    assert "三十多" in waiting.message
    assert available(celtuce, variant_of(celtuce)) == 50


def test_nothing_left_in_a_unit_that_nobody_knows_is_nothing_left(
    baima: Cooperative, celtuce: Supply
) -> None:
    an_uncounted_supply(cooperative=baima, code="XY-0008", name="儿菜")
    unit = "绿色塑料周转筐" * 6
    report = count(baima, {"XY-0007": "0", "XY-0008": "卖完"}, unit=unit)

    assert report.status == Report.Status.APPLIED
    assert [(line.outcome, line.unit) for line in report.lines.all()] == [
        (Outcome.ACCEPTED, unit[:20]),
        (Outcome.ACCEPTED, ""),
    ]
    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.counted_unit) == (0, unit[:20])


def test_a_late_word_on_one_row_does_not_bring_back_another_rows_old_count(
    baima: Cooperative, celtuce: Supply
) -> None:
    an_uncounted_supply(cooperative=baima, code="XY-0008", name="儿菜")
    said = {"XY-0007": "100", "XY-0070": "5", "XY-0008": "三十多"}
    report = count(baima, said, source=Report.Source.PUSH)
    count(baima, {"XY-0007": "60"}, at=MORNING + timedelta(hours=1))
    # Its code is another one now: that of a row that waits.
    Supply.objects.filter(pk=celtuce.pk).update(code="XY-0070")
    confirm_lines(report_id=report.pk, rows=[2, 3], submitted_by=None, now=MORNING + timedelta(hours=2))

    assert [line.outcome for line in report.lines.all()] == [
        Outcome.ACCEPTED,
        Outcome.SKIPPED,
        Outcome.ACCEPTED,
    ]
    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.counted_at) == (30_000, MORNING + timedelta(hours=1))
    assert find_drift() == []


def test_a_late_report_leaves_newer_stock_untouched(baima: Cooperative, celtuce: Supply) -> None:
    count(baima, {"XY-0007": "100"}, at=MORNING)
    report = count(
        baima, {"XY-0007": "300"}, at=MORNING - timedelta(minutes=1), now=MORNING + timedelta(hours=1)
    )

    assert report.status == Report.Status.APPLIED
    assert report.lines.get().outcome == Outcome.SKIPPED
    assert available(celtuce, variant_of(celtuce)) == 50
    assert Movement.objects.count() == 1


def test_the_same_report_twice_changes_nothing(baima: Cooperative, celtuce: Supply) -> None:
    first = count(baima, {"XY-0007": "100"}, key="monday")
    again = count(baima, {"XY-0007": "100"}, key="monday")

    assert again == first
    assert Movement.objects.count() == ReportLine.objects.count() == Report.objects.count() == 1
    assert apply_report(report_id=first.pk, now=timezone.now()) is False
    assert Movement.objects.count() == 1


def test_a_key_that_was_used_for_other_figures_is_refused(baima: Cooperative, celtuce: Supply) -> None:
    count(baima, {"XY-0007": "100"}, key="monday")
    with pytest.raises(ReportConflict):
        count(baima, {"XY-0007": "101"}, key="monday")
    assert available(celtuce, variant_of(celtuce)) == 50


def test_a_shelf_count_includes_what_is_promised_and_a_sellable_count_does_not(
    baima: Cooperative, celtuce: Supply
) -> None:
    one_kilo = variant_of(celtuce)
    count(baima, {"XY-0007": "20"})
    _, lines = an_order((one_kilo, 4))
    allocate(lines=lines, country_code="CN", now=MORNING + timedelta(minutes=5))
    assert available(celtuce, one_kilo) == 6

    count(baima, {"XY-0007": "20"}, at=MORNING + timedelta(minutes=10))
    assert (available(celtuce, one_kilo), stock_of(celtuce, one_kilo).quantity) == (6, 10)

    count(baima, {"XY-0007": "20"}, at=MORNING + timedelta(minutes=20), basis=Basis.SELLABLE)
    assert (available(celtuce, one_kilo), stock_of(celtuce, one_kilo).quantity) == (10, 14)
    assert find_drift() == []


def test_an_order_placed_between_a_sellable_count_and_its_arrival_is_not_lost(
    baima: Cooperative, celtuce: Supply
) -> None:
    one_kilo = variant_of(celtuce)
    count(baima, {"XY-0007": "20"})
    _, lines = an_order((one_kilo, 4))
    allocate(lines=lines, country_code="CN", now=MORNING + timedelta(minutes=15))

    count(
        baima,
        {"XY-0007": "20"},
        at=MORNING + timedelta(minutes=10),
        now=MORNING + timedelta(minutes=20),
        basis=Basis.SELLABLE,
    )
    assert available(celtuce, one_kilo) == 6


def test_a_count_below_what_is_promised_opens_a_shortfall_and_cancels_nothing(
    baima: Cooperative, celtuce: Supply
) -> None:
    one_kilo = variant_of(celtuce)
    count(baima, {"XY-0007": "20"})
    _, lines = an_order((one_kilo, 8))
    allocate(lines=lines, country_code="CN", now=MORNING + timedelta(minutes=5))

    count(baima, {"XY-0007": "10"}, at=MORNING + timedelta(minutes=10))
    shortfall = Shortfall.objects.get()
    assert (shortfall.supply, shortfall.base_units, shortfall.closed_at) == (celtuce, 3000, None)
    assert available(celtuce, one_kilo) == 0
    assert lines[0].allocations.get().quantity_allocated == 8

    count(baima, {"XY-0007": "12"}, at=MORNING + timedelta(minutes=20))
    shortfall.refresh_from_db()
    assert (shortfall.base_units, shortfall.closed_at) == (2000, None)

    count(baima, {"XY-0007": "16"}, at=MORNING + timedelta(minutes=30))
    shortfall.refresh_from_db()
    assert shortfall.closed_at == MORNING + timedelta(minutes=30, seconds=30)
    assert Shortfall.objects.count() == 1
    assert find_drift() == []


def test_blank_is_unchanged_nought_is_sold_out_and_absent_is_unchanged(
    baima: Cooperative, celtuce: Supply
) -> None:
    ercai = an_uncounted_supply(cooperative=baima, code="XY-0005")
    cabbage = an_uncounted_supply(cooperative=baima, code="XY-0006")
    count(baima, {"XY-0007": "20", "XY-0005": "20", "XY-0006": "20"})

    report = count(baima, {"XY-0007": "", "XY-0005": "卖完"}, at=MORNING + timedelta(hours=1))
    assert [line.outcome for line in report.lines.all()] == [Outcome.SKIPPED, Outcome.ACCEPTED]
    assert [available(each, variant_of(each)) for each in (celtuce, ercai, cabbage)] == [10, 0, 10]


def test_what_a_complete_list_leaves_out_is_sold_out(baima: Cooperative, celtuce: Supply) -> None:
    cabbage = an_uncounted_supply(cooperative=baima, code="XY-0006")
    count(baima, {"XY-0007": "20", "XY-0006": "20"})

    report = count(baima, {"XY-0007": "20"}, at=MORNING + timedelta(hours=1), is_complete=True)
    assert available(cabbage, variant_of(cabbage)) == 0
    assert report.lines.get(code="XY-0006").row == 0
    assert Movement.objects.filter(supply=cabbage, report=report).count() == 1


def test_a_tenfold_jump_waits_until_a_person_says_it_again(baima: Cooperative, celtuce: Supply) -> None:
    count(baima, {"XY-0007": "100"})
    first = count(baima, {"XY-0007": "1285"}, at=MORNING + timedelta(minutes=1))
    assert first.lines.get().outcome == Outcome.WAITING
    assert available(celtuce, variant_of(celtuce)) == 50

    again = count(baima, {"XY-0007": "1285"}, at=MORNING + timedelta(minutes=2))
    assert again.lines.get().outcome == Outcome.ACCEPTED
    assert available(celtuce, variant_of(celtuce)) == 642


@pytest.mark.parametrize("program", [Report.Source.FEED, Report.Source.PUSH])
def test_a_program_that_repeats_its_jump_confirms_nothing(
    baima: Cooperative, celtuce: Supply, program: Report.Source
) -> None:
    count(baima, {"XY-0007": "100"})
    for minute in (1, 2, 3):
        report = count(baima, {"XY-0007": "1285"}, at=MORNING + timedelta(minutes=minute), source=program)
        assert report.lines.get().outcome == Outcome.WAITING
    assert available(celtuce, variant_of(celtuce)) == 50


def test_a_count_of_tomorrow_is_refused(baima: Cooperative, celtuce: Supply) -> None:
    report = count(baima, {"XY-0007": "100"}, at=MORNING + timedelta(minutes=6), now=MORNING)

    assert report.status == Report.Status.REFUSED
    assert "2026-11-23 06:16" in report.message
    assert not Stock.objects.exists()


def test_a_clock_that_is_a_little_ahead_does_not_swallow_the_next_order(
    baima: Cooperative, celtuce: Supply
) -> None:
    one_kilo = variant_of(celtuce)
    count(baima, {"XY-0007": "20"}, at=MORNING + timedelta(minutes=3), now=MORNING, basis=Basis.SELLABLE)
    _, lines = an_order((one_kilo, 4))
    allocate(lines=lines, country_code="CN", now=MORNING + timedelta(minutes=1))
    # The next count was made before that order, says the same clock, and arrives after it.
    count(
        baima,
        {"XY-0007": "18"},
        at=MORNING + timedelta(minutes=3, seconds=30),
        now=MORNING + timedelta(seconds=45),
        basis=Basis.SELLABLE,
    )
    assert available(celtuce, one_kilo) == 5


def test_a_feed_that_says_the_same_again_makes_no_second_report(baima: Cooperative, celtuce: Supply) -> None:
    feed = Feed.objects.create(cooperative=baima, kind=Feed.Kind.HTTP_JSON, url="http://127.0.0.1/")
    body = as_json([{"code": "XY-0007", "quantity": 20, "unit": "斤"}])
    received(feed_id=feed.pk, fetched=Fetched(body=body, etag='"1"'), now=MORNING)

    assert receive_from_feed(feed_id=feed.pk, fetched=Fetched(body=body), now=MORNING) is None
    assert receive_from_feed(feed_id=feed.pk, fetched=Fetched(body=None, etag='"1"'), now=MORNING) is None
    feed.refresh_from_db()
    assert (feed.etag, feed.last_answered_at) == ('"1"', MORNING)


def test_a_document_that_was_refused_is_read_again_once_its_columns_are_explained(
    baima: Cooperative, celtuce: Supply
) -> None:
    feed = Feed.objects.create(cooperative=baima, kind=Feed.Kind.HTTP_CSV, url="http://127.0.0.1/")
    fetched = Fetched(body="甲,乙,丙\nXY-0007,20,公斤\n".encode())
    report_id = received(feed_id=feed.pk, fetched=fetched, now=MORNING)
    apply_report(report_id=report_id, now=MORNING)
    assert Report.objects.get(pk=report_id).status == Report.Status.REFUSED
    now = MORNING + timedelta(minutes=1)
    assert receive_from_feed(feed_id=feed.pk, fetched=fetched, now=now) is None

    Feed.objects.filter(pk=feed.pk).update(mapping={"甲": "code", "乙": "quantity", "丙": "unit"})
    report_id = received(feed_id=feed.pk, fetched=fetched, now=now)
    apply_report(report_id=report_id, now=now)
    assert available(celtuce, variant_of(celtuce)) == 20
    assert receive_from_feed(feed_id=feed.pk, fetched=fetched, now=now + timedelta(minutes=1)) is None


def test_a_workbook_that_is_corrected_and_corrected_back_ends_at_what_it_says_last(
    baima: Cooperative, celtuce: Supply
) -> None:
    feed = Feed.objects.create(cooperative=baima, kind=Feed.Kind.HTTP_XLSX, url="http://127.0.0.1/")
    right = as_bytes(as_workbook([["XY-0007", "莴笋", 40, "斤", None]]))
    wrong = as_bytes(as_workbook([["XY-0007", "莴笋", 30, "斤", None]]))
    for minute, body in enumerate([right, wrong, right]):
        now = MORNING + timedelta(minutes=minute)
        report_id = received(feed_id=feed.pk, fetched=Fetched(body=body), now=now)
        assert apply_report(report_id=report_id, now=now)
    assert available(celtuce, variant_of(celtuce)) == 20


@pytest.mark.parametrize("kind", Feed.Kind.values)
def test_a_broken_file_changes_nothing_and_says_so(baima: Cooperative, celtuce: Supply, kind: str) -> None:
    count(baima, {"XY-0007": "20"})
    feed = Feed.objects.create(cooperative=baima, kind=kind, url="http://127.0.0.1/")
    now = MORNING + timedelta(hours=1)
    report_id = received(feed_id=feed.pk, fetched=Fetched(body=b'{"items": [{"code"'), now=now)

    assert apply_report(report_id=report_id, now=now)
    report = Report.objects.get(pk=report_id)
    assert report.status == Report.Status.REFUSED
    assert report.message
    assert bytes(report.raw) == b'{"items": [{"code"'
    assert not report.lines.exists()
    assert available(celtuce, variant_of(celtuce)) == 10


def test_a_complete_list_without_a_good_is_not_believed(baima: Cooperative, celtuce: Supply) -> None:
    count(baima, {"XY-0007": "20"})
    report = count(baima, {}, at=MORNING + timedelta(hours=1), is_complete=True)
    assert report.status == Report.Status.REFUSED
    assert available(celtuce, variant_of(celtuce)) == 10


def test_what_a_failing_application_wrote_is_gone_and_the_report_still_waits(
    baima: Cooperative, celtuce: Supply, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("backend.stock.ledger.project", fail)
        with pytest.raises(DatabaseError), transaction.atomic():
            count(baima, {"XY-0007": "20"}, key="monday")
    assert not Movement.objects.exists()

    report = count(baima, {"XY-0007": "20"}, key="monday")
    assert report.status == Report.Status.APPLIED
    assert available(celtuce, variant_of(celtuce)) == 10


def test_the_ledger_cannot_be_rewritten(baima: Cooperative, celtuce: Supply) -> None:
    count(baima, {"XY-0007": "20"})
    movement = Movement.objects.get()
    for change in (movement.delete, lambda: Movement.objects.update(on_hand_after=1)):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_nothing_is_written_of_a_supply_or_a_line_or_a_report_that_is_not_there(
    baima: Cooperative, celtuce: Supply
) -> None:
    report = count(baima, {"XY-0007": "20", "XY-0009": "5"})
    movement, line = Movement.objects.get(), report.unapplied_lines.get()
    for change in (
        lambda: Movement.objects.bulk_create([_again(movement, supply_id=0, report_id=None)]),
        lambda: Movement.objects.bulk_create([_again(movement, report_id=UUID(int=0))]),
        lambda: UnappliedLine.objects.bulk_create([_again(line, supply_id=0)]),
        lambda: UnappliedLine.objects.bulk_create([_again(line, report_id=UUID(int=0))]),
        lambda: Supply.objects.filter(pk=celtuce.pk)._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def _again(row: Any, **changes: object) -> Any:
    """Another row like this one."""
    copy = type(row).objects.get(pk=row.pk)
    copy.pk = None
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


def test_a_cell_with_tabs_newlines_and_backslashes_is_kept_as_it_is(
    baima: Cooperative, celtuce: Supply
) -> None:
    report = count(baima, {"XY\t\\N\n7": "5", "XY\\N": "\\N", "XY-0007": "20"})
    assert list(report.lines.values_list("code", "raw")) == [
        ("XY\t\\N\n7", "5 斤"),
        ("XY\\N", "\\N"),
        ("XY-0007", "20 斤"),
    ]
    plain = count(baima, {"XY\\N": "\\N"}, at=MORNING + timedelta(minutes=1))
    assert plain.lines.get().raw == "\\N"


def test_what_was_said_cannot_be_rewritten_and_only_a_waiting_line_can_be_decided(
    baima: Cooperative, celtuce: Supply
) -> None:
    report = count(baima, {"XY-0007": "20", "XY-0008": "", "XY-0009": "5"})
    settled, waiting = report.unapplied_lines.order_by("row")
    lines, reports = UnappliedLine.objects.filter(pk=settled.pk), Report.objects.filter(pk=report.pk)
    for change in (
        lambda: reports.update(raw=b"{}"),
        lambda: reports.update(raw_sha256="0" * 64),
        lambda: reports._raw_delete("default"),
        lambda: lines.update(raw="21 斤"),
        lambda: lines.update(outcome=Outcome.REFUSED),
        lambda: lines.update(base_units=1),
        lambda: lines._raw_delete("default"),
        lambda: UnappliedLine.objects.filter(pk=waiting.pk).update(code="XY-0007"),
    ):
        with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
            change()
    assert UnappliedLine.objects.filter(pk=waiting.pk).update(outcome=Outcome.REFUSED) == 1
    assert reports.update(message="looked at") == 1


def test_text_that_postgresql_cannot_hold_is_kept_as_far_as_it_can(
    baima: Cooperative, celtuce: Supply
) -> None:
    feed = Feed.objects.create(cooperative=baima, kind=Feed.Kind.HTTP_JSON, url="http://127.0.0.1/")
    body = b'{"items": [{"code": "XY\\u0000-\\ud800", "quantity": "1\\u0000"}, 7, {"code": "XY-0007", "quantity": 5000}]}'
    report_id = received(feed_id=feed.pk, fetched=Fetched(body=body), now=MORNING)

    assert apply_report(report_id=report_id, now=MORNING)
    outcomes = list(ReportLine.objects.values_list("row", "outcome"))
    assert outcomes == [(1, Outcome.WAITING), (2, Outcome.REFUSED), (3, Outcome.ACCEPTED)]


def test_a_report_speaks_of_its_own_cooperative_only(baima: Cooperative, celtuce: Supply) -> None:
    fuxing = a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
    theirs = an_uncounted_supply(cooperative=fuxing, code="XY-0007")
    count(fuxing, {"XY-0007": "40"})

    assert Supply.objects.get(pk=celtuce.pk).on_hand == 0
    assert available(theirs, variant_of(theirs)) == 20
