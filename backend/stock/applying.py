"""Applies what cooperatives said: raw bytes -> lines -> ledger -> Saleor's Stock rows.

A report is applied in one transaction that begins with two locks: the cooperative's advisory lock, so that one
cooperative is never applied by two workers at once, and the report's row, whose status says whether it was applied. A
worker that is killed at any line leaves the report as received, to be applied again.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.stock import decide, ledger
from backend.stock.ageing import percent_believed
from backend.stock.books import (
    find_supplies,
    meant,
    read_catalogue,
    read_report,
    take_header,
    weigh_matches,
)
from backend.stock.decide import Count, Verdict
from backend.stock.errors import FeedUnreadable, ReportClosed
from backend.stock.feeds.document import as_text
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.models import Report
from backend.stock.progress import Stage, tell
from backend.stock.words import Outcome

Status = Report.Status

BATCH = 5_000
"""Rows that are decided and written at a time: what a report takes of memory beyond its rows does not grow with it."""

# The first half of an advisory lock's key: "stoc" in ASCII. The second is the cooperative.
_ADVISORY_LOCK = 0x73746F63


def apply_report(*, report_id: UUID, now: datetime) -> bool:
    """Apply a report that was received; answers whether it was this call that dealt with it.

    A document that cannot be read is refused as a whole, with the reason in the report's message. Whatever else
    goes wrong leaves no trace, and the report as received.
    """
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = lock_report(report_id=report_id)
        if report is None or report.status != Status.RECEIVED:
            return False
        _apply(report=report, now=now)
        return True


def confirm_report(
    *, report_id: UUID, accepted_waiting: Collection[int], submitted_by: User | None, now: datetime
) -> Report:
    """Apply a draft, as somebody who saw its preview says; answers the report with its outcome.

    accepted_waiting: numbers of rows that would wait for a person and that this person says are meant. A draft that
    was confirmed before stays as it was then. Raises ReportClosed when it was discarded.
    """
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = lock_report(report_id=report_id)
        if report is None or report.status == Status.DISCARDED:
            raise ReportClosed(_("This file was put aside. Upload it again."))
        if report.status != Status.DRAFT:
            return report
        report.status = Status.RECEIVED
        report.confirmed_rows = sorted(set(accepted_waiting))
        report.submitted_by = submitted_by or report.submitted_by
        report.save(update_fields=["status", "confirmed_rows", "submitted_by"])
        _apply(report=report, now=now)
        return report


def confirm_lines(
    *, report_id: UUID, rows: Collection[int], submitted_by: User | None, now: datetime
) -> Report:
    """Apply rows of an applied report that wait for a person, who says that they are meant.

    Each is decided anew, from its raw cell: a newer count that was applied meanwhile stays, and the line says so.
    Rows that do not wait are passed over, so that twice is once. Raises ReportClosed when the report is not applied.
    """
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = lock_report(report_id=report_id)
        if report is None or report.status != Status.APPLIED:
            raise ReportClosed(_("This report is not in the books, so nothing in it can be confirmed."))
        waiting = {
            line.row: line
            for line in report.lines.filter(outcome=Outcome.WAITING, row__in=set(rows), row__gt=0)
        }
        if not waiting:
            return report
        report.confirmed_rows = sorted({*report.confirmed_rows, *waiting})
        report.submitted_by = submitted_by or report.submitted_by
        document = read_report(report=report)
        count = take_header(report=report, document=document)
        catalogue = read_catalogue(report=report, document=document)
        matches = [
            match
            for match in decide.match_rows(rows=document.rows, catalogue=catalogue, confirmed=count.confirmed)
            if match.row.number in waiting
        ]
        ids = meant(matches)
        _take_turn(report=report, supply_ids=ids)
        ledger.hold_supplies(supply_ids=ids)
        ledger.make_stock_rows(supply_ids=ids)
        verdicts = weigh_matches(matches=matches, count=count)
        for verdict in verdicts:
            line = waiting[verdict.row.number]
            line.outcome, line.supply_id = verdict.outcome.value, verdict.supply_id
            line.base_units, line.unit = verdict.base_units, verdict.unit[:20]
            line.on_hand, line.message = verdict.on_hand, _sentence(verdict.message)
            line.save(update_fields=["outcome", "supply", "base_units", "unit", "on_hand", "message"])
        moved: list[int] = []
        lots: dict[int, str] = {}
        _note_accepted(verdicts, moved=moved, lots=lots)
        _move(
            report=report,
            count=count,
            supply_ids=moved,
            lots=lots,
            now=now,
            line_ids=[line.pk for line in waiting.values()],
        )
        report.save(update_fields=["confirmed_rows", "submitted_by"])
        return report


def lock_report(*, report_id: UUID) -> Report | None:
    """The report, locked behind its cooperative's lock; None when there is none."""
    cooperative_id = Report.objects.filter(pk=report_id).values_list("cooperative", flat=True).first()
    if cooperative_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ADVISORY_LOCK, cooperative_id])
    return Report.objects.select_for_update(of=("self",)).filter(pk=report_id).first()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Rows are tuples that form no circles: who looks for circles among a hundred thousand of them looks in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_collector()
