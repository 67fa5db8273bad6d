"""Tokens, links by mail, answers that tell nothing: each attack works on Saleor as it is, and here no more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone
from saleor.account.models import User
from saleor.order import OrderStatus
from saleor.order.models import Order

from backend.ordering import address_book
from backend.ordering.services import place_order
from backend.saleor_port import without
from backend.saleor_port.account_links import deletion_links
from tests import produce
from tests.backend.ordering.test_place_order import a_request

PASSWORD = "secret-of-the-test"
NEW_PASSWORD = "another-secret-of-the-test"
HERE = "http://localhost:8000/account/"
INVALID_LINK = [{"field": "token", "code": "INVALID"}]

SIGN_IN = """mutation($email: String!, $password: String!) {
  tokenCreate(email: $email, password: $password) { token refreshToken user { email } accountErrors { field code message } }
}"""
REFRESH = "mutation($token: String!) { tokenRefresh(token: $token) { token } }"
VERIFY = "mutation($token: String!) { tokenVerify(token: $token) { user { email } } }"
REGISTER = """mutation($email: String!, $password: String!) {
  accountRegister(input: {email: $email, password: $password, redirectUrl: "http://localhost:8000/account/"})
  { requiresConfirmation user { email } accountErrors { field code } }
}"""
RESET = """mutation($email: String!) {
  requestPasswordReset(email: $email, redirectUrl: "http://localhost:8000/account/") { accountErrors { field code } }
}"""
SET_PASSWORD = """mutation($email: String!, $password: String!, $token: String!) {
  setPassword(email: $email, password: $password, token: $token) { token refreshToken accountErrors { field code } }
}"""
CONFIRM = """mutation($email: String!, $token: String!) {
  confirmAccount(email: $email, token: $token) { user { email } accountErrors { field code } }
}"""
REQUEST_DELETION = """mutation {
  accountRequestDeletion(redirectUrl: "http://localhost:8000/account/") { accountErrors { field code } }
}"""
DELETE = "mutation($token: String!) { accountDelete(token: $token) { accountErrors { field code } } }"
REQUEST_CHANGE = """mutation($email: String!, $password: String!) {
  requestEmailChange(newEmail: $email, password: $password, redirectUrl: "http://localhost:8000/account/")
  { accountErrors { field code } }
}"""
CONFIRM_CHANGE = """mutation($token: String!) {
  confirmEmailChange(token: $token) { user { email } accountErrors { field code } }
}"""
CHANGE_PASSWORD = """mutation($old: String!, $new: String!) {
  passwordChange(oldPassword: $old, newPassword: $new) { accountErrors { field code } }
}"""
ME = "{ me { email } }"


def post(document: str, *, jwt: str = "", **variables: Any) -> Any:
    """As any client on the network; the data of the one root field, or the code of the error."""
    headers = {"Authorization": f"JWT {jwt}"} if jwt else {}
    answer = (
        Client()
        .post(
            "/graphql/",
            data=json.dumps({"query": document, "variables": variables}),
            content_type="application/json",
            headers=headers,
        )
        .json()
    )
    if answer.get("errors"):
        return answer["errors"][0]["extensions"]["exception"]["code"]
    [data] = answer["data"].values()
    return data


@pytest.fixture
def li(db: None) -> User:
    return User.objects.create_user("li@buyer.example", PASSWORD, first_name="婶", last_name="李")


@pytest.fixture
def wang(db: None) -> User:
    return User.objects.create_user("wang@baima.example", PASSWORD)


@pytest.fixture
def mails() -> Iterator[Callable[[], str]]:
    """Tasks run at once; gives the token in the one mail that was sent since it was last asked."""
    from backend.config.celery import app

    before = app.conf.task_always_eager
    app.conf.task_always_eager = True

    def token() -> str:
        [message] = mail.outbox
        mail.outbox.clear()
        link = re.search(r"http://\S+", message.body)
        assert link, message.body
        [found] = parse_qs(urlsplit(link[0]).query)["token"]
        return found

    yield token
    app.conf.task_always_eager = before


@pytest.fixture
def confirmed_by_mail(settings: Any) -> None:
    settings.ENABLE_ACCOUNT_CONFIRMATION_BY_EMAIL = True


def sign_in(user: User, password: str = PASSWORD) -> Any:
    return post(SIGN_IN, email=user.email, password=password)


# ---- Tokens ----


def test_a_token_dies_with_the_password_it_was_given_for(li: User) -> None:
    stolen = sign_in(li)
    answer = post(CHANGE_PASSWORD, jwt=sign_in(li)["token"], old=PASSWORD, new=NEW_PASSWORD)
    assert answer == {"accountErrors": []}

    with without("token_lifetime"):
        assert post(ME, jwt=stolen["token"]) == {"email": li.email}

    assert post(ME, jwt=stolen["token"]) == "JSONWebTokenError"
    assert post(REFRESH, token=stolen["token"]) == "JSONWebTokenError"
    assert post(REFRESH, token=stolen["refreshToken"]) == "JSONWebTokenError"
    assert post(VERIFY, token=stolen["token"]) is None


def test_a_token_dies_with_the_account(li: User) -> None:
    tokens = sign_in(li)
    li.is_active = False
    li.save()

    assert post(ME, jwt=tokens["token"]) == "JSONWebTokenError"
    assert post(REFRESH, token=tokens["refreshToken"]) == "JSONWebTokenError"
    assert post(VERIFY, token=tokens["token"]) is None


def test_a_token_does_not_open_the_account_that_has_its_address_now(li: User) -> None:
    token = sign_in(li)["token"]
    hashed = User.objects.get(pk=li.pk).password
    li.delete()
    # Even with the same hash: the token was another person's.
    User.objects.create(email=li.email, password=hashed)

    with without("token_lifetime"):
        assert post(ME, jwt=token) == {"email": li.email}
    assert post(ME, jwt=token) == "JSONWebTokenError"


def test_a_token_opens_the_api_for_half_an_hour_and_is_refreshed_for_two_weeks(li: User) -> None:
    with time_machine.travel("2026-11-20T08:00:00+08:00", tick=False) as clock:
        tokens = sign_in(li)
        clock.shift(timedelta(minutes=29))
        assert post(ME, jwt=tokens["token"]) == {"email": li.email}
        clock.shift(timedelta(minutes=2))
        assert post(ME, jwt=tokens["token"]) == "JSONWebTokenExpired"
        assert post(REFRESH, token=tokens["token"]) == "JSONWebTokenExpired"

        clock.shift(timedelta(days=13))
        renewed = post(REFRESH, token=tokens["refreshToken"])["token"]
        assert post(ME, jwt=renewed) == {"email": li.email}

        clock.shift(timedelta(minutes=20))
        again = post(REFRESH, token=renewed)["token"]
        assert post(ME, jwt=again) == {"email": li.email}

        clock.shift(timedelta(days=1))
        assert post(REFRESH, token=tokens["refreshToken"]) == "JSONWebTokenExpired"


def test_refreshing_does_not_go_on_for_ever(li: User) -> None:
    with time_machine.travel("2026-11-20T08:00:00+08:00", tick=False) as clock:
        tokens = sign_in(li)
        clock.shift(timedelta(days=13, hours=23, minutes=50))
        last = post(REFRESH, token=tokens["refreshToken"])["token"]
        clock.shift(timedelta(minutes=20))

        assert post(ME, jwt=last) == {"email": li.email}
        assert post(REFRESH, token=last) == "JSONWebTokenError"


def test_a_refresh_token_opens_nothing_itself(li: User) -> None:
    refresh_token = sign_in(li)["refreshToken"]

    assert post(ME, jwt=refresh_token) == "JSONWebTokenError"
    assert post(VERIFY, token=refresh_token) is None


def test_no_cookie_is_a_credential_and_none_is_set(li: User) -> None:
    token = sign_in(li)["token"]
    client = Client()
    for name in ("JWT", "JWT-refresh-token", "None", "token"):
        client.cookies[name] = token

    answer = client.post("/graphql/", {"query": ME}, content_type="application/json")
    assert answer.json() == {"data": {"me": None}}

    signing_in = {"query": SIGN_IN, "variables": {"email": li.email, "password": PASSWORD}}
    answer = Client().post("/graphql/", signing_in, content_type="application/json")
    assert answer.json()["data"]["tokenCreate"]["token"]
    assert not answer.cookies


def test_a_token_of_the_api_does_not_open_the_admin(li: User) -> None:
    User.objects.filter(pk=li.pk).update(is_staff=True, is_superuser=True)
    token = sign_in(li)["token"]
    client = Client(headers={"Authorization": f"JWT {token}"})

    answer = client.post("/admin/login/", {"username": li.email, "password": "guessed"})

    assert answer.status_code == 200
    assert client.get("/admin/").status_code == 302


# ---- Links by mail ----


def test_a_deactivated_user_does_not_let_himself_in_again(li: User, mails: Callable[[], str]) -> None:
    from saleor.account import emails

    li.is_active = False
    li.save()
    with without("account_links"):
        # Sent before the account was shut.
        emails.send_user_password_reset_email_with_url(HERE, li)
        answer = post(CONFIRM, email=li.email, token=mails())
        assert answer["user"] == {"email": li.email}
    User.objects.filter(pk=li.pk).update(is_active=False)
    li.refresh_from_db()

    emails.send_user_password_reset_email_with_url(HERE, li)
    link = mails()
    assert post(CONFIRM, email=li.email, token=link)["accountErrors"] == INVALID_LINK
    answer = post(SET_PASSWORD, email=li.email, password=NEW_PASSWORD, token=link)
    assert (answer["token"], answer["accountErrors"]) == (None, INVALID_LINK)
    # And no other is sent.
    assert post(RESET, email=li.email) == {"accountErrors": []}
    assert mail.outbox == []
    li.refresh_from_db()
    assert (li.is_active, li.check_password(PASSWORD)) == (False, True)


@pytest.mark.usefixtures("confirmed_by_mail", "db")
def test_a_confirmed_account_that_was_shut_is_not_confirmed_once_more(mails: Callable[[], str]) -> None:
    email = "zhang@buyer.example"
    post(REGISTER, email=email, password=PASSWORD)
    link = mails()
    user = User.objects.get(email=email)
    assert not user.is_active

    assert post(CONFIRM, email=email, token=link)["user"] == {"email": email}
    assert sign_in(user)["token"]

    # As it was before he signed in for the first time: the link would be good again.
    User.objects.filter(pk=user.pk).update(is_active=False, last_login=None)
    assert post(CONFIRM, email=email, token=link)["accountErrors"] == INVALID_LINK


STRANGE_LINKS = (
    "http://shop.example/account/",
    "https://shop.example:8443/account/",
    "https://shop.example:99999/account/",
    "javascript://shop.example/%0aalert(1)",
    "https://shop.example@elsewhere.example/",
    "https://elsewhere.example/",
    "//shop.example/account/",
)


@pytest.mark.parametrize("link", STRANGE_LINKS)
def test_a_letter_leads_to_a_page_of_the_shop_and_by_tls(link: str, li: User, settings: Any) -> None:
    settings.ALLOWED_CLIENT_HOSTS = ["shop.example"]
    settings.PUBLIC_URL = "https://shop.example"
    settings.ENABLE_SSL = True
    ask_for = RESET.replace("http://localhost:8000/account/", link)

    refused = post(ask_for, email=li.email)["accountErrors"]

    assert [error["field"] for error in refused] == ["redirectUrl"]


def test_saleor_sends_the_link_for_a_new_password_wherever_on_the_host_it_is_told(
    li: User, settings: Any, mails: Callable[[], str]
) -> None:
    settings.ALLOWED_CLIENT_HOSTS = ["shop.example"]
    settings.PUBLIC_URL = "https://shop.example"
    settings.ENABLE_SSL = True

    with without("letter_links"):
        post(RESET.replace("http://localhost:8000/account/", STRANGE_LINKS[0]), email=li.email)
    assert "http://shop.example/account/?" in str(mail.outbox[0].body)
    mails()
    assert post(
        RESET.replace("http://localhost:8000/account/", "https://shop.example/account/"), email=li.email
    ) == {"accountErrors": []}


@pytest.mark.usefixtures("confirmed_by_mail", "db")
def test_who_registers_another_persons_address_does_not_get_his_orders(mails: Callable[[], str]) -> None:
    """CVE-2026-44472: the owner opens the link that a stranger had sent to him; the password is the stranger's."""
    email = "zhang@buyer.example"
    Order.objects.create(user_email=email, shipping_address=None)
    orders = "{ me { orders(first: 1) { totalCount } } }"

    def stranger_sees() -> Any:
        post(REGISTER, email=email, password=PASSWORD)
        assert post(CONFIRM, email=email, token=mails())["user"] == {"email": email}
        return post(orders, jwt=post(SIGN_IN, email=email, password=PASSWORD)["token"])["orders"][
            "totalCount"
        ]

    with without("account_links"):
        assert stranger_sees() == 1
    Order.objects.update(user=None)
    User.objects.filter(email=email).delete()

    assert stranger_sees() == 0


