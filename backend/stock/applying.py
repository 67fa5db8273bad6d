"""Applies what cooperatives said: raw bytes -> lines -> ledger -> Saleor's Stock rows.

A report is applied in one transaction that begins with two locks: the cooperative's advisory lock, so that one
cooperative is never applied by two workers at once, and the report's row, whose status says whether it was applied. A
worker that is killed at any line leaves the report as received, to be applied again.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from struct import Struct
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.common.batches import batches
from backend.stock import ledger
from backend.stock.ageing import percent_believed
from backend.stock.books import (
    find_supplies,
    meant,
    read_books,
    read_catalogue,
    read_report,
    take_header,
    weigh_matches,
)
from backend.stock.decide import Count, Verdict, decide
from backend.stock.errors import FeedUnreadable, ReportClosed
from backend.stock.feeds.document import Row, as_text
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.matching import BATCH, CountedTwice, Match, Matches
from backend.stock.models import Movement, Report, UnappliedLine
from backend.stock.progress import Stage, tell
from backend.stock.words import Outcome

Status = Report.Status

AT_ONCE = 1_000
"""Rows whose movements are sent to PostgreSQL at a time."""

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

    Each is decided anew, from its raw cell: a newer count that was applied meanwhile stays, and the line says so. One
    that means another good or amount by now than its line said waits on, and its line says what it means now.
    Rows that do not wait are passed over, so that twice is once. Raises ReportClosed when the report is not applied.
    """
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = lock_report(report_id=report_id)
        if report is not None and report.status in (Status.UNDONE, Status.PARTLY):
            raise ReportClosed(_("This report was undone, so nothing in it can be confirmed."))
        if report is None or report.status != Status.APPLIED:
            raise ReportClosed(_("This report is not in the books, so nothing in it can be confirmed."))
        waiting = {
            line.row: line
            for line in report.unapplied_lines.filter(outcome=Outcome.WAITING, row__in=set(rows), row__gt=0)
        }
        if not waiting:
            return report
        confirmed_before = frozenset(report.confirmed_rows)
        report.confirmed_rows = sorted({*confirmed_before, *waiting})
        report.submitted_by = submitted_by or report.submitted_by
        document = read_report(report=report)
        count = take_header(report=report, document=document)
        catalogue = read_catalogue(report=report, document=document)
        matches = [
            match
            for match in Matches(rows=document.rows, catalogue=catalogue, confirmed=count.confirmed)
            if match.row.number in waiting
        ]
        named = meant(matches)
        ledger.close_turnstile(cooperative_id=report.cooperative_id)
        ids = ledger.bigints(named)
        ledger.hold_supplies(supply_ids=ids)
        ledger.make_stock_rows(supply_ids=ids)
        unseen = {
            verdict.row.number: verdict._replace(
                outcome=Outcome.WAITING, on_hand=None, message=_MEANS_ANOTHER
            )
            for verdict in weigh_matches(matches=matches, count=count)
            if verdict.on_hand is not None and not _is_as_shown(verdict, waiting[verdict.row.number])
        }
        matches = [match for match in matches if match.row.number not in unseen]
        report.confirmed_rows = sorted({*confirmed_before, *(waiting.keys() - unseen.keys())})
        verdicts = _decide_and_append(report=report, count=count, matches=matches, now=now)
        for verdict in (*verdicts, *unseen.values()):
            line = waiting[verdict.row.number]
            line.outcome, line.supply_id = verdict.outcome.value, verdict.supply_id
            line.base_units, line.unit = verdict.base_units, verdict.unit[:20]
            line.message = _sentence(verdict.message)
        UnappliedLine.objects.bulk_update(
            waiting.values(), ["outcome", "supply", "base_units", "unit", "message"], batch_size=AT_ONCE
        )
        accepted = [verdict for verdict in verdicts if verdict.on_hand is not None]
        if accepted:
            _put_lots_on_sale(report=report, verdicts=accepted)
            _put_on_shelf(
                report=report,
                count=count,
                # Not of a supply that an earlier row counted, and that was counted again since.
                supply_ids=ledger.bigints(each.supply_id for each in accepted if each.supply_id is not None),
                promised=_promised(accepted),
                now=now,
                only_these=True,
            )
        report.save(update_fields=["confirmed_rows", "submitted_by"])
        return report


def _is_as_shown(verdict: Verdict, line: UnappliedLine) -> bool:
    """Whether a row means what its line said while it waited, as far as that said a good and an amount."""
    return line.supply_id in (None, verdict.supply_id) and line.base_units in (None, verdict.base_units)


