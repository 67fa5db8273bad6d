"""李婶 buys: from the leaf of the day to her order, as a guest and signed in. With JavaScript, and without."""

from __future__ import annotations

import json
import re
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.browser import Visitors
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADDRESS = "信义镇白马路 1 号"


def password_of(shop: Shop, *, email: str) -> str:
    accounts = json.loads((shop.directory / "demo-accounts.json").read_text(encoding="utf-8"))
    found: str = next(account["password"] for account in accounts if account["email"] == email)
    return found


def put_into_the_basket(page: Page, *, good: str, packs: int = 1) -> None:
    page.goto(f"/p/{good}/")
    page.get_by_role("spinbutton", name="份数").fill(str(packs))
    page.get_by_role("button", name="放进菜篮").click()
    page.get_by_text("已放进菜篮。").wait_for()


def go_to_the_checkout(page: Page) -> None:
    page.goto("/basket/")
    page.get_by_role("link", name="去结算").click()
    page.wait_for_url("**/checkout/")


def fill_in(page: Page, *, name: str = "李秀英", email: str = "li@example.com") -> None:
    page.get_by_role("radio", name=re.compile("自有货车")).check()
    page.get_by_label("姓名").fill(name)
    page.get_by_label("手机号").fill("138 0013 8000")
    page.get_by_label("邮箱").fill(email)
    page.get_by_label("街道、小区、门牌号").fill(ADDRESS)
    page.get_by_role("checkbox").check()


def place(page: Page) -> None:
    page.get_by_role("button", name="提交订单").click()


def test_a_guest_goes_from_the_first_page_to_her_order(phone: Page) -> None:
    phone.goto("/")
    assert phone.get_by_text("示例数据").first.is_visible()
    phone.get_by_role("navigation", name="底部导航").get_by_role("link", name="分类").click()
    phone.get_by_role("link", name="根茎").click()
    phone.wait_for_url("**/c/roots-stems/")
    phone.get_by_role("link", name="白萝卜", exact=True).click()
    phone.wait_for_url("**/p/bailuobo/")

    # What the law wants beside a price, and who answers for it.
    main = phone.get_by_role("main")
    assert re.search(r"¥2\.00\s*/\s*500\s*g", main.inner_text())
    assert main.get_by_role("link", name=re.compile("合作社")).first.is_visible()
    assert main.get_by_text(re.compile(r"\d+:\d\d\s?点数")).first.is_visible()
    assert main.get_by_text("当季：10–3月。").is_visible()
    assert main.get_by_text("坏果包赔").first.is_visible()

    phone.get_by_role("button", name="放进菜篮").click()
    phone.get_by_text("已放进菜篮。").wait_for()
    phone.get_by_role("navigation", name="底部导航").get_by_role("link", name="菜篮").click()
    phone.get_by_role("link", name="去结算").click()

    # Nothing is ticked for her, and what she forgets is said beside its field.
    assert not phone.get_by_role("checkbox").is_checked()
    place(phone)
    phone.get_by_text("请填写收货人姓名。").wait_for()
    fill_in(phone)
    place(phone)
    phone.wait_for_url("**/orders/**")
    assert phone.get_by_role("heading", name="已下单，收到货再付款").is_visible()
    page = phone.get_by_role("main").inner_text()
    assert "白萝卜" in page
    assert ADDRESS in page
    assert "138****8000" in page
    assert phone.locator("[data-basket-count]").last.inner_text() == ""

    # Its address opens it again; going back and ordering once more is the same order.
    address = phone.url
    phone.goto("/")
    phone.goto(address)
    assert "白萝卜" in phone.get_by_role("main").inner_text()


def test_a_double_tap_on_the_button_is_one_order(phone: Page, shop: Shop, javascript: bool) -> None:
    email = f"twice-{javascript}@example.com".lower()
    put_into_the_basket(phone, good="dasuan")
    go_to_the_checkout(phone)
    fill_in(phone, email=email)
    phone.get_by_role("button", name="提交订单").dblclick()
    phone.wait_for_url("**/orders/**")
    with psycopg.connect(shop.database_url) as connection:
        placed = connection.execute("SELECT count(*) FROM order_order WHERE user_email = %s", [email])
        assert placed.fetchone() == (1,)
    # Back at the checkout there is nothing left to order.
    phone.goto("/checkout/")
    phone.get_by_text("菜篮还空着。").wait_for()


