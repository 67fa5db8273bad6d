"""Batched look-ups: one query for a whole list, whatever its length."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.conf import settings
from django.db.models import F
from promise import Promise
from saleor.graphql.core.dataloaders import DataLoader
from saleor.graphql.discount.dataloaders import DiscountsByDateTimeLoader
from saleor.graphql.product.dataloaders import CollectionsByProductIdLoader, ProductByIdLoader
from saleor.product.models import Product, ProductVariant
from saleor.product.utils.availability import VariantAvailability, get_variant_availability

from backend.catalogue.models import Dish, FoodLabel, Good, Ingredient
from backend.cooperatives.models import Cooperative
from backend.ordering.models import Claim, DeliveryMethod, PackedLot, Placement
from backend.ordering.selectors import (
    ClaimableLine,
    claimable_lines,
    claims_of_orders,
    cooperatives_of_lines,
    lots_of_lines,
)
from backend.saleor_port.availability import free_packs
from backend.stock.models import Supply


class GoodByProductLoader(DataLoader):
    context_key = "xinyi_good_by_product"

    def batch_load(self, keys: list[int]) -> list[Good | None]:
        goods = {
            good.product_id: good
            for good in Good.objects.filter(product_id__in=keys).select_related("village")
        }
        return [goods.get(key) for key in keys]


class SuppliesByProductLoader(DataLoader):
    """A product's active supplies, the one that must be sold first at the front."""

    context_key = "xinyi_supplies_by_product"

    def batch_load(self, keys: list[int]) -> list[list[Supply]]:
        by_product: dict[int, list[Supply]] = defaultdict(list)
        supplies = Supply.objects.filter(
            product_id__in=keys, is_active=True, cooperative__is_active=True
        ).select_related("cooperative__village", "lot")
        for supply in supplies.order_by(F("lot__best_before").asc(nulls_last=True), "pk"):
            by_product[supply.product_id].append(supply)
        return [by_product[key] for key in keys]


class DishesByProductLoader(DataLoader):
    context_key = "xinyi_dishes_by_product"

    def batch_load(self, keys: list[int]) -> list[list[Dish]]:
        by_product: dict[int | None, list[Dish]] = defaultdict(list)
        ingredients = Ingredient.objects.filter(product_id__in=keys).select_related("dish")
        for ingredient in ingredients.order_by("dish__sort_order", "dish_id"):
            dishes = by_product[ingredient.product_id]
            if ingredient.dish not in dishes:
                dishes.append(ingredient.dish)
        return [by_product[key] for key in keys]


class IngredientsByDishLoader(DataLoader):
    context_key = "xinyi_ingredients_by_dish"

    def batch_load(self, keys: list[int]) -> list[list[Ingredient]]:
        by_dish: dict[int, list[Ingredient]] = defaultdict(list)
        ingredients = Ingredient.objects.filter(dish_id__in=keys).select_related("product")
        for ingredient in ingredients.prefetch_related("alternatives"):
            by_dish[ingredient.dish_id].append(ingredient)
        return [by_dish[key] for key in keys]


class DeliveryByShippingMethodLoader(DataLoader):
    context_key = "xinyi_delivery_by_shipping_method"

    def batch_load(self, keys: list[int]) -> list[DeliveryMethod | None]:
        methods = {
            each.shipping_method_id: each
            for each in DeliveryMethod.objects.filter(shipping_method_id__in=keys)
        }
        return [methods.get(key) for key in keys]


class PlacementByOrderLoader(DataLoader):
    context_key = "xinyi_placement_by_order"

    def batch_load(self, keys: list[int]) -> list[Placement | None]:
        # When it is harvested depends on how it is delivered.
        found = Placement.objects.filter(order_id__in=keys).select_related("order__shipping_method__delivery")
        placements = {each.order_id: each for each in found}
        return [placements.get(key) for key in keys]


class CooperativesByOrderLineLoader(DataLoader):
    context_key = "xinyi_cooperatives_by_order_line"

    def batch_load(self, keys: list[int]) -> list[list[Cooperative]]:
        grown_by = cooperatives_of_lines(keys)
        return [grown_by[key] for key in keys]


