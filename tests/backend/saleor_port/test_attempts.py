"""How often a password may be tried, from where, and what is believed of where."""

from __future__ import annotations

import ipaddress
import json
import threading
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory
from saleor.account.models import User

from backend.saleor_port import attempts, without
from backend.saleor_port.client_address import client_address, network_of

PASSWORD = "secret-of-the-test"

SIGN_IN = """mutation($email: String!, $password: String!) {
  tokenCreate(email: $email, password: $password) { token accountErrors { field code message } }
}"""
RESET = """mutation($email: String!) {
  requestPasswordReset(email: $email, redirectUrl: "http://localhost:8000/account/") { accountErrors { code } }
}"""
CHANGE_PASSWORD = """mutation($old: String!) {
  passwordChange(oldPassword: $old, newPassword: "another-secret-of-the-test") { accountErrors { code } }
}"""
REGISTER = """mutation($email: String!) {
  accountRegister(input: {email: $email, password: "short"}) { accountErrors { code } }
}"""


def post(document: str, *, jwt: str = "", address: str = "127.0.0.1", **variables: Any) -> Any:
    """As any client on the network; the data of the one root field."""
    answer = (
        Client(REMOTE_ADDR=address, headers={"Authorization": f"JWT {jwt}"} if jwt else {})
        .post(
            "/graphql/",
            data=json.dumps({"query": document, "variables": variables}),
            content_type="application/json",
            headers={"Accept-Language": "en"},
        )
        .json()
    )
    [data] = answer["data"].values()
    return data


def codes(answer: Any) -> list[str]:
    return [error["code"] for error in answer["accountErrors"]]


@pytest.fixture
def li(db: None) -> User:
    return User.objects.create_user("li@buyer.example", PASSWORD)


@pytest.fixture(autouse=True)
def few(settings: Any) -> None:
    settings.ATTEMPTS = {
        "password_of_account": (3, 60),
        "password_from_address": (5, 10),
        "mail_to_account": (2, 600),
        "mail_from_address": (3, 60),
    }


def test_passwords_of_one_account_are_tried_only_so_often_from_wherever(li: User) -> None:
    with time_machine.travel("2026-11-20T08:00:00+08:00", tick=False) as clock:
        for number in range(3):
            guessed = post(SIGN_IN, email=li.email, password="guessed", address=f"192.0.2.{number}")
            assert codes(guessed) == ["INVALID_CREDENTIALS"]

        # Written otherwise, and with the right password: nobody finds out that it was right.
        refused = post(SIGN_IN, email="LI@buyer.example", password=PASSWORD, address="192.0.2.9")
        assert refused == {
            "token": None,
            "accountErrors": [
                {
                    "field": None,
                    "code": "TOO_MANY_ATTEMPTS",
                    "message": "Too many attempts. Please try again in 1 min.",
                }
            ],
        }
        clock.shift(61)
        assert post(SIGN_IN, email=li.email, password=PASSWORD, address="192.0.2.9")["token"]


def test_one_address_tries_only_so_many_accounts(li: User) -> None:
    for number in range(5):
        answer = post(SIGN_IN, email=f"nobody{number}@buyer.example", password="guessed", address="192.0.2.1")
        assert codes(answer) == ["INVALID_CREDENTIALS"]

    assert codes(post(SIGN_IN, email=li.email, password=PASSWORD, address="192.0.2.1")) == [
        "TOO_MANY_ATTEMPTS"
    ]
    assert post(SIGN_IN, email=li.email, password=PASSWORD, address="192.0.2.2")["token"]


def test_a_password_that_is_right_does_not_count(li: User) -> None:
    for _ in range(10):
        assert post(SIGN_IN, email=li.email, password=PASSWORD)["token"]


def test_a_hundred_at_once_are_not_more_than_one_after_the_other(db: None) -> None:
    request = RequestFactory().post("/graphql/", REMOTE_ADDR="192.0.2.1")
    passed = []

    def attempt() -> None:
        try:
            attempts.take_password(account="li@buyer.example", request=request)
        except attempts.TooManyAttempts:
            return
        passed.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 3


