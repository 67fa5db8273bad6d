"""How often each operation asks the database: what is written down, whatever the lists' length or the catalogue's size."""

from __future__ import annotations

import json
from typing import Any

import graphene
import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from graphql_jwt.shortcuts import get_token
from saleor.account.models import Address
from saleor.product.models import ProductVariant
from saleor.shipping.models import ShippingMethod

from backend.catalogue.models import Wait
from backend.catalogue.search.services import index_all
from tests import market, produce

SHORT, LONG = 5, 50
GOODS = 60


def of_theme(name: str) -> str:
    directory = django_settings.TRUSTED_DOCUMENTS[0]
    text: str = (directory / f"{name}.graphql").read_text(encoding="utf-8")
    return text


# ---- What clients other than the theme ask: shops and apps that were made for Saleor ------------------------------------

PRODUCT = """fragment P on Product { id name slug isAvailable description seoTitle
  category { id name translation(languageCode: EN) { name } }
  collections { id name translation(languageCode: EN) { name } }
  productType { id name }
  translation(languageCode: EN) { name description }
  thumbnail(size: 255) { url alt } images { id url(size: 255) alt }
  attributes { attribute { slug name translation(languageCode: EN) { name } }
    values { slug name translation(languageCode: EN) { name } } }
  pricing { onSale discount { gross { amount } } priceRange { start { gross { amount currency } } stop { net { amount } } }
    priceRangeUndiscounted { start { gross { amount } } } }
  variants { id name sku quantityAvailable stockQuantity isAvailable translation(languageCode: EN) { name }
    images { url(size: 60) } attributes { attribute { slug } values { slug } }
    pricing { price { gross { amount } } priceUndiscounted { gross { amount } } } unitPrice { amount } netWeightG }
  good { inSeason village { name } } sources { cooperative { name } countedAt lot { code } } dishes { slug name } }"""

# A page of fifty may cost 30,000, so that no single one may ask for everything.
CARD = """fragment P on Product { id name slug isAvailable category { name } translation(languageCode: EN) { name }
  thumbnail(size: 255) { url } pricing { priceRange { start { gross { amount } } } }
  variants { sku quantityAvailable isAvailable translation(languageCode: EN) { name } unitPrice { amount }
    pricing { price { gross { amount } } } } good { inSeason } sources { cooperative { name } countedAt } }"""
SPECIFIED = """fragment P on Product { name productType { name } collections { name }
  category { translation(languageCode: EN) { name } }
  attributes { attribute { slug translation(languageCode: EN) { name } } values { slug } } }"""
PICTURED = """fragment P on Product { name images { url(size: 255) alt } variants { sku images { url(size: 60) } } }"""

