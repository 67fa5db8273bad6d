"""Search, suggestions and shelves through the API, as a page asks them."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from saleor.product.models import Product

from backend.catalogue.models import Dish, Good, Ingredient
from backend.catalogue.search.services import index_all
from backend.cooperatives.models import Cooperative, Village
from backend.stock.models import Supply
from tests import produce
from tests.backend.api.conftest import Ask

pytestmark = pytest.mark.django_db

GOODS = """query($filter: GoodsFilterInput, $sort: GoodsOrder, $first: Int, $after: String, $last: Int, $before: String) {
  goods(filter: $filter, sortBy: $sort, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { slug } }
    facets { inStock villages { value label count } cooperatives { value count } storages { value count }
      months { value count } prices { value count } } } }"""
SEARCH = """query($q: String!, $first: Int) { search(query: $q, first: $first) {
    totalProducts corrected suggestions products { slug } dishes { slug } villages { slug } cooperatives { slug } } }"""
NOVEMBER = datetime.fromisoformat("2026-11-23T09:00:00+08:00")


@pytest.fixture
def market() -> dict[str, Product]:
    """Two cooperatives' goods: celtuce, dear ginger, sold-out eggplant and cheap radish; and a dish of celtuce."""
    baima = produce.a_cooperative()
    fuxing = produce.a_cooperative(slug="fuxing", name="福星村合作社")
    goods = {}
    for number, (slug, name, cooperative, grams, price, months, storage, on_hand) in enumerate(
        [
            ("wosun", "莴笋", baima, 1000, "7.00", [10, 11, 12], "cold", 9_000),
            ("zijiang", "仔姜", fuxing, 500, "9.00", [6, 7, 8, 9], "cool", 9_000),
            ("qiezi", "茄子", fuxing, 500, "4.00", [5, 6, 7], "cool", 0),
            ("luobo", "白萝卜", fuxing, 2500, "10.00", [], "cold", 9_000),
        ],
        start=1,
    ):
        product = produce.a_product(name=name, slug=slug, packs={grams: price})
        Good.objects.filter(product=product).update(
            season_months=months, storage=storage, village=Village.objects.get(slug=cooperative.slug)
        )
        supply = produce.a_supply(
            cooperative=cooperative, product=product, on_hand=on_hand, code=f"XY-{number:04}"
        )
        Supply.objects.filter(pk=supply.pk).update(counted_at=NOVEMBER - timedelta(hours=number))
        goods[slug] = product
    dish = Dish.objects.create(slug="liangban-wosun", name="凉拌莴笋", name_en="Celtuce salad")
    Ingredient.objects.create(dish=dish, name="莴笋", name_en="Celtuce", product=goods["wosun"], amount=300)
    index_all()
    return goods


@pytest.fixture(autouse=True)
def in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda *_args: NOVEMBER.date())


def goods(ask: Ask, **variables: Any) -> dict[str, Any]:
    answer = ask(GOODS, **variables)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["goods"]
    return found


def slugs(connection: dict[str, Any]) -> list[str]:
    return [edge["node"]["slug"] for edge in connection["edges"]]


def code(answer: dict[str, Any]) -> str:
    return str(answer["errors"][0]["extensions"]["exception"]["code"])


def test_a_search_answers_by_kind(ask: Ask, market: dict[str, Product]) -> None:
    found = ask(SEARCH, q="莴笋")["data"]["search"]
    assert found == {
        "totalProducts": 1,
        "corrected": None,
        "suggestions": [],
        "products": [{"slug": "wosun"}],
        "dishes": [{"slug": "liangban-wosun"}],
        "villages": [],
        "cooperatives": [],
    }
    found = ask(SEARCH, q="福星")["data"]["search"]
    assert found["cooperatives"] == [{"slug": "fuxing"}]


