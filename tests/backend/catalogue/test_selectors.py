from decimal import Decimal

import pytest
from prices import Money

from backend.catalogue.models import Good
from backend.catalogue.selectors import goods_in_season, goods_of_cooperative
from backend.catalogue.unit_price import price_per_500g
from tests import produce


@pytest.mark.parametrize(
    ("price", "grams", "expected"),
    [
        ("7.00", 1000, "3.50"),
        ("9", 250, "18.00"),
        ("10", 300, "16.67"),
        ("0.05", 2500, "0.01"),
        ("128", None, None),
        ("128", 0, None),
    ],
)
def test_the_price_of_500_g(price: str, grams: int | None, expected: str | None) -> None:
    answer = price_per_500g(price=Money(Decimal(price), "CNY"), net_weight_g=grams)
    assert answer == (Money(Decimal(expected), "CNY") if expected else None)


@pytest.mark.django_db
def test_goods_in_season_come_in_stock_first_and_the_short_seasons_before_the_long() -> None:
    cooperative = produce.a_cooperative()
    seasons = {
        "chunsun": [3, 4],
        "suanmiao": [10, 11, 12, 1, 2, 3],
        "xiangchun": [3, 4],
        "dasuan": [],
    }
    for number, (slug, months) in enumerate(seasons.items()):
        product = produce.a_product(name=slug, slug=slug)
        Good.objects.filter(product=product).update(season_months=months)
        on_hand = 0 if slug == "xiangchun" else 5_000
        produce.a_supply(
            cooperative=cooperative,
            product=product,
            on_hand=on_hand,
            code=f"XY-{number}",
        )
    hidden = produce.a_product(name="藏", slug="cang")
    hidden.is_published = False
    hidden.save()

    def slugs(month: int) -> list[str]:
        return [product.slug for product in goods_in_season(month=month, limit=10)]

    assert slugs(3) == ["chunsun", "suanmiao", "dasuan", "xiangchun"]
    assert slugs(8) == ["dasuan"]
    assert [each.slug for each in goods_of_cooperative(cooperative=cooperative, limit=2)] == [
        "chunsun",
        "suanmiao",
    ]
