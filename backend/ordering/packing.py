"""Which harvest lots the packs of a fulfilment came from: written down when they leave the shed.

Of the cooperative's lots of that good which still keep and are not recalled, the one that spoils first goes first, as
far as its weight reaches; a lot without a weight reaches for all. What the weights do not account for is put down to
the lot that keeps longest: harvests are estimated, and a recall that reaches one buyer too many is better than one that
misses her. Without such a lot nothing is written: no word is better than a wrong one.

Locks: the lots, in pk order, after whatever the fulfilment has locked of the stock. A recall waits for it, or it for a
recall, and then takes another lot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum
from saleor.order import FulfillmentStatus
from saleor.order.models import FulfillmentLine

from backend.common.clock import in_shop_zone
from backend.ordering.models import PackedLot
from backend.provenance.models import HarvestLot
from backend.stock.models import Pack, Supply


@dataclass
class Heap:
    """What may still be taken of a lot. base_units: None where nobody wrote down how much there was."""

    lot_pk: int
    base_units: int | None

    def packs_in(self, *, units: int) -> int | None:
        """Whole packs of so many base units; None for without end."""
        return None if self.base_units is None else max(self.base_units, 0) // units


def share_out(*, packs: int, units: int, heaps: Sequence[Heap]) -> dict[int, int]:
    """Lot -> packs that come out of it; heaps: those that spoil first at the front, and less in them afterwards."""
    taken: dict[int, int] = {}
    left = packs
    for heap in heaps:
        room = heap.packs_in(units=units)
        part = left if room is None else min(left, room)
        if part:
            taken[heap.lot_pk] = part
            left -= part
            if heap.base_units is not None:
                heap.base_units -= part * units
    if left and heaps:
        taken[heaps[-1].lot_pk] = taken.get(heaps[-1].lot_pk, 0) + left
    return taken


@transaction.atomic
def record_packed_lots(*, fulfillment_pk: int, now: datetime) -> int:
    """Write down the lots of every line of a fulfilment. Returns how many rows that took; a second time none."""
    lines = _lines_of(fulfillment_pk)
    if not lines:
        return 0
    heaps = _heaps(sources={line.source for line in lines}, today=in_shop_zone(now).date())
    packs = {
        (pack.supply.cooperative_id, pack.variant_id): pack
        for pack in Pack.objects.filter(
            variant__in=[line.variant_pk for line in lines],
            supply__cooperative__in=[line.cooperative_pk for line in lines],
        ).select_related("supply")
    }
    rows = []
    for line in lines:
        pack = packs.get((line.cooperative_pk, line.variant_pk))
        units = pack.units if pack else 1
        # Lots are weighed in grams: of what is counted by the piece, or by nobody, the weights say nothing.
        weighed = pack is not None and pack.supply.unit == Supply.Unit.GRAM
        found = heaps[line.source]
        if not weighed:
            found = [Heap(lot_pk=each.lot_pk, base_units=None) for each in found]
        rows += [
            PackedLot(
                fulfillment_line_id=line.pk,
                lot_id=lot_pk,
                packs=part,
                base_units=part * units if weighed else 0,
            )
            for lot_pk, part in share_out(packs=line.packs, units=units, heaps=found).items()
        ]
    PackedLot.objects.bulk_create(rows)
    return len(rows)


@dataclass(frozen=True)
class _Line:
    """What was packed of one variant in one shed."""

    pk: int
    packs: int
    cooperative_pk: int
    variant_pk: int
    product_pk: int

    @property
    def source(self) -> tuple[int, int]:
        return self.cooperative_pk, self.product_pk


def _lines_of(fulfillment_pk: int) -> list[_Line]:
    """Those that came out of a cooperative's shed, and of which nothing is written down yet."""
    rows = (
        FulfillmentLine.objects.filter(
            fulfillment=fulfillment_pk,
            stock__warehouse__cooperative__isnull=False,
            order_line__variant__isnull=False,
            packed_lots__isnull=True,
        )
        .order_by("pk")
        .values_list(
            "pk",
            "quantity",
            "stock__warehouse__cooperative",
            "order_line__variant",
            "order_line__variant__product",
        )
    )
    return [_Line(*row) for row in rows]


def _heaps(*, sources: set[tuple[int, int]], today: date) -> Mapping[tuple[int, int], list[Heap]]:
    """What (cooperative, product) has harvested, kept and not recalled, its rows locked; less what was packed of it."""
    lots = list(
        HarvestLot.objects.filter(
            cooperative__in={cooperative for cooperative, _product in sources},
            product__in={product for _cooperative, product in sources},
            harvested_on__lte=today,
            best_before__gte=today,
            recalled_at__isnull=True,
        )
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    gone = dict(
        PackedLot.objects.filter(lot__in=lots)
        .exclude(fulfillment_line__fulfillment__status=FulfillmentStatus.CANCELED)
        .order_by()
        .values_list("lot")
        .annotate(total=Sum("base_units"))
    )
    heaps: dict[tuple[int, int], list[Heap]] = defaultdict(list)
    for lot in sorted(lots, key=lambda lot: (lot.best_before, lot.harvested_on, lot.pk)):
        heaps[lot.cooperative_id, lot.product_id].append(
            Heap(
                lot_pk=lot.pk,
                base_units=None if lot.quantity_g is None else lot.quantity_g - gone.get(lot.pk, 0),
            )
        )
    return heaps
