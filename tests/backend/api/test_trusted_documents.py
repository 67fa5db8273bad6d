"""In production, who has not signed in may run the shop's own documents only."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from saleor.app.models import App

from backend.api import trusted_documents as trusted_documents_module
from backend.api.trusted_documents import sha256_of, trusted_documents
from backend.config.environment import REPOSITORY, Environment, EnvironmentUnreadable
from storefront_theme import client as theme
from tests import produce
from tests.backend.api.conftest import Ask

pytestmark = pytest.mark.django_db

OTHER = "{ shop { name } }"
VILLAGES = next(each for each in trusted_documents().values() if each.name == "Villages")
LANGUAGE = {"language": "EN"}


@pytest.fixture(autouse=True)
def in_production(settings: Any) -> None:
    settings.TRUSTED_DOCUMENTS_ONLY = True


def post(client: Client, body: Any, *, authorization: str = "") -> tuple[int, Any]:
    headers = {"Authorization": authorization} if authorization else {}
    response = client.post("/graphql/", data=body, content_type="application/json", headers=headers)
    return response.status_code, response.json()


def code(answer: Any) -> str:
    return str(answer["errors"][0]["extensions"]["exception"]["code"])


@pytest.mark.parametrize(
    "body",
    [
        {"id": VILLAGES.sha256, "variables": LANGUAGE},
        {
            "extensions": {"persistedQuery": {"version": 1, "sha256Hash": VILLAGES.sha256}},
            "variables": LANGUAGE,
        },
        {"query": VILLAGES.text, "operationName": "Villages", "variables": LANGUAGE},
    ],
    ids=["id", "Apollo", "text"],
)
def test_anybody_runs_a_trusted_document(client: Client, body: Any) -> None:
    produce.a_cooperative()
    status, answer = post(client, body)
    assert (status, "errors" in answer) == (200, False), answer
    assert [village["slug"] for village in answer["data"]["villages"]] == ["baima"]


def test_nobody_runs_another_without_signing_in(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        status, answer = post(client, {"query": OTHER})
    assert (status, code(answer)) == (403, "DOCUMENT_NOT_TRUSTED")
    assert "data" not in answer


def test_one_other_spoils_the_batch(client: Client) -> None:
    status, answer = post(client, [{"id": VILLAGES.sha256, "variables": LANGUAGE}, {"query": OTHER}])
    assert (status, code(answer)) == (403, "DOCUMENT_NOT_TRUSTED")


def test_a_trusted_hash_does_not_cover_another_text(client: Client) -> None:
    status, answer = post(client, {"id": VILLAGES.sha256, "query": OTHER})
    assert (status, code(answer)) == (403, "DOCUMENT_NOT_TRUSTED")


@pytest.mark.parametrize("asked_for", ["0" * 64, "Villages", ["x"], {"a": 1}, 7])
def test_an_unknown_document_is_called_so(client: Client, asked_for: Any) -> None:
    status, answer = post(client, {"id": asked_for})
    assert (status, code(answer)) == (400, "PERSISTED_QUERY_NOT_FOUND")


def test_a_signed_in_buyer_runs_others(client: Client, settings: Any, sign_in: Callable[..., str]) -> None:
    settings.TRUSTED_DOCUMENTS_ONLY = False
    produce.a_person(email="li@buyer.example")
    token = sign_in("li@buyer.example")
    settings.TRUSTED_DOCUMENTS_ONLY = True
    status, answer = post(client, {"query": "{ me { email } }"}, authorization=f"JWT {token}")
    assert (status, answer) == (200, {"data": {"me": {"email": "li@buyer.example"}}})


def test_an_app_runs_others_and_a_made_up_token_does_not(client: Client) -> None:
    app = App.objects.create(name="till", is_active=True)
    token = app.tokens.create(name="").auth_token
    assert post(client, {"query": OTHER}, authorization=f"Bearer {token}")[0] == 200
    assert post(client, {"query": OTHER}, authorization="Bearer made-up")[0] == 403


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", ""])
def test_a_broken_token_signs_nobody_in(client: Client, token: str) -> None:
    status, answer = post(client, {"query": OTHER}, authorization=f"JWT {token}")
    assert status in (401, 403)
    assert "data" not in answer


def test_the_page_length_of_a_trusted_document_is_held_to_the_limits(client: Client) -> None:
    search = next(each for each in trusted_documents().values() if each.name == "Search")
    status, answer = post(
        client, {"id": search.sha256, "variables": {**LANGUAGE, "search": "x", "first": 100_000}}
    )
    assert (status, code(answer)) == (400, "TOO_MUCH_COST")


def test_one_signs_in_by_the_trusted_document(client: Client) -> None:
    produce.a_person(email="li@buyer.example")
    sign_in = next(each for each in trusted_documents().values() if each.name == "SignIn")
    status, answer = post(
        client,
        {"id": sign_in.sha256, "variables": {"email": "li@buyer.example", "password": "secret-of-the-test"}},
    )
    assert status == 200
    assert answer["data"]["tokenCreate"]["token"]


def test_the_demo_is_open(ask: Ask, settings: Any) -> None:
    settings.TRUSTED_DOCUMENTS_ONLY = False
    assert "errors" not in ask(OTHER)


def test_the_command_lists_and_hashes_them() -> None:
    listed, as_json = StringIO(), StringIO()
    call_command("list_documents", stdout=listed)
    call_command("list_documents", "--json", stdout=as_json)
    lines = dict(reversed(line.split("  ")) for line in listed.getvalue().splitlines())
    texts = json.loads(as_json.getvalue())
    assert lines["Villages"] == hashlib.sha256(VILLAGES.text.encode()).hexdigest()
    assert len(lines) == len(texts) == len(trusted_documents()) > 30
    assert texts[lines["Villages"]] == VILLAGES.text


@pytest.mark.parametrize(
    "mode, only", [({}, "True"), ({"DEMO": "true"}, "False"), ({"DEBUG": "true"}, "False")]
)
def test_production_is_closed_unless_it_is_opened(mode: dict[str, str], only: str) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in ("DEMO", "DEBUG")}
    environ |= {"SECRET_KEY": "k" * 50, "PUBLIC_URL": "https://shop.example", **mode}
    program = "from django.conf import settings; print(settings.TRUSTED_DOCUMENTS_ONLY)"
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**environ, "DJANGO_SETTINGS_MODULE": "backend.config.settings"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == only


def test_what_the_theme_sends_over_http_is_trusted() -> None:
    names = {each.name for each in trusted_documents().values()}
    assert {sha256_of(theme.document(name)) for name in names} == set(trusted_documents())


MINE = "query Mine { villages { slug } }\n"


@pytest.fixture
def an_operator_s_own(tmp_path: Path, settings: Any) -> Path:
    """As TRUSTED_DOCUMENTS_DIR adds it."""
    (tmp_path / "Mine.graphql").write_text(MINE, encoding="utf-8")
    settings.TRUSTED_DOCUMENTS = (*settings.TRUSTED_DOCUMENTS, tmp_path)
    return tmp_path


def test_an_operator_s_documents_are_trusted_beside_the_theme_s(
    client: Client, an_operator_s_own: Path
) -> None:
    assert post(client, {"id": sha256_of(MINE)}) == (200, {"data": {"villages": []}})
    assert post(client, {"id": VILLAGES.sha256, "variables": LANGUAGE})[0] == 200
    assert code(post(client, {"query": OTHER})[1]) == "DOCUMENT_NOT_TRUSTED"


def test_the_operator_s_directory_is_named_by_the_environment(tmp_path: Path) -> None:
    plain = {"DEMO": "true", "VAR_DIR": str(tmp_path)}
    assert Environment.read(plain).trusted_documents_dir is None
    named = Environment.read({**plain, "TRUSTED_DOCUMENTS_DIR": str(tmp_path)})
    assert named.trusted_documents_dir == tmp_path
    for wrong in ("documents", str(tmp_path / "gone")):
        with pytest.raises(EnvironmentUnreadable, match="TRUSTED_DOCUMENTS_DIR"):
            Environment.read({**plain, "TRUSTED_DOCUMENTS_DIR": wrong})


def test_a_document_that_would_be_refused_is_named_before_a_client_meets_it(an_operator_s_own: Path) -> None:
    out = StringIO()
    call_command("list_documents", "--check", stdout=out)
    assert f"{len(trusted_documents())} documents fit" in out.getvalue()

    (an_operator_s_own / "Old.graphql").write_text("query Old { nothing }", encoding="utf-8")
    (an_operator_s_own / "Dear.graphql").write_text(
        "query Dear { products(first: 100) { edges { node { variants { images { url } attributes { values { name } } } } } } }",
        encoding="utf-8",
    )
    trusted_documents_module._read.cache_clear()
    with pytest.raises(CommandError) as refused:
        call_command("list_documents", "--check")
    assert "Old: " in str(refused.value)
    assert "Dear: " in str(refused.value)
