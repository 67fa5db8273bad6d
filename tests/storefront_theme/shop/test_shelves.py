"""Shelves, and one good, as 李婶 reads them."""

import json
import re

import pytest
from django.conf import settings
from django.test import Client
from saleor.product.models import Category

from backend.catalogue.models import Good
from backend.catalogue.search.services import index_all
from backend.cooperatives.models import Village
from tests import produce

pytestmark = pytest.mark.django_db


def names(page: str) -> list[str]:
    return re.findall(r'<h3><a href="/p/[\w-]+/">([^<]+)</a>', page)


@pytest.fixture
def shed() -> produce.Shed:
    """Celtuce, dear toon of another village, and fava beans that are sold out; indexed as a commit would."""
    shed = produce.a_shed(on_hand=3_000, packs={1000: "7.00", 3000: "19.30"})
    dear = produce.a_product(name="香椿", slug="xiangchun", packs={100: "32.00"})
    produce.a_supply(cooperative=shed.cooperative, product=dear, on_hand=5_000, code="XY-0002")
    hill = Village.objects.create(slug="hill", name="曾家垭村", name_en="Hill", summary="", map_x=1, map_y=1)
    Good.objects.filter(product=shed.product).update(village=shed.cooperative.village)
    Good.objects.filter(product=dear).update(village=hill, storage="cool")
    gone = produce.a_product(name="胡豆", slug="hudou", packs={500: "1.00"})
    produce.a_supply(cooperative=shed.cooperative, product=gone, on_hand=0, code="XY-0003")
    index_all()
    return shed


def test_a_shelf_shows_what_can_be_bought_first(client: Client, shed: produce.Shed) -> None:
    assert names(client.get("/c/vegetables/").content.decode())[-1] == "胡豆"


def test_a_shelf_is_sorted_by_a_link(client: Client, shed: produce.Shed) -> None:
    def sorted_by(sort: str) -> list[str]:
        return names(client.get(f"/c/vegetables/?sort={sort}").content.decode())

    assert sorted_by("price") == ["胡豆", "莴笋", "香椿"]
    assert sorted_by("price-desc") == ["香椿", "莴笋", "胡豆"]
    assert sorted_by("name") == ["胡豆", "莴笋", "香椿"]
    assert sorted_by("nonsense") == names(client.get("/c/vegetables/").content.decode())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stock=in", {"莴笋", "香椿"}),
        ("village=hill", {"香椿"}),
        ("cooperative=baima&storage=cool", {"香椿"}),
        ("storage=cold&stock=in", {"莴笋"}),
        ("price=0-3", {"胡豆"}),
        ("price=20-", {"香椿"}),
        ("season=now", {"莴笋", "香椿", "胡豆"}),
        ("village=none", set()),
        ("village=../../x&price=cheap&season=13&storage=oven", {"莴笋", "香椿", "胡豆"}),
    ],
)
def test_filters_in_the_address_narrow_a_shelf(
    client: Client, shed: produce.Shed, query: str, expected: set[str]
) -> None:
    assert set(names(client.get(f"/c/vegetables/?{query}").content.decode())) == expected


def links(page: str) -> dict[str, str]:
    """{what a link of this page's own shelf says: its query string}."""
    found = re.findall(r'<a [^>]*?href="\?([^"]*)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {
        " ".join(re.sub(r"<[^>]+>", " ", words).split()): query.replace("&amp;", "&")
        for query, words in found
    }


def test_choices_combine_in_one_order_and_are_taken_back(client: Client, shed: produce.Shed) -> None:
    page = client.get("/c/vegetables/?sort=price&stock=in").content.decode()
    assert links(page)["曾家垭村 1"] == "village=hill&stock=in&sort=price"
    page = client.get("/c/vegetables/?village=hill&stock=in&sort=price").content.decode()
    assert links(page)["✓ 曾家垭村 1"] == "stock=in&sort=price"
    assert links(page)["曾家垭村 × 取消"] == "stock=in&sort=price"
    assert links(page)["全部都要看"] == "sort=price"
    assert (
        f'<link rel="canonical" href="{settings.PUBLIC_URL}/c/vegetables/?village=hill&amp;stock=in">' in page
    )


def test_a_shelf_with_nothing_on_it_says_how_to_see_more(client: Client, shed: produce.Shed) -> None:
    page = client.get("/c/vegetables/?village=hill&price=0-3").content.decode()
    assert "没有同时符合这些条件的菜。" in page
    assert links(page)["全部都要看"] == ""


@pytest.mark.parametrize("place", ["after", "before"])
@pytest.mark.parametrize("cursor", ["nonsense", "eA==", "%00", "WyJ4Il0=", "é", "WyJ0b2RheSIsMCwwLDFd"])
def test_a_place_that_the_list_does_not_know_gives_its_first_page_and_says_so(
    client: Client, shed: produce.Shed, place: str, cursor: str
) -> None:
    answer = client.get(f"/c/vegetables/?sort=price&{place}={cursor}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "从第一页看起" in page
    assert names(page) == ["胡豆", "莴笋", "香椿"]


def test_a_card_has_the_price_of_the_pack_and_of_500_g(client: Client, shed: produce.Shed) -> None:
    words = " ".join(re.sub(r"<[^>]+>", " ", client.get("/c/vegetables/").content.decode()).split())
    assert "¥ 7 .00 / 1000 g ¥3.50&nbsp;/&nbsp;500&nbsp;g" in words


def test_a_long_shelf_goes_on_and_back(client: Client) -> None:
    cooperative = produce.a_cooperative()
    for number in range(50):
        product = produce.a_product(name=f"菜{number:02}", slug=f"cai-{number}")
        produce.a_supply(cooperative=cooperative, product=product, on_hand=5_000, code=f"XY-{number:04}")

    def page_at(query: str) -> str:
        return client.get(f"/c/vegetables/?{query}").content.decode()

    first = page_at("sort=counted")
    assert "上一页" not in first
    second = page_at(links(first)["下一页 →"])
    third = page_at(links(second)["下一页 →"])
    assert [len(names(page)) for page in (first, second, third)] == [24, 24, 2]
    assert len({name for page in (first, second, third) for name in names(page)}) == 50
    assert "下一页" not in third
    assert names(page_at(links(third)["← 上一页"])) == names(second)
    back = page_at(links(second)["← 上一页"])
    assert names(back) == names(first)
    assert "sort=counted" in links(back)["下一页 →"]


def test_a_page_before_one_that_moved_up_is_a_whole_first_page(client: Client) -> None:
    cooperative = produce.a_cooperative()
    products = [
        produce.a_product(name=f"菜{number:02}", slug=f"cai-{number}", packs={1000: f"{number + 1}.00"})
        for number in range(30)
    ]
    for number, product in enumerate(products):
        produce.a_supply(cooperative=cooperative, product=product, on_hand=5_000, code=f"XY-{number:04}")
    index_all()
    first = client.get("/c/vegetables/?sort=price").content.decode()
    second = client.get(f"/c/vegetables/?{links(first)['下一页 →']}").content.decode()
    for product in products[:10]:
        product.is_published = False
        product.save()
    back = client.get(f"/c/vegetables/?{links(second)['← 上一页']}").content.decode()
    assert names(back) == [f"菜{number:02}" for number in range(10, 30)]


def test_all_shelves_with_something_on_them_are_listed(client: Client, shed: produce.Shed) -> None:
    Category.objects.create(name="空架", slug="empty")
    page = client.get("/c/").content.decode()
    assert 'href="/c/vegetables/"' in page
    assert "空架" not in page


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
    data, _crumbs = json.loads(found[1])
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