def test_a_signed_in_buyer_types_no_address_and_finds_her_order_again(phone: Page, shop: Shop) -> None:
    put_into_the_basket(phone, good="wosun")
    phone.goto("/account/")
    phone.get_by_label("邮箱").fill("li@buyer.example")
    phone.get_by_label("密码").fill(password_of(shop, email="li@buyer.example"))
    phone.get_by_role("main").get_by_role("button", name="登录").click()
    phone.get_by_role("heading", name="我的订单").wait_for()

    go_to_the_checkout(phone)
    assert phone.get_by_label("姓名").input_value() != ""
    assert phone.get_by_label("街道、小区、门牌号").input_value() != ""
    phone.get_by_role("radio", name=re.compile("自提 · 白马产业园")).check()
    phone.get_by_role("checkbox").check()
    place(phone)
    phone.wait_for_url("**/orders/**")
    number = re.search(r"订单 (\d+)", phone.get_by_role("main").inner_text())
    assert number is not None
    phone.goto("/account/")
    assert phone.get_by_role("link", name=f"订单 {number[1]}").is_visible()
    phone.get_by_role("button", name="退出").click()
    phone.goto("/account/")
    assert phone.get_by_label("密码").is_visible()


GIFT_BOX = "XY-0059"


def ask_api(shop: Shop, query: str, *, token: str = "", **variables: object) -> dict[str, Any]:
    """One operation over HTTP, as a cooperative's own program would send it."""
    request = urllib.request.Request(
        f"{shop.url}/graphql/",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"JWT {token}" if token else ""},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        body: dict[str, Any] = json.load(answer)
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data


def break_feed(shop: Shop, *, mode: str) -> None:
    request = urllib.request.Request(
        f"{shop.feeds_url}/__break/baima", data=json.dumps({"mode": mode}).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=30):
        pass


def packs_left(shop: Shop) -> int | None:
    """What the gift box's page says is left, where that is little."""
    with urllib.request.urlopen(f"{shop.url}/p/xinyi-chuancai-lihe/", timeout=30) as answer:
        said = re.search(r"仅剩 (\d+) 份", answer.read().decode())
    return int(said[1]) if said else None


@pytest.fixture
def last_boxes(shop: Shop) -> Iterator[int]:
    """王会计 counts: of the gift boxes two may still be sold. Her cooperative's own system says nothing meanwhile."""
    break_feed(shop, mode="500")
    token = ask_api(
        shop,
        "mutation ($email: String!, $password: String!) {"
        "  tokenCreate(email: $email, password: $password) { token } }",
        email="wang@baima.example",
        password=password_of(shop, email="wang@baima.example"),
    )["tokenCreate"]["token"]
    # In two steps: a count that falls to a tenth at once waits for a person to confirm it.
    for quantity in (10, 2):
        said = ask_api(
            shop,
            "mutation ($input: StockReportInput!) {"
            "  stockReportSubmit(input: $input) { report { status waiting refused } errors { message } } }",
            token=token,
            input={
                "cooperative": "baima",
                "basis": "SELLABLE",
                "countedAt": datetime.now(tz=UTC).isoformat(),
                "idempotencyKey": uuid.uuid4().hex,
                "lines": [{"code": GIFT_BOX, "quantity": quantity}],
            },
        )["stockReportSubmit"]
        assert said["errors"] == []
    deadline = time.monotonic() + 60
    while (found := packs_left(shop)) != 2:
        assert time.monotonic() < deadline, f"the count does not arrive: {found} left, {said}"
        time.sleep(0.2)
    yield 2
    break_feed(shop, mode="none")


def test_two_buyers_and_the_last_boxes(
    phone: Page, visitors: Visitors, javascript: bool, last_boxes: int
) -> None:
    slow = visitors.come(javascript=javascript)
    for page in (phone, slow):
        put_into_the_basket(page, good="xinyi-chuancai-lihe", packs=last_boxes)
        go_to_the_checkout(page)
    fill_in(phone)
    fill_in(slow, name="张大爷", email="zhang@example.com")
    place(phone)
    phone.wait_for_url("**/orders/**")
    place(slow)
    slow.get_by_text("有人先买走了：").wait_for()
    assert slow.get_by_text(re.compile("今天卖完了")).is_visible()
    assert slow.get_by_label("姓名").input_value() == "张大爷"
    slow.get_by_role("button", name="按剩余数量改好").click()
    slow.wait_for_url("**/basket/")
    assert slow.get_by_text("您选的今天都卖完了，看看当季还有什么。").is_visible()


def test_the_shop_speaks_english_when_asked(phone: Page) -> None:
    phone.goto("/p/bailuobo/")
    phone.get_by_role("button", name="English").click()
    phone.get_by_role("button", name="Into the basket").wait_for()
    assert phone.locator("html").get_attribute("lang") == "en"
    phone.get_by_role("button", name="中文").click()
    phone.get_by_role("button", name="放进菜篮").wait_for()


def test_a_phone_scrolls_down_only(phone: Page) -> None:
    for path in (
        "/",
        "/c/",
        "/c/leafy/",
        "/p/wosun/",
        "/search/?q=莴",
        "/dishes/",
        "/cooperatives/baima/",
        "/account/",
    ):
        phone.goto(path)
        wide = phone.locator("main").bounding_box()
        assert wide is not None and wide["width"] <= 390, path
        assert phone.viewport_size is not None