def test_the_admins_door_counts_the_same(li: User) -> None:
    User.objects.filter(pk=li.pk).update(is_staff=True, is_superuser=True)
    client = Client(headers={"Accept-Language": "en"})
    for _ in range(3):
        client.post("/admin/login/", {"username": li.email, "password": "guessed"})

    answer = client.post("/admin/login/", {"username": li.email, "password": PASSWORD})

    assert (answer.status_code, client.get("/admin/").status_code) == (200, 302)
    assert codes(post(SIGN_IN, email=li.email, password=PASSWORD)) == ["TOO_MANY_ATTEMPTS"]


def test_the_password_of_a_stolen_token_is_not_guessed_either(li: User) -> None:
    jwt = post(SIGN_IN, email=li.email, password=PASSWORD)["token"]

    with without("attempt_limits"):
        for _ in range(6):
            assert codes(post(CHANGE_PASSWORD, jwt=jwt, old="guessed")) == ["INVALID_CREDENTIALS"]
    for _ in range(3):
        assert codes(post(CHANGE_PASSWORD, jwt=jwt, old="guessed")) == ["INVALID_CREDENTIALS"]
    assert codes(post(CHANGE_PASSWORD, jwt=jwt, old=PASSWORD)) == ["TOO_MANY_ATTEMPTS"]


@pytest.mark.usefixtures("db")
def test_nobodys_mailbox_is_filled_and_known_and_unknown_are_refused_alike(li: User) -> None:
    for email in (li.email, "nobody@buyer.example"):
        answers = [codes(post(RESET, email=email, address=f"192.0.2.{number}")) for number in range(3)]
        assert answers == [[], [], ["TOO_MANY_ATTEMPTS"]]


@pytest.mark.usefixtures("db")
def test_registering_is_limited_by_address() -> None:
    answers = [codes(post(REGISTER, email=f"x{number}@buyer.example")) for number in range(4)]
    assert [answer == ["TOO_MANY_ATTEMPTS"] for answer in answers] == [False, False, False, True]


def test_nobody_signs_in_by_the_arguments_of_another_field(li: User) -> None:
    """A header that names nobody any more makes Saleor's middleware ask all backends with the field's arguments."""
    from backend.saleor_port.sign_in import PasswordBackend

    request = RequestFactory().post("/graphql/")
    assert PasswordBackend().authenticate(request, email=li.email, password=PASSWORD) is None


def test_redis_does_not_hold_who_tried(li: User) -> None:
    import redis
    from django.conf import settings

    post(SIGN_IN, email=li.email, password="guessed", address="192.0.2.1")
    with redis.Redis.from_url(settings.ENVIRONMENT.redis.cache_url) as client:
        keys = [key.decode() for key in client.scan_iter("attempts:*")]
        assert len(keys) == 2
        assert all(0 < client.ttl(key) <= 60 for key in keys)
    assert not any("li@" in key or "192.0.2.1" in key for key in keys)


# ---- Where a request comes from ----


@pytest.mark.parametrize(
    "sender, forwarded, address",
    [
        ("203.0.113.7", "", "203.0.113.7"),
        # Nobody's word but a proxy's.
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        # What the client itself wrote stands first.
        ("10.0.0.2", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1, 10.0.0.3", "198.51.100.1"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("::ffff:10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "2001:db8::1", "2001:db8::1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_a_configured_proxy_says_where_a_request_comes_from(
    settings: Any, sender: str, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = (ipaddress.ip_network("10.0.0.0/8"),)
    request = RequestFactory().get("/", REMOTE_ADDR=sender, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == address


def test_saleor_asks_the_same_function() -> None:
    from saleor.core import middleware, utils
    from saleor.graphql.payment import mutations

    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR="1.2.3.4")
    with without("client_address"):
        assert utils.get_client_ip(request) == "1.2.3.4"
    for module in (utils, middleware, mutations):
        assert module.get_client_ip(request) == "203.0.113.7"


def test_a_visitor_of_ipv6_is_one_network() -> None:
    assert network_of("2001:db8::1:2:3:4") == network_of("2001:db8::5:6:7:8") == "2001:db8::/64"
    assert network_of("203.0.113.7") == "203.0.113.7"
