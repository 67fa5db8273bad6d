"""What 李婶 sees when she looks around: the home page, the year, a good, its lot; kept pages, and no network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser import Visitors
from tests.journeys.test_accessibility import PAGES as SHARED_PAGES
from tests.journeys.test_accessibility import lot_of
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = [
    # Of the two left out, one is an error, and one says all it has to say in both languages.
    *(path for path in SHARED_PAGES if path not in ("/no-such-page/", "/offline/")),
    "/dishes/week/",
    "/account/forgot/",
]


def test_from_the_season_to_the_lot_that_a_label_names(phone: Page, shop: Shop) -> None:
    phone.goto("/calendar/")
    phone.locator(".year a", has_text="莴笋").click()
    phone.wait_for_url("**/p/wosun/")
    assert phone.get_by_role("heading", name="什么时候送到").is_visible()
    phone.locator(".lots a[href^='/t/']").first.click()
    phone.wait_for_url("**/t/**")
    assert phone.get_by_role("heading", level=1).inner_text() == "莴笋"
    assert phone.locator(".qr img").get_attribute("src").endswith("/qr.svg")  # type: ignore[union-attr]  # it has one
    code = re.sub(r"\s", "", phone.locator(".code").inner_text())
    # Who cannot scan types.
    phone.goto("/t/")
    phone.get_by_label("标签上的溯源码").fill(code.upper())
    phone.get_by_role("button", name="查一查").click()
    phone.wait_for_url(f"**/t/{code}/")


def test_a_page_that_everybody_shares_still_takes_orders(phone: Page) -> None:
    """Its forms hold no token; the browser says where they come from."""
    answer = phone.goto("/p/wosun/")
    assert answer is not None
    assert "public" in answer.headers["cache-control"]
    assert "csrfmiddlewaretoken" not in phone.content()
    phone.get_by_role("button", name="放进菜篮").click()
    phone.get_by_text("已放进菜篮。").wait_for()
    phone.goto("/basket/")
    assert phone.get_by_role("link", name="莴笋").first.is_visible()
    # From now on her pages are her own.
    own = phone.goto("/p/wosun/")
    assert own is not None
    assert own.headers["cache-control"] == "private, no-cache"


def test_the_way_back_shows_what_the_basket_holds_by_now(visitors: Visitors) -> None:
    page = visitors.come()
    page.goto("/c/")
    page.goto("/p/wosun/")
    page.get_by_role("button", name="放进菜篮").click()
    page.get_by_text("已放进菜篮。").wait_for()
    page.go_back()
    page.wait_for_function("document.querySelector('.tabs [data-basket-count]').textContent === '1'")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_stands_in_its_language_on_its_screen_with_javascript_and_without(
    visitors: Visitors, shop: Shop, width: int, language: str, javascript: bool
) -> None:
    said: list[str] = []
    page = visitors.come(width=width, height=800, javascript=javascript)
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": shop.url}])
    lot = lot_of(shop)
    for path in PAGES:
        answer = page.goto(path.format(lot=lot))
        assert answer is not None and answer.status == 200, path
        assert page.locator("html").get_attribute("lang") == {"zh-hans": "zh-Hans", "en": "en"}[language], (
            path
        )
        assert page.get_by_role("heading", level=1).first.is_visible(), path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert said == []


def test_without_a_network_the_page_says_so_and_shows_no_old_price(visitors: Visitors) -> None:
    page = visitors.come()
    page.goto("/p/wosun/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.context.set_offline(True)
    page.goto("/p/wosun/")
    assert page.get_by_role("heading", name="没有网络").is_visible()
    assert "¥" not in page.content()
    page.context.set_offline(False)
    page.get_by_role("link", name="再试一次").click()
    page.get_by_role("button", name="放进菜篮").wait_for()


def test_a_printed_lot_is_its_label_alone(visitors: Visitors, shop: Shop) -> None:
    page = visitors.come(width=1280, height=800)
    page.goto(f"/t/{lot_of(shop)}/")
    page.emulate_media(media="print")
    assert page.locator(".qr img").is_visible()
    for hidden in (".masthead", ".foot", ".map", ".traced .head"):
        assert not page.locator(hidden).first.is_visible()
