"""Signing in and out: 李婶 on her phone, and somebody who planted a session."""

import pytest
from django.test import Client

from tests import produce

pytestmark = pytest.mark.django_db

SECRET = {"email": "li@buyer.example", "password": "secret-of-the-test"}


@pytest.fixture(autouse=True)
def li() -> None:
    produce.a_person(email="li@buyer.example", first_name="秀英", last_name="李")


def test_the_token_stays_on_the_server_and_the_session_gets_a_new_key(client: Client) -> None:
    client.get("/account/")
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    answer = client.post("/account/sign-in/", SECRET)
    assert answer.status_code == 302
    assert client.session.session_key != before
    token = client.session["api_access"]
    assert token.count(".") == 2
    assert all(token not in cookie.value for cookie in client.cookies.values())
    assert "李秀英" in client.get("/account/").content.decode()


def test_a_wrong_password_is_said_and_the_address_is_kept(client: Client) -> None:
    answer = client.post("/account/sign-in/", {**SECRET, "password": "guessed-it"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "邮箱或密码不对。" in page
    assert 'value="li@buyer.example"' in page
    assert "guessed-it" not in page


@pytest.mark.parametrize(
    "wanted, leads_to",
    [
        ("/basket/", "/basket/"),
        ("https://evil.example/", "/account/"),
        ("//evil.example/", "/account/"),
        ("javascript:alert(1)", "/account/"),
    ],
)
def test_after_signing_in_one_goes_on_but_only_within_the_shop(
    client: Client, wanted: str, leads_to: str
) -> None:
    answer = client.post("/account/sign-in/", {**SECRET, "next": wanted})
    assert answer["Location"] == leads_to


def test_signing_out_leaves_nothing_behind(client: Client) -> None:
    client.post("/account/sign-in/", SECRET)
    assert client.get("/account/sign-out/").status_code == 405
    client.post("/account/sign-out/")
    assert "api_access" not in client.session
    assert "李秀英" not in client.get("/account/").content.decode()


def test_a_form_without_its_token_is_refused() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/account/sign-in/", SECRET).status_code == 403
    assert strict.post("/basket/add/", {"variant": "x"}).status_code == 403
    assert strict.post("/i18n/set/", {"language": "en"}).status_code == 403


def test_a_new_account_is_opened_and_signed_in(client: Client) -> None:
    answer = client.post(
        "/account/register/",
        {"email": "zhang@buyer.example", "password": "a-long-enough-one", "consent": "on"},
    )
    assert answer.status_code == 302
    assert "zhang@buyer.example" in client.get("/account/").content.decode()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"password": "short"}, "密码至少要 8 位。"),
        ({"password": "password"}, "这个密码太容易猜到，请换一个。"),
        ({"consent": ""}, "请确认已阅读隐私政策。"),
        ({"email": "li@buyer.example"}, "这个邮箱不能用来注册。"),
        ({"email": "nobody"}, "请填写邮箱，例如"),
    ],
)
def test_what_is_wrong_with_a_new_account_stands_beside_its_field(
    client: Client, changes: dict[str, str], said: str
) -> None:
    form = {"email": "zhang@buyer.example", "password": "a-long-enough-one", "consent": "on"}
    answer = client.post("/account/register/", {**form, **changes})
    assert answer.status_code == 422
    assert said in answer.content.decode()
