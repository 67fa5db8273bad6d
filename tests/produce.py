"""A small shop for tests: sheds, goods and what lies in them, made row by row in the test's own database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from measurement.measures import Weight
from saleor.account.models import Address, User
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.order.actions import create_fulfillments
from saleor.order.models import Fulfillment, Order
from saleor.payment import gateway
from saleor.product.models import Category, Product, ProductType, ProductVariant
from saleor.shipping import ShippingMethodType
from saleor.shipping.models import ShippingMethod, ShippingZone
from saleor.warehouse.models import Allocation, Stock, Warehouse

from backend.catalogue.models import Good
from backend.cooperatives.models import Cooperative, Membership, Village
from backend.ordering.models import DeliveryMethod
from backend.provenance.models import HarvestLot
from backend.stock.models import Movement, Pack, Supply

ADDRESS = {
    "first_name": "秀英",
    "last_name": "李",
    "street_address_1": "信义镇白马路 1 号",
    "city": "绵阳市",
    "city_area": "游仙区",
    "country_area": "四川省",
    "postal_code": "621000",
    "country": "CN",
    "phone": "+8613800138000",
}


def an_address(**changes: Any) -> Address:
    """An address in Mianyang, not saved."""
    return Address(**{**ADDRESS, **changes})


def a_zone() -> ShippingZone:
    """The one shipping zone, China."""
    zone, _ = ShippingZone.objects.get_or_create(name="中国", defaults={"countries": ["CN"]})
    return zone


def a_delivery(*, name: str = "自提", price: str = "0", kind: str = "pick_up") -> ShippingMethod:
    method = ShippingMethod.objects.create(
        name=name,
        type=ShippingMethodType.PRICE_BASED,
        shipping_zone=a_zone(),
        price_amount=Decimal(price),
        currency="CNY",
        minimum_order_price_amount=Decimal(0),
    )
    DeliveryMethod.objects.create(
        shipping_method=method,
        kind=kind,
        pick_up_address="白马园区" if kind == "pick_up" else "",
    )
    return method


def a_cooperative(*, slug: str = "baima", name: str = "白马蔬菜专业合作社") -> Cooperative:
    """A cooperative with its village and its shed."""
    village, _ = Village.objects.get_or_create(
        slug=slug,
        defaults={"name": slug, "name_en": slug, "summary": "", "map_x": 1, "map_y": 1},
    )
    warehouse = Warehouse.objects.create(name=name, slug=slug, address=Address.objects.create(**ADDRESS))
    warehouse.shipping_zones.add(a_zone())
    return Cooperative.objects.create(
        slug=slug, name=name, name_en=slug, village=village, warehouse=warehouse
    )


def a_person(*, email: str, password: str = "secret-of-the-test", **changes: Any) -> User:
    return User.objects.create_user(email, password, **changes)


def a_member(
    *,
    cooperative: Cooperative,
    email: str,
    password: str = "secret-of-the-test",
    role: Membership.Role = Membership.Role.BOOKKEEPER,
) -> User:
    """Somebody who keeps a cooperative's books."""
    user = a_person(email=email, password=password)
    Membership.objects.create(cooperative=cooperative, user=user, role=role)
    return user


def a_product(
    *,
    name: str = "莴笋",
    slug: str = "wosun",
    packs: Mapping[int, str] | None = None,
    **changes: Any,
) -> Product:
    """A published good. packs: net grams of each pack -> its price in CNY; one pack of 1000 g for 7.00 by default."""
    packs = packs or {1000: "7.00"}
    category, _ = Category.objects.get_or_create(slug="vegetables", defaults={"name": "蔬菜"})
    product_type, _ = ProductType.objects.get_or_create(
        slug="produce", defaults={"name": "农产品", "has_variants": True}
    )
    product = Product.objects.create(
        name=name,
        slug=slug,
        category=category,
        product_type=product_type,
        price_amount=Decimal(next(iter(packs.values()))),
        minimal_variant_price_amount=Decimal(next(iter(packs.values()))),
        currency="CNY",
        is_published=True,
        **changes,
    )
    for grams, price in packs.items():
        ProductVariant.objects.create(
            product=product,
            sku=f"{slug}-{grams}",
            name=f"{grams} g",
            currency="CNY",
            price_override_amount=Decimal(price),
            weight=Weight(g=grams),
        )
    Good.objects.create(product=product)
    return product


