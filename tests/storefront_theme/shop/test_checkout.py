"""The checkout: one page, nothing typed is lost, and a second tap is no second order."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from graphene import Node
from saleor.account.models import User
from saleor.discount.models import Voucher, VoucherCustomer
from saleor.order.models import Order
from saleor.product.models import Product
from saleor.shipping.models import ShippingMethod
from saleor.warehouse.models import Stock
from stdnum.cn import uscc

from backend.ordering.models import Placement
from tests import produce
from tests.storefront_theme.shop.test_basket import put_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shed() -> produce.Shed:
    return produce.a_shed(on_hand=3_000)


@pytest.fixture
def van(shed: produce.Shed) -> str:
    return str(
        Node.to_global_id("ShippingMethod", produce.a_delivery(name="货车", price="6.00", kind="own_van").pk)
    )


def hidden(page: str) -> dict[str, str]:
    return {
        name: re.search(rf'name="{name}" value="([^"]+)"', page)[1]  # type: ignore[index] # a miss is a failure
        for name in ("basket", "key")
    }


def form(client: Client, method: str, **changes: str) -> dict[str, str]:
    """What 李婶 types after the page was shown to her."""
    return {
        **hidden(client.get("/checkout/").content.decode()),
        "name": "李秀英",
        "phone": "138 0013 8000",
        "email": "li@buyer.example",
        "province": "四川省",
        "city": "绵阳市",
        "district": "游仙区",
        "street": "信义镇白马路 1 号",
        "shipping_method": method,
        "payment": "pay_on_collection",
        "note": "请放门口",
        "fresh_rule": "on",
        **changes,
    }


def test_freight_and_ways_of_delivery_are_shown_before_anything_is_typed(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 2)
    page = client.get("/checkout/").content.decode()
    assert "¥6.00" in page
    assert "免运费" in page
    assert "白马园区" in page
    # What is brought stands before what is collected; nothing is ticked for her.
    assert page.index("货车") < page.index("自提")
    assert not re.search(r'name="(?:fresh_rule|shipping_method)"[^>]* checked', page)


def test_an_order_is_placed_and_the_basket_is_empty(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 2)
    answer = client.post("/checkout/", form(client, van))
    order = Order.objects.get()
    assert answer["Location"] == f"/orders/{order.token}/"
    assert str(order.total_gross_amount) == "20.00"
    assert order.customer_note == "请放门口"
    assert order.shipping_address.phone.as_e164 == "+8613800138000"
    page = client.get(answer["Location"]).content.decode()
    assert "收到货再付款" in page
    assert "白马蔬菜专业合作社" in page
    assert "138****8000" in page
    assert "13800138000" not in page
    assert "菜篮还空着。" in client.get("/basket/").content.decode()


def test_a_second_tap_is_no_second_order(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 1)
    typed = form(client, van)
    first, second = client.post("/checkout/", typed), client.post("/checkout/", typed)
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_the_order_page_opens_for_whoever_has_its_address_only(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    address = client.post("/checkout/", form(client, van))["Location"]
    answer = Client().get(address)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert Client().get("/orders/00000000-0000-4000-8000-000000000000/").status_code == 404


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("name", "", "请填写收货人姓名。"),
        ("phone", "12345", "手机号不对：应为 1 开头的 11 位数字。"),
        ("phone", "", "请填写手机号，送货时会打给您。"),
        ("email", "li", "请填写邮箱，例如 li@example.com。"),
        ("street", "", "请填写街道和门牌号。"),
        ("district", "", "请填写区县。"),
        ("fresh_rule", "", "请确认生鲜退货规则。"),
        ("shipping_method", "", "请选择配送方式。"),
        ("shipping_method", "U2hpcHBpbmdNZXRob2Q6OTk5OTk=", "请选择配送方式。"),
    ],
)
def test_what_is_missing_stands_beside_its_field_and_nothing_typed_is_lost(
    client: Client, shed: produce.Shed, van: str, field: str, value: str, said: str
) -> None:
    put_in(client, shed, 1)
    answer = client.post("/checkout/", form(client, van, **{field: value}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert f'id="id_{field}_error"' in page
    for kept in {"李秀英", "138 0013 8000", "li@buyer.example", "信义镇白马路 1 号", "请放门口"} - {
        {
            "name": "李秀英",
            "phone": "138 0013 8000",
            "email": "li@buyer.example",
            "street": "信义镇白马路 1 号",
        }.get(field, "")
    }:
        assert kept in page
    assert not Order.objects.exists()


def test_a_phone_may_be_typed_in_full_width_and_with_a_country(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    client.post("/checkout/", form(client, van, phone="＋８６ １３８－００１３－８０００"))
    assert Order.objects.get().shipping_address.phone.as_e164 == "+8613800138000"


def test_who_picks_up_needs_no_address(client: Client, shed: produce.Shed) -> None:
    put_in(client, shed, 1)
    pick_up = str(Node.to_global_id("ShippingMethod", shed.delivery.pk))
    answer = client.post("/checkout/", form(client, pick_up, street="", district="", city="", province=""))
    assert answer.status_code == 302
    assert Order.objects.get().shipping_address.street_address_1 == "白马园区"
    assert "白马园区" in client.get(answer["Location"]).content.decode()


def test_an_address_that_the_api_refuses_is_said_beside_its_field(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    answer = client.post("/checkout/", form(client, van, province="乱写省"))
    assert answer.status_code == 422
    assert 'id="id_province_error"' in answer.content.decode()


def test_the_last_box_goes_to_one_and_the_other_hears_it_kindly(shed: produce.Shed, van: str) -> None:
    quick, slow = Client(), Client()
    put_in(quick, shed, 2)
    put_in(slow, shed, 2)
    hers, his = form(quick, van), form(slow, van, name="张大爷", email="zhang@buyer.example")
    assert quick.post("/checkout/", hers).status_code == 302
    answer = slow.post("/checkout/", his)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "有人先买走了：" in page
    assert "莴笋（1000 g）只剩 1 份，菜篮里有 2 份" in page
    assert "张大爷" in page
    assert Order.objects.count() == 1
    # One tap, and what he typed is still there; a second one orders.
    adjusted = slow.post("/checkout/", {**his, "adjust": "1"}).content.decode()
    assert "张大爷" in adjusted
    assert re.search(r"1000 g\s*×\s*1\s*<", adjusted)
    assert slow.post("/checkout/", {**his, **hidden(adjusted)}).status_code == 302
    assert Order.objects.count() == 2


def test_when_nothing_is_left_the_basket_says_so(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 1)
    typed = form(client, van)
    Stock.objects.update(quantity=0)
    answer = client.post("/checkout/", {**typed, "adjust": "1"}, follow=True)
    assert "您选的今天都卖完了" in answer.content.decode()


def test_a_price_that_changed_meanwhile_is_shown_before_it_is_paid(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    typed = form(client, van)
    variant = shed.variant
    variant.price_override_amount = 9
    variant.save()
    answer = client.post("/checkout/", typed)
    assert answer.status_code == 422
    assert "¥15.00" in answer.content.decode()
    assert not Order.objects.exists()
    # Now that she has seen it.
    assert client.post("/checkout/", typed).status_code == 302
    assert str(Order.objects.get().total_gross_amount) == "15.00"


def test_an_empty_basket_has_no_checkout(client: Client) -> None:
    assert client.get("/checkout/")["Location"] == "/basket/"
    assert client.post("/checkout/", {"basket": "x", "key": "y"})["Location"] == "/basket/"


def test_a_signed_in_buyer_finds_her_address_and_her_order(
    client: Client, shed: produce.Shed, van: str
) -> None:
    user = produce.a_person(email="li@buyer.example", first_name="秀英", last_name="李")
    address = produce.an_address()
    address.save()
    user.addresses.add(address)
    user.default_shipping_address = address
    user.save()
    client.post("/account/sign-in/", {"email": "li@buyer.example", "password": "secret-of-the-test"})
    put_in(client, shed, 1)
    page = client.get("/checkout/").content.decode()
    # The town that the street begins with has a field of its own.
    for known in ("李秀英", "li@buyer.example", "13800138000", "信义镇", "白马路 1 号"):
        assert f'value="{known}"' in page
    client.post("/checkout/", form(client, van))
    order = Order.objects.get()
    assert order.user == user
    assert f'href="/orders/{order.token}/"' in client.get("/account/").content.decode()
    assert f"订单 {order.pk}" in client.get("/account/").content.decode()


def value_of(page: str, field: str) -> str:
    found = re.search(rf'<input[^>]*name="{field}"[^>]*>', page)
    if not found:
        select = re.search(rf'<select name="{field}".*?</select>', page, re.DOTALL)
        assert select
        found = re.search(r'<option value="[^"]*" selected>', select[0])
    value = re.search(r'value="([^"]*)"', found[0]) if found else None
    return value[1] if value else ""


def an_address_of(user: User, *, default: bool = False, **changes: str) -> str:
    address = produce.an_address(**changes)
    address.save()
    user.addresses.add(address)
    if default:
        user.default_shipping_address = address
        user.save()
    return str(Node.to_global_id("Address", address.pk))


@pytest.fixture
def li() -> User:
    return produce.a_person(email="li@buyer.example", first_name="秀英", last_name="李")


@pytest.fixture
def her(client: Client, li: User, shed: produce.Shed) -> Client:
    """李婶's browser: signed in, with something in the basket."""
    client.post("/account/sign-in/", {"email": li.email, "password": "secret-of-the-test"})
    put_in(client, shed, 1)
    return client