def _apply(*, report: Report, now: datetime) -> None:
    """Apply a locked report that was received, and save what became of it."""
    report.applied_at = now
    tell(report_id=report.pk, stage=Stage.READING)
    try:
        document = read_report(report=report)
        count = take_header(report=report, document=document)
    except FeedUnreadable as error:
        report.status, report.message = Status.REFUSED, str(error)[:500]
        report.save(update_fields=["status", "message", "applied_at"])
        return
    catalogue = read_catalogue(report=report, document=document)
    matches = find_supplies(report=report, document=document, count=count, catalogue=catalogue)
    named = meant(matches)
    _take_turn(report=report, supply_ids=named)
    ids = ledger.bigints(named)
    ledger.hold_supplies(supply_ids=ids)
    ledger.make_stock_rows(supply_ids=ids)
    moved: list[int] = []
    lots: dict[int, str] = {}
    for begin in range(0, len(matches), BATCH):
        tell(report_id=report.pk, stage=Stage.DECIDING, done=begin, total=len(matches))
        verdicts = weigh_matches(matches=matches[begin : begin + BATCH], count=count)
        _write_lines(report=report, verdicts=verdicts)
        _note_accepted(verdicts, moved=moved, lots=lots)
    tell(report_id=report.pk, stage=Stage.WRITING, done=len(matches), total=len(matches))
    _move(report=report, count=count, supply_ids=moved, lots=lots, now=now)
    report.status = Status.APPLIED
    report.message = " ".join(str(remark) for remark in document.remarks)[:500]
    # The bytes among its columns are written once.
    report.save(update_fields=_APPLIED_FIELDS)


def _take_turn(*, report: Report, supply_ids: Collection[int]) -> None:
    """Before the supplies are held. A report that takes its time does not keep buyers from goods it does not name."""
    if len(supply_ids) <= BATCH:
        ledger.close_turnstile(cooperative_id=report.cooperative_id)


_APPLIED_FIELDS = (
    "status",
    "message",
    "applied_at",
    "counted_at",
    "basis",
    "sequence",
    "is_complete",
    "mapping",
)


def _write_lines(*, report: Report, verdicts: Sequence[Verdict]) -> None:
    begin = str(report.pk)
    null, accepted = ledger.NULL, Outcome.ACCEPTED
    lines = []
    for row, outcome, supply_id, base_units, unit, on_hand, message in verdicts:
        # Where in its row the cell stands: C 库存; only the heading where the format has no letters.
        column = f"{row.letter} {row.column}" if row.letter else row.column
        lines.append(
            f"{begin}\t{row.number}\t{column[:40]}\t{row.code[:60]}\t{row.written[:200]}\t"
            f"{'accepted' if outcome is accepted else outcome.value}\t"
            f"{null if supply_id is None else supply_id}\t{null if base_units is None else base_units}\t"
            f"{unit[:20]}\t{null if on_hand is None else on_hand}\t{_sentence(message) if message else ''}\n"
        )
    if ledger.copy_text(table="stock_reportline", columns=_LINE_COLUMNS, lines=lines):
        return
    ledger.copy_rows(
        table="stock_reportline",
        columns=_LINE_COLUMNS,
        rows=(
            (
                report.pk,
                row.number,
                f"{row.letter} {row.column}".strip()[:40],
                row.code[:60],
                row.written[:200],
                outcome.value,
                supply_id,
                base_units,
                unit[:20],
                on_hand,
                _sentence(message),
            )
            for row, outcome, supply_id, base_units, unit, on_hand, message in verdicts
        ),
    )


