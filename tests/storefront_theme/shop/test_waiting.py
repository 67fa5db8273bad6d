"""到货通知 on the product page: the same answer to everybody, one tap for who has signed in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import graphene
import pytest
from django.test import Client

from backend.catalogue.models import Wait
from tests import produce

pytestmark = pytest.mark.django_db

SAME = {"HTTP_SEC_FETCH_SITE": "same-origin"}
LI = "li@buyer.example"


@pytest.fixture
def shed() -> produce.Shed:
    return produce.a_shed(on_hand=0)


def variant_of(shed: produce.Shed) -> str:
    return str(graphene.Node.to_global_id("ProductVariant", shed.variant.pk))


def text(answer: Any) -> str:
    return str(answer.content.decode())


def ask_for(client: Client, shed: produce.Shed, **given: Any) -> Any:
    return client.post(
        "/waiting/", {"variant": variant_of(shed), "next": "/p/wosun/", **given}, follow=True, **SAME
    )


def test_only_what_is_sold_out_is_offered_to_wait_for(client: Client, shed: produce.Shed) -> None:
    page = text(client.get("/p/wosun/"))
    assert "到货通知我" in page and 'name="email"' in page
    shed.variant.stocks.update(quantity=3)
    assert "到货通知我" not in text(client.get("/p/wosun/"))


def test_of_several_packs_those_that_are_out_are_offered(client: Client) -> None:
    produce.a_shed(on_hand=2_000, packs={500: "4.00", 1000: "7.00", 5000: "30.00", 9000: "50.00"})
    page = text(client.get("/p/wosun/"))
    offered = page.partition('<select id="wait-pack"')[2].partition("</select>")[0]
    assert [pack for pack in ("500 g", "1000 g", "5000 g", "9000 g") if f">{pack}<" in offered] == [
        "5000 g",
        "9000 g",
    ]


def test_an_address_is_answered_alike_whether_it_waits_already_or_not(
    client: Client, shed: produce.Shed
) -> None:
    first = ask_for(client, shed, email=LI)
    second = ask_for(Client(), shed, email=LI)
    for answer in (first, second):
        assert answer.redirect_chain == [("/p/wosun/", 302)]
        assert "30 天内有货时，我们给您寄一封邮件。" in text(answer)
        assert LI not in text(answer)
    assert Wait.objects.get().user is None


def test_who_has_signed_in_types_nothing_and_finds_it_in_the_account(
    client: Client, shed: produce.Shed
) -> None:
    li = produce.a_person(email=LI)
    client.post("/account/sign-in/", {"email": LI, "password": "secret-of-the-test"})
    page = text(client.get("/p/wosun/"))
    assert 'id="wait-email"' not in page and LI in page
    # Whatever else is sent: the letter goes to the account's own address.
    ask_for(client, shed, email="wang@buyer.example")
    wait = Wait.objects.get()
    assert (wait.user, wait.email) == (li, LI)
    assert "莴笋" in text(client.get("/account/"))
    client.post("/waiting/stop/", {"wait": wait.pk})
    assert not Wait.objects.exists()


def test_a_wrong_address_is_asked_for_once_more_and_the_script_is_told(
    client: Client, shed: produce.Shed
) -> None:
    answer = ask_for(client, shed, email="nobody")
    assert answer.status_code == 422
    assert 'id="id_email_error"' in text(answer) and 'value="nobody"' in text(answer)
    told = client.post(
        "/waiting/", {"variant": variant_of(shed), "email": LI}, HTTP_ACCEPT="application/json", **SAME
    )
    assert told.json() == {"message": "30 天内有货时，我们给您寄一封邮件。"}
    assert not Wait.objects.filter(email="nobody").exists()


def test_another_sites_form_puts_nobody_on_the_list(shed: produce.Shed) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(
        "/waiting/", {"variant": variant_of(shed), "email": LI}, HTTP_SEC_FETCH_SITE="cross-site"
    )
    assert answer.status_code == 403
    assert not Wait.objects.exists()


def test_who_asks_without_end_is_stopped_and_told(client: Client, shed: produce.Shed, settings: Any) -> None:
    settings.ATTEMPTS = {**settings.ATTEMPTS, "wait_from_address": (2, 60)}
    for number in range(2):
        ask_for(client, shed, email=f"{number}@x.example")
    assert "尝试次数太多" in text(ask_for(client, shed, email="2@x.example"))
    assert Wait.objects.count() == 2


def test_the_letters_link_shows_a_button_and_the_button_ends_it(shed: produce.Shed) -> None:
    ask_for(Client(), shed, email=LI)
    link = f"/waiting/{Wait.objects.get().token}/"
    strict = Client(enforce_csrf_checks=True)
    assert "确认取消通知" in text(strict.get(link))
    assert Wait.objects.exists()
    # As a mail program does, without a cookie or a token of Django's.
    assert "不再等任何到货通知" in text(strict.post(link, {"List-Unsubscribe": "One-Click"}))
    assert not Wait.objects.exists()
    other = f"/waiting/{uuid4()}/"
    assert text(strict.post(other)) == text(strict.post(link)).replace(link, other)