MOTHER = {
    "first_name": "桂芳",
    "last_name": "王",
    "city_area": "安州区",
    "street_address_1": "花荄镇益昌路6号",
}


def saved_in(page: str) -> list[tuple[str, str]]:
    """The saved addresses to choose from: each one's key, and whether it is what stands in the fields."""
    return re.findall(r'<button class="choice" name="saved" value="([^"]+)"[^>]*aria-pressed="(\w+)"', page)


def test_a_saved_address_goes_into_the_fields_with_one_tap_and_nothing_else_changes(
    her: Client, li: User, van: str
) -> None:
    mothers = an_address_of(li, **MOTHER)
    own = an_address_of(li, default=True)
    assert saved_in(her.get("/checkout/").content.decode()) == [(own, "true"), (mothers, "false")]
    answer = her.post("/checkout/", form(her, van, saved=mothers, note="放门卫", email="min@buyer.example"))
    page = answer.content.decode()
    assert answer.status_code == 200 and not Order.objects.exists()
    assert saved_in(page) == [(own, "false"), (mothers, "true")]
    # The place on the page that the tap leads to is not carried on to the order.
    assert '<form method="post" action="/checkout/"' in page and 'formaction="#who"' in page
    fields = ("name", "city", "district", "town", "street", "email")
    filled = {name: value_of(page, name) for name in fields}
    assert filled == {
        "name": "王桂芳",
        "city": "绵阳市",
        "district": "安州区",
        "town": "花荄镇",
        "street": "益昌路6号",
        "email": "min@buyer.example",
    }
    assert "放门卫</textarea>" in page
    # And she finds it so when she comes back.
    assert value_of(her.get("/checkout/").content.decode(), "name") == "王桂芳"
    assert her.post("/checkout/", form(her, van, **filled)).status_code == 302
    assert Order.objects.get().shipping_address.street_address_1 == "花荄镇益昌路6号"


