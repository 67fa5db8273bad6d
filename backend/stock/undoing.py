"""Takes back what a report changed, by entries that compensate: nothing in the ledger is rewritten.

A supply goes back to the count before, with what came or went since. Where somebody counted again after the report,
that newer count stays, and the report says which. The lot that was on sale before is on sale again, unless somebody
put another one there since, or it was recalled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.stock import ledger
from backend.stock.ageing import restore_belief
from backend.stock.applying import lock_report
from backend.stock.errors import ReportClosed
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.ledger import Balance, Cell, Entry
from backend.stock.models import LotChange, Movement, Report, Supply
from backend.stock.models.supplies import DIGEST_DIGITS

Status = Report.Status

MOST_NAMED = 10
"""Goods that the message names; of more it says how many."""


@dataclass(frozen=True)
class _Counted:
    """A count of the report that is to be undone. changed: by how many base units it moved the figure."""

    supply_id: int
    changed: int
    cell: Cell


@dataclass
class _Lots:
    """What became of the lots that the report had put on sale, by the supplies' names."""

    back: list[str] = field(default_factory=list)
    changed_since: list[str] = field(default_factory=list)
    recalled: list[str] = field(default_factory=list)


def undo_report(*, report_id: UUID, submitted_by: User | None, now: datetime) -> Report:
    """Take back an applied report; answers it as undone, or as undone in part.

    Its message says what could not be taken back, and why. Undoing it again changes nothing, unless what was counted
    since was undone itself: then that much more is taken back. Raises ReportClosed for a report that was never applied.
    """
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = lock_report(report_id=report_id)
        if report is not None and report.status == Status.UNDONE:
            return report
        if report is None or report.status not in (Status.APPLIED, Status.PARTLY):
            raise ReportClosed(_("This report is not in the books, so there is nothing to undo."))
        counted = _counts_of(report=report)
        supplies = ledger.lock_supplies(supply_ids=[each.supply_id for each in counted])
        ledger.lock_stock_rows(supply_ids=list(supplies))
        key = (report.counted_at, report.sequence, report.raw_sha256[:DIGEST_DIGITS])
        ours = [each for each in counted if _newest_count(supplies[each.supply_id]) == key]
        newer = [
            supplies[each.supply_id] for each in counted if _newest_count(supplies[each.supply_id]) != key
        ]
        if report.status == Status.PARTLY and not ours:
            return report
        _take_back(counted=ours, supplies=supplies, now=now)
        lots = _lots_back(report=report, supplies={each.supply_id: supplies[each.supply_id] for each in ours})
        report.status = Status.PARTLY if newer else Status.UNDONE
        report.undone_at, report.undone_by = now, submitted_by
        passed_over = [supplies[pk] for pk in _passed_over(report=report, counted=ours)]
        report.message = _sentence(newer=newer, passed_over=passed_over, lots=lots)[:500]
        report.save(update_fields=["status", "undone_at", "undone_by", "message"])
        return report


def _newest_count(supply: Supply) -> tuple[datetime | None, int, str]:
    return supply.counted_at, supply.counted_sequence, supply.counted_digest


def _counts_of(*, report: Report) -> list[_Counted]:
    """The counts of the report that are not undone yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT supply_id, on_hand_delta, report_id, row, "column", code, raw, base_units, unit
            FROM stock_movement movement
            WHERE report_id = %s AND kind = 'count' AND NOT EXISTS (
                SELECT FROM stock_movement undo
                WHERE undo.report_id = movement.report_id AND undo.supply_id = movement.supply_id AND undo.kind = 'undo'
            )
            ORDER BY supply_id
            """,
            [report.pk],
        )
        return [_Counted(supply_id, changed, Cell(*cell)) for supply_id, changed, *cell in cursor.fetchall()]


def _take_back(*, counted: Sequence[_Counted], supplies: dict[int, Supply], now: datetime) -> None:
    if not counted:
        return
    supply_ids = [each.supply_id for each in counted]
    ledger.append(
        entries=[
            Entry(
                supply_id=each.supply_id,
                kind=Movement.Kind.UNDO,
                happened_at=ledger.happens_at(now=now, supply=supplies[each.supply_id]),
                # More may have left since than was there before.
                on_hand_delta=-min(each.changed, supplies[each.supply_id].on_hand),
                cell=each.cell,
            )
            for each in counted
        ],
        balances={
            pk: Balance(on_hand=supplies[pk].on_hand, allocated=supplies[pk].allocated) for pk in supply_ids
        },
        now=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_BEFORE, {"supplies": ledger.bigints(supply_ids)})
    restore_belief(supply_ids=supply_ids, now=now)
    ledger.project(supply_ids=supply_ids)
    ledger.settle_shortfalls(supply_ids=supply_ids, now=now)
    bump_stock_version_on_commit()