def _note_accepted(verdicts: Sequence[Verdict], *, moved: list[int], lots: dict[int, str]) -> None:
    for row, _outcome, supply_id, _base_units, _unit, on_hand, _message in verdicts:
        if on_hand is not None and supply_id is not None:
            moved.append(supply_id)
            if row.lot:
                lots[supply_id] = row.lot


def _move(
    *,
    report: Report,
    count: Count,
    supply_ids: Sequence[int],
    lots: Mapping[int, str],
    now: datetime,
    line_ids: Collection[int] | None = None,
) -> None:
    """Movements, balances, Stock rows and shortfalls, out of the report's lines as they were written.

    supply_ids: of the lines that were accepted. line_ids: only these lines; all of the report's without.
    """
    if not supply_ids:
        return
    given = {
        "report": report.pk,
        "lines": None if line_ids is None else ledger.bigints(line_ids),
        "counted_at": count.key[0],
        "sequence": report.sequence,
        "sha256": report.raw_sha256,
        "counts_from": count.counts_from,
        "believed": percent_believed(age=report.received_at - count.counts_from),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_MOVEMENTS, given)
        cursor.execute(_NEWEST_COUNT, given)
    _put_lots_on_sale(report=report, lots=lots)
    ids = ledger.bigints(supply_ids)
    ledger.project(supply_ids=ids)
    ledger.settle_shortfalls(supply_ids=ids, now=now)
    bump_stock_version_on_commit()


def _sentence(message: str | Promise) -> str:
    return as_text(str(message))[:300] if message else ""


def _put_lots_on_sale(*, report: Report, lots: Mapping[int, str]) -> None:
    """The lot that a line names is what is on sale now; a lot that nobody registered changes nothing.

    What was on sale before is kept, for whoever undoes the report.
    """
    if not lots:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH change AS (
                SELECT supply.id AS supply_id, lot.id AS lot_id, supply.lot_id AS before_id
                FROM unnest(%s::bigint[], %s::text[]) AS said(supply_id, code)
                JOIN provenance_harvestlot lot ON lot.code = said.code AND lot.cooperative_id = %s
                JOIN stock_supply supply ON supply.id = said.supply_id
                WHERE lot.product_id = supply.product_id AND lot.recalled_at IS NULL
                  AND supply.lot_id IS DISTINCT FROM lot.id
            ), kept AS (
                INSERT INTO stock_lotchange (report_id, supply_id, lot_id, before_id)
                SELECT %s, supply_id, lot_id, before_id FROM change
            )
            UPDATE stock_supply supply SET lot_id = change.lot_id
            FROM change WHERE supply.id = change.supply_id
            """,
            [list(lots.keys()), list(lots.values()), report.cooperative_id, report.pk],
        )


_LINE_COLUMNS = (
    "report_id",
    "row",
    "column",
    "code",
    "raw",
    "outcome",
    "supply_id",
    "base_units",
    "unit",
    "on_hand",
    "message",
)

_ACCEPTED_LINES = """
    line.report_id = %(report)s AND line.on_hand IS NOT NULL
    AND (%(lines)s::bigint[] IS NULL OR line.id = ANY(%(lines)s::bigint[]))
"""

_COUNT_MOVEMENTS = f"""
    INSERT INTO stock_movement (supply_id, kind, on_hand_delta, allocated_delta, on_hand_after, allocated_after,
                                report_line_id, happened_at, recorded_at)
    SELECT supply.id, 'count', line.on_hand - supply.on_hand, 0, line.on_hand, supply.allocated,
           line.id, %(counts_from)s, %(now)s
    FROM stock_reportline line JOIN stock_supply supply ON supply.id = line.supply_id
    WHERE {_ACCEPTED_LINES}
"""  # noqa: S608  (composed of the constant above, no value from outside)

_NEWEST_COUNT = f"""
    UPDATE stock_supply supply
    SET on_hand = line.on_hand, counted_at = %(counted_at)s, counted_sequence = %(sequence)s,
        counted_sha256 = %(sha256)s, counts_from = %(counts_from)s, counted_base_units = line.base_units,
        counted_unit = line.unit,
        believed_percent = CASE WHEN supply.is_perishable THEN %(believed)s ELSE 100 END
    FROM stock_reportline line
    WHERE supply.id = line.supply_id AND {_ACCEPTED_LINES}
"""  # noqa: S608  (composed of the constant above, no value from outside)