_MEANS_ANOTHER = _("This row means another good or amount by now than it was shown with. Look at it again.")


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
    if len(document.rows) > BATCH and 2 * len(document.rows) > len(catalogue.by_code):
        _apply_to_whole_shed(
            report=report,
            count=count,
            matches=matches,
            total=len(document.rows),
            now=now,
        )
    else:
        named = matches.further()
        if len(named) <= BATCH:
            ledger.close_turnstile(cooperative_id=report.cooperative_id)
        else:
            # A report that takes its time does not keep buyers from goods that it does not name.
            ledger.give_room()
        ids = ledger.bigints(named)
        ledger.hold_supplies(supply_ids=ids)
        ledger.make_stock_rows(supply_ids=ids)
        _go_through(report=report, count=count, matches=matches, total=len(matches), supply_ids=ids, now=now)
    report.status = Status.APPLIED
    report.message = " ".join(str(remark) for remark in document.remarks)[:500]
    # The bytes among its columns are written once.
    report.save(update_fields=_APPLIED_FIELDS)


def _apply_to_whole_shed(
    *, report: Report, count: Count, matches: Matches, total: int, now: datetime
) -> None:
    """Apply a long report that names most of what its cooperative has: all of that is held, and nobody looks twice.

    Should two rows count one good, all is taken back, and the report is gone through again, looking first.
    """
    ledger.give_room()
    ledger.hold_shed(cooperative_id=report.cooperative_id)
    ledger.make_stock_rows_of_shed(cooperative_id=report.cooperative_id)
    go_through = partial(_go_through, report=report, count=count, total=total, now=now)
    try:
        with transaction.atomic():
            go_through(matches=matches.in_one_go())
    except CountedTwice:
        go_through(matches=matches)


def _go_through(
    *,
    report: Report,
    count: Count,
    matches: Iterable[Match],
    total: int,
    now: datetime,
    supply_ids: ledger.Array | None = None,
) -> None:
    """Decide and write all rows. total: about how many there are. supply_ids: of those that may move; all without."""
    seen = moved = 0
    promised: list[int] = []
    for batch in batches(matches, BATCH):
        tell(report_id=report.pk, stage=Stage.DECIDING, done=seen, total=total)
        verdicts = _decide_and_append(report=report, count=count, matches=batch, now=now)
        accepted = [verdict for verdict in verdicts if verdict.on_hand is not None]
        if len(accepted) < len(verdicts):
            _keep_unapplied(report=report, verdicts=verdicts)
        _put_lots_on_sale(report=report, verdicts=accepted)
        seen += len(batch)
        moved += len(accepted)
        promised += _promised(accepted)
    tell(report_id=report.pk, stage=Stage.WRITING, done=seen, total=total)
    if moved:
        if moved > BATCH:
            ledger.expect_many_rows()
        _put_on_shelf(report=report, count=count, supply_ids=supply_ids, promised=promised, now=now)


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


def _decide_and_append(
    *, report: Report, count: Count, matches: Sequence[Match], now: datetime
) -> list[Verdict]:
    """Decide rows, and append a movement for each that is accepted, with the cell that it comes from.

    PostgreSQL takes in the movements of some rows while the next are being decided.
    """
    books = read_books(supply_ids=meant(matches), count=count)
    verdicts: list[Verdict] = []
    begin = b"".join(
        (
            len(_COUNT_COLUMNS).to_bytes(2),
            ledger.binary_text(Movement.Kind.COUNT.value),
            ledger.binary_uuid(report.pk),
            ledger.binary_moment(count.counts_from),
            ledger.binary_moment(now),
            ledger.binary_bigint(0),
        )
    )

    def movements() -> Iterator[bytes]:
        for part in batches(matches, AT_ONCE):
            decided = decide(matches=part, books=books, count=count)
            verdicts.extend(decided)
            yield _packed(decided, begin=begin)

    ledger.copy_binary(table="stock_movement", columns=_COUNT_COLUMNS, rows=movements())
    return verdicts


def _packed(verdicts: Sequence[Verdict], *, begin: bytes) -> bytes:
    """The movements of those that are accepted, for `ledger.copy_binary`. begin: what is the same in all of them."""
    numbers, text = _COUNT_NUMBERS.pack, ledger.binary_text
    rows: list[bytes] = []
    # Most rows end as the row before: with its heading and unit, and nothing to say.
    how_it_ended: tuple[str, str, str, str | Promise] | None = None
    end = b""
    for row, _outcome, supply_id, base_units, unit, on_hand, message, before, allocated in verdicts:
        if on_hand is None:
            continue
        ends = (row.letter, row.column, unit, message)
        if ends != how_it_ended:
            how_it_ended = ends
            # A row that says 0 may do so in a unit that nobody knows, however long.
            end = text(_column(row)) + text(unit[:20]) + text(_sentence(message))
        code, raw = row.code[:60].encode(), row.written[:200].encode()
        rows += (
            begin,
            numbers(
                *(8, supply_id, 8, on_hand - before, 8, on_hand, 8, allocated),
                *(8, base_units, 4, row.number, len(code)),
            ),
            code,
            len(raw).to_bytes(4),
            raw,
            end,
        )
    return b"".join(rows)