def test_a_link_opens_only_what_it_was_sent_for(li: User, mails: Callable[[], str]) -> None:
    jwt = sign_in(li)["token"]
    post(RESET, email=li.email)
    for_a_password = mails()
    post(REQUEST_DELETION, jwt=jwt)
    for_deletion = mails()

    assert post(DELETE, jwt=jwt, token=for_a_password)["accountErrors"] == INVALID_LINK
    answer = post(SET_PASSWORD, email=li.email, password=NEW_PASSWORD, token=for_deletion)
    assert answer["accountErrors"] == INVALID_LINK
    assert post(DELETE, jwt=jwt, token=for_deletion)["accountErrors"] == []
    assert not User.objects.filter(pk=li.pk).exists()


def test_a_new_password_is_set_once_with_the_link_in_the_mail(li: User, mails: Callable[[], str]) -> None:
    assert post(RESET, email=li.email) == {"accountErrors": []}
    link = mails()

    answer = post(SET_PASSWORD, email=li.email, password=NEW_PASSWORD, token=link)
    assert (bool(answer["token"]), bool(answer["refreshToken"]), answer["accountErrors"]) == (True, True, [])
    answer = post(SET_PASSWORD, email=li.email, password=PASSWORD, token=link)
    assert (answer["token"], answer["refreshToken"], answer["accountErrors"]) == (None, None, INVALID_LINK)


