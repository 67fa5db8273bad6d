"""What a draft would change, for whoever is to confirm it. Reads; writes nothing and locks nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils import translation

from backend.stock.books import proposals, read_report, take_header, weigh
from backend.stock.decide import Verdict
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import ColumnsUnknown, UnknownColumn
from backend.stock.feeds.document import TABLES_APART
from backend.stock.models import Report, Supply
from backend.stock.words import Basis, Outcome


@dataclass(frozen=True)
class PreviewLine:
    """One row of the draft. row: its number, by which it is confirmed.

    old and new: base units as the cooperative counts (all in the shed, or what may be sold), None where there is no
    such figure. For a row that waits, new is what it would become, and may_confirm whether a person can say so.
    """

    row: int
    column: str
    code: str
    name: str
    raw: str
    outcome: Outcome
    message: str
    supply_id: int | None = None
    unit: str = ""
    old: int | None = None
    new: int | None = None
    may_confirm: bool = False

    @property
    def difference(self) -> int | None:
        return None if self.old is None or self.new is None else self.new - self.old

    @property
    def cell(self) -> str:
        """Where it stands, as a workbook names it; "" where the format has no cells."""
        return (
            f"{self.column}{self.row % TABLES_APART}"
            if self.column.isalpha() and self.column.isascii()
            else ""
        )


@dataclass(frozen=True)
class Preview:
    """A draft as it would be applied at this moment.

    error: why it cannot be read, then there are no lines; columns_unknown: those that nobody has explained yet.
    applied_before: when the very same bytes were applied last.
    """

    lines: Sequence[PreviewLine] = ()
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    basis: Basis = Basis.SHELF
    counted_at: datetime | None = None
    is_complete: bool = False
    error: str = ""
    columns_unknown: Sequence[UnknownColumn] = ()
    applied_before: datetime | None = None


def preview(*, report: Report) -> Preview:
    """What confirming the draft would change, row by row."""
    with translation.override(settings.LANGUAGE_CODE):
        try:
            document = read_report(report=report)
            count = take_header(report=report, document=document)
        except FeedUnreadable as error:
            columns = error.columns if isinstance(error, ColumnsUnknown) else ()
            return Preview(error=str(error), columns_unknown=columns)
        weighed = weigh(report=report, document=document, count=count)
        proposed = proposals(document=document, weighed=weighed, count=count)
        supplies = _supplies(weighed.verdicts)
        lines = [
            _line(
                verdict=verdict,
                proposed=proposed.get(verdict.row.number),
                supply=supplies.get(verdict.supply_id or 0),
                basis=count.basis,
            )
            for verdict in weighed.verdicts
        ]
        before = (
            Report.objects.filter(
                cooperative=report.cooperative_id,
                raw_sha256=report.raw_sha256,
                status__in=(Report.Status.APPLIED, Report.Status.PARTLY),
            )
            .exclude(pk=report.pk)
            .order_by("-applied_at")
            .values_list("applied_at", flat=True)
            .first()
        )
        return Preview(
            lines=lines,
            counts=Counter(line.outcome for line in lines),
            remarks=[str(remark) for remark in document.remarks],
            basis=count.basis,
            counted_at=report.counted_at,
            is_complete=report.is_complete,
            applied_before=before,
        )


def _supplies(verdicts: Sequence[Verdict]) -> dict[int, Supply]:
    return Supply.objects.in_bulk({each.supply_id for each in verdicts if each.supply_id is not None})


def _line(*, verdict: Verdict, proposed: Verdict | None, supply: Supply | None, basis: Basis) -> PreviewLine:
    old = new = None
    is_meant = proposed is not None and proposed.outcome is Outcome.ACCEPTED
    if supply is not None:
        promised = supply.allocated if basis is Basis.SELLABLE else 0
        old = supply.on_hand - promised
        on_hand = proposed.on_hand if proposed is not None else verdict.on_hand
        new = None if on_hand is None else on_hand - promised
    return PreviewLine(
        row=verdict.row.number,
        column=verdict.row.column,
        code=verdict.row.code or (supply.code if supply is not None else ""),
        name=supply.name if supply is not None else verdict.row.name,
        raw=verdict.row.written,
        outcome=verdict.outcome,
        message=str(verdict.message),
        supply_id=verdict.supply_id,
        unit=supply.unit if supply is not None else "",
        old=old,
        new=new,
        may_confirm=is_meant,
    )
