"""No page has a barrier that axe finds, on a phone and on a desk, in light and in dark; and a keyboard is enough."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import axe_playwright_python
import httpx
import pytest

from backend.config.environment import REPOSITORY
from tests.browser import Visitors
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# One of each family that is the same for everybody.
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


def password_of(shop: Shop, *, email: str) -> str:
    accounts = json.loads((shop.directory / "demo-accounts.json").read_text(encoding="utf-8"))
    found: str = next(account["password"] for account in accounts if account["email"] == email)
    return found


def barriers(page: Page) -> list[str]:
    """What axe has to say, a line each: the rule, and the first element that breaks it."""
    # The bar at the bottom of a phone covers what one has not scrolled to yet.
    page.evaluate("document.querySelector('.tabs')?.style.setProperty('position', 'static')")
    if not page.evaluate("'axe' in window"):
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


FILES = REPOSITORY / "fixtures/files"

DESK = [
    "/desk/",
    "/desk/files/",
    "/desk/waiting/",
    "/desk/programs/",
    "/desk/reports/",
    "/desk/orders/",
    "/desk/goods/XY-0001/",
]


def walked(shop: Shop, page: Page) -> Iterator[str]:
    """Goes to each page that is for one person alone, as a buyer and as a bookkeeper, and says where it is."""
    page.goto("/p/wosun/")
    page.get_by_role("button", name=re.compile("放进菜篮|Into the basket")).click()
    page.locator(".toast.on").wait_for()
    for path in ("/basket/", "/checkout/"):
        page.goto(path)
        yield path
    page.locator("aside .call").click()
    page.locator(".note.warn").wait_for()
    yield "/checkout/, with what is missing"
    page.locator("[data-kind=PICK_UP]").first.check()
    for name, text in (("name", "李秀英"), ("phone", "13800138000"), ("email", "axe@example.com")):
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=fresh_rule]").check()
    page.locator("aside .call").click()
    page.wait_for_url("**/orders/**")
    yield "an order"
    page.goto("/desk/")
    page.locator("main [name=email]").fill("wang@baima.example")
    page.locator("main [name=password]").fill(password_of(shop, email="wang@baima.example"))
    page.locator("main [name=password]").press("Enter")
    page.wait_for_url("**/desk/")
    page.goto("/account/")
    yield "/account/"
    for path in DESK:
        page.goto(path)
        yield path
    page.goto("/desk/reports/")
    report = page.locator("main a[href^='/desk/reports/']").first.get_attribute("href")
    assert report
    for path in (report, report.replace("/reports/", "/saved/")):
        page.goto(path)
        yield path
    page.goto("/desk/")
    # A count that changes something, whatever other tests have counted.
    celtuce = page.locator(".count-row").filter(has=page.locator("label", has_text="莴笋")).first
    stands = float(celtuce.locator(".stands b").first.inner_text().replace(",", ""))
    celtuce.locator("[name^=quantity-]").fill(f"{stands + 1:g}")
    page.locator(".save button").click()
    page.wait_for_url("**/desk/saved/**")
    page.locator(".changes h2").wait_for()
    yield "a count that was saved"
    page.goto("/desk/files/")
    page.locator("main input[type=file]").set_input_files(FILES / "baima-daily.csv")
    page.locator("main [name=basis][value=SHELF]").check()
    page.locator("main form:has([type=file]) button").click()
    page.locator("main [value=discard]").wait_for()
    yield "a file that was read"
    page.locator("main [value=discard]").click()
    page.locator("main [value=discard]").wait_for(state="detached")


def test_axe_finds_no_barrier_where_one_has_to_say_who_one_is(shop: Shop, visitors: Visitors) -> None:
    page = visitors.come(width=390, height=844)
    languages = cycle(["en", "zh-hans"])
    found = {}
    looks: list[tuple[int, Literal["light", "dark"]]] = [(390, "light"), (1280, "dark")]
    for where in walked(shop, page):
        for width, colours in looks:
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=colours)
            said = barriers(page)
            if said:
                found[f"{where} {width} {colours}"] = said
        looks.reverse()
        # The next page is in the other language.
        page.context.add_cookies([{"name": "django_language", "value": next(languages), "url": shop.url}])
    assert found == {}


def tab_to(page: Page, name: str) -> None:
    """Tab until that is focused, visibly, whatever stands between."""
    for _ in range(120):
        page.keyboard.press("Tab")
        said, outline = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e.closest('.choice') || e);"
            " return [[e.getAttribute('aria-label'), e.name, e.tagName === 'INPUT' ? '' : e.textContent].join(' '),"
            " s.outlineStyle] })()"
        )
        if name in said:
            # One sees where one is.
            assert outline != "none", said
            return
    pytest.fail(f"{name} is not reached")


def test_a_keyboard_is_enough_from_the_good_to_the_order(visitors: Visitors) -> None:
    page = visitors.come(width=1280, height=800)
    page.goto("/p/wosun/")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "跳到正文"
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    tab_to(page, "放进菜篮")
    page.keyboard.press("Enter")
    page.get_by_text("已放进菜篮。").wait_for()

    page.goto("/basket/")
    tab_to(page, "有优惠码？")
    page.keyboard.press("Enter")
    tab_to(page, "code")
    page.keyboard.type("NOPE")
    page.keyboard.press("Enter")
    page.locator("#id_code_error").wait_for()
    tab_to(page, "去结算")
    page.keyboard.press("Enter")
    page.wait_for_url("**/checkout/")

    tab_to(page, "shipping_method")
    page.keyboard.press("Space")
    for name, text in (("name", "李秀英"), ("phone", "13800138000"), ("email", "keys@example.com")):
        tab_to(page, name)
        page.keyboard.type(text)
    # Another district, by its list.
    tab_to(page, "district")
    page.keyboard.press("ArrowUp")
    page.locator("#towns option[value=丰谷镇]").wait_for(state="attached")
    for name, text in (("town", "丰谷镇"), ("street", "白马路 1 号")):
        tab_to(page, name)
        page.keyboard.type(text)
    # Enter in a field sends the order; what is missing is said, and where one is then.
    page.keyboard.press("Enter")
    page.get_by_text("请确认生鲜退货规则。").wait_for()
    tab_to(page, "fresh_rule")
    page.keyboard.press("Space")
    tab_to(page, "提交订单")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/**")
    assert "涪城区丰谷镇白马路 1 号" in page.get_by_role("main").inner_text()
