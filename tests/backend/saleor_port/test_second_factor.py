"""The admin opens with a password and six digits, where the shop wants it so."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest
import time_machine
from django.test import Client
from saleor.account.models import User

from backend.saleor_port.second_factor import NONCE, digits, secret_of, step_of

PASSWORD = "secret-of-the-test"
PAGE = "/admin/second-factor/"


@pytest.fixture
def zhao(db: None) -> User:
    return User.objects.create_superuser("zhao@town.example", PASSWORD)


@pytest.fixture(autouse=True)
def wanted(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True


def with_password() -> Client:
    client = Client()
    answer = client.post("/admin/login/", {"username": "zhao@town.example", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def key_on(client: Client) -> bytes:
    """The secret, as somebody types it from the page."""
    found = re.search(r"<code>([A-Z2-7]+)</code>", client.get(PAGE).content.decode())
    assert found
    return base64.b32decode(found[1])


def now(secret: bytes, *, later: int = 0) -> str:
    return digits(secret=secret, step=int(time.time() // 30) + later)


@pytest.mark.parametrize(
    "second, code", [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_digits_are_those_of_rfc_6238(second: int, code: str) -> None:
    secret = b"12345678901234567890"
    assert digits(secret=secret, step=second // 30) == code
    assert step_of(code, secret=secret, now_s=second + 30) == second // 30
    assert step_of(code, secret=secret, now_s=second + 90) is None


def test_a_password_alone_opens_no_page_of_the_admin(zhao: User) -> None:
    client = with_password()
    for page in ("/admin/", "/admin/account/user/", "/admin/password_change/"):
        answer = client.get(page)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, PAGE)


def test_the_app_is_set_up_once_and_asked_from_then_on(zhao: User) -> None:
    with time_machine.travel("2026-11-20T08:00:00+08:00", tick=False) as clock:
        client = with_password()
        secret = key_on(client)
        assert client.post(PAGE, {"code": "000000"}).status_code == 422
        assert client.get("/admin/").status_code == 302
        answer = client.post(PAGE, {"code": now(secret), "next": "/admin/account/user/"})
        assert (answer.status_code, answer["Location"]) == (302, "/admin/account/user/")
        assert client.get("/admin/").status_code == 200

        # A second sign-in: no picture, no key, and the digits of before are used up.
        other = with_password()
        page = other.get(PAGE).content.decode()
        assert "<code>" not in page
        assert "data:image" not in page
        assert other.post(PAGE, {"code": now(secret)}).status_code == 422
        clock.shift(30)
        digits_with_a_space = f"{now(secret)[:3]} {now(secret)[3:]}"
        assert other.post(PAGE, {"code": digits_with_a_space}).status_code == 302
        assert other.get("/admin/").status_code == 200


def test_who_lost_the_phone_sets_up_another_after_the_first_is_taken_out(zhao: User) -> None:
    client = with_password()
    first = key_on(client)
    client.post(PAGE, {"code": now(first)})
    zhao.refresh_from_db()
    zhao.delete_value_from_private_metadata(NONCE)
    zhao.save()

    assert client.get("/admin/").status_code == 302
    assert key_on(client) != first


def test_the_digits_are_not_guessed(zhao: User, settings: Any) -> None:
    settings.ATTEMPTS = {"password_of_account": (3, 60), "password_from_address": (50, 10)}
    client = with_password()
    secret = key_on(client)
    for _ in range(3):
        client.post(PAGE, {"code": "000000"})

    assert client.post(PAGE, {"code": now(secret)}).status_code == 422
    assert client.get("/admin/").status_code == 302


def test_the_page_leads_to_no_other_site_and_is_for_staff(zhao: User) -> None:
    client = with_password()
    answer = client.post(PAGE, {"code": now(key_on(client)), "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/admin/"
    assert Client().get(PAGE)["Location"] == "/admin/login/"


def test_the_database_does_not_hold_the_secret(zhao: User) -> None:
    client = with_password()
    secret = key_on(client)
    client.post(PAGE, {"code": now(secret)})
    zhao.refresh_from_db()

    kept = zhao.private_metadata[NONCE]
    assert secret_of(user_id=zhao.pk, nonce=kept) == secret
    assert secret.hex() not in kept
    assert secret_of(user_id=zhao.pk + 1, nonce=kept) != secret


def test_where_it_is_not_wanted_the_password_opens_the_admin(zhao: User, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False
    assert with_password().get("/admin/").status_code == 200
