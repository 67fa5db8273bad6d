"""Applies what cooperatives said: raw bytes -> lines -> ledger -> Saleor's Stock rows.

A report is applied in one transaction that begins with two locks: the cooperative's advisory lock, so that one
cooperative is never applied by two workers at once, and the report's row, whose status says whether it was applied. A
worker that is killed at any line leaves the report as received, to be applied again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.stock import decide, ledger
from backend.stock.books import read_catalogue, read_report, take_header, weigh, weigh_matches
from backend.stock.decide import Books, Count, Verdict
from backend.stock.errors import FeedUnreadable, ReportClosed
from backend.stock.feeds.document import as_text
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.ledger import Balance, Entry
from backend.stock.models import Movement, Report
from backend.stock.progress import Stage, tell
from backend.stock.words import Outcome

Status = Report.Status

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
        catalogue = read_catalogue(cooperative_id=report.cooperative_id)
        matches = [
            match
            for match in decide.match_rows(rows=document.rows, catalogue=catalogue, confirmed=count.confirmed)
            if match.row.number in waiting
        ]
        weighed = weigh_matches(matches=matches, catalogue=catalogue, count=count, hold=True)
        for verdict in weighed.verdicts:
            line = waiting[verdict.row.number]
            line.outcome, line.supply_id = verdict.outcome.value, verdict.supply_id
            line.base_units, line.unit = verdict.base_units, verdict.unit[:20]
            line.message = _sentence(verdict)
            line.save(update_fields=["outcome", "supply", "base_units", "unit", "message"])
        _move(
            report=report,
            accepted={
                verdict.supply_id: (waiting[verdict.row.number].pk, verdict, verdict.on_hand)
                for verdict in weighed.verdicts
                if verdict.supply_id is not None and verdict.on_hand is not None
            },
            books=weighed.books,
            count=count,
            now=now,
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
    tell(report_id=report.pk, stage=Stage.DECIDING, total=len(document.rows))
    weighed = weigh(report=report, document=document, count=count, hold=True)
    _write(report=report, verdicts=weighed.verdicts, books=weighed.books, count=count, now=now)
    report.status = Status.APPLIED
    report.message = " ".join(str(remark) for remark in document.remarks)[:500]
    # The bytes among its columns are written once.
    report.save(update_fields=_APPLIED_FIELDS)


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


def _write(
    *,
    report: Report,
    verdicts: Sequence[Verdict],
    books: Mapping[int, Books],
    count: Count,
    now: datetime,
) -> None:
    """Lines, movements, balances, Stock rows and shortfalls of one report, each in one statement."""
    line_ids = _write_lines(report=report, verdicts=verdicts)
    accepted = {
        verdict.supply_id: (line_id, verdict, verdict.on_hand)
        for line_id, verdict in zip(line_ids, verdicts, strict=True)
        if verdict.supply_id is not None and verdict.on_hand is not None
    }
    _move(report=report, accepted=accepted, books=books, count=count, now=now)


def _move(
    *,
    report: Report,
    accepted: Mapping[int, tuple[int, Verdict, int]],
    books: Mapping[int, Books],
    count: Count,
    now: datetime,
) -> None:
    """Movements, balances, Stock rows and shortfalls of what was accepted: supply -> line, verdict, new figure."""
    if not accepted:
        return
    supply_ids = sorted(accepted)
    entries = [
        Entry(
            supply_id=supply_id,
            kind=Movement.Kind.COUNT,
            happened_at=count.counts_from,
            on_hand_delta=on_hand - books[supply_id].on_hand,
            report_line_id=line_id,
        )
        for supply_id, (line_id, _verdict, on_hand) in accepted.items()
    ]
    balances = {pk: Balance(on_hand=books[pk].on_hand, allocated=books[pk].allocated) for pk in supply_ids}
    ledger.append_only(entries=entries, balances=balances, now=now)
    verdict_of = {supply_id: verdict for supply_id, (_line_id, verdict, _on_hand) in accepted.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWEST_COUNT,
            {
                "counted_at": count.key[0],
                "sequence": report.sequence,
                "sha256": report.raw_sha256,
                "counts_from": count.counts_from,
                "supplies": ledger.bigints(supply_ids),
                "on_hand": ledger.bigints(accepted[pk][2] for pk in supply_ids),
                "base_units": ledger.bigints(verdict_of[pk].base_units or 0 for pk in supply_ids),
                "units": [verdict_of[pk].unit[:20] for pk in supply_ids],
            },
        )
    _put_lots_on_sale(
        report=report, lots={pk: each.row.lot for pk, each in verdict_of.items() if each.row.lot}
    )
    ledger.project(supply_ids=supply_ids)
    ledger.settle_shortfalls(supply_ids=supply_ids, now=now)
    bump_stock_version_on_commit()


def _write_lines(*, report: Report, verdicts: Sequence[Verdict]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('stock_reportline', 'id')) FROM generate_series(1, %s)",
            [len(verdicts)],
        )
        line_ids = [line_id for (line_id,) in cursor.fetchall()]
    ledger.copy_rows(
        table="stock_reportline",
        columns=_LINE_COLUMNS,
        rows=(
            (
                line_id,
                report.pk,
                verdict.row.number,
                verdict.row.column[:40],
                verdict.row.code[:60],
                verdict.row.written[:200],
                verdict.outcome.value,
                verdict.supply_id,
                verdict.base_units,
                verdict.unit[:20],
                _sentence(verdict),
            )
            for line_id, verdict in zip(line_ids, verdicts, strict=True)
        ),
    )
    return line_ids


def _sentence(verdict: Verdict) -> str:
    return as_text(str(verdict.message))[:300] if verdict.message else ""


def _put_lots_on_sale(*, report: Report, lots: Mapping[int, str]) -> None:
    """The lot that a line names is what is on sale now; a lot that nobody registered changes nothing."""
    if not lots:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE stock_supply supply SET lot_id = lot.id
            FROM unnest(%s::bigint[], %s::text[]) AS said(supply_id, code)
            JOIN provenance_harvestlot lot ON lot.code = said.code AND lot.cooperative_id = %s
            WHERE supply.id = said.supply_id AND lot.product_id = supply.product_id AND lot.recalled_at IS NULL
            """,
            [list(lots.keys()), list(lots.values()), report.cooperative_id],
        )


_LINE_COLUMNS = (
    "id",
    "report_id",
    "row",
    "column",
    "code",
    "raw",
    "outcome",
    "supply_id",
    "base_units",
    "unit",
    "message",
)

_NEWEST_COUNT = """
    UPDATE stock_supply supply
    SET on_hand = said.on_hand, counted_at = %(counted_at)s, counted_sequence = %(sequence)s, counted_sha256 = %(sha256)s,
        counts_from = %(counts_from)s, counted_base_units = said.base_units, counted_unit = said.unit
    FROM unnest(%(supplies)s::bigint[], %(on_hand)s::bigint[], %(base_units)s::bigint[], %(units)s::text[])
      AS said(id, on_hand, base_units, unit)
    WHERE supply.id = said.id
"""
