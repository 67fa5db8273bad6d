"""What people may ask of the stock room."""

from __future__ import annotations

from collections.abc import Sequence

from backend.stock.models import Movement, Pack, Report, Supply
from backend.stock.progress import Progress, progress_of


def is_supplied(*, variant_pk: int) -> bool:
    """Whether some cooperative counts this variant: then its stock rows are the projection of the ledger."""
    return Pack.objects.filter(variant=variant_pk).exists()


def history(*, supply: Supply, first: int, after: int | None = None) -> Sequence[Movement]:
    """Why a supply's figure is what it is: its movements, newest first, each with what it came from.

    A count has its report_line (row, column, the cell as written) and that line's report with who submitted it, its
    raw bytes left out; a promise or a parcel has order_line_id and no name of a person. after: the pk of the last
    movement of the page before.
    """
    movements = (
        Movement.objects.filter(supply=supply)
        .select_related("supply", "report__submitted_by", "report__undone_by", "report__program")
        .defer("report__raw")
        .order_by("-pk")
    )
    if after is not None:
        movements = movements.filter(pk__lt=after)
    return list(movements[: max(0, min(first, 200))])


def progress(*, report: Report) -> Progress:
    """How far a report is: stage, done and total rows."""
    return progress_of(report)
