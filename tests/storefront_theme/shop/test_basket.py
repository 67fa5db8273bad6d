"""The basket: what 李婶 puts in, takes out, and cannot have."""

import re

import pytest
from django.test import Client
from graphene import Node
from saleor.checkout.models import Checkout
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