def test_a_search_says_what_it_looked_for_instead(ask: Ask, market: dict[str, Product]) -> None:
    found = ask(SEARCH, q="窝笋", language="zh-hans")["data"]["search"]
    assert found["corrected"] == "莴笋"
    assert found["products"] == [{"slug": "wosun"}]
    assert ask(SEARCH, q="榴莲")["data"]["search"]["corrected"] is None


def test_what_is_not_published_or_not_active_is_not_found(ask: Ask, market: dict[str, Product]) -> None:
    Product.objects.filter(slug="wosun").update(is_published=False)
    Cooperative.objects.filter(slug="fuxing").update(is_active=False)
    assert ask(SEARCH, q="莴笋")["data"]["search"]["products"] == []
    assert ask(SEARCH, q="福星")["data"]["search"]["cooperatives"] == []
    assert slugs(goods(ask, filter={"search": "莴笋"})) == []


@pytest.mark.parametrize(
    "query", ["", "   ", "'", "\\", "%_*:&|!()<->", "\x00", "a" * 5000, "𠀀𠀁", "🥬", "؀", "of the", "''':*"]
)
def test_no_text_breaks_a_search(ask: Ask, market: dict[str, Product], query: str) -> None:
    assert "errors" not in ask(SEARCH, q=query)
    assert "errors" not in ask("query($q: String!) { searchSuggestions(query: $q) { slug } }", q=query)
    assert "errors" not in ask(GOODS, filter={"search": query, "category": query, "villages": [query]})
    # Saleor itself refuses that one.
    if "\x00" not in query:
        answer = ask("query($q: String) { products(first: 2, filter: {search: $q}) { totalCount } }", q=query)
        assert "errors" not in answer


def test_suggestions_name_what_is_being_typed(ask: Ask, market: dict[str, Product]) -> None:
    query = "query($q: String!) { searchSuggestions(query: $q, first: 3) { kind slug title also } }"
    assert ask(query, q="wos", language="zh-hans")["data"]["searchSuggestions"] == [
        {"kind": "PRODUCT", "slug": "wosun", "title": "莴笋", "also": None},
        {"kind": "DISH", "slug": "liangban-wosun", "title": "凉拌莴笋", "also": None},
    ]
    assert ask(query, q="青笋")["data"]["searchSuggestions"][0] == {
        "kind": "PRODUCT",
        "slug": "wosun",
        "title": "莴笋",
        "also": "青笋",
    }


def test_saleors_own_search_asks_the_same_index(ask: Ask, market: dict[str, Product]) -> None:
    query = "query($q: String) { products(first: 5, filter: {search: $q}) { totalCount edges { node { slug } } } }"
    found = ask(query, q="青笋")["data"]["products"]
    assert found == {"totalCount": 1, "edges": [{"node": {"slug": "wosun"}}]}


def test_a_shelf_has_first_what_is_there_and_in_season(ask: Ask, market: dict[str, Product]) -> None:
    assert slugs(goods(ask)) == ["wosun", "zijiang", "luobo", "qiezi"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("PRICE_PER_500G", ["luobo", "wosun", "qiezi", "zijiang"]),
        ("PRICE_PER_500G_DESC", ["zijiang", "qiezi", "wosun", "luobo"]),
        ("NEWEST_COUNT", ["wosun", "zijiang", "qiezi", "luobo"]),
        ("NAME", ["luobo", "qiezi", "wosun", "zijiang"]),
    ],
)
def test_a_shelf_is_sorted(ask: Ask, market: dict[str, Product], sort: str, expected: list[str]) -> None:
    assert slugs(goods(ask, sort=sort)) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"villages": ["fuxing"]}, {"zijiang", "qiezi", "luobo"}),
        ({"villages": ["fuxing", "baima"]}, {"zijiang", "qiezi", "luobo", "wosun"}),
        ({"cooperatives": ["baima"]}, {"wosun"}),
        ({"storages": ["COOL"]}, {"zijiang", "qiezi"}),
        ({"month": 11}, {"wosun", "luobo"}),
        ({"month": 6}, {"zijiang", "qiezi", "luobo"}),
        ({"per500gFrom": 3.5, "per500gTo": 9}, {"wosun", "qiezi"}),
        ({"inStock": True}, {"wosun", "zijiang", "luobo"}),
        ({"category": "vegetables"}, {"wosun", "zijiang", "luobo", "qiezi"}),
        ({"category": "none"}, set()),
        ({"villages": ["fuxing"], "storages": ["COOL"], "inStock": True}, {"zijiang"}),
        ({"search": "luobo"}, {"luobo"}),
        ({"villages": [], "search": ""}, {"wosun", "zijiang", "luobo", "qiezi"}),
    ],
)
def test_filters_narrow_a_shelf_together(
    ask: Ask, market: dict[str, Product], wanted: dict[str, Any], expected: set[str]
) -> None:
    found = goods(ask, filter=wanted)
    assert set(slugs(found)) == expected
    assert found["totalCount"] == len(expected)


