"""Some orders of the last seven days, so that board and desk have something to show. Marked as demo, like the rest.

They are placed the way that every order is. Those of earlier days were packed and paid; today's wait to be packed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from saleor.account.models import Address
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.order.actions import create_fulfillments
from saleor.order.models import Order
from saleor.payment import gateway
from saleor.product.models import ProductVariant
from saleor.shipping.models import ShippingMethod
from saleor.warehouse.models import Allocation, Stock

from backend.config.demo.places import METHOD_KEY
from backend.ordering.models import Placement
from backend.ordering.services import OrderRequest, place_order
from backend.payments.pay_on_collection.plugin import PayOnCollectionPlugin

ORDERS = 40
DAYS = 7
KEY = "demo-order-{:02d}"
METADATA = {"demo": "true"}
CUSTOMER = "示例顾客"
MOST_PACKS_OF_ONE = 2
SHARE_OF_STOCK = 10
"""A sample order takes a pack of what the shelf holds ten of, so that visitors find full shelves."""


@dataclass(frozen=True)
class _Plan:
    """One sample order: a function of its number, but for the day."""

    key: str
    placed_at: datetime
    method_key: str
    picks: random.Random


def place_sample_orders(*, now: datetime) -> int:
    """Place those sample orders that are not there; returns how many. None are added on later days."""
    known = set(
        Placement.objects.filter(idempotency_key__startswith=KEY[: KEY.index("{")]).values_list(
            "idempotency_key", flat=True
        )
    )
    if known:
        return 0
    today = timezone.localdate(now)
    placed = 0
    for number in range(1, ORDERS + 1):
        plan = _plan(number=number, today=today, now=now)
        order = _place(plan)
        if order is None:
            continue
        placed += 1
        if timezone.localdate(plan.placed_at) < today:
            _hand_over(order=order)
    return placed


def _plan(*, number: int, today: date, now: datetime) -> _Plan:
    # The same baskets on every machine, and no secret among them.
    picks = random.Random(f"xinyi {number}")  # noqa: S311  (sample orders, not secrets)
    # Today's are few, and lie between six in the morning and now.
    day = today - timedelta(days=(number * DAYS) // ORDERS if number < ORDERS else 0)
    morning = timezone.make_aware(datetime.combine(day, time(6)))
    span = timedelta(hours=15)
    if day == today:
        morning = min(morning, now - timedelta(minutes=30))
        span = now - morning
    method_key = picks.choice(
        (
            "own-van",
            "own-van",
            "own-van",
            "next-day",
            "pick-up-liujiachang",
            "pick-up-baima-park",
            "pick-up-fuxing",
        )
    )
    return _Plan(
        key=KEY.format(number), placed_at=morning + span * picks.random(), method_key=method_key, picks=picks
    )


@transaction.atomic
def _place(plan: _Plan) -> Order | None:
    """The order, or None when the shelves hold too little for one."""
    variants = _on_the_shelf()
    if not variants:
        return None
    picked = plan.picks.sample(variants, k=min(plan.picks.randint(2, 5), len(variants)))
    lines = [(variant, plan.picks.randint(1, MOST_PACKS_OF_ONE)) for variant in picked]
    total = sum(variant.base_price.amount * quantity for variant, quantity in lines)
    method_key = plan.method_key
    if method_key == "own-van" and total >= _free_from():
        method_key = "own-van-free"
    checkout = Checkout.objects.create(
        currency=settings.DEFAULT_CURRENCY, country=settings.DEFAULT_COUNTRY, quantity=0, metadata=METADATA
    )
    CheckoutLine.objects.bulk_create(
        CheckoutLine(checkout=checkout, variant=variant, quantity=quantity) for variant, quantity in lines
    )
    return place_order(
        request=OrderRequest(
            checkout_token=checkout.token,
            idempotency_key=plan.key,
            # Nobody is behind it, so nobody is written to.
            email="",
            address=Address(
                last_name=CUSTOMER,
                street_address_1="示例地址",
                city="绵阳市",
                city_area="游仙区",
                country_area="四川省",
                postal_code="621000",
                country=settings.DEFAULT_COUNTRY,
            ),
            shipping_method_pk=_method(method_key).pk,
            payment_gateway=PayOnCollectionPlugin.PLUGIN_ID,
            note="示例订单",
            accepts_fresh_rule=True,
        ),
        user=None,
        now=plan.placed_at,
    )


def _on_the_shelf() -> list[ProductVariant]:
    """Variants of which there is plenty, in an order that does not depend on chance."""
    free = (
        Stock.objects.annotate(promised=Coalesce(Sum("allocations__quantity_allocated"), 0))
        .filter(quantity__gte=F("promised") + MOST_PACKS_OF_ONE * SHARE_OF_STOCK)
        .values("product_variant")
    )
    return list(ProductVariant.objects.filter(pk__in=free).select_related("product").order_by("sku"))


def _method(key: str) -> ShippingMethod:
    return ShippingMethod.objects.get(**{f"meta__{METHOD_KEY}": key})


def _free_from() -> Decimal:
    return _method("own-van-free").minimum_order_price_amount or Decimal(0)


@transaction.atomic
def _hand_over(*, order: Order) -> None:
    """Packed, collected and paid: what Saleor does when staff say so."""
    lines = defaultdict(list)
    # One instance a line, though it may be packed in two sheds: Saleor counts on it what was packed.
    order_lines = {line.pk: line for line in order.lines.select_related("variant")}
    for allocation in Allocation.objects.filter(
        order_line__order=order, quantity_allocated__gt=0
    ).select_related("stock"):
        lines[str(allocation.stock.warehouse_id)].append(
            {"order_line": order_lines[allocation.order_line_id], "quantity": allocation.quantity_allocated}
        )
    # Saleor takes None for nobody, and does not say so.
    create_fulfillments(None, order, dict(lines), False)  # type: ignore[arg-type]  # nobody: Saleor takes None
    payment = order.get_last_payment()
    if payment is not None:
        gateway.capture(payment)
