"""Kept pages: the same for everybody who is nobody in particular, and gone with the first change."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from graphene import Node
from saleor.page.models import Page
from saleor.product.models import Category, ProductTranslation

from backend.brand.models import Campaign
from backend.catalogue.models import Good
from backend.common.freshness import Subject, bump_on_commit, version
from backend.cooperatives.models import Cooperative
from backend.provenance.models import HarvestLot
from tests import produce

KEPT = "public, max-age=0, must-revalidate, s-maxage=1"
PAGES = ["/", "/c/", "/c/vegetables/", "/p/wosun/", "/dishes/", "/brand/", "/villages/", "/villages/baima/"]

Commits = Callable[..., Any]


@pytest.fixture(autouse=True)
def kept_pages(settings: Any) -> None:
    settings.PAGE_CACHE_SECONDS = 60


@pytest.fixture
def shed(db: None) -> produce.Shed:
    return produce.a_shed()


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Commits) -> Commits:
    """What a test writes inside is announced as if it had been committed."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def drawn(django_assert_num_queries: Any, client: Client, path: str, **more: Any) -> Any:
    """The page, which must come without a single query."""
    with django_assert_num_queries(0):
        return client.get(path, **more)


@pytest.mark.parametrize("path", PAGES)
def test_the_second_visitor_costs_no_query(
    shed: produce.Shed, client: Client, django_assert_num_queries: Any, path: str
) -> None:
    first = client.get(path)
    second = drawn(django_assert_num_queries, Client(), path)
    assert second.status_code == 200
    assert second.content == first.content
    assert second.headers["Cache-Control"] == first.headers["Cache-Control"] == KEPT
    assert {"Cookie", "Accept-Encoding"} == set(second.headers["Vary"].split(", "))
    for name in ("Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy"):
        assert second.headers[name] == first.headers[name]


@pytest.mark.parametrize("path", PAGES)
def test_a_kept_page_holds_nothing_of_anybody(shed: produce.Shed, client: Client, path: str) -> None:
    answer = client.get(path)
    assert not answer.cookies
    assert not client.cookies
    page = answer.content.decode()
    assert "csrfmiddlewaretoken" not in page
    assert page.count("data-basket-count></span>") == 2


def test_a_browser_that_has_the_page_gets_no_second_one(
    shed: produce.Shed, client: Client, django_assert_num_queries: Any
) -> None:
    etag = client.get("/p/wosun/").headers["ETag"]
    again = drawn(django_assert_num_queries, client, "/p/wosun/", headers={"if-none-match": etag})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == etag
    assert again.headers["Cache-Control"] == KEPT
    assert client.get("/p/wosun/", headers={"if-none-match": '"other"'}).status_code == 200