def test_nobody_takes_an_address_with_another_ones_link(
    li: User, wang: User, mails: Callable[[], str]
) -> None:
    jwt_of_li, jwt_of_wang = sign_in(li)["token"], sign_in(wang)["token"]
    answer = post(REQUEST_CHANGE, jwt=jwt_of_li, email="new@buyer.example", password=PASSWORD)
    assert answer == {"accountErrors": []}
    link = mails()

    with without("account_links"):
        stolen = post(CONFIRM_CHANGE, jwt=jwt_of_wang, token=link)
        assert stolen["user"] == {"email": "new@buyer.example"}
    User.objects.filter(pk=wang.pk).update(email=wang.email)

    assert post(CONFIRM_CHANGE, jwt=jwt_of_wang, token=link)["accountErrors"] == INVALID_LINK
    assert post(CONFIRM_CHANGE, jwt=jwt_of_li, token=link)["user"] == {"email": "new@buyer.example"}


def test_a_token_of_the_api_is_no_link_for_another_address(li: User) -> None:
    jwt = sign_in(li)["token"]
    assert post(CONFIRM_CHANGE, jwt=jwt, token=jwt)["accountErrors"] == INVALID_LINK


# ---- Who has an account here ----


def test_asking_for_a_new_password_tells_nothing(li: User, mails: Callable[[], str]) -> None:
    with without("account_enumeration"):
        assert post(RESET, email="nobody@buyer.example")["accountErrors"] != []

    assert post(RESET, email="nobody@buyer.example") == {"accountErrors": []}
    assert mail.outbox == []
    assert post(RESET, email=li.email) == {"accountErrors": []}
    assert mails()


