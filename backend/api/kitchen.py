"""Shop by dish: what to buy for dishes, and a week's menu from what there is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import graphene
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo
from promise import Promise
from saleor.product.models import Product

from backend.api.loaders import AvailableByVariantLoader
from backend.api.types.kitchen import (
    DishPeople,
    DishPeopleInput,
    InsteadInput,
    Line,
    MenuDay,
    ShoppingList,
)
from backend.api.types.texts import required_list
from backend.catalogue import kitchen, shopping
from backend.common.errors import ShopError

MOST_DISHES = 21
MOST_PEOPLE = 50


class KitchenQueries(graphene.ObjectType):
    """What a cook may ask."""

    shopping_list = graphene.Field(
        ShoppingList,
        required=True,
        dishes=required_list(DishPeopleInput, description="At most 21; an unknown dish is left out."),
        instead=graphene.List(graphene.NonNull(InsteadInput)),
        description="What to buy for these dishes: rounded up to packs, which the dishes share.",
    )
    week_menu = required_list(
        MenuDay,
        starts_on=graphene.Date(description="The first of the seven days; today if not given."),
        description="Dishes for a week, of which everything that is sold here is in stock.",
    )

    @staticmethod
    def resolve_shopping_list(
        _root: Any,
        info: ResolveInfo,
        dishes: list[dict[str, Any]],
        instead: list[dict[str, str]] | None = None,
    ) -> Promise:
        if len(dishes) > MOST_DISHES:
            raise ShopError(_("At most 21 dishes at a time."), code="too_many_dishes")
        people = {each["dish"]: each["people"] for each in dishes}
        if not all(1 <= number <= MOST_PEOPLE for number in people.values()):
            raise ShopError(_("For 1 to 50 people."), code="people_out_of_range")
        known = shopping.dishes_by_slug(people)
        cooked = [known[slug] for slug in people if slug in known]
        portions = shopping.portions_of(cooked)
        goods = {each.product for each in portions if each.product}
        goods.update(other for each in portions for other in each.alternatives)
        variants = shopping.variants_of(goods)
        country = info.context.country.code
        wanted = _by_pk(instead or [], goods)

        def listed(left: list[int]) -> ShoppingList:
            quantities = {variant.pk: number for variant, number in zip(variants, left, strict=True)}
            lines = kitchen.shopping_list(
                portions=portions,
                people=people,
                shelves=shopping.shelves_of(variants=variants, left=quantities),
                instead=wanted,
            )
            by_pk = {variant.pk: variant for variant in variants}
            return ShoppingList(
                dishes=[DishPeople(dish=dish, people=people[dish.slug]) for dish in cooked],
                lines=[Line(line, by_pk) for line in lines],
            )

        loader = AvailableByVariantLoader(info.context)
        return loader.load_many([(variant, country) for variant in variants]).then(listed)

    @staticmethod
    def resolve_week_menu(_root: Any, info: ResolveInfo, starts_on: date | None = None) -> Promise:
        first = starts_on or timezone.localdate()
        candidates = shopping.candidates()
        variants = shopping.variants_of({good for each in candidates for good in each.goods})
        country = info.context.country.code

        def planned(left: list[int]) -> list[MenuDay]:
            in_stock = {
                variant.product_id for variant, number in zip(variants, left, strict=True) if number > 0
            }
            menu = kitchen.week_menu(
                candidates=candidates,
                in_season=shopping.goods_of_the_month(month=first.month),
                in_stock=in_stock,
                # Weeks since the first Monday of the calendar: the same one till Sunday.
                week=first.toordinal() // 7,
            )
            dishes = shopping.dishes_by_slug({slug for day in menu for slug in day})
            return [
                MenuDay(date=first + timedelta(days=number), dishes=[dishes[slug] for slug in day])
                for number, day in enumerate(menu)
            ]

        loader = AvailableByVariantLoader(info.context)
        return loader.load_many([(variant, country) for variant in variants]).then(planned)


def _by_pk(instead: list[dict[str, str]], goods: set[int]) -> dict[int, int]:
    """The buyer's wishes by primary key, as far as they are among these goods; the last one for a good counts."""
    pks = dict(Product.objects.filter(pk__in=goods).values_list("slug", "pk")) if instead else {}
    return {
        pks[each["product"]]: pks[each["use"]]
        for each in instead[:MOST_DISHES]
        if each["product"] in pks and each["use"] in pks
    }
