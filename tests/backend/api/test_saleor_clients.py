"""Ordinary clients of Saleor keep working: the operations answer as Saleor documents them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import graphene
import pytest
from saleor.menu.models import Menu, MenuItem
from saleor.page.models import Page
from saleor.product.models import Collection

from tests import produce
from tests.backend.api.conftest import Ask

pytestmark = pytest.mark.django_db

PRODUCTS = """
query { products(first: 24) { edges { node {
  name slug isAvailable pricing { priceRange { start { gross { amount currency } } } } category { name }
  thumbnail(size: 255) { url } variants { name sku quantityAvailable netWeightG unitPrice { amount } }
  good { inSeason } sources { cooperative { slug } countedAt }
} } } }
"""


def test_products_carry_price_stock_and_source(ask: Ask) -> None:
    produce.a_shed(on_hand=2_500, packs={1000: "7.00"})
    product = ask(PRODUCTS)["data"]["products"]["edges"][0]["node"]
    assert product["name"] == "莴笋"
    assert product["isAvailable"] is True
    assert product["variants"] == [
        {
            "name": "1000 g",
            "sku": "wosun-1000",
            "quantityAvailable": 2,
            "netWeightG": 1000,
            "unitPrice": {"amount": 3.5},
        }
    ]
    assert product["sources"][0]["cooperative"] == {"slug": "baima"}
    assert product["pricing"]["priceRange"]["start"]["gross"] == {
        "amount": 7.0,
        "currency": "CNY",
    }


def test_what_is_sold_out_is_not_available(ask: Ask) -> None:
    produce.a_shed(on_hand=999)
    product = ask(PRODUCTS)["data"]["products"]["edges"][0]["node"]
    assert product["isAvailable"] is False
    assert product["variants"][0]["quantityAvailable"] == 0


def test_two_sheds_add_up(ask: Ask) -> None:
    shed = produce.a_shed(on_hand=5_000)
    other = produce.a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
    produce.a_supply(cooperative=other, product=shed.product, on_hand=5_000)
    product = ask(PRODUCTS)["data"]["products"]["edges"][0]["node"]
    assert product["variants"][0]["quantityAvailable"] == 10


def test_a_list_costs_the_same_queries_whatever_its_length(
    ask: Ask, django_assert_max_num_queries: Any
) -> None:
    shed = produce.a_shed()
    for number in range(23):
        product = produce.a_product(name=f"菜{number}", slug=f"cai-{number}", packs={500: "4", 2500: "18"})
        produce.a_supply(
            cooperative=shed.cooperative,
            product=product,
            on_hand=9_000,
            code=f"XY-1{number:03}",
        )
    with django_assert_max_num_queries(18):
        assert len(ask(PRODUCTS)["data"]["products"]["edges"]) == 24


COME_BY = """{ products(first: 1) { edges { node { collections { name } } } }
  menu(name: "side") { items { name collection { name } page { title } } } }"""


def test_what_is_not_published_is_not_come_by(ask: Ask, sign_in: Callable[..., str]) -> None:
    product = produce.a_shed().product
    menu = Menu.objects.create(name="side")
    for name, is_published in (("open", True), ("hidden", False)):
        collection = Collection.objects.create(name=name, slug=name, is_published=is_published)
        collection.products.add(product)
        page = Page.objects.create(title=name, slug=name, is_published=is_published)
        MenuItem.objects.create(menu=menu, name=f"collection {name}", collection=collection)
        MenuItem.objects.create(menu=menu, name=f"page {name}", page=page)

    seen = ask(COME_BY)["data"]
    assert seen["products"]["edges"][0]["node"]["collections"] == [{"name": "open"}]
    assert seen["menu"]["items"] == [
        {"name": "collection open", "collection": {"name": "open"}, "page": None},
        {"name": "page open", "collection": None, "page": {"title": "open"}},
        {"name": "collection hidden", "collection": None, "page": None},
        {"name": "page hidden", "collection": None, "page": None},
    ]

    produce.a_person(email="zhao@town.example", is_staff=True, is_superuser=True)
    seen = ask(COME_BY, token=sign_in("zhao@town.example"))["data"]
    assert len(seen["products"]["edges"][0]["node"]["collections"]) == 2
    assert seen["menu"]["items"][3]["page"] == {"title": "hidden"}


def test_a_basket_is_a_saleor_checkout(ask: Ask) -> None:
    shed = produce.a_shed()
    variant = graphene.Node.to_global_id("ProductVariant", shed.variant.pk)
    answer = ask(
        """mutation($lines: [CheckoutLineInput]!) { checkoutCreate(input: {lines: $lines}) {
             checkout { token lines { quantity variant { sku } } totalPrice { gross { amount } } }
             checkoutErrors { field code message } } }""",
        lines=[{"quantity": 3, "variantId": variant}],
    )
    created = answer["data"]["checkoutCreate"]
    assert created["checkoutErrors"] == []
    assert created["checkout"]["lines"] == [{"quantity": 3, "variant": {"sku": "wosun-1000"}}]
    assert Decimal(str(created["checkout"]["totalPrice"]["gross"]["amount"])) == Decimal(21)


def test_a_token_tells_who_is_asking(ask: Ask, sign_in: Callable[..., str]) -> None:
    produce.a_person(email="li@buyer.example")
    token = sign_in("li@buyer.example")
    assert ask("{ me { email } }", token=token)["data"]["me"] == {"email": "li@buyer.example"}
    assert ask("{ me { email } }")["data"]["me"] is None


def test_a_session_of_the_admin_does_not_sign_the_api_in(ask: Ask, client: Any) -> None:
    zhao = produce.a_person(email="zhao@town.example", is_staff=True, is_superuser=True)
    client.force_login(zhao, backend="backend.saleor_port.sign_in.PasswordBackend")
    assert client.get("/admin/").status_code == 200
    assert ask("{ me { email } }")["data"]["me"] is None