def a_supply(
    *,
    cooperative: Cooperative,
    product: Product,
    on_hand: int,
    code: str = "XY-0001",
    **changes: Any,
) -> Supply:
    """A supply with a pack for each of the product's variants, counted at on_hand grams, ledger and projection true."""
    now = timezone.now()
    supply = Supply.objects.create(
        cooperative=cooperative,
        code=code,
        name=product.name,
        product=product,
        on_hand=on_hand,
        counted_at=now,
        **changes,
    )
    Movement.objects.create(
        supply=supply,
        kind=Movement.Kind.COUNT,
        on_hand_delta=on_hand,
        on_hand_after=on_hand,
        allocated_after=0,
        happened_at=now,
        recorded_at=now,
    )
    for variant in product.variants.all():
        units = round(variant.weight.g)
        Pack.objects.create(supply=supply, variant=variant, units=units)
        Stock.objects.create(
            warehouse=cooperative.warehouse,
            product_variant=variant,
            quantity=on_hand // units,
        )
    return supply


def a_basket(lines: Mapping[ProductVariant, int], *, user: User | None = None) -> Checkout:
    """A checkout with these packs in it, not checked against stock."""
    checkout = Checkout.objects.create(
        email=user.email if user else "",
        user=user,
        currency="CNY",
        country="CN",
        quantity=sum(lines.values()),
    )
    for variant, quantity in lines.items():
        CheckoutLine.objects.create(checkout=checkout, variant=variant, quantity=quantity)
    return checkout


@dataclass(frozen=True)
class Shed:
    """One cooperative with one good: what most tests need."""

    cooperative: Cooperative
    product: Product
    supply: Supply
    delivery: ShippingMethod

    @property
    def variant(self) -> ProductVariant:
        return self.product.variants.order_by("weight").first()


def a_shed(*, on_hand: int = 10_000, packs: Mapping[int, str] | None = None) -> Shed:
    cooperative = a_cooperative()
    product = a_product(packs=packs)
    return Shed(
        cooperative=cooperative,
        product=product,
        supply=a_supply(cooperative=cooperative, product=product, on_hand=on_hand),
        delivery=a_delivery(),
    )


def hand_over(order: Order, *, paid: bool = True) -> list[Fulfillment]:
    """Packed from where it was promised, and, if paid, its money taken: what staff do with Saleor's own actions."""
    lines = {line.pk: line for line in order.lines.select_related("variant")}
    by_shed: dict[str, list[dict[str, Any]]] = {}
    for allocation in Allocation.objects.filter(
        order_line__order=order, quantity_allocated__gt=0
    ).select_related("stock"):
        by_shed.setdefault(str(allocation.stock.warehouse_id), []).append(
            {"order_line": lines[allocation.order_line_id], "quantity": allocation.quantity_allocated}
        )
    fulfillments = create_fulfillments(None, order, by_shed, notify_customer=False)  # type: ignore[arg-type]  # nobody
    payment = order.get_last_payment()
    if paid and payment is not None:
        gateway.capture(payment)
    return fulfillments


def a_lot(shed: Shed, *, code: str = "BM-1", keeps_days: int = 3, **changes: Any) -> HarvestLot:
    """A lot of the shed's good, harvested today."""
    today = timezone.localdate()
    return HarvestLot.objects.create(
        cooperative=shed.cooperative,
        product=shed.product,
        code=code,
        **{"harvested_on": today, "best_before": today + timedelta(days=keeps_days), **changes},
    )
