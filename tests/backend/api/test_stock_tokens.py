"""A program of 白马 reports with a token of its own, which opens nothing else and is nobody's password."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings
from django.utils import timezone

from backend.cooperatives.models import Cooperative, Membership, ProgramToken
from backend.cooperatives.services import MOST_TOKENS, issue_token
from backend.stock.models import Report
from tests import produce
from tests.backend.api.conftest import Ask
from tests.backend.api.test_desk import REPORTS, SUBMIT, SUPPLIES, TwoSheds, a_count, nodes

pytestmark = pytest.mark.django_db

ISSUE = """mutation($c: String!, $name: String!) { stockTokenIssue(cooperative: $c, name: $name) {
  token stockToken { id name ending issuedBy lastUsedAt } errors { field code } } }"""
REVOKE = "mutation($id: ID!) { stockTokenRevoke(id: $id) { stockToken { revokedAt } errors { code } } }"
TOKENS = "query($c: String!) { stockTokens(cooperative: $c) { name ending lastUsedAt revokedAt } }"


@pytest.fixture
def sheds(sign_in: Callable[..., str]) -> TwoSheds:
    return TwoSheds(sign_in)


@pytest.fixture
def manager(sheds: TwoSheds, sign_in: Callable[..., str]) -> str:
    produce.a_member(
        cooperative=sheds.baima.cooperative, email="liu@baima.example", role=Membership.Role.MANAGER
    )
    return sign_in("liu@baima.example")


@pytest.fixture
def program(ask: Ask, manager: str) -> str:
    issued = ask(ISSUE, token=manager, c="baima", name="进销存")["data"]["stockTokenIssue"]
    token: str = issued["token"]
    return token


def test_a_program_reports_for_its_own_cooperative(ask: Ask, sheds: TwoSheds, program: str) -> None:
    taken = ask(SUBMIT, token=program, input=a_count())["data"]["stockReportSubmit"]
    assert taken["errors"] == []
    assert taken["report"]["status"] == "APPLIED"
    assert nodes(ask(SUPPLIES, token=program, c="baima"), "supplies")[0]["onHand"] == 8_000
    assert len(nodes(ask(REPORTS, token=program, c="baima"), "stockReports")) == 1
    assert Report.objects.get().submitted_by is None


def test_a_program_reports_for_no_other_cooperative(ask: Ask, sheds: TwoSheds, program: str) -> None:
    taken = ask(SUBMIT, token=program, input=a_count(cooperative="fuxing"))["data"]["stockReportSubmit"]
    assert [error["code"] for error in taken["errors"]] == ["UNKNOWN_COOPERATIVE"]
    assert not Report.objects.exists()
    assert ask(SUPPLIES, token=program, c="fuxing")["errors"]


@pytest.mark.parametrize(
    "question",
    [
        "{ myCooperatives { slug } }",
        "{ me { email } }",
        "{ villages { slug } }",
        '{ stockTokens(cooperative: "baima") { name } }',
        '{ packList(cooperative: "baima") { goods { name } } }',
        'mutation { stockTokenIssue(cooperative: "baima", name: "x") { token } }',
        'mutation { tokenCreate(email: "li@buyer.example", password: "secret-of-the-test") { token } }',
    ],
)
def test_a_programs_token_opens_nothing_else(ask: Ask, sheds: TwoSheds, program: str, question: str) -> None:
    answer = ask(question, token=program)
    assert not any((answer["data"] or {}).values())
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"


def test_a_token_is_kept_as_a_hash_and_shown_once(ask: Ask, manager: str) -> None:
    issued = ask(ISSUE, token=manager, c="baima", name=" 进销存 ")["data"]["stockTokenIssue"]
    text = issued["token"]
    assert len(text) > 40
    assert issued["stockToken"] == {
        "id": str(ProgramToken.objects.get().pk),
        "name": "进销存",
        "ending": text[-4:],
        "issuedBy": "liu@baima.example",
        "lastUsedAt": None,
    }
    assert text not in str(ProgramToken.objects.values_list())
    assert text not in json.dumps(ask(TOKENS, token=manager, c="baima"))


def test_a_revoked_token_opens_nothing_and_says_so(
    ask: Ask, sheds: TwoSheds, manager: str, program: str, client: Client
) -> None:
    stock_token = ProgramToken.objects.get()
    revoked = ask(REVOKE, token=manager, id=stock_token.pk)["data"]["stockTokenRevoke"]
    assert revoked["stockToken"]["revokedAt"]
    answer = client.post(
        "/graphql/",
        data=json.dumps({"query": SUPPLIES, "variables": {"c": "baima"}}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {program}"},
    )
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["exception"]["code"] == "TOKEN_STALE"


def test_a_token_ends_with_its_cooperative(ask: Ask, sheds: TwoSheds, program: str) -> None:
    Cooperative.objects.filter(slug="baima").update(is_active=False)
    assert "errors" in ask(SUPPLIES, token=program, c="baima")


def test_only_a_manager_issues_sees_and_revokes(
    ask: Ask, sheds: TwoSheds, manager: str, program: str
) -> None:
    token = ProgramToken.objects.get()
    for stranger in (sheds.wang, sheds.chen, sheds.li, ""):
        assert not (ask(ISSUE, token=stranger, c="baima", name="x")["data"]["stockTokenIssue"])
        assert ask(TOKENS, token=stranger, c="baima")["errors"]
        answer = ask(REVOKE, token=stranger, id=token.pk)["data"]["stockTokenRevoke"]
        assert answer is None or answer["errors"] == [{"code": "UNKNOWN_TOKEN"}]
    token.refresh_from_db()
    assert token.revoked_at is None
    assert ProgramToken.objects.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_token_has_a_name(ask: Ask, manager: str, name: str) -> None:
    issued = ask(ISSUE, token=manager, c="baima", name=name)["data"]["stockTokenIssue"]
    assert issued["errors"] == [{"field": "name", "code": "NAME_INVALID"}]


def test_there_are_ten_tokens_at_most(ask: Ask, sheds: TwoSheds, manager: str) -> None:
    for number in range(MOST_TOKENS):
        issue_token(cooperative=sheds.baima.cooperative, name=str(number), issued_by=None, now=timezone.now())
    issued = ask(ISSUE, token=manager, c="baima", name="eleven")["data"]["stockTokenIssue"]
    assert issued["errors"] == [{"field": "name", "code": "TOO_MANY_TOKENS"}]


def test_when_a_token_was_used_is_kept_to_the_minute(ask: Ask, program: str) -> None:
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        used = []
        for _each in range(3):
            ask(SUPPLIES, token=program, c="baima")
            used.append(ProgramToken.objects.get().last_used_at)
            clock.shift(timedelta(seconds=40))
    assert used == [began, began, began + timedelta(seconds=80)]


@override_settings(TRUSTED_DOCUMENTS_ONLY=True)
def test_a_program_runs_documents_of_its_own_where_others_may_not(ask: Ask, program: str) -> None:
    assert ask(SUPPLIES, c="baima")["errors"][0]["extensions"]["exception"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert "errors" not in ask(SUPPLIES, token=program, c="baima")


def test_a_report_of_five_thousand_lines_fits(ask: Ask, sheds: TwoSheds, program: str) -> None:
    lines: list[dict[str, Any]] = [
        {"code": f"XY-{number:06}", "quantity": "128.5", "unit": "公斤"} for number in range(5_000)
    ]
    submit = """mutation($input: StockReportInput!) {
      stockReportSubmit(input: $input) { report { accepted waiting } errors { code } } }"""
    taken = ask(submit, token=program, input=a_count(lines=lines))["data"]["stockReportSubmit"]
    assert taken == {"report": {"accepted": 0, "waiting": 5_000}, "errors": []}
    lines.append(lines[0])
    refused = ask(submit, token=program, input=a_count(lines=lines))
    assert refused["errors"][0]["extensions"]["limit"] == {"of": "list_items", "found": 5_001, "most": 5_000}
    stranger = ask(submit, input=a_count(lines=lines[:5_000]))
    assert stranger["errors"][0]["extensions"]["limit"]["of"] == "body"