def test_setting_a_password_and_confirming_tell_nothing(li: User) -> None:
    with without("account_enumeration"):
        answer = post(SET_PASSWORD, email="nobody@buyer.example", password=NEW_PASSWORD, token="guessed")
        assert answer["accountErrors"] == [{"field": "email", "code": "NOT_FOUND"}]
    with without("account_links"):
        answer = post(CONFIRM, email="nobody@buyer.example", token="guessed")
        assert answer["accountErrors"] == [{"field": "email", "code": "NOT_FOUND"}]

    for email in (li.email, "nobody@buyer.example"):
        answer = post(SET_PASSWORD, email=email, password=NEW_PASSWORD, token="guessed")
        assert answer["accountErrors"] == INVALID_LINK
        assert post(CONFIRM, email=email, token="guessed")["accountErrors"] == INVALID_LINK


@pytest.mark.usefixtures("confirmed_by_mail")
def test_registering_tells_nothing_and_the_owner_is_told_by_mail(li: User, mails: Callable[[], str]) -> None:
    with without("account_enumeration"):
        answer = post(REGISTER, email=li.email, password=NEW_PASSWORD)
        assert answer["accountErrors"] == [{"field": "email", "code": "UNIQUE"}]

    as_new = post(REGISTER, email="zhang@buyer.example", password=NEW_PASSWORD)
    first_link = mails()
    as_known = post(REGISTER, email=li.email, password=NEW_PASSWORD)
    [told] = mail.outbox
    mail.outbox.clear()
    assert as_new == as_known == {"requiresConfirmation": True, "user": None, "accountErrors": []}
    assert (told.to, "已经有账户" in told.subject) == ([li.email], True)
    li.refresh_from_db()
    assert li.check_password(PASSWORD)

    # Registered again before it was confirmed: the latest link and the latest password count.
    assert post(REGISTER, email="zhang@buyer.example", password=PASSWORD) == as_new
    latest_link = mails()
    assert post(CONFIRM, email="zhang@buyer.example", token=first_link)["accountErrors"] == INVALID_LINK
    assert post(CONFIRM, email="zhang@buyer.example", token=latest_link)["accountErrors"] == []
    assert post(SIGN_IN, email="zhang@buyer.example", password=PASSWORD)["token"]


