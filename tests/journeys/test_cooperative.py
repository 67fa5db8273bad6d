"""王会计 of 白马蔬菜专业合作社: signs in on a phone, counts, sees the shop show it, and packs. With JavaScript, and without."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import Visitors
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

GOOD = "平菇"
PAGE = "/p/pinggu/"
PACK_JIN = 1


def password_of(shop: Shop, *, email: str) -> str:
    accounts = json.loads((shop.directory / "demo-accounts.json").read_text(encoding="utf-8"))
    found: str = next(account["password"] for account in accounts if account["email"] == email)
    return found


@pytest.fixture
def quiet_feed(shop: Shop) -> Iterator[None]:
    """The cooperative's own system says nothing, so that the bookkeeper's word is the last one."""

    def mode(said: str) -> None:
        request = urllib.request.Request(
            f"{shop.feeds_url}/__break/baima", data=json.dumps({"mode": said}).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=30):
            pass

    mode("500")
    yield
    mode("none")


def sign_in(page: Page, shop: Shop, *, email: str) -> None:
    page.goto("/desk/")
    page.get_by_label("邮箱").fill(email)
    page.get_by_label("密码").fill(password_of(shop, email=email))
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/desk/")


def promised_jin(page: Page) -> int:
    """What is sold of the good already, in whole 斤."""
    said = page.locator("li.count-row", has_text=GOOD).locator(".stands").inner_text()
    found = re.search(r"已订 ([\d.]+)", said)
    return round(float(found[1])) if found else 0


@pytest.mark.usefixtures("quiet_feed")
def test_a_count_on_the_desk_is_in_the_shop_a_moment_later(
    phone: Page, shop: Shop, visitors: Visitors
) -> None:
    sign_in(phone, shop, email="wang@baima.example")
    assert phone.get_by_role("heading", name="今天棚里有多少？").is_visible()
    left = promised_jin(phone) + 9 * PACK_JIN
    phone.get_by_label(GOOD, exact=True).fill(str(left))
    phone.get_by_label("二刀肉", exact=True).fill("好多")
    phone.get_by_role("button", name="保存").click()
    phone.wait_for_url("**/desk/saved/**")

    assert phone.get_by_role("heading", name="存好了 1 样").is_visible()
    assert phone.locator(".changes li", has_text=GOOD).locator("b").inner_text().endswith(str(left))
    unread = phone.get_by_label("二刀肉", exact=True)
    assert unread.input_value() == "好多"
    assert unread.get_attribute("aria-invalid") == "true"

    buyer = visitors.come()
    buyer.goto(PAGE)
    assert "剩 9 份" in buyer.locator("main").inner_text()


@pytest.mark.usefixtures("quiet_feed")
def test_a_figure_that_looks_like_a_slip_is_asked_for_twice(phone: Page, shop: Shop) -> None:
    sign_in(phone, shop, email="wang@baima.example")
    phone.get_by_label("新米", exact=True).fill("90000")
    phone.get_by_role("button", name="保存").click()
    phone.wait_for_url("**/desk/saved/**")
    asked = phone.get_by_label("新米", exact=True)
    assert asked.input_value() == "90000"
    asked.fill("600")
    phone.get_by_role("button", name="再存一次").click()
    phone.get_by_role("heading", name="存好了 1 样").wait_for()
    assert phone.locator(".changes li", has_text="新米").locator("b").inner_text().endswith("600")


def test_orders_are_packed_from_the_phone_or_from_paper(phone: Page, shop: Shop) -> None:
    sign_in(phone, shop, email="wang@baima.example")
    phone.get_by_role("link", name="备货").click()
    assert phone.get_by_role("heading", name="要备的订单").is_visible()
    text = phone.locator("main").inner_text()
    assert not re.search(r"1[3-9]\d{9}", text)
    phone.emulate_media(media="print")
    assert not phone.locator(".desk-head").is_visible()
    assert phone.get_by_role("heading", name="要备的订单").is_visible()


def test_a_bookkeeper_finds_nothing_of_another_cooperative(phone: Page, shop: Shop) -> None:
    sign_in(phone, shop, email="chen@fuxing.example")
    assert "福星村蔬菜专业合作社" in phone.locator("header").inner_text()
    assert phone.get_by_label(GOOD, exact=True).count() == 0
    for path in ("/desk/", "/desk/orders/", "/desk/reports/"):
        answer = phone.goto(f"{path}?cooperative=baima")
        assert answer is not None
        assert answer.status == 404


def test_typed_counts_outlive_a_closed_tab(visitors: Visitors, shop: Shop) -> None:
    page = visitors.come()
    sign_in(page, shop, email="wang@baima.example")
    page.get_by_label(GOOD, exact=True).fill("77")
    page.goto("/desk/orders/")
    page.goto("/desk/")
    assert page.get_by_label(GOOD, exact=True).input_value() == "77"
    assert page.get_by_role("button", name="保存（1 样）").is_visible()
    page.get_by_label(GOOD, exact=True).fill("")
    page.goto("/desk/")
    assert page.get_by_label(GOOD, exact=True).input_value() == ""


def test_typed_counts_outlive_a_lost_connection(visitors: Visitors, shop: Shop) -> None:
    page = visitors.come()
    sign_in(page, shop, email="wang@baima.example")
    page.get_by_label("干花椒", exact=True).fill("33")
    page.context.set_offline(True)
    page.get_by_role("button", name="保存（1 样）").click()
    page.get_by_role("alert").filter(has_text="现在没有网络").wait_for()
    page.close()
    again = visitors.contexts[-1].new_page()
    again.context.set_offline(False)
    again.goto("/desk/")
    assert again.get_by_label("干花椒", exact=True).input_value() == "33"
    again.get_by_label("干花椒", exact=True).fill("")


def test_a_page_out_of_the_browsers_memory_is_asked_for_again(visitors: Visitors, shop: Shop) -> None:
    page = visitors.come()
    sign_in(page, shop, email="wang@baima.example")
    key = page.locator("form.counting [name=key]").get_attribute("value")
    page.get_by_label(GOOD, exact=True).evaluate("field => { field.value = '5' }")
    with page.expect_navigation():
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert page.locator("form.counting [name=key]").get_attribute("value") != key
    # What stood in the old page was saved, or kept while it was typed.
    assert page.get_by_label(GOOD, exact=True).input_value() == ""


LONG_NAME = """
from backend.stock.models import Supply
like = Supply.objects.filter(cooperative__slug="fuxing").first()
Supply.objects.update_or_create(
    cooperative=like.cooperative,
    code="LONG",
    defaults={"product": like.product, "unit": like.unit, "name": "L" * 60, "is_active": True},
)
"""
GONE = "from backend.stock.models import Supply; Supply.objects.filter(code='LONG').update(is_active=False)"


@pytest.fixture
def long_name(shop: Shop) -> Iterator[str]:
    """Of a good of 福星, as long as it may be and without a space."""
    shop.manage("shell", "--verbosity=0", "--command", LONG_NAME)
    yield "L" * 60
    shop.manage("shell", "--verbosity=0", "--command", GONE)


def test_a_name_without_a_space_breaks_before_it_widens_the_page(
    phone: Page, shop: Shop, long_name: str
) -> None:
    sign_in(phone, shop, email="chen@fuxing.example")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_label(long_name, exact=True).fill("-1")
    phone.get_by_role("button", name="保存").click()
    phone.wait_for_url("**/desk/saved/**")
    assert phone.get_by_label(long_name, exact=True).input_value() == "-1"
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_steps_and_the_sold_out_tick_fill_the_field(visitors: Visitors, shop: Shop) -> None:
    page = visitors.come()
    sign_in(page, shop, email="wang@baima.example")
    row = page.locator("li.count-row", has_text="儿菜")
    field = row.get_by_role("textbox")
    now = float(field.get_attribute("placeholder") or 0)
    step = 10 if now >= 100 else 5 if now >= 20 else 1
    row.get_by_role("button", name="儿菜：加").tap()
    assert float(field.input_value()) == now + step
    row.get_by_role("button", name="儿菜：减").tap()
    row.get_by_role("button", name="儿菜：减").tap()
    assert float(field.input_value()) == max(0, now - step)
    # Whatever today's count is: at 0 the tick would already be set.
    field.fill("7")
    row.get_by_text("卖完").tap()
    assert field.input_value() == "0"
    row.get_by_text("卖完").tap()
    assert field.input_value() == ""
    assert page.get_by_role("button", name="保存", exact=True).is_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/desk/",
        "/desk/orders/",
        "/desk/reports/",
        "/desk/files/",
        "/desk/waiting/",
        "/desk/programs/",
        "/desk/goods/XY-0007/",
    ],
)
def test_nothing_of_the_desk_is_wider_than_a_phone(
    visitors: Visitors, shop: Shop, path: str, colours: str
) -> None:
    page = visitors.come(colours=colours)  # type: ignore[arg-type]  # parametrize knows no Literal
    sign_in(page, shop, email="wang@baima.example")
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        """() => [...document.querySelectorAll('main a, main button, main input:not([type=hidden], [type=checkbox], [type=radio]), main select, main label:has(input)')]
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []
