"""A file that is uploaded changes nothing until a person who saw what it would change says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.cooperatives.models import Cooperative
from backend.stock import services
from backend.stock.allocation import allocate
from backend.stock.audit import find_drift
from backend.stock.errors import FeedUnreadable, MappingUnclear, ReportClosed
from backend.stock.models import Movement, Report, ReportLine, Supply
from backend.stock.services import Preview, PreviewLine
from backend.stock.waiting import waiting_lines
from backend.stock.words import Basis, Outcome
from tests.backend.stock.shed import (
    MORNING,
    an_order,
    an_uncounted_supply,
    as_bytes,
    as_workbook,
    available,
    count,
    variant_of,
)
from tests.produce import a_cooperative, a_person

pytestmark = pytest.mark.django_db

LATER = MORNING + timedelta(hours=1)


@pytest.fixture
def baima() -> Cooperative:
    return a_cooperative()


@pytest.fixture
def celtuce(baima: Cooperative) -> Supply:
    """莴笋, 100 斤 of it counted."""
    supply = an_uncounted_supply(cooperative=baima, code="XY-0007", name="莴笋")
    count(baima, {"XY-0007": "100"})
    return supply


@pytest.fixture
def cabbage(baima: Cooperative) -> Supply:
    supply = an_uncounted_supply(cooperative=baima, code="XY-0008", name="儿菜")
    count(baima, {"XY-0008": "40"})
    return supply


def a_file(*rows: list[object]) -> bytes:
    return as_bytes(as_workbook(list(rows), counted_at=None))


def upload(
    cooperative: Cooperative, raw: bytes, *, basis: Basis = Basis.SHELF, is_complete: bool = False
) -> Report:
    return services.keep_upload(
        cooperative=cooperative,
        filename="库存.xlsx",
        raw=raw,
        basis=basis,
        is_complete=is_complete,
        submitted_by=None,
        now=LATER,
    )


def seen(report: Report) -> Preview:
    return services.preview(report=report)


def line_for(preview: Preview, code: str) -> PreviewLine:
    (line,) = [line for line in preview.lines if line.code == code]
    return line


def confirm(report: Report, *rows: int) -> Report:
    return services.confirm_report(
        report_id=report.pk, accepted_waiting=rows, submitted_by=None, now=LATER + timedelta(minutes=5)
    )


def books() -> list[tuple[object, ...]]:
    return list(Supply.objects.order_by("pk").values_list("pk", "on_hand", "allocated", "counted_at"))


def test_an_upload_shows_old_new_and_difference_and_changes_nothing(
    baima: Cooperative, celtuce: Supply, cabbage: Supply
) -> None:
    before = books()
    draft = upload(baima, a_file(["XY-0007", "莴笋", 120, "斤", None], ["XY-0008", "儿菜", None, "斤", None]))
    preview = seen(draft)

    line = line_for(preview, "XY-0007")
    assert (line.row, line.name, line.old, line.new, line.difference) == (5, "莴笋", 50_000, 60_000, 10_000)
    assert (line.outcome, line.may_confirm, line.unit) == (Outcome.ACCEPTED, False, "g")
    assert line_for(preview, "XY-0008").new is None
    assert preview.counts == {Outcome.ACCEPTED: 1, Outcome.SKIPPED: 1}
    draft.refresh_from_db()
    assert draft.status == Report.Status.DRAFT
    assert books() == before
    assert Movement.objects.count() == 2
    assert not ReportLine.objects.filter(report=draft).exists()


def test_confirming_applies_what_was_shown_once(baima: Cooperative, celtuce: Supply) -> None:
    draft = upload(baima, a_file(["XY-0007", "莴笋", 120, "斤", None]))
    wang = a_person(email="wang@baima.example")
    confirmed = services.confirm_report(
        report_id=draft.pk, accepted_waiting=(), submitted_by=wang, now=LATER + timedelta(minutes=1)
    )
    assert (confirmed.status, confirmed.submitted_by) == (Report.Status.APPLIED, wang)
    assert available(celtuce, variant_of(celtuce)) == 60

    assert confirm(draft).pk == draft.pk
    assert Movement.objects.filter(supply=celtuce).count() == 2
    assert find_drift() == []


def test_what_waits_goes_through_when_it_is_ticked_and_waits_when_it_is_not(
    baima: Cooperative, celtuce: Supply, cabbage: Supply
) -> None:
    rows = (["XY-0007", "莴笋", 1285, "斤", None], ["XY-0008", "儿菜", "约30", "斤", None])
    draft = upload(baima, a_file(*rows))
    preview = seen(draft)
    for code, new in (("XY-0007", 642_500), ("XY-0008", 15_000)):
        line = line_for(preview, code)
        assert (line.outcome, line.may_confirm, line.new) == (Outcome.WAITING, True, new)

    report = confirm(draft, 6)
    assert dict(report.lines.values_list("row", "outcome")) == {5: Outcome.WAITING, 6: Outcome.ACCEPTED}
    assert available(celtuce, variant_of(celtuce)) == 50
    assert available(cabbage, variant_of(cabbage)) == 15


def test_a_suggested_good_can_be_confirmed_but_not_beside_its_own_row(
    baima: Cooperative, celtuce: Supply, cabbage: Supply
) -> None:
    draft = upload(baima, a_file(["XY-7", "莴笋", 90, "斤", None]))
    (line,) = seen(draft).lines
    assert (line.outcome, line.supply_id, line.may_confirm, line.new) == (
        Outcome.WAITING,
        celtuce.pk,
        True,
        45_000,
    )
    confirm(draft, 5)
    assert available(celtuce, variant_of(celtuce)) == 45

    both = upload(baima, a_file(["XY-7", "莴笋", 80, "斤", None], ["XY-0007", "莴笋", 70, "斤", None]))
    assert not line_for(seen(both), "XY-7").may_confirm
    report = confirm(both, 5)
    assert set(report.lines.values_list("outcome", flat=True)) == {Outcome.REFUSED}
    assert available(celtuce, variant_of(celtuce)) == 45


def test_what_may_be_sold_is_shown_to_who_counts_what_may_be_sold(
    baima: Cooperative, celtuce: Supply
) -> None:
    _, lines = an_order((variant_of(celtuce), 10))
    allocate(lines=lines, country_code="CN", now=MORNING + timedelta(minutes=5))
    draft = upload(baima, a_file(["XY-0007", "莴笋", 60, "斤", None]), basis=Basis.SELLABLE)
    (line,) = seen(draft).lines
    assert (line.old, line.new) == (40_000, 30_000)
    confirm(draft)
    assert available(celtuce, variant_of(celtuce)) == 30


def test_a_sale_between_the_upload_and_its_confirmation_is_not_lost(
    baima: Cooperative, celtuce: Supply
) -> None:
    draft = upload(baima, a_file(["XY-0007", "莴笋", 60, "斤", None]), basis=Basis.SELLABLE)
    _, lines = an_order((variant_of(celtuce), 10))
    allocate(lines=lines, country_code="CN", now=LATER + timedelta(minutes=1))
    confirm(draft)
    assert available(celtuce, variant_of(celtuce)) == 20


def test_the_same_file_uploaded_twice_is_one_draft_and_later_another_that_says_so(
    baima: Cooperative, celtuce: Supply
) -> None:
    raw = a_file(["XY-0007", "莴笋", 120, "斤", None])
    draft = upload(baima, raw)
    assert upload(baima, raw) == draft
    assert seen(draft).applied_before is None
    confirm(draft)

    again = upload(baima, raw)
    assert again != draft
    assert seen(again).applied_before == LATER + timedelta(minutes=5)


def test_a_file_that_cannot_be_read_says_so_in_its_preview(baima: Cooperative, celtuce: Supply) -> None:
    draft = upload(baima, b"PK\x03\x04 not a workbook")
    assert seen(draft).error
    assert seen(draft).lines == ()
    assert confirm(draft).status == Report.Status.REFUSED
    assert available(celtuce, variant_of(celtuce)) == 50


def test_the_bytes_say_what_kind_of_file_it_is(baima: Cooperative, celtuce: Supply) -> None:
    table = "编码,品名,库存,单位\r\nXY-0007,莴笋,120,斤\r\n".encode("gb18030")
    assert line_for(seen(upload(baima, table)), "XY-0007").new == 60_000


def test_a_file_that_is_too_large_is_not_kept(baima: Cooperative, celtuce: Supply) -> None:
    with pytest.raises(FeedUnreadable, match="10 MB"):
        upload(baima, b"x" * (10 * 1024 * 1024 + 1))
    assert not Report.objects.filter(source=Report.Source.UPLOAD).exists()


def test_a_draft_is_put_aside_by_hand_or_after_a_day(baima: Cooperative, celtuce: Supply) -> None:
    first = upload(baima, a_file(["XY-0007", "莴笋", 120, "斤", None]))
    services.discard_report(report_id=first.pk)
    with pytest.raises(ReportClosed):
        confirm(first)
    second = upload(baima, a_file(["XY-0007", "莴笋", 121, "斤", None]))
    assert services.discard_old_drafts(now=LATER + timedelta(hours=23)) == 0
    assert services.discard_old_drafts(now=LATER + timedelta(hours=25)) == 1
    with pytest.raises(ReportClosed):
        confirm(second)
    with pytest.raises(ReportClosed):
        services.discard_report(
            report_id=confirm(upload(baima, a_file(["XY-0007", "莴笋", 9, "斤", None]))).pk
        )


def test_waiting_lines_of_an_applied_report_are_confirmed_later(
    baima: Cooperative, celtuce: Supply, cabbage: Supply
) -> None:
    report = count(baima, {"XY-0007": "1285", "XY-0008": "三十多"}, at=LATER)
    chen = a_person(email="chen@baima.example")
    # Goods that left since are taken off what was counted then.
    _, (line,) = an_order((variant_of(celtuce), 10))
    allocate(lines=[line], country_code="CN", now=LATER + timedelta(minutes=1))

    for _ in range(2):
        confirmed = services.confirm_lines(
            report_id=report.pk, rows=[1], submitted_by=chen, now=LATER + timedelta(minutes=2)
        )
    assert dict(confirmed.lines.values_list("row", "outcome")) == {1: Outcome.ACCEPTED, 2: Outcome.WAITING}
    assert available(celtuce, variant_of(celtuce)) == 632
    movement = Movement.objects.filter(supply=celtuce, kind=Movement.Kind.COUNT).latest("pk")
    assert movement.report_line == confirmed.lines.get(row=1)
    assert available(cabbage, variant_of(cabbage)) == 20
    assert find_drift() == []


def test_a_waiting_line_that_is_older_than_a_newer_count_changes_nothing(
    baima: Cooperative, celtuce: Supply
) -> None:
    report = count(baima, {"XY-0007": "1285"}, at=LATER)
    count(baima, {"XY-0007": "90"}, at=LATER + timedelta(minutes=1))
    services.confirm_lines(report_id=report.pk, rows=[1], submitted_by=None, now=LATER + timedelta(minutes=2))
    assert report.lines.get().outcome == Outcome.SKIPPED
    assert available(celtuce, variant_of(celtuce)) == 45


def test_an_unknown_code_waits_beside_the_row_of_the_good_that_it_may_be(
    baima: Cooperative, celtuce: Supply
) -> None:
    report = count(baima, {"XY-0007": "90", "XY-0O07": "80"}, at=LATER)
    (line,) = waiting_lines(cooperative=baima, since=LATER - timedelta(days=1))
    assert (line.code, line.supply) == ("XY-0O07", celtuce)
    services.confirm_lines(report_id=report.pk, rows=[2], submitted_by=None, now=LATER + timedelta(minutes=1))
    assert report.lines.get(row=2).outcome == Outcome.REFUSED
    assert not waiting_lines(cooperative=baima, since=LATER - timedelta(days=1)).exists()
    assert available(celtuce, variant_of(celtuce)) == 45


def test_of_a_list_without_codes_each_good_waits_by_itself(
    baima: Cooperative, celtuce: Supply, cabbage: Supply
) -> None:
    for kilograms in ("约30", "约31"):
        rows = [["莴笋", kilograms, "斤"], ["儿菜", kilograms, "斤"], ["鱼", 5, "斤"], ["虾", 5, "斤"]]
        table = as_bytes(as_workbook(rows, counted_at=None, header=("品名", "库存", "单位")))
        report = confirm(upload(baima, table))
    found = waiting_lines(cooperative=baima, since=LATER - timedelta(days=1))
    assert sorted(line.row for line in found) == [5, 6, 7, 8]
    assert {line.report for line in found} == {report}


def test_a_row_that_means_another_amount_by_now_is_shown_again_before_it_counts(
    baima: Cooperative, celtuce: Supply
) -> None:
    Supply.objects.filter(pk=celtuce.pk).update(container_name="筐", container_units=10_000)
    report = count(baima, {"XY-0007": "60"}, at=LATER, unit="筐")
    assert report.lines.get().base_units == 600_000
    Supply.objects.filter(pk=celtuce.pk).update(container_units=20_000)

    for on_hand, outcome in ((50_000, Outcome.WAITING), (1_200_000, Outcome.ACCEPTED)):
        services.confirm_lines(
            report_id=report.pk, rows=[1], submitted_by=None, now=LATER + timedelta(minutes=1)
        )
        celtuce.refresh_from_db()
        line = report.lines.get()
        assert (celtuce.on_hand, line.outcome, line.base_units) == (on_hand, outcome, 1_200_000)
    assert find_drift() == []


def test_a_row_whose_suggested_good_was_withdrawn_does_not_count_another_one(
    baima: Cooperative, celtuce: Supply, cabbage: Supply
) -> None:
    report = count(baima, {"XY-00007": "80"}, at=LATER)
    line = report.lines.get()
    assert (line.outcome, line.supply) == (Outcome.WAITING, celtuce)
    Supply.objects.filter(pk=celtuce.pk).update(is_active=False)

    services.confirm_lines(report_id=report.pk, rows=[1], submitted_by=None, now=LATER + timedelta(minutes=1))
    line = report.lines.get()
    assert (line.outcome, line.supply) == (Outcome.WAITING, cabbage)
    cabbage.refresh_from_db()
    assert cabbage.on_hand == 20_000


def test_a_row_of_a_report_that_was_undone_is_not_confirmed_and_says_why(
    baima: Cooperative, celtuce: Supply, cabbage: Supply
) -> None:
    report = count(baima, {"XY-0007": "90", "XY-0008": "三十多"}, at=LATER)
    services.undo_report(report_id=report.pk, submitted_by=None, now=LATER + timedelta(minutes=1))
    with pytest.raises(ReportClosed, match="撤销"):
        services.confirm_lines(
            report_id=report.pk, rows=[2], submitted_by=None, now=LATER + timedelta(minutes=2)
        )
    assert available(cabbage, variant_of(cabbage)) == 20


def test_many_rows_that_wait_are_confirmed_in_as_many_queries_as_a_few(baima: Cooperative) -> None:
    queries = []
    for number in (2, 12):
        codes = [f"QX-{number:02}{good:02}" for good in range(number)]
        for code in codes:
            an_uncounted_supply(cooperative=baima, code=code)
        report = count(baima, dict.fromkeys(codes, "约30"), at=LATER)
        with CaptureQueriesContext(connection) as captured:
            services.confirm_lines(
                report_id=report.pk,
                rows=range(1, number + 1),
                submitted_by=None,
                now=LATER + timedelta(minutes=1),
            )
        assert set(report.lines.values_list("outcome", flat=True)) == {Outcome.ACCEPTED}
        queries.append(len(captured))
    assert queries[0] == queries[1]


def a_file_with_headings_of_its_own(figure: int, *, first: str = "甲") -> bytes:
    return as_bytes(
        as_workbook(
            [["XY-0007", "莴笋", figure, "斤", None]],
            counted_at=None,
            header=(first, "乙", "丙", "丁", "戊"),
        )
    )


def test_headings_that_nobody_knows_are_asked_for_once_and_remembered(
    baima: Cooperative, celtuce: Supply
) -> None:
    draft = upload(baima, a_file_with_headings_of_its_own(120))
    unknown = seen(draft)
    assert {column.header for column in unknown.columns_unknown} >= {"甲", "丙"}
    assert unknown.error

    said = {"甲": "code", "乙": "name", "丙": "quantity", "丁": "unit"}
    with pytest.raises(MappingUnclear):
        services.remember_columns(report=draft, mapping={"甲": "code"}, submitted_by=None, now=LATER)
    services.remember_columns(report=draft, mapping=said, submitted_by=None, now=LATER)
    assert line_for(seen(draft), "XY-0007").new == 60_000

    next_day = upload(baima, a_file_with_headings_of_its_own(140, first=" 甲"))
    assert line_for(seen(next_day), "XY-0007").new == 70_000
    confirm(next_day)
    assert available(celtuce, variant_of(celtuce)) == 70
    # Another cooperative's headings are its own.
    fuxing = a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
    assert seen(upload(fuxing, a_file_with_headings_of_its_own(140))).columns_unknown


def test_what_headings_mean_may_be_said_better_and_holds_for_later_files_too(
    baima: Cooperative, celtuce: Supply
) -> None:
    draft = upload(baima, a_file_with_headings_of_its_own(120))
    wrong = {"乙": "code", "丙": "quantity", "丁": "unit"}
    right = {"甲": "code", "丙": "quantity", "丁": "unit"}
    for said in (wrong, right):
        services.remember_columns(report=draft, mapping=said, submitted_by=None, now=LATER)
    assert line_for(seen(draft), "XY-0007").new == 60_000
    next_day = upload(baima, a_file_with_headings_of_its_own(140))
    assert line_for(seen(next_day), "XY-0007").new == 70_000