def _lots_back(*, report: Report, supplies: Mapping[int, Supply]) -> _Lots:
    """Put what was on sale before on sale again. supplies: locked, and counted by nobody since."""
    lots = _Lots()
    restored = []
    # One a supply at most, as a report counts it once.
    changes = LotChange.objects.filter(report=report, supply__in=supplies.keys()).select_related("before")
    for change in changes.order_by("pk"):
        supply, before = supplies[change.supply_id], change.before
        if supply.lot_id != change.lot_id:
            lots.changed_since.append(str(supply))
            continue
        if before is not None and before.recalled_at is not None:
            lots.recalled.append(str(supply))
            before = None
        else:
            lots.back.append(str(supply))
        supply.lot = before
        restored.append(supply)
    Supply.objects.bulk_update(restored, ["lot"], batch_size=1000)
    return lots


def _passed_over(*, report: Report, counted: Sequence[_Counted]) -> list[int]:
    """Supplies of which a count came late, older than what is undone now and newer than what stands there again."""
    given: dict[str, UUID | str | int] = {
        "report": report.pk,
        "supplies": ledger.bigints(each.supply_id for each in counted),
        "digits": DIGEST_DIGITS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PASSED_OVER, given)
        return [supply_id for (supply_id,) in cursor.fetchall()]


def _sentence(*, newer: Sequence[Supply], passed_over: Sequence[Supply], lots: _Lots) -> str:
    said = [
        format_lazy(_("Not undone, because they were counted again since: {names}."), names=_named(newer))
        if newer
        else _("Undone: the figures are those from before.")
    ]
    if passed_over:
        said.append(
            format_lazy(
                _("A count that came late was passed over, so please count again: {names}."),
                names=_named(passed_over),
            )
        )
    if lots.back:
        said.append(format_lazy(_("The lot before is on sale again: {names}."), names=_named(lots.back)))
    if lots.changed_since:
        said.append(
            format_lazy(
                _("The lot stays, because somebody changed it since: {names}."),
                names=_named(lots.changed_since),
            )
        )
    if lots.recalled:
        said.append(
            format_lazy(
                _("No lot is on sale, because the one before was recalled: {names}."),
                names=_named(lots.recalled),
            )
        )
    return " ".join(str(sentence) for sentence in said)


def _named(supplies: Sequence[object]) -> str:
    names = "、".join(str(supply) for supply in supplies[:MOST_NAMED])
    if len(supplies) > MOST_NAMED:
        names = str(
            format_lazy(_("{names} and {number} more"), names=names, number=len(supplies) - MOST_NAMED)
        )
    return names


# The newest count that nobody undid is the newest again; none: the supply is as if never counted.
_COUNT_BEFORE = f"""
    UPDATE stock_supply supply
    SET counted_at = before.counted_at, counted_sequence = COALESCE(before.sequence, 0),
        counted_digest = COALESCE(LEFT(before.raw_sha256, {DIGEST_DIGITS}), ''), counts_from = before.counts_from,
        counted_base_units = before.base_units, counted_unit = COALESCE(before.unit, '')
    FROM stock_supply undone
    LEFT JOIN LATERAL (
        SELECT report.counted_at, report.sequence, report.raw_sha256, movement.happened_at AS counts_from,
               movement.base_units, movement.unit
        FROM stock_movement movement
        JOIN stock_report report ON report.id = movement.report_id
        WHERE movement.supply_id = undone.id AND movement.kind = 'count' AND NOT EXISTS (
            SELECT FROM stock_movement undo
            WHERE undo.report_id = movement.report_id AND undo.supply_id = movement.supply_id AND undo.kind = 'undo'
        )
        ORDER BY report.counted_at DESC, report.sequence DESC, report.raw_sha256 COLLATE "C" DESC
        LIMIT 1
    ) before ON true
    WHERE undone.id = ANY(%(supplies)s::bigint[]) AND supply.id = undone.id
"""  # noqa: S608  (composed of a constant, no value from outside)

# A row that was empty has no base units. Only what was applied after the report can have been passed over for it.
_PASSED_OVER = """
    SELECT DISTINCT supply.id
    FROM stock_report undone
    JOIN stock_report late ON late.cooperative_id = undone.cooperative_id AND late.applied_at >= undone.applied_at
    JOIN stock_unappliedline line ON line.report_id = late.id
    JOIN stock_supply supply ON supply.id = line.supply_id
    WHERE undone.id = %(report)s AND late.status = 'applied' AND supply.id = ANY(%(supplies)s::bigint[])
      AND line.outcome = 'skipped' AND line.base_units IS NOT NULL
      AND (late.counted_at, late.sequence, late.raw_sha256 COLLATE "C")
          < (undone.counted_at, undone.sequence, undone.raw_sha256 COLLATE "C")
      AND (supply.counted_at IS NULL OR (late.counted_at, late.sequence, LEFT(late.raw_sha256, %(digits)s) COLLATE "C")
          > (supply.counted_at, supply.counted_sequence, supply.counted_digest COLLATE "C"))
    ORDER BY supply.id
"""