class LotsByOrderLineLoader(DataLoader):
    context_key = "xinyi_lots_by_order_line"

    def batch_load(self, keys: list[int]) -> list[list[PackedLot]]:
        packed = lots_of_lines(keys)
        return [packed[key] for key in keys]


class ClaimsByOrderLoader(DataLoader):
    context_key = "xinyi_claims_by_order"

    def batch_load(self, keys: list[int]) -> list[list[Claim]]:
        claims = claims_of_orders(keys)
        return [claims[key] for key in keys]


class ClaimableByOrderLoader(DataLoader):
    context_key = "xinyi_claimable_by_order"

    def batch_load(self, keys: list[int]) -> list[list[ClaimableLine]]:
        claimable = claimable_lines(order_pks=keys)
        return [claimable[key] for key in keys]


class AvailableByVariantLoader(DataLoader):
    """(variant pk, country code) -> packs that one customer may order: 0 to MAX_CHECKOUT_LINE_QUANTITY."""

    context_key = "xinyi_available_by_variant"

    def batch_load(self, keys: list[tuple[Any, str]]) -> list[int]:
        variants_by_country: dict[str, list[Any]] = defaultdict(list)
        for variant, country in keys:
            variants_by_country[country].append(variant)
        left: dict[tuple[int, str], int] = {}
        for country, variants in variants_by_country.items():
            for variant_pk, quantity in free_packs([each.pk for each in variants], country).items():
                left[variant_pk, country] = quantity
        most = settings.MAX_CHECKOUT_LINE_QUANTITY
        return [self._offered(variant, left.get((variant.pk, country)), most) for variant, country in keys]

    @staticmethod
    def _offered(variant: Any, free: int | None, most: int) -> int:
        if free is None:
            return 0
        return min(max(free, 0), most) if variant.track_inventory else most


class VariantPriceLoader(DataLoader):
    """A variant -> its VariantAvailability for who asks; None where its product is not shown to them."""

    context_key = "xinyi_price_by_variant"

    def batch_load(self, keys: list[ProductVariant]) -> Promise:
        context = self.context
        pks = list(dict.fromkeys(variant.product_id for variant in keys))

        def priced(loaded: list[Any]) -> list[VariantAvailability | None]:
            products, discounts, collections = loaded
            product_of = dict(zip(pks, products, strict=True))
            collections_of = dict(zip(pks, collections, strict=True)) if collections else {}
            return [
                get_variant_availability(
                    variant=variant,
                    product=product,
                    collections=collections_of.get(product.pk, ()),
                    discounts=discounts,
                    country=context.country,
                    local_currency=context.currency,
                    plugins=context.plugins,
                )
                if (product := product_of[variant.product_id])
                else None
                for variant in keys
            ]

        def with_collections(discounts: list[Any]) -> Promise:
            # Nothing but a sale asks for them.
            collections = CollectionsByProductIdLoader(context).load_many(pks) if discounts else []
            return Promise.all([ProductByIdLoader(context).load_many(pks), discounts, collections]).then(
                priced
            )

        return DiscountsByDateTimeLoader(context).load(context.request_time).then(with_collections)


class PublishedProductLoader(DataLoader):
    """A product as an anonymous visitor may see it, or None."""

    context_key = "xinyi_published_product"

    def batch_load(self, keys: list[int]) -> list[Product | None]:
        products = Product.objects.published().in_bulk(keys)
        return [products.get(key) for key in keys]


class ProductNameLoader(DataLoader):
    """A product's name in the language of the request, published or not; the key is there, since a lot holds it."""

    context_key = "xinyi_product_name"

    def batch_load(self, keys: list[int]) -> list[str]:
        products = Product.objects.prefetch_related("translations").in_bulk(keys)
        return [str(products[key].translated) for key in keys]


class CooperativeByIdLoader(DataLoader):
    context_key = "xinyi_cooperative_by_id"

    def batch_load(self, keys: list[int]) -> list[Cooperative]:
        cooperatives = Cooperative.objects.select_related("village").in_bulk(keys)
        return [cooperatives[key] for key in keys]


class FoodLabelByGoodLoader(DataLoader):
    context_key = "xinyi_food_label_by_good"

    def batch_load(self, keys: list[int]) -> list[FoodLabel | None]:
        labels = {label.good_id: label for label in FoodLabel.objects.filter(good_id__in=keys)}
        return [labels.get(key) for key in keys]
