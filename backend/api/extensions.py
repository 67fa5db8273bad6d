"""Fields that this shop adds to Saleor's own types, and baskets of nobody yet.

graphene 2 reads a type's fields from _meta when the schema is built, so this module is imported before that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphene
from django.utils import timezone
from graphql import ResolveInfo
from promise import Promise
from saleor.checkout import models as checkout_models
from saleor.graphql.checkout.dataloaders import CheckoutLinesByCheckoutTokenLoader
from saleor.graphql.checkout.mutations import CheckoutCreate
from saleor.graphql.checkout.types import Checkout
from saleor.graphql.core.types import Money
from saleor.graphql.discount.dataloaders import DiscountsByDateTimeLoader
from saleor.graphql.order.types import Order, OrderLine
from saleor.graphql.product.types import Product, ProductVariant
from saleor.graphql.shipping.types import ShippingMethod
from saleor.order import models as order_models
from saleor.product import models as product_models
from saleor.product.utils.availability import VariantAvailability
from saleor.shipping import models as shipping_models

from backend.api.loaders import (
    ClaimableByOrderLoader,
    ClaimsByOrderLoader,
    CooperativesByOrderLineLoader,
    DeliveryByShippingMethodLoader,
    DishesByProductLoader,
    GoodByProductLoader,
    LotsByOrderLineLoader,
    PlacementByOrderLoader,
    SuppliesByProductLoader,
    VariantPriceLoader,
)
from backend.api.types.catalogue import Dish, Good, ProductSource
from backend.api.types.cooperatives import Cooperative
from backend.api.types.ordering import (
    BasketVoucher,
    Claim,
    ClaimableLine,
    DeliveryMethod,
    PackedLot,
    Placement,
)
from backend.api.types.texts import required_list
from backend.catalogue.unit_price import price_per_500g
from backend.ordering import selectors
from backend.ordering.vouchers import voucher_of_basket


def _extend(saleor_type: Any, name: str, field: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add a field to one of Saleor's types, resolved by the function below. Raises if the field is there already."""

    def add(resolver: Callable[..., Any]) -> Callable[..., Any]:
        if name in saleor_type._meta.fields:
            raise TypeError(f"{saleor_type.__name__}.{name} is Saleor's own")
        mounted = field if isinstance(field, graphene.Field) else graphene.Field.mounted(field)
        mounted.resolver = resolver
        saleor_type._meta.fields[name] = mounted
        return resolver

    return add


@_extend(Product, "good", graphene.Field(Good))
def resolve_good(root: product_models.Product, info: ResolveInfo) -> Promise:
    return GoodByProductLoader(info.context).load(root.pk)


@_extend(Product, "sources", required_list(ProductSource))
def resolve_sources(root: product_models.Product, info: ResolveInfo) -> Promise:
    return SuppliesByProductLoader(info.context).load(root.pk)


@_extend(Product, "dishes", required_list(Dish))
def resolve_dishes(root: product_models.Product, info: ResolveInfo) -> Promise:
    return DishesByProductLoader(info.context).load(root.pk)


def _net_weight_g(variant: product_models.ProductVariant) -> int | None:
    return round(variant.weight.g) if variant.weight else None


@_extend(
    ProductVariant,
    "net_weight_g",
    graphene.Int(description="Grams without packaging, where it has a weight."),
)
def resolve_net_weight_g(root: product_models.ProductVariant, _info: ResolveInfo) -> int | None:
    return _net_weight_g(root)


@_extend(
    ProductVariant,
    "unit_price",
    graphene.Field(Money, description="Per 500 g; null where it has no weight."),
)
def resolve_unit_price(root: product_models.ProductVariant, info: ResolveInfo) -> Promise | None:
    net_weight_g = _net_weight_g(root)
    if net_weight_g is None:
        return None

    def per_500g(availability: VariantAvailability | None) -> Any:
        if availability is None:
            return None
        return price_per_500g(price=availability.price.gross, net_weight_g=net_weight_g)

    return VariantPriceLoader(info.context).load(root).then(per_500g)


@_extend(ShippingMethod, "delivery", graphene.Field(DeliveryMethod))
def resolve_delivery(root: shipping_models.ShippingMethod, info: ResolveInfo) -> Promise:
    return DeliveryByShippingMethodLoader(info.context).load(root.pk)


@_extend(Checkout, "voucher", graphene.Field(BasketVoucher))
def resolve_voucher(root: checkout_models.Checkout, info: ResolveInfo) -> Promise | None:
    if not root.voucher_code:
        return None

    def voucher(found: list[Any]) -> Any:
        lines, discounts = found
        return voucher_of_basket(checkout=root, lines=lines, discounts=discounts, now=timezone.now())

    return Promise.all(
        [
            CheckoutLinesByCheckoutTokenLoader(info.context).load(root.token),
            DiscountsByDateTimeLoader(info.context).load(info.context.request_time),
        ]
    ).then(voucher)


@_extend(Order, "placement", graphene.Field(Placement))
def resolve_placement(root: order_models.Order, info: ResolveInfo) -> Promise:
    return PlacementByOrderLoader(info.context).load(root.pk)


@_extend(OrderLine, "cooperatives", required_list(Cooperative, description="Who grew it."))
def resolve_cooperatives(root: order_models.OrderLine, info: ResolveInfo) -> Promise:
    return CooperativesByOrderLineLoader(info.context).load(root.pk)


@_extend(OrderLine, "lots", required_list(PackedLot, description="From which lots it was packed."))
def resolve_lots(root: order_models.OrderLine, info: ResolveInfo) -> Promise:
    return LotsByOrderLineLoader(info.context).load(root.pk)


@_extend(
    Order,
    "claims",
    required_list(Claim, description="For the buyer, or who holds a guest's order; none for others."),
)
def resolve_claims(root: order_models.Order, info: ResolveInfo) -> Promise | list[Any]:
    return ClaimsByOrderLoader(info.context).load(root.pk) if _is_buyer(root, info) else []


@_extend(
    Order,
    "claimable",
    required_list(ClaimableLine, description="What a claim can be opened about now; none for others."),
)
def resolve_claimable(root: order_models.Order, info: ResolveInfo) -> Promise | list[Any]:
    if not _is_buyer(root, info):
        return []

    def in_time(found: list[selectors.ClaimableLine]) -> list[selectors.ClaimableLine]:
        now = timezone.now()
        return [each for each in found if each.until > now]

    return ClaimableByOrderLoader(info.context).load(root.pk).then(in_time)


def _is_buyer(order: order_models.Order, info: ResolveInfo) -> bool:
    user = info.context.user
    return selectors.is_order_of(order=order, user=user if user.is_authenticated else None)


# A basket begins before anybody knows whose it is. Saleor wants an e-mail address of an anonymous buyer at once
# (upstream made it optional later); here it is asked for when the order is placed.

_clean_checkout = CheckoutCreate.clean_instance.__func__


def _clean_basket(cls: type[CheckoutCreate], info: ResolveInfo, instance: checkout_models.Checkout) -> None:
    if instance.email:
        _clean_checkout(cls, info, instance)
    else:
        instance.full_clean(exclude=["email"])


CheckoutCreate.clean_instance = classmethod(_clean_basket)