def test_the_page_is_packed_for_who_can_unpack_it(shed: produce.Shed, client: Client) -> None:
    plain = client.get("/p/wosun/")
    packed = client.get("/p/wosun/", headers={"accept-encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed.headers["ETag"] == plain.headers["ETag"]


def test_a_shared_cache_is_told_how_long_it_may_show_an_old_page(shed: produce.Shed, client: Client) -> None:
    told = client.get("/").headers["CDN-Cache-Control"]
    assert told == "public, max-age=1, stale-while-revalidate=10, stale-if-error=600"


# ---- Whose page it is ------------------------------------------------------------------------------------------------


def put_in(client: Client, shed: produce.Shed) -> None:
    pack = Node.to_global_id("ProductVariant", shed.variant.pk)
    answer = client.post("/basket/add/", {"variant": pack, "quantity": 3, "next": "/p/wosun/"})
    assert answer.status_code == 302


def test_who_has_a_basket_gets_a_page_of_his_own_that_nobody_else_gets(
    shed: produce.Shed, client: Client
) -> None:
    stranger = Client()
    before = stranger.get("/p/wosun/").content.decode()
    put_in(client, shed)
    own = client.get("/p/wosun/")
    assert "已放进菜篮。" in own.content.decode()
    assert own.content.decode().count("data-basket-count>3</span>") == 2
    assert own.headers["Cache-Control"] == "private, no-cache"
    assert "ETag" not in own.headers
    assert "Cookie" in own.headers["Vary"]
    assert stranger.get("/p/wosun/").content.decode() == before


def test_who_is_signed_in_is_greeted_by_nobody_elses_name(shed: produce.Shed, client: Client) -> None:
    produce.a_person(email="li@buyer.example", first_name="秀英", last_name="李")
    client.post("/account/sign-in/", {"email": "li@buyer.example", "password": "secret-of-the-test"})
    own = client.get("/")
    assert "李秀英" in own.content.decode()
    assert own.headers["Cache-Control"] == "private, no-cache"
    assert "李秀英" not in Client().get("/").content.decode()


def test_a_message_is_shown_to_whom_it_was_meant_for(shed: produce.Shed) -> None:
    """Even where the message's cookie is all that a visitor has."""
    other = Client()
    other.get("/")
    visitor = Client()
    put_in(visitor, shed)
    del visitor.cookies[settings.SESSION_COOKIE_NAME]
    assert "已放进菜篮。" in visitor.get("/").content.decode()
    assert "已放进菜篮。" not in other.get("/").content.decode()


def test_each_language_has_its_own_page(shed: produce.Shed, client: Client) -> None:
    client.get("/p/wosun/")
    english = Client()
    english.cookies["django_language"] = "en"
    assert '<html lang="en">' in english.get("/p/wosun/").content.decode()
    assert '<html lang="zh-Hans">' in client.get("/p/wosun/").content.decode()
    assert '<html lang="en">' in english.get("/p/wosun/").content.decode()


def test_a_link_that_chooses_a_language_still_sets_its_cookie(shed: produce.Shed, client: Client) -> None:
    for _ in range(2):
        answer = Client().get("/p/wosun/?lang=en")
        assert answer.cookies["django_language"].value == "en"
        assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/basket/", "/account/sign-in/", "/search/?q=x", "/desk/sign-in/"])
def test_pages_of_one_visitor_are_kept_by_nobody(shed: produce.Shed, client: Client, path: str) -> None:
    assert "private" in client.get(path).headers["Cache-Control"]


def test_an_authorization_is_nobody_s_page(shed: produce.Shed, client: Client) -> None:
    client.get("/")
    answer = client.get("/", headers={"authorization": "JWT x"})
    assert answer.headers["Cache-Control"] == "private, no-cache"


# ---- Addresses -------------------------------------------------------------------------------------------------------


def test_what_messengers_hang_onto_a_link_is_no_page_of_its_own(
    shed: produce.Shed, client: Client, django_assert_num_queries: Any
) -> None:
    client.get("/c/vegetables/?stock=in&sort=price")
    shared = "/c/vegetables/?sort=price&from=singlemessage&isappinstalled=0&utm_source=x&stock=in"
    page = drawn(django_assert_num_queries, client, shared).content.decode()
    assert "singlemessage" not in page
    assert "utm_source" not in page


def test_parameters_that_a_page_does_not_know_are_not_kept(shed: produce.Shed, client: Client) -> None:
    for number in range(3):
        answer = client.get(f"/p/wosun/?x={number}")
        assert answer.headers["Cache-Control"] == "private, no-cache"
    assert cache._cache.get_client().keys("*page-*") == []


def test_what_is_not_there_is_not_kept(shed: produce.Shed, client: Client) -> None:
    assert client.get("/p/nothing/").status_code == 404
    produce.a_product(name="新菜", slug="nothing")
    assert client.get("/p/nothing/").status_code == 200


def test_a_strange_host_gets_no_kept_page(shed: produce.Shed, client: Client) -> None:
    client.get("/")
    assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 400


# ---- Changes ---------------------------------------------------------------------------------------------------------


def names(shed: produce.Shed) -> dict[str, Callable[[], object]]:
    """What somebody writes -> on which pages it shows."""
    lot = HarvestLot(
        cooperative=shed.cooperative,
        product=shed.product,
        code="L-1",
        plot="东坡",
        harvested_on="2026-11-20",
        best_before="2026-11-30",
    )

    def rename(thing: Any, **changes: Any) -> object:
        for name, value in changes.items():
            setattr(thing, name, value)
        return thing.save()

    def a_lot() -> object:
        lot.save()
        return rename(shed.supply, lot=lot)

    return {
        "the good": lambda: rename(shed.product, name="改了名"),
        "its price": lambda: rename(shed.variant, price_override_amount="9.90"),
        "its translation": lambda: ProductTranslation.objects.create(
            product=shed.product, language_code="zh-hans", name="改了名"
        ),
        "its season": lambda: rename(Good.objects.get(), season_months=[1, 2]),
        "its category": lambda: rename(Category.objects.get(), name="改了名"),
        "its lot": a_lot,
        "its supply": lambda: rename(shed.supply, is_active=False),
        "its cooperative": lambda: rename(shed.cooperative, name="改了名"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "the good",
        "its price",
        "its translation",
        "its season",
        "its category",
        "its lot",
        "its supply",
        "its cooperative",
    ],
)
def test_a_change_shows_on_the_next_page(
    shed: produce.Shed, client: Client, committed: Commits, what: str
) -> None:
    before = client.get("/p/wosun/").content
    with committed():
        names(shed)[what]()
    assert client.get("/p/wosun/").content != before


def test_a_change_that_is_not_committed_shows_nowhere(shed: produce.Shed, client: Client) -> None:
    before = client.get("/p/wosun/").content
    shed.product.name = "改了名"
    shed.product.save()
    assert client.get("/p/wosun/").content == before


def test_stories_of_the_town_and_written_pages_are_drawn_anew(
    shed: produce.Shed, client: Client, committed: Commits
) -> None:
    page = Page.objects.create(slug="about", title="关于", content="x", is_published=True)
    assert "新故事" not in client.get("/brand/").content.decode()
    assert "关于我们" not in client.get("/pages/about/").content.decode().partition("<main")[2][:300]
    with committed():
        Campaign.objects.create(slug="new", title="新故事", title_en="New", body="x", body_en="x")
        page.title = "关于我们"
        page.save()
    assert "新故事" in client.get("/brand/").content.decode()
    assert "关于我们" in client.get("/pages/about/").content.decode()


def test_a_page_without_stock_outlives_a_count(
    shed: produce.Shed, client: Client, committed: Commits, django_assert_num_queries: Any
) -> None:
    client.get("/brand/")
    with committed():
        bump_on_commit(Subject.STOCK)
    drawn(django_assert_num_queries, client, "/brand/")


def test_staff_who_write_whole_tables_are_noticed(
    shed: produce.Shed, client: Client, committed: Commits
) -> None:
    """productBulkPublish uses QuerySet.update(), which sends no signal."""
    produce.a_person(email="admin@x.example", is_staff=True, is_superuser=True)
    before = version(Subject.CATALOGUE)

    def ask(query: str, token: str = "") -> Any:
        headers = {"authorization": f"JWT {token}"} if token else {}
        return client.post("/graphql/", {"query": query}, content_type="application/json", headers=headers)

    signed = ask(
        'mutation { tokenCreate(email: "admin@x.example", password: "secret-of-the-test") { token } }'
    )
    assert version(Subject.CATALOGUE) == before
    product = Node.to_global_id("Product", shed.product.pk)
    with committed():
        answer = ask(
            f'mutation {{ productBulkPublish(ids: ["{product}"], isPublished: false) {{ count }} }}',
            signed.json()["data"]["tokenCreate"]["token"],
        )
    assert answer.json()["data"]["productBulkPublish"]["count"] == 1
    assert version(Subject.CATALOGUE) > before


def test_tomorrow_has_pages_of_its_own(shed: produce.Shed, client: Client) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 15, 59, 40, tzinfo=UTC), tick=False):
        today = client.get("/").content.decode()
    with time_machine.travel(datetime(2026, 11, 22, 16, 0, 10, tzinfo=UTC), tick=False):
        tomorrow = client.get("/").content.decode()
    assert "11月22日" in today
    assert "11月23日" in tomorrow


# ---- When the cache is away ------------------------------------------------------------------------------------------


def test_a_cache_that_is_away_costs_time_and_nothing_else(
    shed: produce.Shed, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise redis.exceptions.ConnectionError("away")

    monkeypatch.setattr(RedisCache, "get_many", away)
    assert client.get("/p/wosun/").status_code == 200


def test_versions_grow_on_after_the_cache_was_emptied() -> None:
    before = version(Subject.BRAND)
    cache.clear()
    assert version(Subject.BRAND) >= before


def test_cooperatives_are_counted_among_the_tables_that_show() -> None:
    from backend.api.freshness import subject_of
    from backend.cooperatives.models import Membership

    assert subject_of(Cooperative) == Subject.BRAND
    assert subject_of(Membership) is None
