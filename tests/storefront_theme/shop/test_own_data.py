"""李婶 takes her data along, and closes her account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from saleor.account.models import User
from saleor.order import OrderStatus
from saleor.order.models import Order

from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

LI, PASSWORD = "li@buyer.example", "secret-of-the-test"


@pytest.fixture
def li() -> User:
    return produce.a_person(email=LI, password=PASSWORD)


def browser_of(user: User, password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/account/sign-in/", {"email": user.email, "password": password})
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


def an_order(user: User) -> Order:
    shed = produce.a_shed()
    basket = produce.a_basket({shed.variant: 1}, user=user)
    return place_order(request=a_request(shed, basket=basket), user=user, now=timezone.now())


def test_the_file_comes_for_the_password_and_nobody_keeps_a_copy(li: User) -> None:
    order, her = an_order(li), browser_of(li)
    answer = her.post("/account/data/", {"password": PASSWORD})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="xinyi-basket-20')
    assert "no-store" in answer.headers["Cache-Control"]
    file = json.loads(text(answer))
    assert file["账户"]["邮箱"] == LI
    assert [each["订单号"] for each in file["订单"]] == [str(order.pk)]
    her.cookies["django_language"] = "en"
    assert json.loads(text(her.post("/account/data/", {"password": PASSWORD})))["Account"]["E-mail"] == LI


def test_a_wrong_password_opens_nothing_and_is_counted(li: User, settings: Any) -> None:
    settings.ATTEMPTS = {**settings.ATTEMPTS, "password_of_account": (2, 600)}
    her = browser_of(li)
    for path in ("/account/data/", "/account/close/"):
        answer = her.post(path, {"password": "wrong"})
        assert answer.status_code == 422
        assert "密码不正确" in text(answer)
    # The right one comes too late.
    assert "尝试次数太多" in text(her.post("/account/close/", {"password": PASSWORD}))
    assert User.objects.filter(email=LI).exists()


def test_a_closed_account_signs_in_nowhere_and_is_signed_out_everywhere(li: User) -> None:
    here, elsewhere = browser_of(li), browser_of(li)
    answer = here.post("/account/close/", {"password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "账户已注销" in text(answer)
    for client in (here, elsewhere):
        assert 'autocomplete="current-password"' in text(client.get("/account/", follow=True))
    assert Client().post("/account/sign-in/", {"email": LI, "password": PASSWORD}).status_code == 422

    # The address is free; who comes next gets none of what was.
    Client().post("/account/register/", {"email": LI, "password": "another-secret", "consent": "on"})
    new = browser_of(User.objects.get(email=LI), "another-secret")
    assert "还没有订单" in text(new.get("/account/"))
    assert 'autocomplete="current-password"' in text(elsewhere.get("/account/", follow=True))


def test_an_open_order_is_named_and_nothing_is_closed(li: User) -> None:
    order, her = an_order(li), browser_of(li)
    answer = her.post("/account/close/", {"password": PASSWORD})
    assert answer.status_code == 422
    assert f"订单 {order.pk} 还没完成。请先取消它，或收到货后再注销账户。" in text(answer)
    Order.objects.update(status=OrderStatus.FULFILLED)
    assert her.post("/account/close/", {"password": PASSWORD}).status_code == 302
    # The record is there for who holds its address, without how to reach anybody.
    page = Client().get(f"/orders/{order.token}/")
    assert page.status_code == 200
    assert "白马路" not in text(page) and "138****" not in text(page)


def test_saleors_own_way_to_close_goes_by_the_same_rule(li: User, client: Client) -> None:
    from graphql_jwt.shortcuts import get_token

    from backend.saleor_port.account_links import deletion_links

    def close() -> Any:
        return client.post(
            "/graphql/",
            {
                "query": "mutation($token: String!) { accountDelete(token: $token)"
                " { accountErrors { field message } user { email } } }",
                "variables": {"token": deletion_links.make_token(li)},
            },
            content_type="application/json",
            headers={"Authorization": f"JWT {get_token(li)}", "Accept-Language": "en"},
        ).json()["data"]["accountDelete"]

    order = an_order(li)
    [error] = close()["accountErrors"]
    assert error["message"].startswith(f"Order {order.pk} is still open.")
    Order.objects.update(status=OrderStatus.CANCELED)
    assert close()["accountErrors"] == []
    assert not User.objects.filter(email=LI).exists()
    order.refresh_from_db()
    assert order.user_email == ""
