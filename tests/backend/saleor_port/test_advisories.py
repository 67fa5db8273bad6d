"""Advisories of ADVISORIES.md that no other file here tries out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from graphene import Node

from backend.saleor_port import without
from tests import produce

pytestmark = pytest.mark.django_db


def ask(client: Client, query: str, *, token: str = "", **variables: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(
        "/graphql/",
        json.dumps({"query": query, "variables": variables}),
        content_type="application/json",
        headers={"Accept-Language": "en", **({"Authorization": f"JWT {token}"} if token else {})},
    ).json()
    return answer


def token_of(client: Client, email: str) -> str:
    answer = ask(
        client,
        "mutation($email: String!, $password: String!)"
        "{ tokenCreate(email: $email, password: $password) { token } }",
        email=email,
        password="secret-of-the-test",
    )
    return str(answer["data"]["tokenCreate"]["token"])


def test_an_account_given_for_a_menu_is_not_named_in_the_answer(client: Client) -> None:
    """CVE-2022-39275: the error used to say whose account it is."""
    li = produce.a_person(email="li@buyer.example", first_name="秀英", last_name="李")
    zhao = produce.a_person(email="zhao@town.example", is_staff=True)
    zhao.user_permissions.set(Permission.objects.filter(codename__in=["manage_menus", "manage_settings"]))

    answer = ask(
        client,
        "mutation($menu: ID!) { assignNavigation(menu: $menu, navigationType: MAIN) { menu { name } } }",
        token=token_of(client, zhao.email),
        menu=Node.to_global_id("User", li.pk),
    )

    assert answer["errors"]
    assert not any(word in json.dumps(answer, ensure_ascii=False) for word in ("li@buyer", "秀英", "User:"))


def test_asking_for_another_address_tells_nothing(client: Client) -> None:
    """CVE-2026-39851."""
    produce.a_person(email="li@buyer.example")
    produce.a_person(email="wang@baima.example")
    token = token_of(client, "li@buyer.example")

    def change_to(address: str) -> dict[str, Any]:
        return ask(
            client,
            "mutation($new: String!) { requestEmailChange(password: "
            '"secret-of-the-test", newEmail: $new, redirectUrl: "http://localhost:8000/") '
            "{ user { email } errors { field message } } }",
            token=token,
            new=address,
        )

    with without("account_links"):
        assert change_to("wang@baima.example") != change_to("nobody@buyer.example")

    answer = change_to("nobody@buyer.example")
    assert answer["data"]["requestEmailChange"]["errors"] == []
    assert change_to("wang@baima.example") == answer