def test_nobody_chooses_somebody_elses_address(her: Client, li: User, van: str) -> None:
    an_address_of(li, default=True)
    theirs = an_address_of(produce.a_person(email="wang@buyer.example"), **MOTHER)
    page = her.post("/checkout/", form(her, van, saved=theirs)).content.decode()
    assert "桂芳" not in page and "益昌路" not in page
    assert "已不在地址簿里" in page
    assert value_of(page, "name") == "李秀英"


def test_one_saved_address_is_no_choice_and_a_guest_has_none(
    her: Client, li: User, shed: produce.Shed
) -> None:
    an_address_of(li, default=True)
    page = her.get("/checkout/").content.decode()
    assert saved_in(page) == [] and 'name="manage"' in page
    guest = Client()
    put_in(guest, shed, 1)
    assert 'name="manage"' not in guest.get("/checkout/").content.decode()


def test_she_goes_to_her_address_book_and_finds_what_she_typed_when_she_is_back(
    her: Client, li: User, van: str
) -> None:
    an_address_of(li, default=True)
    answer = her.post("/checkout/", form(her, van, manage="1", note="放门卫"))
    assert (answer.status_code, answer["Location"]) == (302, "/account/addresses/")
    assert "放门卫</textarea>" in her.get("/checkout/").content.decode()


