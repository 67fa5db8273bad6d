"""Resolvers that ask the database once for a whole list, where Saleor's ask once for each of its items.

Put on the built schema (`batch`), not on Saleor's types: a schema without it answers the same, with more queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Model, prefetch_related_objects
from graphql import ResolveInfo
from graphql.type.definition import GraphQLField, GraphQLObjectType
from graphql.type.schema import GraphQLSchema
from promise import Promise
from saleor.checkout import models as checkout_models
from saleor.core.permissions import PagePermissions, ProductPermissions
from saleor.core.taxes import zero_taxed_money
from saleor.graphql.checkout.dataloaders import CheckoutLinesByCheckoutTokenLoader
from saleor.graphql.core.dataloaders import DataLoader
from saleor.graphql.product.dataloaders import ProductByIdLoader, ProductVariantsByProductIdLoader
from saleor.graphql.product.types.products import VariantPricingInfo
from saleor.graphql.translations.resolvers import resolve_translation
from saleor.graphql.utils import get_user_or_app_from_context
from saleor.order import FulfillmentStatus
from saleor.order import models as order_models
from saleor.payment import ChargeStatus
from saleor.product import models as product_models
from saleor.product.utils.availability import VariantAvailability

from backend.api.loaders import AvailableByVariantLoader, VariantPriceLoader

Resolver = Callable[..., Any]

# What a resolver reads of the rows around its own, as prefetch_related names it: fetched for all items at once, then
# the resolver runs as it is.
READS: dict[str, tuple[str, ...]] = {
    "Attribute.values": ("values",),
    "Category.parent": ("parent",),
    "Checkout.availableShippingMethods": ("lines__variant__product__product_type",),
    "Checkout.isShippingRequired": ("lines__variant__product__product_type",),
    "Checkout.lines": ("lines__variant",),
    "Checkout.shippingPrice": ("lines__variant__product__product_type",),
    "Checkout.totalPrice": ("lines__variant__product__product_type",),
    "CheckoutLine.requiresShipping": ("variant__product__product_type",),
    "CheckoutLine.totalPrice": ("variant__product__collections",),
    "CheckoutLine.variant": ("variant",),
    "Fulfillment.lines": ("lines",),
    "FulfillmentLine.orderLine": ("order_line",),
    "Menu.items": ("items",),
    "MenuItem.category": ("category",),
    "MenuItem.children": ("children",),
    "MenuItem.collection": ("collection",),
    "MenuItem.menu": ("menu",),
    "MenuItem.page": ("page",),
    "MenuItem.parent": ("parent",),
    "Order.billingAddress": ("billing_address",),
    "Order.fulfillments": ("fulfillments",),
    "Order.isPaid": ("payments",),
    "Order.isShippingRequired": ("lines",),
    "Order.lines": ("lines",),
    "Order.payments": ("payments", "user"),
    "Order.paymentStatus": ("payments",),
    "Order.paymentStatusDisplay": ("payments",),
    "Order.shippingAddress": ("shipping_address",),
    "Order.shippingMethod": ("shipping_method",),
    "Order.subtotal": ("lines",),
    "Order.user": ("user",),
    "Order.userEmail": ("user",),
    "OrderLine.thumbnail": ("variant__images", "variant__product__images"),
    "OrderLine.variant": ("variant",),
    "Product.collections": ("collections",),
    "Product.productType": ("product_type",),
    "ProductVariant.images": ("images",),
}


def batch(schema: GraphQLSchema) -> None:
    """Put the batched resolvers on a schema that was just built. Raises KeyError for a field that it has not."""
    types = schema.get_type_map()
    for kind in types.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for field in kind.fields.values():
                if field.resolver is resolve_translation:
                    field.resolver = _translation
    for path, resolver in RESOLVERS.items():
        _field(types, path).resolver = resolver
    for path, lookups in READS.items():
        field = _field(types, path)
        field.resolver = _after_reading(lookups, field.resolver, name=path)


def _field(types: Any, path: str) -> GraphQLField:
    kind, name = path.split(".")
    field: GraphQLField = types[kind].fields[name]
    return field


# ---- Rows around ----------------------------------------------------------------------------------------------------


def _after_reading(lookups: Sequence[str], plain: Resolver, *, name: str) -> Resolver:
    class Around(DataLoader):
        """Fetches what stands around rows. Two copies of one row are two keys: each is to have it."""

        context_key = f"xinyi_around_{name}"
        cache = False

        def batch_load(self, keys: list[Model]) -> list[Model]:
            prefetch_related_objects(keys, *lookups)
            return keys

    def resolve(root: Any, info: ResolveInfo, **arguments: Any) -> Any:
        if not isinstance(root, Model) or all(_is_read(root, lookup) for lookup in lookups):
            return plain(root, info, **arguments)
        return Around(info.context).load(root).then(lambda row: plain(row, info, **arguments))

    return resolve


def _is_read(root: Model, lookup: str) -> bool:
    """Whether a row has that already, or has nothing there: then nobody is asked."""
    if lookup in root._state.fields_cache or lookup in getattr(root, "_prefetched_objects_cache", ()):
        return True
    return getattr(root, f"{lookup}_id", 0) is None


# ---- Translations ---------------------------------------------------------------------------------------------------


class TranslationLoader(DataLoader):
    """(row, language code) -> its translation, or None."""

    context_key = "xinyi_translation"
    cache = False

    def batch_load(self, keys: list[tuple[Model, str]]) -> list[Model | None]:
        asked: dict[tuple[type[Model], str], set[Any]] = defaultdict(set)
        for row, language in keys:
            asked[type(row), language].add(row.pk)
        found: dict[tuple[type[Model], str, Any], Model] = {}
        for (model, language), pks in asked.items():
            relation: Any = model._meta.get_field("translations")
            translations = relation.related_model._default_manager.filter(
                language_code=language, **{f"{relation.field.name}__in": pks}
            )
            for each in translations:
                found[model, language, getattr(each, relation.field.attname)] = each
        return [found.get((type(row), language, row.pk)) for row, language in keys]


def _translation(root: Model, info: ResolveInfo, language_code: str) -> Promise:
    return TranslationLoader(info.context).load((root, language_code))


# ---- Baskets --------------------------------------------------------------------------------------------------------


def _priced_lines(self: DataLoader, keys: list[Any]) -> list[list[checkout_models.CheckoutLine]]:
    """Of CheckoutLinesByCheckoutTokenLoader: the lines with all that their prices and weights depend on."""
    lines: dict[Any, list[checkout_models.CheckoutLine]] = defaultdict(list)
    found = checkout_models.CheckoutLine.objects.filter(checkout_id__in=keys)
    for line in found.select_related("variant__product__product_type").prefetch_related(
        "variant__product__collections"
    ):
        lines[line.checkout_id].append(line)
    return [lines[key] for key in keys]


CheckoutLinesByCheckoutTokenLoader.batch_load = _priced_lines


def _lines_of_checkout(
    root: checkout_models.Checkout, _info: ResolveInfo
) -> list[checkout_models.CheckoutLine]:
    return list(root.lines.all())


# ---- Orders ---------------------------------------------------------------------------------------------------------


def _lines_of_order(root: order_models.Order, _info: ResolveInfo) -> list[order_models.OrderLine]:
    return sorted(root.lines.all(), key=lambda line: line.pk)


def _fulfillments(root: order_models.Order, info: ResolveInfo) -> list[order_models.Fulfillment]:
    shown = [
        each
        for each in root.fulfillments.all()
        if info.context.user.is_staff or each.status != FulfillmentStatus.CANCELED
    ]
    return sorted(shown, key=lambda each: each.pk)


def _is_paid(root: order_models.Order, _info: ResolveInfo) -> bool:
    captured = [
        each.get_captured_amount() for each in root.payments.all() if each.charge_status in _HOLDING_MONEY
    ]
    return bool(sum(captured, zero_taxed_money()).gross >= root.total.gross)


_HOLDING_MONEY = {
    ChargeStatus.PARTIALLY_CHARGED,
    ChargeStatus.FULLY_CHARGED,
    ChargeStatus.PARTIALLY_REFUNDED,
}


# ---- What is published ----------------------------------------------------------------------------------------------

# Saleor hides what is not published from who asks for it, and shows it to who comes by a product or a menu.


def _may_see(info: ResolveInfo, row: Any, permission: Any) -> bool:
    return bool(row.is_visible) or get_user_or_app_from_context(info.context).has_perm(permission)


def _collections_of_product(root: product_models.Product, info: ResolveInfo) -> list[Any]:
    return [
        each for each in root.collections.all() if _may_see(info, each, ProductPermissions.MANAGE_PRODUCTS)
    ]


def _collection_of_item(root: Any, info: ResolveInfo) -> Any:
    linked = root.collection
    return linked if linked and _may_see(info, linked, ProductPermissions.MANAGE_PRODUCTS) else None


def _page_of_item(root: Any, info: ResolveInfo) -> Any:
    linked = root.page
    return linked if linked and _may_see(info, linked, PagePermissions.MANAGE_PAGES) else None


# ---- Prices ---------------------------------------------------------------------------------------------------------


def _variant_pricing(root: product_models.ProductVariant, info: ResolveInfo) -> Promise:
    def info_of(availability: VariantAvailability | None) -> VariantPricingInfo | None:
        # Not asdict, which copies every amount.
        return availability and VariantPricingInfo(**vars(availability))

    return VariantPriceLoader(info.context).load(root).then(info_of)


class ProductRowLoader(DataLoader):
    """A product, published or not."""

    context_key = "xinyi_product_row"

    def batch_load(self, keys: list[int]) -> list[product_models.Product | None]:
        products = product_models.Product.objects.in_bulk(keys)
        return [products.get(key) for key in keys]


def _product_of_variant(root: product_models.ProductVariant, info: ResolveInfo) -> Promise:
    # Who holds a variant of what is no longer published has it in a basket or has ordered it: Saleor fails there,
    # since the field may not be null. It has no price for them.
    def or_hidden(found: product_models.Product | None) -> Any:
        return found or ProductRowLoader(info.context).load(root.product_id)

    return ProductByIdLoader(info.context).load(root.product_id).then(or_hidden)


def _variants_of_product(root: product_models.Product, info: ResolveInfo) -> Promise:
    if root.is_visible:
        # It is asked for again, for the prices of its variants.
        ProductByIdLoader(info.context).prime(root.pk, root)
    return ProductVariantsByProductIdLoader(info.context).load(root.pk)


# ---- What may be bought ---------------------------------------------------------------------------------------------


def resolve_quantity_available(
    root: product_models.ProductVariant,
    info: ResolveInfo,
    country_code: str | None = None,
) -> Promise:
    country = country_code or info.context.country.code
    return AvailableByVariantLoader(info.context).load((root, country))


def resolve_variant_is_available(root: product_models.ProductVariant, info: ResolveInfo) -> Promise:
    return resolve_quantity_available(root, info).then(bool)


def resolve_is_available(root: product_models.Product, info: ResolveInfo) -> Any:
    if not root.is_visible:
        return False

    def of_variants(variants: list[product_models.ProductVariant]) -> Promise:
        loader = AvailableByVariantLoader(info.context)
        return loader.load_many([(each, info.context.country.code) for each in variants]).then(any)

    return ProductVariantsByProductIdLoader(info.context).load(root.pk).then(of_variants)


def _items_of_menu(root: Any, _info: ResolveInfo) -> list[Any]:
    return [item for item in root.items.all() if item.level == 0]


RESOLVERS: dict[str, Resolver] = {
    "Checkout.lines": _lines_of_checkout,
    "Menu.items": _items_of_menu,
    "MenuItem.collection": _collection_of_item,
    "MenuItem.page": _page_of_item,
    "Order.fulfillments": _fulfillments,
    "Order.isPaid": _is_paid,
    "Order.lines": _lines_of_order,
    "Product.collections": _collections_of_product,
    "Product.isAvailable": resolve_is_available,
    "Product.variants": _variants_of_product,
    "ProductVariant.isAvailable": resolve_variant_is_available,
    "ProductVariant.pricing": _variant_pricing,
    "ProductVariant.product": _product_of_variant,
    "ProductVariant.quantityAvailable": resolve_quantity_available,
    "ProductVariant.stockQuantity": resolve_quantity_available,
}
