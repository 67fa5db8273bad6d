"""李婶's lettuce arrived with a rotten heart: she shows it, 赵干事 grants it, and the money goes back."""

from __future__ import annotations

import base64
import re
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import psycopg
from PIL import Image

from tests.browser import Visitors
from tests.journeys.test_accessibility import barriers
from tests.journeys.test_consumer import (
    ask_api,
    fill_in,
    go_to_the_checkout,
    password_of,
    place,
    put_into_the_basket,
)
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

STAFF = "admin@xinyi.example"

SIGN_IN = """mutation($email: String!, $password: String!) {
  tokenCreate(email: $email, password: $password) { token } }"""
FULFIL = """mutation($order: ID!, $input: OrderFulfillInput!) {
  orderFulfill(order: $order, input: $input) { order { status } orderErrors { field message } } }"""
CAPTURE = """mutation($id: ID!, $amount: Decimal!) {
  orderCapture(id: $id, amount: $amount) { order { isPaid } orderErrors { field message } } }"""


def a_phones_photo(colour: str) -> bytes:
    """Larger than what is kept, lying on its side, with the place that it was taken at."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (31.0, 28.0, 12.0)
    buffer = BytesIO()
    Image.new("RGB", (2400, 1800), colour).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def global_id(kind: str, pk: object) -> str:
    return base64.b64encode(f"{kind}:{pk}".encode()).decode()


def hand_over(shop: Shop, *, order_token: str) -> tuple[str, float]:
    """The staff's own program says that it was packed; gives the order's id and total."""
    token = ask_api(shop, SIGN_IN, email=STAFF, password=password_of(shop, email=STAFF))["tokenCreate"][
        "token"
    ]
    with psycopg.connect(shop.database_url) as connection:
        rows = connection.execute(
            """SELECT o.id, o.total_gross_amount, line.id, stock.warehouse_id, allocation.quantity_allocated
            FROM order_order o JOIN order_orderline line ON line.order_id = o.id
            JOIN warehouse_allocation allocation ON allocation.order_line_id = line.id
            JOIN warehouse_stock stock ON stock.id = allocation.stock_id WHERE o.token = %s""",
            [order_token],
        ).fetchall()
    lines: dict[int, list[dict[str, Any]]] = {}
    for _order, _total, line, warehouse, packs in rows:
        lines.setdefault(line, []).append({"quantity": packs, "warehouse": global_id("Warehouse", warehouse)})
    order_id = global_id("Order", rows[0][0])
    answer = ask_api(
        shop,
        FULFIL,
        token=token,
        order=order_id,
        input={
            "notifyCustomer": False,
            "lines": [
                {"orderLineId": global_id("OrderLine", line), "stocks": stocks}
                for line, stocks in lines.items()
            ],
        },
    )["orderFulfill"]
    assert answer == {"order": {"status": "FULFILLED"}, "orderErrors": []}
    return order_id, float(rows[0][1])


def take_the_money(shop: Shop, *, order_id: str, amount: float) -> None:
    token = ask_api(shop, SIGN_IN, email=STAFF, password=password_of(shop, email=STAFF))["tokenCreate"][
        "token"
    ]
    answer = ask_api(shop, CAPTURE, token=token, id=order_id, amount=amount)["orderCapture"]
    assert answer == {"order": {"isPaid": True}, "orderErrors": []}


def wait_for_text(page: Page, text: str) -> None:
    """A worker is at it meanwhile."""
    deadline = time.monotonic() + 60
    while text not in page.get_by_role("main").inner_text():
        assert time.monotonic() < deadline, page.get_by_role("main").inner_text()
        time.sleep(0.3)
        page.reload()


def test_what_arrived_spoilt_is_shown_granted_and_given_back(
    phone: Page, visitors: Visitors, shop: Shop, javascript: bool
) -> None:
    put_into_the_basket(phone, good="wosun", packs=2)
    go_to_the_checkout(phone)
    fill_in(phone, email=f"claims-{javascript}@example.com".lower())
    place(phone)
    phone.wait_for_url("**/orders/**")
    main = phone.get_by_role("main")
    way = phone.get_by_role("list", name="订单进度")
    assert way.locator("[aria-current=step]").inner_text().startswith("已下单")
    assert main.get_by_role("link", name=re.compile("申请包赔")).count() == 0
    address = phone.url
    order_token = address.rstrip("/").rpartition("/")[2]

    order_id, total = hand_over(shop, order_token=order_token)
    take_the_money(shop, order_id=order_id, amount=total)
    phone.goto(address)
    assert way.locator("[aria-current=step]").inner_text().startswith("已交付")

    # From which lot: one tap from the order.
    main.get_by_role("link", name=re.compile("^溯源")).first.click()
    phone.wait_for_url("**/t/**")
    phone.goto(address)

    main.get_by_role("link", name=re.compile("申请包赔")).click()
    phone.wait_for_url("**/claim/**")
    assert main.get_by_role("radio", name=re.compile("莴笋")).is_checked()
    if javascript:
        # axe is a script itself.
        assert barriers(phone) == []
    # What is forgotten is asked for before anything is sent, so that no photo has to be chosen twice.
    main.get_by_label("说明一下").fill("一根烂了心")
    main.get_by_role("button", name="提交申请").click()
    assert main.locator("input:invalid").count() == 5
    if javascript:
        # A browser that lets it go all the same reads the same beside the field.
        main.locator("form.claiming").evaluate("form => form.noValidate = true")
        main.get_by_role("button", name="提交申请").click()
        main.get_by_text("请选择出了什么问题。").wait_for()
        assert main.get_by_label("说明一下").input_value() == "一根烂了心"
    main.get_by_role("radio", name="坏了、烂了").check()
    main.get_by_label("照片").set_input_files(
        [
            {"name": f"IMG_{number}.jpg", "mimeType": "image/jpeg", "buffer": a_phones_photo(colour)}
            for number, colour in enumerate(("olive", "brown"))
        ]
    )
    if javascript:
        main.locator(".shots img").nth(1).wait_for()
        sent = main.get_by_label("照片").evaluate(
            "async input => { const p = await createImageBitmap(input.files[0]); return [p.width, p.height] }"
        )
        assert sent == [1200, 1600]
    main.get_by_role("button", name="提交申请").dblclick()
    main.get_by_text("包赔申请：核对中").wait_for()
    phone.goto(address)
    assert main.get_by_text("包赔申请：核对中").count() == 1
    shots = main.locator(".shots img")
    assert shots.count() == 2
    shots.first.scroll_into_view_if_needed()
    assert shots.first.get_attribute("width") == "1200"
    with psycopg.connect(shop.database_url) as connection:
        kept = connection.execute(
            """SELECT photo.jpeg FROM ordering_claimphoto photo
            JOIN ordering_claim claim ON claim.id = photo.claim_id
            JOIN order_orderline line ON line.id = claim.order_line_id
            JOIN order_order o ON o.id = line.order_id WHERE o.token = %s""",
            [order_token],
        ).fetchall()
    assert len(kept) == 2
    for (jpeg,) in kept:
        with Image.open(BytesIO(jpeg)) as picture:
            assert picture.size == (1200, 1600)
            assert dict(picture.getexif()) == {}

    if not javascript:
        # What the staff do is the same whatever she has.
        return
    # 赵干事 looks at the photos and gives back what one pack had cost.
    desk = visitors.come(width=1280, height=900)
    desk.goto("/admin/ordering/claim/?status__exact=open")
    desk.locator("[name=username]").fill(STAFF)
    desk.locator("[name=password]").fill(password_of(shop, email=STAFF))
    desk.locator("[type=submit]").click()
    desk.get_by_role("row", name=re.compile("莴笋")).get_by_role("link").first.click()
    desk.locator("img[src*='/photo/']").nth(1).wait_for()
    desk.get_by_label("退款", exact=True).check()
    desk.get_by_label("给买家的回复").fill("对不住，下回多挑一遍。")
    desk.get_by_role("button", name="保存", exact=True).click()
    desk.locator(".messagelist .success").wait_for()

    phone.goto(address)
    main.get_by_text("回复：对不住，下回多挑一遍。").wait_for()
    wait_for_text(phone, "已退")
    assert barriers(phone) == []


def test_an_order_is_cancelled_and_ordered_again_from_its_page(visitors: Visitors) -> None:
    phone = visitors.come(javascript=False)
    put_into_the_basket(phone, good="dasuan")
    go_to_the_checkout(phone)
    fill_in(phone, email="again@example.com")
    place(phone)
    phone.wait_for_url("**/orders/**")
    main = phone.get_by_role("main")
    main.get_by_text("取消订单").click()
    main.get_by_role("button", name="确认取消").click()
    phone.get_by_role("heading", name="已取消").wait_for()
    way = phone.get_by_role("list", name="订单进度")
    assert way.get_by_role("listitem").all_inner_texts()[-1].strip() == "已取消"
    main.get_by_role("button", name="照这单再来一份").click()
    phone.wait_for_url("**/basket/")
    assert "大蒜" in main.inner_text()
