"""李婶 shops by dish: the list, what takes whose place, and all of it in the basket or nothing."""

from __future__ import annotations

import re

import pytest
from django.http import QueryDict
from django.test import Client
from saleor.checkout.models import Checkout
from saleor.product.models import Product

from backend.catalogue.models import Dish, Ingredient
from backend.stock.models import Supply
from storefront_theme.shop.recipes import Cooking
from tests.produce import a_cooperative, a_product, a_supply

FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


def a_dish(slug: str, name: str, *takes: tuple[str, int, Product | None]) -> Dish:
    dish = Dish.objects.create(slug=slug, name=name, name_en=slug, serves=2, summary="清脆")
    for order, (what, amount, product) in enumerate(takes):
        Ingredient.objects.create(
            dish=dish, name=what, name_en=what, amount=amount, product=product, sort_order=order
        )
    return dish


@pytest.fixture
def celtuce(db: None) -> Product:
    product = a_product(packs={500: "3.00"})
    a_supply(cooperative=a_cooperative(), product=product, on_hand=4_000)
    return product


@pytest.fixture
def garlic(celtuce: Product) -> Product:
    """Sold out."""
    product = a_product(name="蒜苗", slug="suanmiao", packs={250: "2.00"})
    shed = a_cooperative(slug="fuxing", name="福星")
    a_supply(cooperative=shed, product=product, on_hand=0, code="XY-0002")
    dish = a_dish("huiguorou", "回锅肉", ("蒜苗", 150, product), ("豆豉", 5, None))
    dish.ingredients.get(product=product).alternatives.add(celtuce)
    return product


def put(client: Client, page: str) -> object:
    """Send the form of a list's page as the browser would."""
    fields = re.findall(r'name="(list|pack)" value="([^"]+)"', page)
    query = QueryDict(mutable=True)
    for name, value in fields:
        query.appendlist(name, value.replace("&amp;", "&"))
    return client.post(
        "/dishes/list/put/",
        query.urlencode(),
        content_type="application/x-www-form-urlencoded",
        headers=FROM_HERE,
    )


def test_a_dish_for_more_people_takes_more_packs(client: Client, celtuce: Product) -> None:
    a_dish("qingchao", "清炒莴笋", ("莴笋", 400, celtuce))
    for_two = client.get("/dishes/qingchao/?people=2").content.decode()
    for_five = client.get("/dishes/qingchao/?people=5").content.decode()
    assert "500 g × 1" in for_two and "余 100 g" in for_two
    assert "500 g × 2" in for_five and "需 1 kg" in for_five


def test_all_of_it_goes_into_the_basket_at_once(client: Client, celtuce: Product) -> None:
    a_dish("qingchao", "清炒莴笋", ("莴笋", 400, celtuce))
    a_dish("liangban", "凉拌莴笋", ("莴笋", 300, celtuce))
    page = client.get("/dishes/list/?dish=qingchao&dish=liangban&people=2").content.decode()
    answer = put(client, page)
    assert (answer.status_code, answer["Location"]) == (302, "/basket/")
    [line] = Checkout.objects.get().lines.all()
    assert (line.variant.sku, line.quantity) == ("wosun-500", 2)


def test_nothing_goes_into_the_basket_when_the_list_has_changed(client: Client, celtuce: Product) -> None:
    a_dish("qingchao", "清炒莴笋", ("莴笋", 1_400, celtuce))
    page = client.get("/dishes/list/?dish=qingchao&people=2").content.decode()
    Supply.objects.update(on_hand=500)
    celtuce.variants.get().stocks.update(quantity=1)
    answer = put(client, page)
    assert answer["Location"] == "/dishes/list/?dish=qingchao&people=2"
    assert not Checkout.objects.exists()
    assert "刚刚有变化" in client.get(answer["Location"]).content.decode()


def test_what_is_sold_out_can_be_replaced_and_taken_back(client: Client, garlic: Product) -> None:
    page = client.get("/dishes/huiguorou/").content.decode()
    assert "今日售完" in page and "豆豉" in page
    assert "/dishes/list/?dish=huiguorou&amp;people=3&amp;use=suanmiao:wosun" in page
    replaced = client.get("/dishes/list/?dish=huiguorou&people=3&use=suanmiao:wosun").content.decode()
    assert "代替蒜苗" in replaced
    assert '/dishes/list/?dish=huiguorou&amp;people=3"' in replaced


def test_an_empty_list_says_so(client: Client, db: None) -> None:
    answer = client.get("/dishes/list/")
    assert answer.status_code == 200
    assert "还没有勾选" in answer.content.decode()


def test_a_dish_that_nobody_knows_is_not_found(client: Client, db: None) -> None:
    assert client.get("/dishes/none/").status_code == 404


def test_a_week_names_days_and_dishes(client: Client, celtuce: Product) -> None:
    a_dish("qingchao", "清炒莴笋", ("莴笋", 400, celtuce))
    page = client.get("/dishes/week/?people=4").content.decode()
    assert "清炒莴笋" in page and "people=4" in page


@pytest.mark.parametrize(
    "query, people",
    [("people=0", 1), ("people=999", 50), ("people=x", 3), ("", 3), ("people=" + "9" * 99, 3)],
)
def test_any_number_of_people_makes_a_list(query: str, people: int) -> None:
    assert Cooking.read(QueryDict(query)).people == people


def test_an_address_that_makes_no_sense_is_cut_down_to_what_does() -> None:
    given = QueryDict("&".join(f"dish=d{number}" for number in range(40)) + "&dish=d0&use=a&use=:&use=a:b")
    cooking = Cooking.read(given)
    assert (len(cooking.dishes), cooking.instead) == (21, (("a", "b"),))