def test_a_long_address_book_shows_three_and_folds_the_rest(her: Client, li: User) -> None:
    for number in range(5):
        an_address_of(li, street_address_1=f"白马路{number}号")
    page = her.get("/checkout/").content.decode()
    assert len(saved_in(page)) == 5
    assert len(saved_in(page.split("更多地址")[0])) == 3


def test_a_pasted_address_is_filled_in_to_be_looked_at(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 1)
    pasted = "王敏 139-0013-9000 四川省绵阳市安州区花荄镇益昌路6号"
    answer = client.post("/checkout/", form(client, van, read="1", pasted=pasted, email="min@buyer.example"))
    page = answer.content.decode()
    assert answer.status_code == 200 and not Order.objects.exists()
    fields = ("name", "phone", "city", "district", "town", "street", "email")
    filled = {name: value_of(page, name) for name in fields}
    assert filled == {
        "name": "王敏",
        "phone": "13900139000",
        "city": "绵阳市",
        "district": "安州区",
        "town": "花荄镇",
        "street": "益昌路6号",
        "email": "min@buyer.example",
    }
    typed = {name: value_of(page, name) for name in ("province", "postcode")}
    answer = client.post("/checkout/", {**form(client, van), **filled, **typed})
    assert answer.status_code == 302
    address = Order.objects.get().shipping_address
    assert (address.city_area, address.street_address_1) == ("安州区", "花荄镇益昌路6号")
    assert address.postal_code == "622650"