OF_CLIENTS = {
    "products": "query($first: Int) { products(first: $first) { totalCount edges { node { ...P } } } }"
    + CARD,
    "products, described": "query($first: Int) { products(first: $first) { edges { node { ...P } } } }"
    + SPECIFIED,
    "products, pictured": "query($first: Int) { products(first: $first) { edges { node { ...P } } } }"
    + PICTURED,
    "products, filtered": """query($first: Int, $category: ID!) { products(first: $first, sortBy: {field: PRICE,
        direction: DESC}, filter: {categories: [$category], stockAvailability: IN_STOCK, price: {gte: 1, lte: 90},
        attributes: [{slug: "taste", value: "sweet"}]}) { totalCount pageInfo { hasNextPage endCursor }
        edges { cursor node { ...P } } } }"""
    + CARD,
    "products, searched": """query($first: Int) { products(first: $first, filter: {search: "菜"}) {
        totalCount edges { node { ...P } } } }"""
    + CARD,
    "product": """query { product(slug: "good-1") { ...P } }""" + PRODUCT,
    "variants": """query($first: Int, $ids: [ID]) { productVariants(first: $first, ids: $ids) { edges { node { id sku
        product { name category { name } thumbnail { url } } quantityAvailable isAvailable
        pricing { price { gross { amount } } } } } } }""",
    "categories": """query { categories(first: 50, level: 0) { totalCount edges { node { id slug name
        translation(languageCode: EN) { name } parent { name } backgroundImage { url } } } } }""",
    "category": """query($first: Int, $category: ID!) { category(id: $category) { name ancestors(first: 5) { edges {
        node { name } } } children(first: 5) { edges { node { name } } }
        products(first: $first) { totalCount edges { node { ...P } } } } }"""
    + CARD,
    "collections": """query($first: Int) { collections(first: 20) { edges { node { name slug
        translation(languageCode: EN) { name } } } } collection(slug: "set-0") {
        products(first: $first) { totalCount edges { node { ...P } } } } }"""
    + CARD,
    "menu": """query($menu: String) { menu(name: $menu) { items { ...I children { ...I children { id } } } } }
        fragment I on MenuItem { id name url level translation(languageCode: EN) { name }
        category { id slug name } collection { id slug name } page { id slug title } parent { id } menu { id } }""",
    "pages": """query($first: Int) { pages(first: $first) { totalCount edges { node { slug title
        translation(languageCode: EN) { title } } } } }""",
    "shop": """query { shop { name description domain { host url } defaultCurrency defaultCountry { code country }
        countries { code country } languages { code } permissions { code } availablePaymentGateways { id name }
        navigation { main { items { name } } } homepageCollection { name } companyAddress { city } } }""",
    "attributes": """query { attributes(first: 20) { edges { node { slug name translation(languageCode: EN) { name }
        values { slug name translation(languageCode: EN) { name } } } } } }""",
    "checkout": """query($basket: UUID!) { checkout(token: $basket) { id email quantity isShippingRequired
        totalPrice { gross { amount } } subtotalPrice { gross { amount } } shippingPrice { gross { amount } }
        availableShippingMethods { id name price { amount } } availablePaymentGateways { id }
        lines { id quantity requiresShipping totalPrice { gross { amount } } variant { id sku name quantityAvailable
          pricing { price { gross { amount } } } product { name thumbnail { url } } } } } }""",
    "order": """query($order: UUID!) { orderByToken(token: $order) { ...O } } fragment O on Order { id number status
        statusDisplay isPaid paymentStatus paymentStatusDisplay created total { gross { amount } }
        subtotal { gross { amount } } shippingPrice { gross { amount } } shippingAddress { city }
        fulfillments { id status lines { quantity orderLine { id } } } placement { placedAt }
        lines { id productName variantName translatedProductName translatedVariantName quantity thumbnail { url }
          unitPrice { gross { amount } } cooperatives { name } variant { id sku product { slug thumbnail { url } } } } }""",
    "me, orders": """query($first: Int) { me { email firstName addresses { city }
        defaultShippingAddress { city } checkout { token }
        orders(first: $first) { totalCount edges { node { id number status statusDisplay isPaid paymentStatus created
          total { gross { amount } } subtotal { gross { amount } } placement { placedAt }
          payments { gateway } fulfillments { status }
          lines { productName thumbnail { url } variant { product { slug } } } } } } } }""",
    "checkoutCreate": """mutation($lines: [CheckoutLineInput]!) { checkoutCreate(input: {lines: $lines,
        email: "li@buyer.example"}) { checkout { token lines { id quantity variant { sku } }
        totalPrice { gross { amount } } } checkoutErrors { field code message } } }""",
    "checkoutLinesAdd": """mutation($id: ID!, $lines: [CheckoutLineInput]!) { answer: checkoutLinesAdd(checkoutId: $id,
        lines: $lines) { checkout { quantity totalPrice { gross { amount } } lines { id quantity variant { sku } } }
        checkoutErrors { field code message } } }""",
    "checkoutLinesUpdate": """mutation($id: ID!, $lines: [CheckoutLineInput]!) { answer: checkoutLinesUpdate(
        checkoutId: $id, lines: $lines) { checkout { quantity totalPrice { gross { amount } } lines { id quantity
        variant { sku } } } checkoutErrors { field code message } } }""",
    "checkoutShippingAddressUpdate": """mutation($id: ID!, $address: AddressInput!) { answer:
        checkoutShippingAddressUpdate(checkoutId: $id, shippingAddress: $address) { checkout { shippingAddress { city }
        availableShippingMethods { id name } } checkoutErrors { field code message } } }""",
    "checkoutShippingMethodUpdate": """mutation($id: ID!, $method: ID!) { answer: checkoutShippingMethodUpdate(
        checkoutId: $id, shippingMethodId: $method) { checkout { shippingMethod { name }
        totalPrice { gross { amount } } } checkoutErrors { field code message } } }""",
}

