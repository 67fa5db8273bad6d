"""Villages, cooperatives with their sheds, and the ways of delivery."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from saleor.account.models import Address
from saleor.shipping import ShippingMethodType
from saleor.shipping.models import ShippingMethod, ShippingMethodTranslation, ShippingZone
from saleor.warehouse.models import Warehouse

from backend.config.demo.files import read_json
from backend.config.demo.records import ENGLISH, ensure
from backend.cooperatives.models import Cooperative, Village
from backend.ordering.models import DeliveryMethod

METHOD_KEY = "demo_key"
"""Where a demo shipping method keeps its key: its name may be edited, and Saleor gives it no slug."""


def load_villages() -> dict[str, Village]:
    """The villages by slug."""
    return {
        facts["slug"]: ensure(
            Village,
            slug=facts["slug"],
            values={
                **{name: value for name, value in facts.items() if name != "slug"},
                "picture": f"{facts['slug']}.svg",
                "sort_order": order,
            },
        )
        for order, facts in enumerate(read_json("villages"))
    }


def load_shipping() -> ShippingZone:
    """The zone of the mainland with its methods."""
    facts = read_json("shipping")
    zone = ensure(ShippingZone, name=facts["zone"]["name"], values={"countries": facts["zone"]["countries"]})
    for order, method in enumerate(facts["methods"]):
        _load_method(facts=method, zone=zone, order=order)
    return zone


def _load_method(*, facts: dict[str, Any], zone: ShippingZone, order: int) -> None:
    found = ShippingMethod.objects.filter(**{f"meta__{METHOD_KEY}": facts["key"]}).first()
    method = found or ensure(
        ShippingMethod,
        name=facts["name"],
        shipping_zone=zone,
        values={
            "type": ShippingMethodType.PRICE_BASED,
            "currency": settings.DEFAULT_CURRENCY,
            "price_amount": Decimal(facts["price_cny"]),
            "minimum_order_price_amount": Decimal(facts["min_order_cny"]),
            "maximum_order_price_amount": Decimal(facts["max_order_cny"]) if facts["max_order_cny"] else None,
            "meta": {METHOD_KEY: facts["key"]},
        },
    )
    ensure(
        ShippingMethodTranslation,
        shipping_method=method,
        language_code=ENGLISH,
        values={"name": facts["name_en"]},
    )
    ensure(
        DeliveryMethod,
        shipping_method=method,
        values={
            "kind": facts["kind"],
            "summary": facts["summary"],
            "summary_en": facts["summary_en"],
            "pick_up_address": facts.get("pick_up_address", ""),
            "sort_order": order,
        },
    )


def load_cooperatives(*, villages: dict[str, Village], zone: ShippingZone) -> dict[str, Cooperative]:
    """The cooperatives by slug, each with the warehouse that is its shed."""
    cooperatives = {}
    for facts in read_json("cooperatives"):
        cooperatives[facts["slug"]] = ensure(
            Cooperative,
            slug=facts["slug"],
            values={
                "name": facts["name"],
                "name_en": facts["name_en"],
                "village": villages[facts["village"]],
                "warehouse": _load_warehouse(facts=facts, zone=zone),
                "summary": facts["summary"],
                "summary_en": facts["summary_en"],
                "is_demo": True,
            },
        )
    return cooperatives


def _load_warehouse(*, facts: dict[str, Any], zone: ShippingZone) -> Warehouse:
    found: Warehouse | None = Warehouse.objects.filter(slug=facts["slug"]).first()
    if found is not None:
        return found
    address = Address.objects.create(
        company_name=facts["name"],
        street_address_1=f"信义镇{facts['address']}",
        city="绵阳市",
        city_area="游仙区",
        country_area="四川省",
        postal_code="621000",
        country=settings.DEFAULT_COUNTRY,
    )
    warehouse = Warehouse.objects.create(
        slug=facts["slug"], name=facts["name"], company_name=facts["name"], address=address
    )
    warehouse.shipping_zones.add(zone)
    return warehouse
