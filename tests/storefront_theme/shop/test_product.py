"""The page of one good: everything that a buyer asks before it goes into the basket."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from backend.catalogue.models import Dish, FoodLabel, Good, Ingredient
from backend.cooperatives.models import Village
from backend.provenance.models import HarvestLot
from storefront_theme.shop.delivery import deliveries
from tests import produce

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def main_of(answer: Any) -> str:
    return str(answer.content.decode().partition("<main")[2].partition("</main>")[0])


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main_of(answer)))


@pytest.fixture
def shed(db: None) -> produce.Shed:
    shed = produce.a_shed(on_hand=3_000, packs={1000: "7.00", 2500: "16.00"})
    Good.objects.update(
        village=Village.objects.get(), season_months=[11, 12], storage="cold", shelf_life_days=3
    )
    return shed


def test_the_page_says_all_that_a_buyer_asks(shed: produce.Shed, client: Client) -> None:
    lot = HarvestLot.objects.create(
        cooperative=shed.cooperative,
        product=shed.product,
        code="BM-1122",
        harvested_on="2026-11-22",
        best_before="2026-11-29",
        certificate_number="CN-51-000123",
    )
    shed.supply.lot = lot
    shed.supply.save()
    dish = Dish.objects.create(slug="liangban", name="凉拌莴笋", name_en="Salad")
    Ingredient.objects.create(dish=dish, name="莴笋", name_en="celtuce", product=shed.product, amount=300)
    text = text_of(client.get("/p/wosun/"))
    for said in (
        "1000 g",
        "2500 g",
        "¥3.50 / 500&nbsp;g".replace("&nbsp;", " "),
        "仅剩 3 份",
        "白马蔬菜专业合作社",
        "点数",
        "BM-1122",
        "CN-51-000123",
        "凉拌莴笋",
        "冷藏",
        "3 天",
        "11–12月",
        "生鲜不支持七日无理由退货",
        "绵阳城区",
    ):
        assert said in text.replace("&nbsp;", " "), said
    # Where it grows, on the map of the villages.
    assert 'class="place grown"' in main_of(client.get("/p/wosun/"))


def test_packaged_goods_show_their_label_and_fresh_ones_have_none(shed: produce.Shed, client: Client) -> None:
    assert "致敏物质" not in text_of(client.get("/p/wosun/"))
    FoodLabel.objects.create(
        good=Good.objects.get(),
        producer="信义食品厂",
        licence_number="SC10351070400000",
        ingredients="辣椒、蚕豆、小麦粉",
        allergens="含有麸质谷物",
    )
    text = text_of(client.get("/p/wosun/"))
    for said in ("含有麸质谷物", "辣椒、蚕豆、小麦粉", "信义食品厂", "SC10351070400000"):
        assert said in text


def test_a_recalled_lot_is_marked(shed: produce.Shed, client: Client) -> None:
    lot = HarvestLot.objects.create(
        cooperative=shed.cooperative,
        product=shed.product,
        code="BM-1",
        harvested_on="2026-11-22",
        best_before="2026-11-29",
        recall_reason="坏了",
        recalled_at=NOON,
    )
    shed.supply.lot = lot
    shed.supply.save()
    assert "已召回" in text_of(client.get("/p/wosun/"))


def test_search_engines_and_messengers_get_their_share(shed: produce.Shed, client: Client) -> None:
    pack = shed.variant
    page = client.get("/p/wosun/?pack=x").content.decode()
    address = f"{settings.PUBLIC_URL}/p/wosun/"
    assert f'<link rel="canonical" href="{address}">' in page
    assert f'hreflang="en" href="{address}?lang=en"' in page
    assert '<meta property="og:type" content="product">' in page
    assert '<meta property="product:price:amount" content="7.00">' in page
    blocks = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    product, crumbs = blocks
    assert product["@type"] == "Product"
    assert {offer["sku"] for offer in product["offers"]} == {"wosun-1000", "wosun-2500"}
    assert product["offers"][0]["availability"].endswith("InStock")
    assert [each["name"] for each in crumbs["itemListElement"]] == ["全部菜品", "蔬菜", "莴笋"]
    english = client.get("/p/wosun/?lang=en").content.decode()
    assert f'<link rel="canonical" href="{address}?lang=en">' in english
    assert pack.sku == "wosun-1000"


# ---- When it comes ---------------------------------------------------------------------------------------------------


def test_before_the_cut_off_it_is_harvested_at_the_next_dawn() -> None:
    found = deliveries(now=NOON, shelf_life_days=7)
    assert (found.harvested_on, found.today_until) == (date(2026, 11, 24), "16:00")
    city, town, province, elsewhere = found.by_place
    assert city.comes_on == town.comes_on == date(2026, 11, 24)
    assert province.comes_on == date(2026, 11, 25)
    assert elsewhere.comes_on is None
    assert not found.is_short_lived


def test_after_it_a_day_later() -> None:
    found = deliveries(now=EVENING, shelf_life_days=3)
    assert (found.harvested_on, found.today_until) == (date(2026, 11, 25), "")
    assert found.is_short_lived


def test_the_page_counts_from_the_moment(shed: produce.Shed, client: Client) -> None:
    with time_machine.travel(NOON, tick=False):
        assert "今天 16:00 前下单，11月24日清晨采收" in text_of(client.get("/p/wosun/"))
    with time_machine.travel(EVENING, tick=False):
        assert "11月25日清晨采收" in text_of(client.get("/p/wosun/"))


def test_two_sentences_are_joined_as_each_language_joins_them(shed: produce.Shed, client: Client) -> None:
    assert "生鲜不支持七日无理由退货。坏果包赔。" in main_of(client.get("/p/wosun/"))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "seven-day return. What arrives spoilt is refunded." in main_of(client.get("/p/wosun/"))
