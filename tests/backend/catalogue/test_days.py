"""Dishes of a day, and the park's year."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from backend.catalogue.models import Dish, Good, Ingredient
from backend.catalogue.selectors import dishes_of_the_day, seasonal_goods
from tests import produce

pytestmark = pytest.mark.django_db

NOVEMBER = date(2026, 11, 23)


def a_good(slug: str, *months: int, **changes: object) -> object:
    product = produce.a_product(name=f"菜{slug}", slug=slug)
    Good.objects.filter(product=product).update(season_months=list(months))
    type(product).objects.filter(pk=product.pk).update(**changes)
    return product


def a_dish(slug: str, *products: object) -> None:
    dish = Dish.objects.create(slug=slug, name=slug, name_en=slug)
    for product in (*products, None):
        Ingredient.objects.create(dish=dish, name="x", name_en="x", product=product, amount=100)


def slugs(day: date, limit: int = 4) -> list[str]:
    return [dish.slug for dish in dishes_of_the_day(day=day, limit=limit)]


def test_dishes_whose_vegetables_are_out_of_season_are_not_offered() -> None:
    now, always, summer = a_good("now", 11), a_good("always"), a_good("summer", 7)
    hidden = a_good("hidden", 11, is_published=False)
    a_dish("good", now, always)
    a_dish("not-yet", now, summer)
    a_dish("nothing-sold-here")
    a_dish("no-longer-sold", hidden)
    assert slugs(NOVEMBER) == ["good"]
    assert slugs(date(2026, 5, 1)) == []


def test_every_dish_of_the_season_has_its_day() -> None:
    now = a_good("now", 11)
    for name in "abcdefgh":
        a_dish(name, now)
    first = slugs(NOVEMBER)
    assert len(first) == 4
    assert slugs(NOVEMBER) == first
    shown = {slug for number in range(-3, 5) for slug in slugs(NOVEMBER + timedelta(days=number))}
    assert shown == set("abcdefgh")


def test_the_year_holds_what_is_not_always_there() -> None:
    product = a_good("now", 12, 11)
    product.translations.create(language_code="en", name="Greens")
    a_good("always")
    a_good("all-months", *range(1, 13))
    a_good("hidden", 11, is_published=False)
    assert [(one.slug, one.name, one.months) for one in seasonal_goods(limit=9)] == [
        ("now", "菜now", (11, 12))
    ]
    with translation.override("en"):
        assert seasonal_goods(limit=9)[0].name == "Greens"
