"""No page has a barrier that axe finds, on a phone and on a desk, in light and in dark; and a keyboard is enough."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import axe_playwright_python
import httpx
import pytest

from tests.browser import Visitors
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# One of each family; the desk and the checkout have journeys of their own.
PAGES = [
    "/",
    "/calendar/",
    "/c/",
    "/c/leafy/",
    "/p/wosun/",
    "/p/doubanjiang/",
    "/search/?q=suan",
    "/search/?q=xyzxyz",
    "/t/",
    "/t/{lot}/",
    "/dishes/",
    "/dishes/mapo-doufu/",
    "/villages/",
    "/villages/fuxing/",
    "/cooperatives/baima/",
    "/brand/",
    "/pages/about/",
    "/basket/",
    "/account/sign-in/",
    "/account/register/",
    "/styleguide/",
    "/offline/",
    "/no-such-page/",
]


def lot_of(shop: Shop) -> str:
    """The code of a lot that lies in the demo shop."""
    found = re.search(r"/t/([0-9a-f]{15})/", httpx.get(f"{shop.url}/p/wosun/", timeout=30).text)
    assert found
    return found[1]


def barriers(page: Page) -> list[str]:
    """What axe has to say, a line each: the rule, and the first element that breaks it."""
    # The bar at the bottom of a phone covers what one has not scrolled to yet.
    page.evaluate("document.querySelector('.tabs')?.style.setProperty('position', 'static')")
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{rule['id']} ({len(rule['nodes'])}): {rule['nodes'][0]['html'][:160]}"
        for rule in found["violations"]
    ]


@pytest.mark.parametrize(
    "width, colours, language",
    [(390, "light", "zh-hans"), (390, "dark", "en"), (1280, "light", "en"), (1280, "dark", "zh-hans")],
)
def test_axe_finds_no_barrier(
    shop: Shop,
    visitors: Visitors,
    width: int,
    colours: Literal["light", "dark"],
    language: str,
) -> None:
    page = visitors.come(width=width, height=844, colours=colours)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": shop.url}])
    # Half of the pages each: a family is looked at on the phone and on the desk, in light and in dark.
    half = PAGES[(width == 390) ^ (colours == "dark") :: 2]
    lot = lot_of(shop)
    found = {}
    for path in half:
        page.goto(path.format(lot=lot))
        said = barriers(page)
        if said:
            found[path] = said
    assert found == {}


def test_a_keyboard_is_enough_to_buy(visitors: Visitors) -> None:
    page = visitors.come(width=1280, height=800)
    page.goto("/p/wosun/")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "跳到正文"
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.name || '', e.className, s.outlineStyle] })()"
        )
        if "call" in focused[1]:
            break
    else:
        pytest.fail("the button is not reached")
    # One sees where one is.
    assert focused[2] != "none"
    page.keyboard.press("Enter")
    page.get_by_text("已放进菜篮。").wait_for()
