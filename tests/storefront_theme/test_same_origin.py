"""Forms on kept pages have no token: what a browser says of where they come from must do, and does."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client
from graphene import Node

from storefront_theme.shop import basket
from tests import produce

pytestmark = pytest.mark.django_db

HERE = "http://testserver"


@pytest.fixture
def strict() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def fields() -> dict[str, str]:
    shed = produce.a_shed()
    pack = Node.to_global_id("ProductVariant", shed.variant.pk)
    return {"variant": pack, "quantity": "2", "next": "/p/wosun/"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin", "origin": HERE},
        # http without TLS on another name than localhost, and browsers of 2020.
        {"origin": HERE},
        {"origin": settings.PUBLIC_URL},
    ],
)
def test_a_form_of_our_own_page_goes_through(
    strict: Client, fields: dict[str, str], headers: dict[str, str]
) -> None:
    answer = strict.post("/basket/add/", fields, headers=headers)
    assert answer.status_code == 302
    assert answer["Location"] == "/p/wosun/"
    assert strict.session["basket"]["count"] == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"},
        {"sec-fetch-site": "same-site", "origin": "http://blog.testserver"},
        {"sec-fetch-site": "none"},
        # One that lies about one of the two is not believed in the other.
        {"sec-fetch-site": "cross-site", "origin": HERE},
        {"origin": "https://elsewhere.example"},
        {"origin": f"{HERE}.elsewhere.example"},
        {"origin": "https://testserver"},
        {"origin": "null"},
        {"origin": ""},
        {"referer": f"{HERE}/p/wosun/"},
        {},
    ],
)
def test_a_form_of_another_page_changes_nothing(
    strict: Client, fields: dict[str, str], headers: dict[str, str]
) -> None:
    answer = strict.post("/basket/add/", fields, headers=headers)
    assert answer.status_code == 403
    assert basket._BASKET not in strict.session


def test_a_browser_that_says_nothing_is_asked_once_more(strict: Client, fields: dict[str, str]) -> None:
    asked = strict.post("/basket/add/", fields)
    page = asked.content.decode().partition("</main>")[0]
    assert "请再点一次" in page
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert again.pop("csrfmiddlewaretoken")
    assert again == fields
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    answer = strict.post("/basket/add/", {**again, "csrfmiddlewaretoken": token})
    assert answer["Location"] == "/p/wosun/"
    assert strict.session["basket"]["count"] == 2


def test_a_page_of_ours_whose_token_is_too_old_loses_nothing_that_was_typed(
    strict: Client, fields: dict[str, str]
) -> None:
    ours = {"sec-fetch-site": "same-origin"}
    strict.post("/basket/add/", fields, headers=ours)
    change = {"variant": fields["variant"], "quantity": "5", "csrfmiddlewaretoken": "old"}
    asked = strict.post("/basket/put/", change, headers=ours)
    page = asked.content.decode().partition("</main>")[0]
    assert asked.status_code == 403 and "您填的还在" in page
    assert strict.session["basket"]["count"] == 2
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert (again["quantity"], again["variant"]) == ("5", fields["variant"])
    assert strict.post("/basket/put/", again, headers=ours).status_code == 302
    assert strict.session["basket"]["count"] == 5


def test_another_sites_form_for_a_page_of_ours_is_not_offered_again(
    strict: Client, fields: dict[str, str]
) -> None:
    answer = strict.post("/checkout/", {"street": "elsewhere"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403 and "elsewhere" not in answer.content.decode()


def test_another_site_is_not_asked_once_more(strict: Client, fields: dict[str, str]) -> None:
    page = strict.post("/basket/add/", fields, headers={"sec-fetch-site": "cross-site"}).content.decode()
    assert "csrfmiddlewaretoken" not in page
    assert "什么都没有改动" in page


def test_the_language_is_switched_by_our_own_pages_only(strict: Client) -> None:
    english = {"language": "en", "next": "/basket/"}
    assert strict.post("/i18n/set/", english, headers={"origin": HERE}).status_code == 302
    assert (
        strict.post("/i18n/set/", english, headers={"origin": "https://elsewhere.example"}).status_code == 403
    )


@pytest.mark.parametrize("path", ["/basket/put/", "/account/sign-in/", "/account/sign-out/"])
def test_forms_of_pages_that_nobody_shares_want_their_token_all_the_same(strict: Client, path: str) -> None:
    answer = strict.post(path, {"email": "x", "password": "p"}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 403
    # What was typed is not written into a page.
    assert 'value="p"' not in answer.content.decode()


def test_the_state_of_a_visitor_is_told_to_nobody_else(client: Client, fields: dict[str, str]) -> None:
    assert client.get("/me/state").json() == {"name": None, "count": 0}
    client.post("/basket/add/", fields)
    answer = client.get("/me/state")
    assert answer.json() == {"name": None, "count": 2}
    assert "no-store" in answer.headers["Cache-Control"]
    assert Client().get("/me/state").json() == {"name": None, "count": 0}