@pytest.mark.django_db
def test_a_password_that_is_easy_to_guess_is_refused_where_nothing_is_confirmed_either() -> None:
    with without("account_enumeration"):
        assert post(REGISTER, email="zhang@buyer.example", password="123")["accountErrors"] == []
    answer = post(REGISTER, email="zhao@buyer.example", password="123")
    assert {error["field"] for error in answer["accountErrors"]} == {"password"}


def test_a_sign_in_that_fails_tells_nothing_and_hashes_once_either_way(
    li: User, wang: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    wang.is_active = False
    wang.save()
    hashed: list[str] = []
    plain = MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        result: str = plain(self, password, salt)
        return result

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    answers = []
    for email in (li.email, wang.email, "nobody@buyer.example"):
        answers.append(post(SIGN_IN, email=email, password="guessed"))
        assert hashed == ["guessed"]
        hashed.clear()

    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["accountErrors"][0]["code"] == "INVALID_CREDENTIALS"


# ---- Permissions and groups ----


def test_groups_of_another_person_are_not_shown(li: User, wang: User) -> None:
    from types import SimpleNamespace

    import graphene
    from django.contrib.auth.models import Group
    from graphql_jwt.exceptions import PermissionDenied
    from saleor.graphql.account.types import User as UserType
    from saleor.graphql.account.types import UserPermission

    wang.groups.add(Group.objects.create(name="Bookkeepers"))
    seen_by_li = SimpleNamespace(context=SimpleNamespace(user=li, app=None))
    seen_by_wang = SimpleNamespace(context=SimpleNamespace(user=wang, app=None))

    with without("private_permissions"):
        assert [group.name for group in UserType.resolve_permission_groups(wang, seen_by_li)] == [
            "Bookkeepers"
        ]

    with pytest.raises(PermissionDenied):
        UserType.resolve_permission_groups(wang, seen_by_li)
    with pytest.raises(PermissionDenied):
        UserPermission.resolve_source_permission_groups(
            SimpleNamespace(name="x"), seen_by_li, user_id=graphene.Node.to_global_id("User", wang.pk)
        )
    assert [group.name for group in UserType.resolve_permission_groups(wang, seen_by_wang)] == ["Bookkeepers"]


# ---- Closing, and the address book ----


ADD_ADDRESS = """mutation($input: AddressInput!) {
  accountAddressCreate(input: $input) { address { id } accountErrors { field message } }
}"""


def test_saleor_deletes_an_account_whose_order_is_on_its_way_and_the_shop_does_not(li: User) -> None:
    shed = produce.a_shed()
    basket = produce.a_basket({shed.variant: 1}, user=li)
    order = place_order(request=a_request(shed, basket=basket), user=li, now=timezone.now())
    jwt = sign_in(li)["token"]

    def delete() -> Any:
        return post(DELETE, jwt=jwt, token=deletion_links.make_token(User.objects.get(pk=li.pk)))[
            "accountErrors"
        ]

    assert delete() == [{"field": None, "code": "INVALID"}]
    with without("one_way_to_close"), transaction.atomic():
        assert delete() == []
        assert Order.objects.get().user_email == li.email
        transaction.set_rollback(True)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.FULFILLED)
    assert delete() == []
    assert (Order.objects.get().user_email, Order.objects.get().user) == ("", None)


def test_saleor_keeps_addresses_without_end_and_the_shop_does_not(
    li: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_book, "MOST_ADDRESSES", 1)
    jwt = sign_in(li)["token"]

    def add() -> Any:
        given = {
            "countryArea": "四川省",
            "city": "绵阳市",
            "cityArea": "游仙区",
            "streetAddress1": "白马路 1 号",
        }
        more = {"firstName": "秀英", "country": "CN", "postalCode": "621000", "phone": "+8613800138000"}
        return post(ADD_ADDRESS, jwt=jwt, input=given | more)["accountErrors"]

    assert add() == []
    [refused] = add()
    assert refused["field"] is None and "1" in refused["message"]
    with without("bounded_address_book"):
        assert add() == []
    assert li.addresses.count() == 2