def test_each_choice_says_how_many_it_would_leave_with_the_others_kept(
    ask: Ask, market: dict[str, Product]
) -> None:
    facets = goods(ask, filter={"storages": ["COOL"]})["facets"]
    assert facets["inStock"] == 1
    assert facets["villages"] == [
        {"value": "baima", "label": "baima", "count": 0},
        {"value": "fuxing", "label": "fuxing", "count": 2},
    ]
    assert facets["storages"] == [{"value": "cold", "count": 2}, {"value": "cool", "count": 2}]
    assert facets["prices"] == [
        {"value": "0-3", "count": 0},
        {"value": "3-6", "count": 1},
        {"value": "6-10", "count": 1},
    ]
    assert {each["value"]: each["count"] for each in facets["months"]}["6"] == 2


@pytest.mark.parametrize(
    "sort", ["TODAY", "PRICE_PER_500G", "PRICE_PER_500G_DESC", "NEWEST_COUNT", "NAME", "RELEVANCE"]
)
def test_pages_go_forwards_and_back_over_the_same_goods(
    ask: Ask, market: dict[str, Product], sort: str
) -> None:
    wanted = {"search": "莴笋 仔姜 茄子 萝卜"} if sort == "RELEVANCE" else {}
    whole = slugs(goods(ask, sort=sort, filter=wanted))
    assert len(whole) >= 2
    seen: list[str] = []
    after = None
    pages = []
    while True:
        page = goods(ask, sort=sort, filter=wanted, first=1, after=after)
        pages.append(page)
        seen += slugs(page)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == whole
    back = goods(ask, sort=sort, filter=wanted, last=1, before=pages[-1]["pageInfo"]["startCursor"])
    assert slugs(back) == [whole[-2]]
    assert back["pageInfo"]["hasNextPage"] is True
    assert back["pageInfo"]["hasPreviousPage"] is (len(whole) > 2)
    assert slugs(goods(ask, sort=sort, filter=wanted, last=2)) == whole[-2:]


def a_cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "é",
        "eA==",
        a_cursor("today"),
        a_cursor("today", 0, 0),
        a_cursor("today", 0, 0, "x"),
        a_cursor("today", 0, 0, 10**30),
        a_cursor("price", "NaN", 1),
        a_cursor("price", "1.00", 1),
        a_cursor({"today": 1}),
    ],
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_place_that_no_list_gave_out_is_said_to_be_none(
    ask: Ask, market: dict[str, Product], cursor: str, side: str
) -> None:
    assert code(ask(GOODS, **{side: cursor})) == "CURSOR_INVALID"


@pytest.mark.parametrize(
    "asked",
    [
        {"first": 3, "last": 3},
        {"first": -1},
        {"filter": {"month": 13}},
        {"filter": {"per500gFrom": -1}},
        {"last": 1, "after": "x"},
    ],
)
def test_what_cannot_be_asked_is_refused(ask: Ask, market: dict[str, Product], asked: dict[str, Any]) -> None:
    assert code(ask(GOODS, **asked)) == "GOODS_ASKED_WRONGLY"
