"""How often each page asks the database when it is drawn anew: the same in a shop of 3 goods and in one of 1,000."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from measurement.measures import Weight
from saleor.product.models import Product, ProductImage, ProductVariant
from saleor.warehouse.models import Stock

from backend.catalogue.models import Dish, Good, Ingredient
from backend.stock.models import Pack, Supply
from tests import produce

# path -> most queries. A page that needs one more has to say why.
PAGES = {
    "/": 24,
    "/calendar/": 4,
    "/c/": 8,
    "/c/vegetables/": 20,
    "/p/wosun/": 20,
    "/dishes/": 6,
    "/dishes/dish-0/": 18,
    "/dishes/list/?dish=dish-0&dish=dish-1": 18,
    "/dishes/week/": 10,
    "/villages/": 2,
    "/villages/baima/": 16,
    "/cooperatives/baima/": 16,
    "/brand/": 3,
    "/sitemap.xml": 40,
    "/basket/": 0,
    "/account/sign-in/": 0,
    "/t/": 0,
}
# Asks for every hundred goods, and is kept until one of them changes.
GROWS = {"/sitemap.xml"}


def many(shed: produce.Shed, *, goods: int, dishes: int, after: int = 0) -> None:
    """As many more goods, each with a pack in stock, and dishes of three ingredients each."""
    category, kind = shed.product.category, shed.product.product_type
    # A list: Saleor's own bulk_create goes through it twice.
    made = Product.objects.bulk_create(
        [
            Product(
                name=f"菜{number}",
                slug=f"cai-{number}",
                category=category,
                product_type=kind,
                price_amount=Decimal(4),
                minimal_variant_price_amount=Decimal(4),
                currency="CNY",
                is_published=True,
            )
            for number in range(after, after + goods)
        ]
    )
    Good.objects.bulk_create(Good(product=each, village=shed.cooperative.village) for each in made)
    ProductImage.objects.bulk_create(
        ProductImage(product=each, image=f"products/{each.slug}.webp", sort_order=0) for each in made
    )
    variants = ProductVariant.objects.bulk_create(
        ProductVariant(
            product=each,
            sku=each.slug,
            name="500 g",
            currency="CNY",
            price_override_amount=Decimal(4),
            weight=Weight(g=500),
        )
        for each in made
    )
    supplies = Supply.objects.bulk_create(
        Supply(
            cooperative=shed.cooperative,
            code=f"XY-{number:05}",
            name=each.name,
            product=each,
            on_hand=5_000,
            counted_at=timezone.now(),
        )
        for number, each in enumerate(made, start=after)
    )
    Pack.objects.bulk_create(
        Pack(supply=supply, variant=variant, units=500)
        for supply, variant in zip(supplies, variants, strict=True)
    )
    Stock.objects.bulk_create(
        Stock(warehouse=shed.cooperative.warehouse, product_variant=variant, quantity=10)
        for variant in variants
    )
    cooked = Dish.objects.bulk_create(
        Dish(slug=f"dish-{number}", name=f"菜式{number}", name_en="Fried")
        for number in range(after, after + dishes)
    )
    Ingredient.objects.bulk_create(
        Ingredient(dish=dish, name=each.name, name_en="x", product=each, amount=300)
        for number, dish in enumerate(cooked)
        for each in [*made, *made][number % goods : number % goods + 3]
    )


def asked(path: str) -> int:
    """Queries of a page for a visitor without a session, its process warm."""
    Client().get(path)
    with CaptureQueriesContext(connection) as queries:
        assert Client().get(path).status_code == 200
    return len(queries)


@pytest.fixture
def shed(db: None) -> Iterator[produce.Shed]:
    shed = produce.a_shed()
    many(shed, goods=2, dishes=2)
    yield shed
    cache.clear()


def test_no_page_asks_more_in_a_shop_of_a_thousand_goods(shed: produce.Shed) -> None:
    few = {path: asked(path) for path in PAGES}
    many(shed, goods=1_000, dishes=300, after=2)
    lots = {path: asked(path) for path in PAGES}
    assert [path for path in PAGES if lots[path] != few[path] and path not in GROWS] == []
    assert {path: count for path, count in lots.items() if count > PAGES[path]} == {}
    assert Client().get("/sitemap.xml").content.count(b"/p/cai-") == 3 * 1_002
