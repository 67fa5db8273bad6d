"""Letters about an account and the pages that their links lead to: 李婶 confirms her address, and forgets her password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from saleor.account.models import User

from tests import produce

pytestmark = pytest.mark.django_db

EMAIL = "li@buyer.example"
PASSWORD = "secret-of-the-test"
NEW_PASSWORD = "another-secret-of-the-test"
REGISTRATION = {"email": EMAIL, "password": PASSWORD, "consent": "on"}


@pytest.fixture(autouse=True)
def letters_go_out() -> Iterator[None]:
    """Tasks run at once, and the mails are in mail.outbox."""
    from backend.config.celery import app

    before = app.conf.task_always_eager
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = before


@pytest.fixture
def confirmed_by_mail(settings: Any) -> None:
    settings.ENABLE_ACCOUNT_CONFIRMATION_BY_EMAIL = True


@pytest.fixture
def li() -> User:
    return produce.a_person(email=EMAIL, password=PASSWORD, first_name="秀英", last_name="李")


def link_in_the_letter(settings: Any) -> str:
    """The path and query of the link in the one letter that has gone out."""
    [letter] = mail.outbox
    mail.outbox.clear()
    assert letter.to == [EMAIL]
    found = re.search(r"http\S+", letter.body)
    assert found, letter.body
    assert found[0].startswith(f"{settings.PUBLIC_URL}/account/")
    return found[0].removeprefix(settings.PUBLIC_URL)


def form_of(page: str) -> dict[str, str]:
    """What the form of the page in <main> would send, without anything typed."""
    main = page.partition("<main")[2].partition("</main>")[0]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", main):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            fields[name[1]] = value[1]
    return fields


def text(answer: Any) -> str:
    return str(answer.content.decode())


def can_sign_in(password: str) -> bool:
    answer = Client().post("/account/sign-in/", {"email": EMAIL, "password": password})
    return answer.status_code == 302


# ---- Confirming an address ----


@pytest.mark.usefixtures("confirmed_by_mail")
def test_a_new_account_is_opened_by_the_link_in_the_letter(client: Client, settings: Any) -> None:
    answer = client.post("/account/register/", REGISTRATION, follow=True)
    assert answer.redirect_chain == [("/account/letter/", 302)]
    assert f"我们给 {EMAIL} 寄了一封邮件" in text(answer)
    assert not can_sign_in(PASSWORD)

    link = link_in_the_letter(settings)
    assert link.startswith("/account/confirm/?")
    page = text(client.get(link))
    answer = client.post("/account/confirm/", form_of(page), follow=True)

    assert answer.redirect_chain == [("/account/sign-in/", 302)]
    assert "邮箱已确认，请登录。" in text(answer)
    assert can_sign_in(PASSWORD)


@pytest.mark.usefixtures("confirmed_by_mail")
def test_a_mail_program_that_opens_the_link_first_uses_nothing_up(client: Client, settings: Any) -> None:
    client.post("/account/register/", REGISTRATION)
    link = link_in_the_letter(settings)

    for _visit in range(2):
        assert client.head(link).status_code == 200
        assert client.get(link).status_code == 200
    assert not User.objects.get(email=EMAIL).is_active

    client.post("/account/confirm/", form_of(text(client.get(link))))
    assert User.objects.get(email=EMAIL).is_active


@pytest.mark.usefixtures("confirmed_by_mail")
def test_a_confirming_link_that_is_used_says_what_to_do(client: Client, settings: Any) -> None:
    client.post("/account/register/", REGISTRATION)
    form = form_of(text(client.get(link_in_the_letter(settings))))
    client.post("/account/confirm/", form)

    answer = client.post("/account/confirm/", form)

    assert answer.status_code == 410
    assert "这个链接已失效" in text(answer)
    assert "如果之前已经确认过，不用担心，直接登录就好" in text(answer)
    assert 'href="/account/register/"' in text(answer)
    assert can_sign_in(PASSWORD)


@pytest.mark.usefixtures("confirmed_by_mail")
def test_a_known_address_is_registered_with_the_same_words(client: Client, li: User) -> None:
    known = text(client.post("/account/register/", REGISTRATION, follow=True))
    [told] = mail.outbox
    mail.outbox.clear()
    stranger = {**REGISTRATION, "email": "zhang@buyer.example"}
    new = text(Client().post("/account/register/", stranger, follow=True))

    assert "已经有账户" in told.subject
    assert main_of(known).replace(EMAIL, "…") == main_of(new).replace("zhang@buyer.example", "…")


@pytest.mark.parametrize("page", ["/account/confirm/", "/account/password/"])
@pytest.mark.parametrize("query", ["", "?email=li@buyer.example", "?token=abc", "?email=&token="])
def test_half_a_link_is_not_an_error_of_ours(client: Client, page: str, query: str) -> None:
    answer = client.get(page + query)
    assert answer.status_code == 410
    assert "这个链接已失效" in text(answer)


# ---- A forgotten password ----


def test_a_forgotten_password_is_replaced_and_its_owner_signed_in(
    client: Client, li: User, settings: Any
) -> None:
    assert '<a href="/account/forgot/">忘记密码？</a>' in text(client.get("/account/sign-in/"))
    client.post("/account/forgot/", {"email": EMAIL})
    link = link_in_the_letter(settings)
    assert link.startswith("/account/password/?")
    form = form_of(text(client.get(link)))
    assert form["email"] == EMAIL
    before = client.session.session_key

    answer = client.post("/account/password/", {**form, "password": NEW_PASSWORD}, follow=True)

    assert answer.redirect_chain == [("/account/", 302)]
    assert "新密码已设好，您已登录。" in text(answer)
    assert "李秀英" in text(answer)
    assert client.session.session_key != before
    assert (can_sign_in(PASSWORD), can_sign_in(NEW_PASSWORD)) == (False, True)


def test_asking_for_a_letter_says_the_same_to_everybody(client: Client, li: User) -> None:
    known = client.post("/account/forgot/", {"email": EMAIL}, follow=True)
    assert len(mail.outbox) == 1
    unknown = Client().post("/account/forgot/", {"email": "no@buyer.example"}, follow=True)
    assert len(mail.outbox) == 1

    assert known.redirect_chain == unknown.redirect_chain == [("/account/letter/", 302)]
    assert f"如果 {EMAIL} 在本店有账户" in text(known)
    assert main_of(text(known)).replace(EMAIL, "…") == main_of(text(unknown)).replace("no@buyer.example", "…")


def test_a_password_link_that_is_used_leads_to_a_new_letter(client: Client, li: User, settings: Any) -> None:
    client.post("/account/forgot/", {"email": EMAIL})
    form = form_of(text(client.get(link_in_the_letter(settings))))
    client.post("/account/password/", {**form, "password": NEW_PASSWORD})

    answer = Client().post("/account/password/", {**form, "password": "a-third-secret"})

    assert answer.status_code == 410
    assert 'href="/account/forgot/"' in text(answer)
    assert can_sign_in(NEW_PASSWORD)


@pytest.mark.parametrize(
    "password, said",
    [
        ("", "请设一个密码"),
        ("short", "密码至少要 8 位。"),
        ("password", "这个密码太容易猜到，请换一个。"),
    ],
)
def test_a_password_that_is_refused_leaves_the_link_good(
    client: Client, li: User, settings: Any, password: str, said: str
) -> None:
    client.post("/account/forgot/", {"email": EMAIL})
    form = form_of(text(client.get(link_in_the_letter(settings))))

    answer = client.post("/account/password/", {**form, "password": password})

    assert answer.status_code == 422
    assert f'<p class="wrong" id="id_password_error">{said}' in text(answer)
    kept = form_of(text(answer))
    assert (kept["email"], kept["token"]) == (form["email"], form["token"])
    assert "password" not in kept
    answer = client.post("/account/password/", {**kept, "password": NEW_PASSWORD})
    assert answer["Location"] == "/account/"


def test_a_password_that_only_the_api_refuses_is_said_beside_its_field(
    client: Client, li: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An API on another machine may ask for more than the theme does.
    monkeypatch.setattr("storefront_theme.shop.forms.validate_password", lambda password: None)
    client.post("/account/forgot/", {"email": EMAIL})
    form = form_of(text(client.get(link_in_the_letter(settings))))

    answer = client.post("/account/password/", {**form, "password": "password"})

    assert answer.status_code == 422
    assert '<p class="wrong" id="id_password_error">这个密码太容易猜到，请换一个。' in text(answer)
    assert can_sign_in(PASSWORD)


def test_a_mistyped_address_is_kept_and_said_beside_its_field(client: Client) -> None:
    answer = client.post("/account/forgot/", {"email": "nobody"})
    assert answer.status_code == 422
    assert '<p class="wrong" id="id_email_error">请填写邮箱，例如' in text(answer)
    assert 'value="nobody"' in text(answer)


def test_who_asks_for_too_many_letters_is_told_to_wait_and_keeps_the_address(
    client: Client, settings: Any
) -> None:
    settings.ATTEMPTS = {**settings.ATTEMPTS, "mail_to_account": (1, 60.0)}
    client.post("/account/forgot/", {"email": EMAIL})

    answer = client.post("/account/forgot/", {"email": EMAIL})

    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert f'value="{EMAIL}"' in text(answer)


def test_a_new_password_counts_although_too_many_others_were_tried(
    client: Client, li: User, settings: Any
) -> None:
    client.post("/account/forgot/", {"email": EMAIL})
    form = form_of(text(client.get(link_in_the_letter(settings))))
    settings.ATTEMPTS = {**settings.ATTEMPTS, "password_of_account": (1, 60.0)}
    assert not can_sign_in("guessed-it")

    answer = client.post("/account/password/", {**form, "password": NEW_PASSWORD}, follow=True)

    assert answer.redirect_chain == [("/account/sign-in/", 302)]
    assert "新密码已设好。" in text(answer)
    li.refresh_from_db()
    assert li.check_password(NEW_PASSWORD)


def test_the_pages_are_in_english_too(client: Client) -> None:
    client.cookies["django_language"] = "en"
    assert "Give the address of your account" in text(client.get("/account/forgot/"))
    assert "This link is no longer good" in text(client.get("/account/password/"))
    answer = client.post("/account/forgot/", {"email": EMAIL}, follow=True)
    assert f"If {EMAIL} has an account with us" in text(answer)


def test_the_page_about_a_letter_is_for_who_was_sent_one(client: Client) -> None:
    assert client.get("/account/letter/")["Location"] == "/account/"


def test_nothing_is_done_without_the_forms_own_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    for page in ("confirm", "forgot", "password"):
        assert strict.post(f"/account/{page}/", {"email": EMAIL, "token": "x"}).status_code == 403


def main_of(page: str) -> str:
    """What the page says, without the form's token."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", main)
