"""李婶 asks what to buy for her dishes, and what to cook this week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from saleor.product.models import Product

from backend.catalogue.models import Dish, Ingredient
from tests.produce import a_cooperative, a_product, a_supply

Ask = Callable[..., dict[str, Any]]

LIST = """
query($dishes: [DishPeopleInput!]!, $instead: [InsteadInput!]) {
  shoppingList(dishes: $dishes, instead: $instead) {
    dishes { people dish { slug } }
    lines {
      needed unit bought surplus missing
      portions { dish name amount }
      product { slug }
      insteadOf { slug }
      alternatives { slug }
      packs { quantity variant { sku pricing { price { gross { amount } } } } }
    }
  }
}
"""


def a_dish(slug: str, *takes: tuple[str, int, Product | None], serves: int = 2) -> Dish:
    dish = Dish.objects.create(slug=slug, name=slug, name_en=slug, serves=serves)
    for name, amount, product in takes:
        Ingredient.objects.create(dish=dish, name=name, name_en=name, amount=amount, product=product)
    return dish


@pytest.fixture
def celtuce(db: None) -> Product:
    product = a_product(packs={500: "3.00", 2_500: "13.00"})
    a_supply(cooperative=a_cooperative(), product=product, on_hand=4_000)
    return product


@pytest.fixture
def garlic(celtuce: Product) -> Product:
    """Sold here, and not there."""
    product = a_product(name="蒜苗", slug="suanmiao", packs={250: "2.00"})
    a_supply(
        cooperative=a_cooperative(slug="fuxing", name="福星"), product=product, on_hand=0, code="XY-0002"
    )
    return product


def test_two_dishes_share_packs_and_what_is_not_sold_is_named(ask: Ask, celtuce: Product) -> None:
    a_dish("liangban", ("莴笋", 300, celtuce), ("香油", 5, None))
    a_dish("qingchao", ("莴笋", 400, celtuce))
    answer = ask(
        LIST,
        dishes=[
            {"dish": "liangban", "people": 3},
            {"dish": "qingchao", "people": 2},
            {"dish": "none", "people": 2},
        ],
    )["data"]["shoppingList"]
    assert [each["dish"]["slug"] for each in answer["dishes"]] == ["liangban", "qingchao"]
    bought, unsold = answer["lines"]
    assert (bought["needed"], bought["bought"], bought["surplus"], bought["missing"]) == (850, 1000, 150, 0)
    assert [(each["quantity"], each["variant"]["sku"]) for each in bought["packs"]] == [(2, "wosun-500")]
    assert [each["dish"] for each in bought["portions"]] == ["liangban", "qingchao"]
    assert (unsold["product"], unsold["portions"][0]["name"], unsold["needed"]) == (None, "香油", 8)


def test_what_is_sold_out_offers_what_the_recipe_allows(ask: Ask, celtuce: Product, garlic: Product) -> None:
    dish = a_dish("huiguorou", ("蒜苗", 150, garlic))
    dish.ingredients.get().alternatives.add(celtuce)
    dishes = [{"dish": "huiguorou", "people": 2}]
    [line] = ask(LIST, dishes=dishes)["data"]["shoppingList"]["lines"]
    assert (line["missing"], line["packs"], line["alternatives"]) == (150, [], [{"slug": "wosun"}])
    instead = [{"product": "suanmiao", "use": "wosun"}]
    [line] = ask(LIST, dishes=dishes, instead=instead)["data"]["shoppingList"]["lines"]
    assert (line["product"]["slug"], line["insteadOf"]["slug"], line["missing"]) == ("wosun", "suanmiao", 0)


def test_a_hidden_good_counts_as_not_sold(ask: Ask, celtuce: Product) -> None:
    Product.objects.filter(pk=celtuce.pk).update(is_published=False)
    a_dish("qingchao", ("莴笋", 400, celtuce))
    [line] = ask(LIST, dishes=[{"dish": "qingchao", "people": 2}])["data"]["shoppingList"]["lines"]
    assert (line["product"], line["packs"], line["missing"]) == (None, [], 0)


@pytest.mark.parametrize(
    "dishes, code",
    [
        ([{"dish": f"d{number}", "people": 1} for number in range(22)], "TOO_MANY_DISHES"),
        ([{"dish": "d", "people": 0}], "PEOPLE_OUT_OF_RANGE"),
        ([{"dish": "d", "people": 51}], "PEOPLE_OUT_OF_RANGE"),
    ],
)
def test_a_kitchen_has_its_limits(ask: Ask, db: None, dishes: list[dict[str, object]], code: str) -> None:
    [error] = ask(LIST, dishes=dishes)["errors"]
    assert error["extensions"]["exception"]["code"] == code


def queries_for(ask: Ask, number: int) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        ask(LIST, dishes=[{"dish": f"dish-{each}", "people": 2} for each in range(number)])
    return len(asked)


def test_a_longer_list_asks_no_more_queries(ask: Ask, celtuce: Product) -> None:
    for number in range(12):
        product = a_product(name=f"菜{number}", slug=f"cai-{number}")
        a_dish(f"dish-{number}", ("菜", 100, product), ("莴笋", 100, celtuce))
    queries_for(ask, 1)
    assert queries_for(ask, 12) == queries_for(ask, 2) <= 20


def test_the_week_is_cooked_from_what_is_in_the_shed(ask: Ask, celtuce: Product, garlic: Product) -> None:
    a_dish("liangban", ("莴笋", 300, celtuce))
    a_dish("huiguorou", ("蒜苗", 150, garlic))
    answer = ask(
        "query($on: Date) { weekMenu(startsOn: $on) { date dishes { slug } } }", on=date(2026, 11, 23)
    )
    menu = answer["data"]["weekMenu"]
    assert [day["date"] for day in menu][::6] == ["2026-11-23", "2026-11-29"]
    assert [dish["slug"] for day in menu for dish in day["dishes"]] == ["liangban"]
