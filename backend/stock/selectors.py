"""What people may ask of the stock room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from saleor.warehouse.models import Allocation, Stock, Warehouse

from backend.stock.models import Movement, Pack, Report, Supply
from backend.stock.progress import Progress, progress_of


def is_supplied(*, variant_pk: int) -> bool:
    """Whether some cooperative counts this variant: then its stock rows are the projection of the ledger."""
    return Pack.objects.filter(variant=variant_pk).exists()


def free_packs(*, variant_pks: Collection[int], country: str) -> dict[int, int]:
    """Packs on hand less packs promised, over all warehouses that deliver to a country; variants without any are left out."""
    promised = (
        Allocation.objects.filter(stock=OuterRef("pk"))
        .order_by()
        .values("stock")
        .annotate(total=Sum("quantity_allocated"))
        .values("total")
    )
    # A subquery, not a join: a warehouse in two zones of one country must not be counted twice.
    delivering = Warehouse.objects.filter(shipping_zones__countries__contains=country).values("pk")
    rows = (
        Stock.objects.filter(product_variant_id__in=variant_pks, warehouse__in=delivering)
        .order_by()
        .annotate(free=F("quantity") - Coalesce(Subquery(promised), 0))
        .values_list("product_variant_id", "free")
    )
    totals: dict[int, int] = defaultdict(int)
    for variant_pk, free in rows:
        totals[variant_pk] += max(free, 0)
    return dict(totals)


def history(*, supply: Supply, first: int, after: int | None = None) -> Sequence[Movement]:
    """Why a supply's figure is what it is: its movements, newest first, each with what it came from.

    A count has its report_line (row, column, the cell as written) and that line's report with who submitted it, its
    raw bytes left out; a promise or a parcel has order_line_id and no name of a person. after: the pk of the last
    movement of the page before.
    """
    movements = (
        Movement.objects.filter(supply=supply)
        .select_related(
            "report_line__report__submitted_by",
            "report_line__report__undone_by",
            "report_line__report__program",
        )
        .defer("report_line__report__raw")
        .order_by("-pk")
    )
    if after is not None:
        movements = movements.filter(pk__lt=after)
    return list(movements[: max(0, min(first, 200))])


def progress(*, report: Report) -> Progress:
    """How far a report is: stage, done and total rows."""
    return progress_of(report)