def _promised(verdicts: Sequence[Verdict]) -> list[int]:
    """Of which of their supplies something is promised."""
    return [each.supply_id for each in verdicts if each.allocated and each.supply_id is not None]


def _keep_unapplied(*, report: Report, verdicts: Sequence[Verdict]) -> None:
    """A line for each row that was not accepted."""
    ledger.copy_rows(
        table="stock_unappliedline",
        columns=_LINE_COLUMNS,
        rows=(
            (
                *(report.pk, each.outcome.value, each.supply_id),
                *(each.base_units, *_cell(each), each.unit[:20], _sentence(each.message)),
            )
            for each in verdicts
            if each.on_hand is None
        ),
    )


def _cell(verdict: Verdict) -> tuple[int, str, str, str]:
    """The row's number, the code and what is written in it, and where in it that stands."""
    row = verdict.row
    return row.number, row.code[:60], row.written[:200], _column(row)


def _column(row: Row) -> str:
    """Where in its row the cell stands: C 库存; only the heading where the format has no letters."""
    return f"{row.letter} {row.column}".strip()[:40]


def _put_on_shelf(
    *,
    report: Report,
    count: Count,
    supply_ids: ledger.Array | None,
    promised: Collection[int],
    now: datetime,
    only_these: bool = False,
) -> None:
    """Balances, Stock rows and shortfalls, out of the movements that were appended.

    supply_ids: all that the report may have moved; None for all of the cooperative. promised: those of which something
    is promised; of no other can there be too little. only_these: not what the report moved before.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWEST_COUNT,
            {
                "report": report.pk,
                "supplies": supply_ids if only_these else None,
                "counted_at": count.key[0],
                "sequence": report.sequence,
                "digest": count.key[2],
                "counts_from": count.counts_from,
                # A row that waited for a person grew old meanwhile.
                "believed": percent_believed(
                    age=(now if only_these else report.received_at) - count.counts_from
                ),
            },
        )
    if supply_ids is None:
        ledger.project_shed(cooperative_id=report.cooperative_id)
    else:
        ledger.project(supply_ids=supply_ids)
    if promised:
        ledger.settle_shortfalls(supply_ids=promised, now=now)
    bump_stock_version_on_commit()


def _sentence(message: str | Promise) -> str:
    return as_text(str(message))[:300] if message else ""


def _put_lots_on_sale(*, report: Report, verdicts: Sequence[Verdict]) -> None:
    """The lot that a line names is what is on sale now; a lot that nobody registered changes nothing.

    What was on sale before is kept, for whoever undoes the report.
    """
    lots = {each.supply_id: each.row.lot for each in verdicts if each.row.lot}
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


_CELL_COLUMNS = ("base_units", "row", "code", "raw", "column", "unit", "message")
_LINE_COLUMNS = ("report_id", "outcome", "supply_id", *_CELL_COLUMNS)
_COUNT_COLUMNS = (
    *("kind", "report_id", "happened_at", "recorded_at", "allocated_delta"),
    *("supply_id", "on_hand_delta", "on_hand_after", "allocated_after"),
    *_CELL_COLUMNS,
)
# From the supply to the row's number, each behind its size; and the size of the code.
_COUNT_NUMBERS = Struct(">iqiqiqiqiqiii")

_NEWEST_COUNT = """
    UPDATE stock_supply supply
    SET on_hand = movement.on_hand_after, counted_at = %(counted_at)s, counted_sequence = %(sequence)s,
        counted_digest = %(digest)s, counts_from = %(counts_from)s, counted_base_units = movement.base_units,
        counted_unit = movement.unit,
        believed_percent = CASE WHEN supply.is_perishable THEN %(believed)s ELSE 100 END
    FROM stock_movement movement
    WHERE supply.id = movement.supply_id AND movement.report_id = %(report)s AND movement.kind = 'count'
      AND (%(supplies)s::bigint[] IS NULL OR movement.supply_id = ANY(%(supplies)s::bigint[]))
"""