MOST = {
    # Of the theme, by the names of its documents.
    "Account": 12,
    "AccountExport": 15,
    "AddressBook": 4,
    "Basket": 31,
    "BasketAdd": 17,
    "BasketCreate": 22,
    "BasketUpdate": 17,
    "Board": 16,
    "Brand": 3,
    "Categories": 22,
    "Category": 4,
    "Cooperative": 14,
    "DeskPackList": 8,
    "DeskReports": 8,
    "DeskSupplies": 12,
    "Dishes": 7,
    "Home": 26,
    "Order": 16,
    "OrderPlace": 42,
    "Product": 19,
    "Search": 16,
    "SearchHelp": 17,
    "Suggestions": 4,
    "Shelf": 16,
    "ShopPage": 2,
    "ShoppingList": 17,
    "Village": 17,
    "Villages": 2,
    "WeekMenu": 12,
    # Of other clients.
    "products": 14,
    "products, described": 12,
    "products, pictured": 4,
    "products, filtered": 18,
    "products, searched": 15,
    "product": 29,
    "variants": 7,
    "categories": 4,
    "category": 16,
    "collections": 18,
    "menu": 13,
    "pages": 3,
    "shop": 10,
    "attributes": 5,
    "checkout": 27,
    "order": 13,
    "me, orders": 16,
    "checkoutCreate": 30,
    "checkoutLinesAdd": 25,
    "checkoutLinesUpdate": 25,
    "checkoutShippingAddressUpdate": 21,
    "checkoutShippingMethodUpdate": 23,
}
"""The most queries of each, in a shop of any size."""


