from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Prefetch, Q
from django.utils import timezone
from prices import Money
from saleor.account.models import User
from saleor.order import FulfillmentStatus, OrderStatus
from saleor.order.models import FulfillmentLine, Order, OrderLine
from saleor.payment import ChargeStatus
from saleor.warehouse.models import Allocation

from backend.common.clock import SHOP_ZONE
from backend.cooperatives.models import Cooperative
from backend.ordering.models import Claim, ClaimPhoto, DeliveryMethod, PackedLot, Placement
from backend.ordering.windows import Plan, Window, offered

OPEN_STATUSES = (OrderStatus.UNFULFILLED, OrderStatus.PARTIALLY_FULFILLED)
# A shed that has more orders than this open needs another kind of list.
MOST_ORDERS = 300
PROMISED = "promised_from_shed"


@dataclass(frozen=True)
class PackLine:
    """quantity: packs to take from this cooperative's shed."""

    name: str
    pack: str
    quantity: int
    sku: str


@dataclass(frozen=True)
class PackOrder:
    """One order, as far as it concerns one cooperative. phone_masked: 138****5678, never more."""

    number: str
    placed_at: datetime
    delivery_name: str
    delivery_kind: str | None
    pick_up_address: str
    customer: str
    phone_masked: str
    note: str
    delivery_on: date | None
    delivery_from: time | None
    delivery_until: time | None
    gift_note: str
    is_paid: bool
    total: Money
    lines: tuple[PackLine, ...]


@dataclass(frozen=True)
class PackGood:
    """How many of one pack the open orders want together."""

    name: str
    pack: str
    quantity: int


@dataclass(frozen=True)
class PackList:
    cooperative: Cooperative
    orders: tuple[PackOrder, ...]
    goods: tuple[PackGood, ...]


def masked_phone(phone: str) -> str:
    """138****5678: enough to tell two buyers apart at the pick-up point, too little to call one."""
    digits = re.sub(r"\D", "", phone)
    digits = digits[-11:]
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else "****"


def masked_name(*, first_name: str, last_name: str) -> str:
    """The first character of a name: 李** for 李秀英."""
    name = f"{last_name}{first_name}".strip()
    return f"{name[0]}**" if name else "**"


def windows_of(*, delivery: DeliveryMethod, now: datetime) -> list[Window]:
    """When such a delivery can be had, the earliest first."""
    plan = Plan(
        cut_off=settings.DELIVERY_CUT_OFF,
        days=settings.DELIVERY_DAYS,
        hours=settings.DELIVERY_HOURS,
        later=settings.DELIVERY_DAYS_LATER,
    )
    return offered(kind=delivery.kind, now=now, plan=plan)


def pack_list(*, cooperative: Cooperative) -> PackList:
    """What a cooperative has to pack: every open order with goods promised from its shed, the oldest first.

    Left out are orders that nobody has paid and that may still expire.
    """
    promised = Allocation.objects.filter(
        stock__warehouse_id=cooperative.warehouse_id, quantity_allocated__gt=0
    ).select_related("order_line")
    orders = (
        Order.objects.filter(
            Exists(promised.filter(order_line__order=OuterRef("pk"))),
            status__in=OPEN_STATUSES,
        )
        .exclude(
            Q(placement__pay_by__gt=timezone.now())
            & ~Q(payments__charge_status__in=("fully-charged", "partially-charged"))
        )
        .select_related("shipping_address", "shipping_method__delivery", "placement")
        .prefetch_related(
            "payments",
            Prefetch("lines__allocations", queryset=promised, to_attr=PROMISED),
        )
        .order_by("created", "pk")
        .distinct()[:MOST_ORDERS]
    )
    pack_orders = tuple(_pack_order(order) for order in orders)
    totals: Counter[tuple[str, str]] = Counter()
    for pack_order in pack_orders:
        for line in pack_order.lines:
            totals[line.name, line.pack] += line.quantity
    goods = tuple(
        PackGood(name=name, pack=pack, quantity=total) for (name, pack), total in sorted(totals.items())
    )
    return PackList(cooperative=cooperative, orders=pack_orders, goods=goods)


def _pack_order(order: Order) -> PackOrder:
    lines = []
    total = Money(0, order.currency)
    for line in order.lines.all():
        # The prefetched allocations: those from this shed alone.
        promised: list[Allocation] = getattr(line, PROMISED)
        quantity = sum(allocation.quantity_allocated for allocation in promised)
        if quantity:
            lines.append(
                PackLine(
                    name=line.product_name,
                    pack=line.variant_name,
                    quantity=quantity,
                    sku=line.product_sku,
                )
            )
            total += line.unit_price_gross * quantity
    delivery = getattr(order.shipping_method, "delivery", None)
    address = order.shipping_address
    placement = getattr(order, "placement", None)
    return PackOrder(
        number=str(order.pk),
        placed_at=order.created,
        delivery_name=order.shipping_method_name or "",
        delivery_kind=delivery.kind if delivery else None,
        pick_up_address=delivery.pick_up_address if delivery else "",
        customer=masked_name(first_name=address.first_name, last_name=address.last_name) if address else "**",
        phone_masked=masked_phone(str(address.phone)) if address else "****",
        note=order.customer_note,
        delivery_on=placement.delivery_on if placement else None,
        delivery_from=placement.delivery_from if placement else None,
        delivery_until=placement.delivery_until if placement else None,
        gift_note=placement.gift_note if placement else "",
        is_paid=_captured(order) >= order.total_gross_amount,
        total=total,
        lines=tuple(lines),
    )


