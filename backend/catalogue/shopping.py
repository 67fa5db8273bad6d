"""Reads dishes and shelves for kitchen.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from saleor.product.models import Product, ProductVariant

from backend.catalogue.kitchen import Candidate, Offer, Portion, Shelf
from backend.catalogue.models import Dish, Good
from backend.common.language import localised
from backend.stock.models import Pack


def dishes_by_slug(slugs: Iterable[str]) -> dict[str, Dish]:
    """Those that exist, with their ingredients and what may take an ingredient's place."""
    dishes = Dish.objects.filter(slug__in=list(slugs))
    dishes = dishes.prefetch_related("ingredients__product", "ingredients__alternatives")
    return {dish.slug: dish for dish in dishes}


def portions_of(dishes: Iterable[Dish]) -> list[Portion]:
    """What the recipes take, dish by dish, in the language that is spoken. A hidden good counts as not sold."""
    return [
        Portion(
            dish=dish.slug,
            name=localised(ingredient, "name"),
            amount=ingredient.amount,
            unit=ingredient.unit,
            serves=max(1, dish.serves),
            product=_sold(ingredient.product),
            alternatives=tuple(other.pk for other in ingredient.alternatives.all() if other.is_published),
        )
        for dish in dishes
        for ingredient in dish.ingredients.all()
    ]


def _sold(product: Product | None) -> int | None:
    return product.pk if product and product.is_published else None


def variants_of(products: Collection[int]) -> list[ProductVariant]:
    """The packs of published goods, with what their price is made of."""
    variants = ProductVariant.objects.filter(product__in=products, product__is_published=True)
    return list(variants.select_related("product").order_by("pk"))


def shelves_of(*, variants: Collection[ProductVariant], left: Mapping[int, int]) -> dict[int, Shelf]:
    """Product -> what there is of it. left: packs to be had, by variant.

    The packs of a good come from one shed, so together they hold no more than the size does that uses it best; which
    is a little less than the truth where the sizes do not divide each other.
    """
    in_a_pack = {
        variant: (units, unit)
        for variant, units, unit in Pack.objects.filter(
            variant__in=[variant.pk for variant in variants], supply__is_active=True
        ).values_list("variant", "units", "supply__unit")
    }
    offers: dict[int, list[Offer]] = defaultdict(list)
    unit_of: dict[int, str] = {}
    for variant in variants:
        weight = round(variant.weight.g) if variant.weight else 0
        units, unit = in_a_pack.get(variant.pk, (weight, "g"))
        if unit_of.setdefault(variant.product_id, unit) != unit or not units:
            continue
        price: Decimal = variant.base_price.amount
        offers[variant.product_id].append(
            Offer(variant=variant.pk, units=units, price=price, left=left.get(variant.pk, 0))
        )
    return {
        product: Shelf(
            unit=unit_of[product],
            offers=tuple(found),
            free=max(offer.units * offer.left for offer in found),
        )
        for product, found in offers.items()
    }


def candidates() -> list[Candidate]:
    """Every dish, with those of its goods that are sold here."""
    dishes = Dish.objects.prefetch_related("ingredients__product")
    return [
        Candidate(
            slug=dish.slug,
            goods=tuple(
                dict.fromkeys(
                    each.product.pk
                    for each in dish.ingredients.all()
                    if each.product and each.product.is_published
                )
            ),
        )
        for dish in dishes
    ]


def goods_of_the_month(*, month: int) -> set[int]:
    """Products whose season is not all the year, and now."""
    return set(Good.objects.filter(season_months__contains=[month]).values_list("product", flat=True))
