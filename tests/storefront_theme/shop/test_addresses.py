"""李婶's address book: by the checkout's own form, hers alone, and not without end."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import graphene
import pytest
from django.test import Client
from saleor.account.models import Address, User

from backend.ordering import address_book
from tests import produce

pytestmark = pytest.mark.django_db

TYPED = {
    "name": "李秀英",
    "phone": "138 0013 8000",
    "province": "四川省",
    "city": "绵阳市",
    "district": "游仙区",
    "street": "信义镇白马路 1 号",
    "postcode": "",
}


@pytest.fixture
def li() -> User:
    return produce.a_person(email="li@buyer.example")


@pytest.fixture
def her(li: User) -> Client:
    """A browser in which 李婶 has signed in."""
    client = Client()
    answer = client.post("/account/sign-in/", {"email": li.email, "password": "secret-of-the-test"})
    assert answer.status_code == 302
    return client


def key(address: Address) -> str:
    return str(graphene.Node.to_global_id("Address", address.pk))


def an_address_of(user: User, **changes: Any) -> Address:
    address = produce.an_address(**changes)
    address.save()
    user.addresses.add(address)
    return address


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_first_address_is_what_the_checkout_begins_with_and_the_second_is_not(
    her: Client, li: User
) -> None:
    answer = her.post("/account/addresses/new/", TYPED, follow=True)
    assert answer.redirect_chain == [("/account/addresses/", 302)]
    assert "地址已保存" in text(answer)
    her.post("/account/addresses/new/", {**TYPED, "street": "刘家场 2 号"})
    li.refresh_from_db()
    assert li.addresses.count() == 2
    assert li.default_shipping_address.street_address_1 == "信义镇白马路 1 号"
    assert li.default_shipping_address.phone.as_e164 == "+8613800138000"
    assert li.default_shipping_address.postal_code == "621022"


def test_a_pasted_address_is_read_into_the_fields_and_saves_nothing(her: Client, li: User) -> None:
    pasted = "王小明 13900139000 四川省绵阳市涪城区临园路 8 号"
    page = text(her.post("/account/addresses/new/", {"pasted": pasted, "read": "1"}))
    for field, value in (("name", "王小明"), ("phone", "13900139000")):
        assert re.search(rf'name="{field}"[^>]*value="{value}"', page), field
    assert '<option value="涪城区" selected>' in page
    assert "已按识别的内容填好" in page
    assert not li.addresses.exists()


def test_what_is_wrong_is_said_beside_its_field_and_stays(her: Client) -> None:
    answer = her.post("/account/addresses/new/", {**TYPED, "phone": "12", "street": ""})
    assert answer.status_code == 422
    page = text(answer)
    assert 'id="id_phone_error"' in page and 'id="id_street_error"' in page
    assert 'value="李秀英"' in page


def test_an_address_is_changed_chosen_and_deleted(her: Client, li: User) -> None:
    first, second = an_address_of(li), an_address_of(li, street_address_1="刘家场 2 号")
    page = text(her.get(f"/account/addresses/{key(second)}/"))
    assert 'value="刘家场 2 号"' in page and 'value="13800138000"' in page
    her.post(f"/account/addresses/{key(second)}/", {**TYPED, "street": "刘家场 3 号"})
    second.refresh_from_db()
    assert second.street_address_1 == "刘家场 3 号"
    her.post(f"/account/addresses/{key(second)}/default/")
    li.refresh_from_db()
    assert li.default_shipping_address == second
    assert text(her.get("/account/addresses/")).index("刘家场 3 号") < text(
        her.get("/account/addresses/")
    ).index("白马路 1 号")
    for _twice in range(2):
        assert her.post(f"/account/addresses/{key(first)}/delete/").status_code == 302
    assert li.addresses.get() == second


def test_nobody_reads_changes_or_deletes_somebody_elses(her: Client) -> None:
    wang = produce.a_person(email="wang@buyer.example")
    his = an_address_of(wang, street_address_1="别人的路 9 号")
    at = f"/account/addresses/{key(his)}/"
    assert her.get(at).status_code == 404
    assert her.post(at, TYPED).status_code == 404
    assert her.post(f"{at}default/").status_code == 404
    her.post(f"{at}delete/")
    his.refresh_from_db()
    assert his.street_address_1 == "别人的路 9 号"


@pytest.mark.parametrize(
    "operation",
    [
        "mutation($id: ID!) { answer: accountAddressDelete(id: $id) { accountErrors { code } } }",
        'mutation($id: ID!) { answer: accountAddressUpdate(id: $id, input: {city: "成都市"}) { accountErrors { code } } }',
        "mutation($id: ID!) { answer: accountSetDefaultAddress(id: $id, type: SHIPPING) { accountErrors { code } } }",
    ],
)
def test_nor_does_the_api_let_them(client: Client, li: User, operation: str) -> None:
    from graphql_jwt.shortcuts import get_token

    wang = produce.a_person(email="wang@buyer.example")
    his = an_address_of(wang)
    answer = client.post(
        "/graphql/",
        {"query": operation, "variables": {"id": key(his)}},
        content_type="application/json",
        headers={"Authorization": f"JWT {get_token(li)}"},
    ).json()
    assert answer.get("errors") or answer["data"]["answer"]["accountErrors"]
    his.refresh_from_db()
    assert his.city == "绵阳市"
    assert wang.addresses.count() == 1


def test_a_full_book_says_so_and_orders_add_nothing_to_it(
    her: Client, li: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address_book.MOST_ADDRESSES == 20
    monkeypatch.setattr(address_book, "MOST_ADDRESSES", 1)
    an_address_of(li)
    answer = her.post("/account/addresses/new/", {**TYPED, "street": "刘家场 2 号"})
    assert answer.status_code == 422
    assert "最多保存 1 个地址" in text(answer)
    assert not address_book.has_room(user=li)
    assert li.addresses.count() == 1


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    for path in ("/account/addresses/", "/account/addresses/new/", "/account/data/", "/account/close/"):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain == [(f"/account/sign-in/?next={quote(path, safe='')}", 302)]