def _captured(order: Order) -> Decimal:
    """What was taken for an order so far; like Order.is_fully_paid, but out of the prefetched payments.

    A part that was given back, for a claim say, leaves the order paid.
    """
    return sum(
        (
            payment.total
            if payment.charge_status == ChargeStatus.PARTIALLY_REFUNDED
            else payment.captured_amount
            for payment in order.payments.all()
        ),
        Decimal(0),
    )


def cooperatives_of_lines(line_ids: list[int]) -> dict[int, list[Cooperative]]:
    """Who grew each order line: the cooperatives that it is, or was, allocated from."""
    rows = (
        Allocation.objects.filter(order_line_id__in=line_ids, stock__warehouse__cooperative__isnull=False)
        .annotate(cooperative_id=F("stock__warehouse__cooperative__pk"))
        .order_by("pk")
        .values_list("order_line_id", "cooperative_id")
    )
    pairs = list(rows)
    cooperatives = Cooperative.objects.select_related("village").in_bulk({pk for _line, pk in pairs})
    grown_by: dict[int, list[Cooperative]] = {line_id: [] for line_id in line_ids}
    for line_id, cooperative_pk in pairs:
        if cooperatives[cooperative_pk] not in grown_by[line_id]:
            grown_by[line_id].append(cooperatives[cooperative_pk])
    return grown_by


def lots_of_lines(line_ids: list[int]) -> dict[int, list[PackedLot]]:
    """From which lots each order line was packed, recalled ones included; what came back does not count."""
    packed: dict[int, list[PackedLot]] = {line_id: [] for line_id in line_ids}
    rows = (
        PackedLot.objects.filter(fulfillment_line__order_line__in=line_ids)
        .exclude(fulfillment_line__fulfillment__status=FulfillmentStatus.CANCELED)
        .select_related("lot", "fulfillment_line")
        .order_by("lot__best_before", "pk")
    )
    for row in rows:
        packed[row.fulfillment_line.order_line_id].append(row)
    return packed


# ---- Claims ---------------------------------------------------------------------------------------------------------


def is_order_of(*, order: Order, user: User | None) -> bool:
    """Whether somebody who knows the order's token acts for its buyer: a guest's is theirs who know it."""
    return order.user_id is None or (user is not None and order.user_id == user.pk)


@dataclass(frozen=True)
class ClaimableLine:
    """packs: how many can still be claimed about. until: not any more from then on, `hours` after the hand-over."""

    line: OrderLine
    packs: int
    until: datetime
    hours: int


def claimable_lines(*, order_pks: list[int]) -> dict[int, list[ClaimableLine]]:
    """Of each order, what was handed over and is not claimed about, whether or not its time is over."""
    lines = {
        line.pk: line
        for line in OrderLine.objects.filter(order__in=order_pks, quantity_fulfilled__gt=0)
        .select_related("order__placement", "variant__product__good")
        .order_by("pk")
    }
    handed_over = dict(
        FulfillmentLine.objects.filter(order_line__in=lines)
        .exclude(fulfillment__status=FulfillmentStatus.CANCELED)
        .order_by()
        .values_list("order_line")
        .annotate(last=Max("fulfillment__created"))
    )
    claimed: dict[int, int] = {}
    being_looked_at = set()
    for claim in (
        Claim.objects.filter(order_line__in=lines)
        .exclude(status=Claim.Status.REFUSED)
        .only("order_line", "packs", "status")
    ):
        claimed[claim.order_line_id] = claimed.get(claim.order_line_id, 0) + claim.packs
        if claim.status == Claim.Status.OPEN:
            being_looked_at.add(claim.order_line_id)
    found: dict[int, list[ClaimableLine]] = {pk: [] for pk in order_pks}
    for pk, line in lines.items():
        packs = line.quantity_fulfilled - claimed.get(pk, 0)
        if packs <= 0 or pk in being_looked_at or pk not in handed_over:
            continue
        good = getattr(line.variant.product, "good", None) if line.variant else None
        lasts = good is not None and good.is_returnable
        hours = settings.CLAIM_HOURS_LASTING if lasts else settings.CLAIM_HOURS_FRESH
        window_ends = _end_of_window(getattr(line.order, "placement", None))
        got_at = max(handed_over[pk], window_ends or handed_over[pk])
        found[line.order_id].append(
            ClaimableLine(line=line, packs=packs, until=got_at + timedelta(hours=hours), hours=hours)
        )
    return found


def _end_of_window(placement: Placement | None) -> datetime | None:
    if placement is None or placement.delivery_on is None or placement.delivery_until is None:
        return None
    return datetime.combine(placement.delivery_on, placement.delivery_until, tzinfo=SHOP_ZONE)


def claims_of_orders(order_pks: list[int]) -> dict[int, list[Claim]]:
    """The claims of each order, the oldest first, with their photos but not the photos' bytes."""
    claims: dict[int, list[Claim]] = {pk: [] for pk in order_pks}
    rows = (
        Claim.objects.filter(order_line__order__in=order_pks)
        .select_related("order_line")
        .prefetch_related(Prefetch("photos", queryset=ClaimPhoto.objects.defer("jpeg")))
        .order_by("opened_at", "pk")
    )
    for claim in rows:
        claims[claim.order_line.order_id].append(claim)
    return claims