def test_what_is_pasted_and_not_understood_loses_nothing(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    answer = client.post("/checkout/", form(client, van, read="1", pasted="!!!"))
    page = answer.content.decode()
    assert "没有找到" in page
    assert value_of(page, "name") == "李秀英"


NOON = "2026-11-23T12:00:00+08:00"


def test_the_time_that_was_chosen_is_on_the_order_and_on_the_card_are_the_buyers_words(
    client: Client, shed: produce.Shed, van: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        put_in(client, shed, 1)
        page = client.get("/checkout/").content.decode()
        assert "11月24日（星期二）9:00–12:00" in page
        chosen = {f"window-{van}": "2026-11-25T15", "gift_note": "妈妈生日快乐"}
        answer = client.post("/checkout/", form(client, van, **chosen))
        page = client.get(answer["Location"]).content.decode()
    assert "11月25日（星期三）15:00–18:00" in page and "妈妈生日快乐" in page
    placement = Placement.objects.get()
    assert (str(placement.delivery_on), placement.delivery_from.hour, placement.delivery_until.hour) == (
        "2026-11-25",
        15,
        18,
    )


def test_a_time_that_has_passed_meanwhile_is_said_beside_the_deliveries(
    client: Client, shed: produce.Shed, van: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        put_in(client, shed, 1)
        filled = form(client, van, **{f"window-{van}": "2026-11-24T09"})
    with time_machine.travel("2026-11-23T16:00:01+08:00", tick=False):
        answer = client.post("/checkout/", filled)
        page = answer.content.decode()
    assert answer.status_code == 422
    assert "这个时段已经截止" in page and "2026-11-24T09" not in page
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "title, number, said",
    [
        ("", "91510700205401060D", "请填写发票抬头"),
        ("绵阳某某商贸有限公司", "12345", "税号不对"),
        ("绵阳某某商贸有限公司", "91510700205401060E", "税号不对"),
    ],
)
def test_an_invoice_needs_a_title_and_a_number_that_can_be(
    client: Client, shed: produce.Shed, van: str, title: str, number: str, said: str
) -> None:
    put_in(client, shed, 1)
    answer = client.post("/checkout/", form(client, van, invoice_title=title, invoice_tax_number=number))
    page = answer.content.decode()
    assert answer.status_code == 422 and said in page
    assert value_of(page, "invoice_tax_number") == number


def test_an_invoice_to_a_company_is_kept_with_the_order(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 1)
    number = "91510700205401060" + uscc.calc_check_digit("91510700205401060")
    answer = client.post(
        "/checkout/", form(client, van, invoice_title="绵阳某某商贸有限公司", invoice_tax_number=number)
    )
    assert answer.status_code == 302
    assert Placement.objects.get().invoice_tax_number == number


def test_an_order_is_cancelled_from_its_page(client: Client, shed: produce.Shed, van: str) -> None:
    with time_machine.travel(NOON, tick=False):
        put_in(client, shed, 1)
        order = client.post("/checkout/", form(client, van))["Location"]
        assert "今天 20:00前可以取消" in client.get(order).content.decode()
        answer = client.post(f"{order}cancel/")
        assert answer["Location"] == order
        page = client.get(order).content.decode()
    assert "订单已取消" in page and "确认取消" not in page
    shed.supply.refresh_from_db()
    assert shed.supply.allocated == 0


def test_the_same_again_takes_what_there_is_and_names_the_rest(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 2)
    order = client.post("/checkout/", form(client, van))["Location"]
    answer = client.post(f"{order}again/")
    page = client.get(answer["Location"]).content.decode()
    assert 'value="1"' in page
    assert "今天没有或不够的：莴笋" in page


# ---- Lists of divisions ----


def options(page: str, field: str) -> list[str]:
    select = re.search(rf'<select name="{field}".*?</select>', page, re.DOTALL)
    assert select
    return [name for name in re.findall(r'<option value="([^"]*)"', select[0]) if name]


def test_the_lists_follow_another_city_without_javascript(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    page = client.get("/checkout/").content.decode()
    assert len(options(page, "city")) == 21 and "涪城区" in options(page, "district")
    assert '<option value="信义镇">' in page

    page = client.post("/checkout/", form(client, van, city="成都市", lists="1")).content.decode()
    assert "郫都区" in options(page, "district") and "涪城区" not in options(page, "district")
    assert (value_of(page, "city"), value_of(page, "district")) == ("成都市", "")
    # Nothing else is lost, and nothing was ordered.
    assert (value_of(page, "name"), value_of(page, "street")) == ("李秀英", "信义镇白马路 1 号")
    assert not Order.objects.exists()


def test_the_pages_script_is_told_what_is_below(client: Client) -> None:
    answer = client.get(
        "/checkout/divisions/", {"province": "四川省", "city": "绵阳市", "district": "安州区"}
    )
    told = answer.json()
    assert (len(told["city"]), len(told["district"]), told["postcode"]) == (21, 9, "622650")
    assert "花荄镇" in told["town"]
    assert client.get("/checkout/divisions/").json() == {
        "city": [],
        "district": [],
        "town": [],
        "postcode": "",
    }


def test_a_district_that_no_list_knows_stays_chosen(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 1)
    answer = client.post("/checkout/", form(client, van, district="科学城新区", name=""))
    assert value_of(answer.content.decode(), "district") == "科学城新区"


def test_the_town_stands_before_the_street_once(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 1)
    client.post("/checkout/", form(client, van, town="信义镇"))
    assert Order.objects.get().shipping_address.street_address_1 == "信义镇白马路 1 号"


# ---- What has changed ----


def test_each_figure_that_changed_is_said_with_the_old_one_and_one_button_goes_on(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 2)
    typed = form(client, van)
    shed.product.variants.update(price_override_amount=Decimal("8.50"))
    ShippingMethod.objects.filter(name="货车").update(price_amount=Decimal(5))

    answer = client.post("/checkout/", typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "莴笋 1000 g：原来每份 ¥7.00，现在 ¥8.50。" in page
    assert "运费：原来 ¥6.00，现在 ¥5.00。" in page
    assert "合计：原来 ¥20.00，现在 ¥22.00。" in page
    assert "按 ¥22.00 下单" in page and "价格有变化" not in page

    assert client.post("/checkout/", {**typed, **hidden(page)}).status_code == 302
    assert str(Order.objects.get().total_gross_amount) == "22.00"


def test_an_older_page_is_held_to_the_figures_that_it_shows(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    older = form(client, van)
    shed.product.variants.update(price_override_amount=Decimal(9))
    form(client, van)
    answer = client.post("/checkout/", older)
    assert "莴笋 1000 g：原来每份 ¥7.00，现在 ¥9.00。" in answer.content.decode()
    assert not Order.objects.exists()


def test_a_quantity_that_was_changed_on_another_page_is_said(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    typed = form(client, van)
    put_in(client, shed, 1)
    page = client.post("/checkout/", typed).content.decode()
    assert "莴笋 1000 g：原来 1 份，现在 2 份。" in page and "按 ¥20.00 下单" in page


def test_what_is_no_longer_sold_is_taken_out_with_one_tap(
    client: Client, shed: produce.Shed, van: str
) -> None:
    other = produce.a_product(name="香葱", slug="xiangcong")
    produce.a_supply(cooperative=shed.cooperative, product=other, on_hand=9_000, code="XY-0002")
    put_in(client, shed, 1)
    client.post("/basket/add/", {"variant": Node.to_global_id("ProductVariant", other.variants.get().pk)})
    typed = form(client, van)
    Product.objects.filter(pk=other.pk).update(is_published=False)

    assert "香葱（1000 g）这里不再卖了" in client.get("/basket/").content.decode()
    page = client.post("/checkout/", typed).content.decode()
    assert "香葱（1000 g）这里不再卖了" in page
    adjusted = client.post("/checkout/", {**typed, "adjust": "1"}).content.decode()
    assert client.post("/checkout/", {**typed, **hidden(adjusted)}).status_code == 302
    [line] = Order.objects.get().lines.all()
    assert line.product_name == "莴笋"


def test_an_order_shows_what_has_left_the_shop_since(client: Client, shed: produce.Shed, van: str) -> None:
    put_in(client, shed, 1)
    order = client.post("/checkout/", form(client, van))["Location"]
    Product.objects.update(is_published=False)
    answer = client.get(order)
    assert answer.status_code == 200 and "莴笋" in answer.content.decode()
    client.post(f"{order}again/")
    assert "这种菜已经不卖了。" in client.get("/basket/").content.decode()


# ---- Nothing typed is lost ----


def test_what_was_typed_is_there_when_she_comes_back_to_the_page(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    client.post("/checkout/", form(client, van, phone="123"))
    page = client.get("/checkout/").content.decode()
    assert (value_of(page, "name"), value_of(page, "street")) == ("李秀英", "白马路 1 号")
    assert not re.search(r'name="fresh_rule"[^>]* checked', page)
    client.post("/checkout/", form(client, van))
    put_in(client, shed, 1)
    assert value_of(client.get("/checkout/").content.decode(), "name") == ""


def test_a_page_that_outlived_its_session_is_shown_once_more_and_then_ordered(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 2)
    typed = form(client, van)
    client.cookies.clear()

    answer = client.post("/checkout/", typed)
    page = answer.content.decode()
    assert answer.status_code == 422 and "请再看一遍，然后下单" in page
    assert (value_of(page, "name"), value_of(page, "phone")) == ("李秀英", "138 0013 8000")
    assert client.post("/checkout/", {**typed, **hidden(page)}).status_code == 302
    assert Order.objects.get().lines.get().quantity == 2


@pytest.mark.parametrize("token", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_basket_that_nobody_knows_leads_to_the_basket(
    client: Client, shed: produce.Shed, van: str, token: str
) -> None:
    put_in(client, shed, 1)
    typed = form(client, van)
    client.cookies.clear()
    answer = client.post("/checkout/", {**typed, "basket": token}, follow=True)
    assert "已经下过单" in answer.content.decode() and not Order.objects.exists()


# ---- Vouchers ----


def five_off(**changes: object) -> Voucher:
    return Voucher.objects.create(code="FIVE", name="满减", discount_value=5, currency="CNY", **changes)


def test_a_code_is_used_at_the_checkout_and_is_on_the_order(
    client: Client, shed: produce.Shed, van: str
) -> None:
    five_off()
    put_in(client, shed, 2)
    typed = form(client, van)
    page = client.post("/checkout/", {**typed, "use_code": "1", "code": "five"}).content.decode()
    assert "−¥5.00" in page and value_of(page, "name") == "李秀英"
    answer = client.post("/checkout/", {**typed, **hidden(page)})
    assert str(Order.objects.get().total_gross_amount) == "15.00"
    page = client.get(answer["Location"]).content.decode()
    assert "−¥5.00" in page and "满减" in page


def test_a_code_that_is_refused_at_the_checkout_loses_nothing(
    client: Client, shed: produce.Shed, van: str
) -> None:
    put_in(client, shed, 1)
    answer = client.post("/checkout/", {**form(client, van), "use_code": "1", "code": "NOPE"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "没有这个优惠码" in page
    assert (value_of(page, "name"), value_of(page, "code")) == ("李秀英", "NOPE")


def test_a_code_that_expires_before_the_order_is_explained_and_one_tap_goes_on(
    client: Client, shed: produce.Shed, van: str
) -> None:
    five_off()
    put_in(client, shed, 2)
    client.post("/basket/", {"code": "FIVE", "use_code": "1"})
    typed = form(client, van)
    Voucher.objects.update(end_date=timezone.now() - timedelta(days=1))

    answer = client.post("/checkout/", typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "优惠码 FIVE 用不上： 这个优惠码已过期。" in page
    assert "优惠码：原来减 ¥5.00，现在减 ¥0.00。" in page and "合计：原来 ¥15.00，现在 ¥20.00。" in page
    page = client.post("/checkout/", {**typed, "remove_code": "FIVE"}).content.decode()
    assert value_of(page, "name") == "李秀英"
    assert client.post("/checkout/", {**typed, **hidden(page)}).status_code == 302
    assert str(Order.objects.get().total_gross_amount) == "20.00"


def test_a_code_that_she_has_used_before_is_told_when_her_address_is_known(
    client: Client, shed: produce.Shed, van: str
) -> None:
    voucher = five_off(apply_once_per_customer=True)
    VoucherCustomer.objects.create(voucher=voucher, customer_email="li@buyer.example")
    put_in(client, shed, 2)
    client.post("/basket/", {"code": "FIVE", "use_code": "1"})
    page = client.post("/checkout/", form(client, van)).content.decode()
    assert "每人限用一次" in page and "取下优惠码，继续" in page
    assert not Order.objects.exists()
