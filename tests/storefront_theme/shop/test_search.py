"""The search page and its suggestions, as 李婶 meets them."""

import re

import pytest
from django.test import Client

from backend.catalogue.models import Dish, Ingredient
from backend.catalogue.search.services import index_all
from storefront_theme.shop.views import search
from tests import produce

pytestmark = pytest.mark.django_db


@pytest.fixture
def shed() -> produce.Shed:
    shed = produce.a_shed()
    gone = produce.a_product(name="莴笋干", slug="wosun-gan", packs={500: "1.00"})
    produce.a_supply(cooperative=shed.cooperative, product=gone, on_hand=0, code="XY-0003")
    dish = Dish.objects.create(slug="salad", name="凉拌三丝", name_en="Salad", summary="脆。")
    Ingredient.objects.create(dish=dish, name="莴笋", name_en="Celtuce", product=shed.product, amount=300)
    index_all()
    return shed


def page_of(client: Client, q: str, **more: str) -> str:
    answer = client.get("/search/", {"q": q, **more})
    assert answer.status_code == 200
    return answer.content.decode()


def names(page: str) -> list[str]:
    return re.findall(r'<h3><a href="/p/[\w-]+/">([^<]+)</a>', page)


def test_search_shows_goods_dishes_and_places(client: Client, shed: produce.Shed) -> None:
    page = page_of(client, "莴笋")
    assert names(page) == ["莴笋", "莴笋干"]
    assert '<a href="/dishes/salad/">凉拌三丝</a>' in page
    page = page_of(client, "白马")
    assert '<a href="/cooperatives/baima/">白马蔬菜专业合作社</a>' in page


def test_search_can_leave_out_what_is_sold_out(client: Client, shed: produce.Shed) -> None:
    page = page_of(client, "莴笋", stock="in")
    assert names(page) == ["莴笋"]
    assert 'href="?q=%E8%8E%B4%E7%AC%8B"' in page


def test_a_slip_is_said_to_be_one(client: Client, shed: produce.Shed) -> None:
    page = page_of(client, "窝笋")
    assert "没有叫“窝笋”的。下面是<b>“莴笋”</b>" in page
    assert names(page)[0] == "莴笋"


def test_a_page_on_which_nothing_is_found_is_of_use(client: Client, shed: produce.Shed) -> None:
    page = page_of(client, "<b>榴莲</b>")
    assert "&lt;b&gt;榴莲&lt;/b&gt;" in page
    assert "没有找到叫这个名字的菜。" in page
    assert 'href="/c/vegetables/"' in page
    assert '<a href="/dishes/salad/">' in page
    assert names(page) == ["莴笋", "莴笋干"]


def test_before_anything_is_typed_there_is_something_to_begin_with(
    client: Client, shed: produce.Shed
) -> None:
    page = page_of(client, "  ")
    assert "没有找到" not in page
    assert 'href="/c/vegetables/"' in page


def test_a_place_that_no_search_gave_out_is_the_first_page(client: Client, shed: produce.Shed) -> None:
    page = page_of(client, "莴笋", after="nonsense")
    assert "从第一页看起" in page
    assert names(page) == ["莴笋", "莴笋干"]


def test_suggestions_are_links_with_the_name_that_was_typed(client: Client, shed: produce.Shed) -> None:
    assert client.get("/search/suggest/", {"q": "青笋"}).json() == {
        "suggestions": [
            {"title": "莴笋", "also": "青笋", "kind": "", "url": "/p/wosun/"},
            {"title": "莴笋干", "also": "青笋干", "kind": "", "url": "/p/wosun-gan/"},
            {"title": "凉拌三丝", "also": "", "kind": "菜肴", "url": "/dishes/salad/"},
        ]
    }
    assert client.get("/search/suggest/", {"q": "\x00"}).json() == {"suggestions": []}
    assert client.get("/search/suggest/").json() == {"suggestions": []}


def test_suggestions_are_not_asked_for_without_end(
    client: Client, shed: produce.Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_SUGGESTIONS_FROM_ADDRESS", 3)
    monkeypatch.setattr(search, "SUGGESTIONS_WINDOW_S", 10**9)
    statuses = [client.get("/search/suggest/", {"q": "莴"}).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    # Another address still may.
    other = client.get("/search/suggest/", {"q": "莴"}, REMOTE_ADDR="192.0.2.7")
    assert other.status_code == 200