class Clients:
    """Everybody who asks, and what they ask about: lists of SHORT and of LONG."""

    def __init__(self) -> None:
        self.market = market.a_market()
        self.client = Client()
        self.buyers = {size: produce.a_person(email=f"buyer-{size}@x.example") for size in (SHORT, LONG)}
        self.bookkeeper = produce.a_member(
            cooperative=self.market.cooperatives[0], email="wang@baima.example"
        )
        self.grow(goods=GOODS, dishes=SHORT)
        variants = list(ProductVariant.objects.order_by("product_id", "pk").select_related("product")[::2])
        self.variants = {size: variants[:size] for size in (SHORT, LONG)}
        self.baskets = {size: market.a_basket_of(self.variants[size]) for size in (SHORT, LONG)}
        self.orders = {
            size: market.orders_of(buyer, orders=size, variants=self.variants[SHORT])
            for size, buyer in self.buyers.items()
        }
        for size, buyer in self.buyers.items():
            buyer.addresses.set([_address() for _each in range(size)])
            Wait.objects.bulk_create(
                Wait(variant=each, user=buyer, email=buyer.email, asked_at=timezone.now())
                for each in self.variants[size]
            )
        # The one that is asked for by its token: as many lines as the list is long.
        self.large = {
            size: market.orders_of(
                produce.a_person(email=f"large-{size}@x.example"), orders=1, variants=self.variants[size]
            )[0]
            for size in (SHORT, LONG)
        }
        for size in (SHORT, LONG):
            market.a_menu(name=f"menu-{size}", items=6 if size == SHORT else 18, market=self.market)

    def grow(self, *, goods: int, dishes: int) -> None:
        market.add_goods(self.market, goods=goods, dishes=dishes)
        index_all()
        with connection.cursor() as cursor:
            # Where tables that were emptied have been looked at last, PostgreSQL takes minutes for a page of goods.
            cursor.execute("ANALYZE")

    def variables(self, size: int) -> dict[str, Any]:
        basket, method = self.baskets[size], ShippingMethod.objects.get()
        lines = [{"variantId": to_global_id(each), "quantity": 2} for each in self.variants[size]]
        address = {
            "firstName": "秀英",
            "lastName": "李",
            "streetAddress1": "白马路 1 号",
            "city": "绵阳市",
            "countryArea": "四川省",
            "postalCode": "621000",
            "country": "CN",
            "phone": "+8613800138000",
        }
        return {
            "first": size,
            "month": 6,
            "today": "2026-11-24",
            "language": "EN",
            "category": to_global_id(self.market.categories[0]),
            "ids": [to_global_id(each) for each in self.variants[size]],
            "menu": f"menu-{size}",
            "basket": str(basket.token),
            "order": str(self.large[size].token),
            "id": to_global_id(basket),
            "checkoutId": to_global_id(basket),
            "lines": lines,
            "address": address,
            "method": to_global_id(method),
            "cooperative": self.market.cooperatives[0].slug,
            "search": "菜",
        }

    def ask(self, name: str, *, size: int) -> int:
        """How many queries that takes; whatever it changes is undone."""
        theirs = name in OF_CLIENTS
        document = OF_CLIENTS[name] if theirs else of_theme(name)
        variables = self.variables(size)
        user = None
        if name in ("me, orders", "Account", "AccountExport", "AddressBook"):
            user = self.buyers[size]
        elif name.startswith("Desk"):
            user = self.bookkeeper
        variables |= {
            "AccountExport": {"password": "secret-of-the-test"},
            "Basket": {"token": variables["basket"]},
            "Order": {"token": variables["order"]},
            "Category": {"slug": "shelf-0"},
            "Product": {"slug": "good-1"},
            # A page of the theme's: with all that is found beside the goods, fifty would cost too much.
            "Search": {"first": min(size, 24)},
            "Suggestions": {"query": "菜"},
            "Shelf": {"filter": {"category": "shelf-0"}, "first": min(size, 24)},
            "ShoppingList": {"dishes": [{"dish": "dish-0-0", "people": 3}]},
            "Village": {"slug": "shed-0"},
            "Cooperative": {"slug": "shed-0"},
            "ShopPage": {"slug": f"menu-{SHORT}-0"},
            "OrderPlace": {"input": self._placed(variables)},
        }.get(name, {})
        headers = {"Authorization": f"JWT {get_token(user)}"} if user else {}
        with transaction.atomic():
            connection.queries_log.clear()
            with CaptureQueriesContext(connection) as queries:
                response = self.client.post(
                    "/graphql/",
                    data=json.dumps({"query": document, "variables": variables}),
                    content_type="application/json",
                    headers=headers,
                )
            transaction.set_rollback(True)
        answer = response.json()
        assert "errors" not in answer, (name, answer["errors"])
        for field in answer["data"].values():
            if isinstance(field, dict):
                assert not field.get("errors") and not field.get("checkoutErrors"), (name, field)
            assert field is not None, (name, answer)
        return len(queries)

    def _placed(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {
            "checkoutToken": variables["basket"],
            "idempotencyKey": "a key of sixteen characters",
            "email": "li@buyer.example",
            "shippingAddress": variables["address"],
            "shippingMethod": variables["method"],
            "paymentGateway": "pay_on_collection",
            "acceptFreshRule": True,
        }


def _address() -> Address:
    address = produce.an_address()
    address.save()
    return address


def to_global_id(row: Any) -> str:
    text: str = graphene.Node.to_global_id(type(row).__name__, row.pk)
    return text


@pytest.mark.django_db
def test_each_operation_asks_as_often_as_is_written_down_whatever_the_size(settings: Any) -> None:
    settings.TRUSTED_DOCUMENTS_ONLY = False
    clients = Clients()
    for name in ("Home", "Basket"):
        # The first ones of all fill what a process keeps.
        clients.ask(name, size=SHORT)
    few = {name: clients.ask(name, size=SHORT) for name in MOST}
    many = {name: clients.ask(name, size=LONG) for name in MOST}
    clients.grow(goods=9 * GOODS, dishes=9 * SHORT)
    large = {name: clients.ask(name, size=SHORT) for name in MOST}
    grown = {
        name: (few[name], many[name], large[name])
        for name in MOST
        if not few[name] == many[name] == large[name]
    }
    assert grown == {}, f"a list of {SHORT}, one of {LONG}, and in a shop ten times as large"
    assert {name: count for name, count in few.items() if count > MOST[name]} == {}, few
