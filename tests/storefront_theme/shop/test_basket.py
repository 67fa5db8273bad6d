"""The basket: what 李婶 puts in, takes out, and cannot have."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from graphene import Node
from saleor.checkout.models import Checkout
from saleor.discount.models import Voucher
from saleor.giftcard.models import GiftCard
from saleor.warehouse.models import Stock

from tests import produce

pytestmark = pytest.mark.django_db


@pytest.fixture
def shed() -> produce.Shed:
    return produce.a_shed(on_hand=3_000)


def pack_id(shed: produce.Shed) -> str:
    return str(Node.to_global_id("ProductVariant", shed.variant.pk))


def put_in(client: Client, shed: produce.Shed, quantity: object = 1, **headers: str) -> object:
    return client.post(
        "/basket/add/",
        {"variant": pack_id(shed), "quantity": quantity, "next": "/p/wosun/"},
        headers=headers,
    )


def shown(client: Client) -> str:
    return client.get("/basket/").content.decode()


def test_putting_in_comes_back_to_the_page_and_counts(client: Client, shed: produce.Shed) -> None:
    answer = put_in(client, shed, 2)
    assert answer["Location"] == "/p/wosun/"
    page = client.get("/p/wosun/").content.decode()
    assert "已放进菜篮。" in page
    assert re.findall(r"data-basket-count>(\d*)<", page) == ["2", "2"]
    put_in(client, shed, 1)
    assert 'value="3"' in shown(client)
    assert Checkout.objects.count() == 1


def test_the_pages_own_script_gets_an_answer_that_it_can_read(client: Client, shed: produce.Shed) -> None:
    answer = put_in(client, shed, 1, accept="application/json")
    assert answer.json() == {"count": 1, "message": "已放进菜篮。"}
    answer = put_in(client, shed, 7, accept="application/json")
    assert answer.status_code == 409
    assert answer.json() == {"count": 1, "message": "莴笋只剩 3 份了。"}


@pytest.mark.parametrize(
    "quantity, said",
    [
        ("4", "莴笋只剩 3 份了。"),
        ("51", "同一种菜一单最多 50 份。"),
        ("1000000000000", "同一种菜一单最多 50 份。"),
        ("两把", "份数请填数字。"),
        ("-1", "份数请填数字。"),
    ],
)
def test_what_cannot_be_put_in_is_said_and_changes_nothing(
    client: Client, shed: produce.Shed, quantity: str, said: str
) -> None:
    put_in(client, shed, quantity)
    page = shown(client)
    assert said in page
    assert "菜篮还空着。" in page


@pytest.mark.parametrize("variant", ["", "nonsense", "UHJvZHVjdFZhcmlhbnQ6MA==", "VXNlcjox"])
def test_a_pack_that_nobody_sells_is_no_error_of_ours(
    client: Client, shed: produce.Shed, variant: str
) -> None:
    assert client.post("/basket/add/", {"variant": variant, "quantity": 1}).status_code == 302
    assert "菜篮还空着。" in shown(client)


def test_a_line_is_changed_and_taken_out(client: Client, shed: produce.Shed) -> None:
    put_in(client, shed, 1)
    client.post("/basket/put/", {"variant": pack_id(shed), "quantity": 3})
    assert 'value="3"' in shown(client)
    client.post("/basket/put/", {"variant": pack_id(shed), "quantity": 3, "remove": 1})
    assert "菜篮还空着。" in shown(client)


def test_when_others_were_quicker_one_tap_takes_what_is_left(client: Client, shed: produce.Shed) -> None:
    put_in(client, shed, 3)
    Stock.objects.update(quantity=1)
    page = shown(client)
    assert "有人先买走了：" in page
    assert "莴笋（1000 g）只剩 1 份，菜篮里有 3 份" in page
    assert 'href="/checkout/"' not in page
    client.post("/basket/put/", {"adjust": 1})
    page = shown(client)
    assert 'value="1"' in page
    assert "有人先买走了" not in page


def test_what_is_gone_altogether_leaves_the_basket(client: Client, shed: produce.Shed) -> None:
    put_in(client, shed, 3)
    Stock.objects.update(quantity=0)
    assert "莴笋（1000 g）今天卖完了" in shown(client)
    client.post("/basket/put/", {"adjust": 1})
    assert "菜篮还空着。" in shown(client)


def test_a_basket_that_the_shop_has_cleared_away_begins_anew(client: Client, shed: produce.Shed) -> None:
    put_in(client, shed, 1)
    Checkout.objects.all().delete()
    assert put_in(client, shed, 2).status_code == 302
    assert 'value="2"' in shown(client)


def test_a_signed_in_buyer_finds_the_basket_of_the_last_visit(client: Client, shed: produce.Shed) -> None:
    produce.a_person(email="li@buyer.example")
    secret = {"email": "li@buyer.example", "password": "secret-of-the-test"}
    client.post("/account/sign-in/", secret)
    put_in(client, shed, 1)
    client.post("/account/sign-out/")
    assert "菜篮还空着。" in shown(client)
    client.post("/account/sign-in/", secret)
    put_in(client, shed, 1)
    assert 'value="2"' in shown(client)


def test_a_guests_basket_stays_when_she_signs_in(client: Client, shed: produce.Shed) -> None:
    produce.a_person(email="li@buyer.example")
    put_in(client, shed, 2)
    client.post("/account/sign-in/", {"email": "li@buyer.example", "password": "secret-of-the-test"})
    assert 'value="2"' in shown(client)


# ---- Vouchers ----


@pytest.fixture
def five_off() -> Voucher:
    return Voucher.objects.create(code="FIVE", name="满减", discount_value=5, currency="CNY")


def use(client: Client, code: str = "five") -> str:
    return client.post("/basket/", {"code": code, "use_code": "1"}, follow=True).content.decode()


def test_a_code_takes_something_off_before_the_checkout(
    client: Client, shed: produce.Shed, five_off: Voucher
) -> None:
    put_in(client, shed, 2)
    page = use(client)
    assert "−¥5.00" in page and "满减" in page
    assert re.search(r"不含运费</span><span><span[^>]*><small>¥</small>9<small>.00", page)
    page = client.post("/basket/", {"remove_code": "FIVE"}, follow=True).content.decode()
    assert "−¥5.00" not in page and "有优惠码？" in page and "已取下" not in page


@pytest.mark.parametrize(
    "code, said", [("", "请填写优惠码。"), ("NOPE", "没有这个优惠码"), ("NO\x00PE", "没有")]
)
def test_a_code_that_cannot_be_used_is_said_beside_its_field(
    client: Client, shed: produce.Shed, code: str, said: str
) -> None:
    put_in(client, shed, 1)
    answer = client.post("/basket/", {"code": code, "use_code": "1"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page and 'id="id_code_error"' in page
    assert 'aria-invalid="true"' in page


def test_a_code_without_a_basket_is_refused_in_words(client: Client) -> None:
    assert "菜篮还空着。" in use(client)


def test_a_gift_card_is_refused_before_the_order(client: Client, shed: produce.Shed) -> None:
    GiftCard.objects.create(code="CARD", initial_balance_amount=50, current_balance_amount=50)
    put_in(client, shed, 1)
    assert "这是礼品卡" in use(client, "CARD")
    assert not Checkout.objects.get().gift_cards.exists()


def test_a_code_that_no_longer_fits_is_not_lost_silently(
    client: Client, shed: produce.Shed, five_off: Voucher
) -> None:
    Voucher.objects.update(min_spent_amount=14)
    put_in(client, shed, 2)
    use(client)
    client.post("/basket/put/", {"variant": pack_id(shed), "quantity": 1})
    assert "菜篮已不满足优惠码 FIVE 的条件，已取下。" in shown(client)
    assert "还差 ¥7.00" in use(client)


def test_a_code_that_has_expired_in_the_basket_says_so_and_is_taken_out(
    client: Client, shed: produce.Shed, five_off: Voucher
) -> None:
    put_in(client, shed, 2)
    use(client)
    Voucher.objects.update(end_date=timezone.now() - timedelta(days=1))
    assert "优惠码 FIVE 用不上： 这个优惠码已过期。" in shown(client)
    page = client.post("/basket/", {"remove_code": "FIVE"}, follow=True).content.decode()
    assert "用不上" not in page and "有优惠码？" in page


def test_the_basket_says_when_it_would_come(client: Client, shed: produce.Shed) -> None:
    put_in(client, shed, 1)
    page = shown(client)
    assert "什么时候送到" in page and "绵阳城区" in page and "暂时送不到" in page
