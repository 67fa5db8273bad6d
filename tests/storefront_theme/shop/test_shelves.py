"""Shelves, search, and one good, as 李婶 reads them."""

import json
import re

import pytest
from django.test import Client
from saleor.product.models import Category

from backend.catalogue.models import Good
from tests import produce

pytestmark = pytest.mark.django_db


def names(page: str) -> list[str]:
    return re.findall(r'<h3><a href="/p/[\w-]+/">([^<]+)</a>', page)


@pytest.fixture
def shed() -> produce.Shed:
    shed = produce.a_shed(on_hand=3_000, packs={1000: "7.00", 3000: "19.30"})
    dear = produce.a_product(name="香椿", slug="xiangchun", packs={100: "32.00"})
    produce.a_supply(cooperative=shed.cooperative, product=dear, on_hand=5_000, code="XY-0002")
    gone = produce.a_product(name="胡豆", slug="hudou", packs={500: "1.00"})
    produce.a_supply(cooperative=shed.cooperative, product=gone, on_hand=0, code="XY-0003")
    return shed


def test_a_shelf_shows_what_can_be_bought_first(client: Client, shed: produce.Shed) -> None:
    assert names(client.get("/c/vegetables/").content.decode())[-1] == "胡豆"


def test_a_shelf_is_sorted_by_price_by_a_link(client: Client, shed: produce.Shed) -> None:
    assert names(client.get("/c/vegetables/?sort=price").content.decode()) == ["胡豆", "莴笋", "香椿"]
    assert names(client.get("/c/vegetables/?sort=price-desc").content.decode()) == ["香椿", "莴笋", "胡豆"]


@pytest.mark.parametrize("after", ["nonsense", "eA==", "%00", "WyJ4Il0="])
def test_a_place_in_the_list_that_is_none_is_no_error_of_ours(
    client: Client, shed: produce.Shed, after: str
) -> None:
    assert client.get(f"/c/vegetables/?sort=nonsense&after={after}").status_code in {200, 404}


def test_a_shelf_can_leave_out_what_is_sold_out(client: Client, shed: produce.Shed) -> None:
    assert "胡豆" not in names(client.get("/c/vegetables/?stock=in").content.decode())


def test_a_card_has_the_price_of_the_pack_and_of_500_g(client: Client, shed: produce.Shed) -> None:
    words = " ".join(re.sub(r"<[^>]+>", " ", client.get("/c/vegetables/").content.decode()).split())
    assert "¥ 7 .00 / 1000 g ¥3.50&nbsp;/&nbsp;500&nbsp;g" in words


def test_a_long_shelf_goes_on(client: Client) -> None:
    cooperative = produce.a_cooperative()
    for number in range(25):
        product = produce.a_product(name=f"菜{number:02}", slug=f"cai-{number}")
        produce.a_supply(cooperative=cooperative, product=product, on_hand=5_000, code=f"XY-{number:04}")
    first = client.get("/c/vegetables/").content.decode()
    onward = re.search(r'href="\?(after=[^"]+)">下一页', first)
    assert onward is not None
    second = client.get(f"/c/vegetables/?{onward[1]}").content.decode()
    assert len(names(first)) == 24
    assert len(names(second)) == 1
    assert "下一页" not in second
    assert set(names(first)).isdisjoint(names(second))


def test_all_shelves_with_something_on_them_are_listed(client: Client, shed: produce.Shed) -> None:
    Category.objects.create(name="空架", slug="empty")
    page = client.get("/c/").content.decode()
    assert 'href="/c/vegetables/"' in page
    assert "空架" not in page


def test_search_finds_a_good_and_says_when_it_does_not(client: Client, shed: produce.Shed) -> None:
    assert names(client.get("/search/", {"q": "莴笋"}).content.decode()) == ["莴笋"]
    page = client.get("/search/", {"q": "<b>榴莲</b>"}).content.decode()
    assert "&lt;b&gt;榴莲&lt;/b&gt;" in page
    assert "没有找到叫这个名字的菜。" in page
    assert client.get("/search/").status_code == 200


def test_a_good_says_what_is_left_when_it_is_little(client: Client, shed: produce.Shed) -> None:
    page = client.get("/p/wosun/").content.decode()
    assert "仅剩 3 份" in page
    assert "仅剩 1 份" in page
    assert "¥3.22&nbsp;/&nbsp;500&nbsp;g" in page
    assert "白马蔬菜专业合作社" in page
    assert "点数" in page


def test_a_pack_that_is_sold_out_cannot_be_chosen(client: Client, shed: produce.Shed) -> None:
    page = client.get("/p/hudou/").content.decode()
    assert 'name="variant"' in page
    assert " disabled>" in page
    assert "放进菜篮" not in page
    assert "今天卖完了。" in page


def test_the_season_strip_marks_the_months(client: Client, shed: produce.Shed) -> None:
    Good.objects.filter(product=shed.product).update(season_months=[10, 11, 12, 1, 2, 3, 4, 5])
    page = client.get("/p/wosun/").content.decode()
    assert "当季：10–5月。" in page
    assert len(re.findall(r'<li class="in[ "]', page)) == 8


def test_search_engines_read_the_same_prices(client: Client, shed: produce.Shed) -> None:
    page = client.get("/p/wosun/").content.decode()
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    assert data["name"] == "莴笋"
    assert [offer["price"] for offer in data["offers"]] == ["7.00", "19.30"]
    assert {offer["availability"] for offer in data["offers"]} == {"https://schema.org/InStock"}


def test_a_name_with_markup_in_it_stays_a_name(client: Client) -> None:
    product = produce.a_product(name="</script><b>莴笋</b>", slug="odd")
    produce.a_supply(cooperative=produce.a_cooperative(), product=product, on_hand=5_000)
    for path in ("/p/odd/", "/c/vegetables/", "/cooperatives/baima/"):
        page = client.get(path).content.decode()
        assert "<b>莴笋" not in page
        assert "</script><b>" not in page


def test_what_is_not_there_is_a_404(client: Client) -> None:
    for path in ("/p/none/", "/c/none/", "/cooperatives/none/", "/dishes/none/", "/pages/none/"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "没有这一页" in answer.content.decode()
