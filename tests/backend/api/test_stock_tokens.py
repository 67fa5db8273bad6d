"""A program of 白马 reports with a token of its own, which opens nothing else and is nobody's password."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import ProtectedError
from django.test import Client, override_settings
from django.utils import timezone

from backend.cooperatives.models import Cooperative, Membership, ProgramToken
from backend.cooperatives.services import MOST_TOKENS, issue_token
from backend.saleor_port import attempts
from backend.stock import dead_letters
from backend.stock.models import DeadLetter, Report
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


def test_a_report_says_by_which_token_it_came(ask: Ask, sheds: TwoSheds, program: str) -> None:
    ask(SUBMIT, token=program, input=a_count())
    token = ProgramToken.objects.get()
    assert Report.objects.get().program == token
    said = """query($c: String!) {
      stockReports(cooperative: $c, first: 5) { edges { node { program submittedBy } } }
      movements(cooperative: $c, code: "XY-0001", first: 1) { edges { node { line { report { program } } } } } }"""
    name = f"进销存 …{program[-4:]}"
    # Revoked or not.
    ProgramToken.objects.update(revoked_at=timezone.now())
    answer = ask(said, token=sheds.wang, c="baima")
    assert nodes(answer, "stockReports") == [{"program": name, "submittedBy": ""}]
    assert nodes(answer, "movements") == [{"line": {"report": {"program": name}}}]
    with pytest.raises(ProtectedError):
        token.delete()


def test_a_persons_report_names_no_program(ask: Ask, sheds: TwoSheds) -> None:
    ask(SUBMIT, token=sheds.wang, input=a_count())
    assert Report.objects.get().program is None


def test_a_program_does_not_pass_for_a_person_at_the_desk(ask: Ask, sheds: TwoSheds, program: str) -> None:
    taken = ask(SUBMIT, token=program, input=a_count(source="DESK"))["data"]["stockReportSubmit"]
    assert [error["code"] for error in taken["errors"]] == ["SOURCE_INVALID"]
    assert not Report.objects.exists()


@pytest.fixture
def few_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.ATTEMPTS, "request_of_program", (3, 20))


@pytest.mark.usefixtures("few_requests")
def test_a_program_that_asks_too_often_is_told_when_to_try_again(
    ask: Ask, sheds: TwoSheds, program: str, manager: str, client: Client
) -> None:
    other = ask(ISSUE, token=manager, c="baima", name="地磅")["data"]["stockTokenIssue"]["token"]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _each in range(3):
            assert not ask(SUBMIT, token=program, input=a_count())["data"]["stockReportSubmit"]["errors"]
        refused = client.post(
            "/graphql/",
            data=json.dumps({"query": SUBMIT, "variables": {"input": a_count()}}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {program}", "Accept-Language": "zh-hans"},
        )
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "20")
        assert refused.json()["errors"] == [
            {
                "message": "这个程序请求太频繁，请 20 秒后再试。",
                "extensions": {"exception": {"code": "TOO_MANY_REQUESTS"}, "retryAfter": 20},
            }
        ]
        assert Report.objects.count() == 3
        # Another token, and a person, are counted for themselves.
        assert "errors" not in ask(SUPPLIES, token=other, c="baima")
        assert "errors" not in ask(SUPPLIES, token=sheds.wang, c="baima")
        clock.shift(timedelta(seconds=21))
        assert "errors" not in ask(SUPPLIES, token=program, c="baima")


@pytest.mark.usefixtures("few_requests")
def test_several_mutations_in_one_request_are_counted_each(ask: Ask, sheds: TwoSheds, program: str) -> None:
    undo = " ".join(f'u{n}: stockReportUndo(id: "{uuid4()}") {{ errors {{ code }} }}' for n in range(4))
    answer = ask(f"mutation {{ {undo} }}", token=program)
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "TOO_MANY_REQUESTS"
    assert "errors" not in ask(SUPPLIES, token=program, c="baima")


@pytest.mark.usefixtures("few_requests")
def test_a_programs_file_counts_like_ten_operations(client: Client, sheds: TwoSheds, program: str) -> None:
    upload = 'mutation($file: Upload!) { stockReportUpload(cooperative: "baima", file: $file) { errors { code } } }'
    sent = client.post(
        "/graphql/",
        {
            "operations": json.dumps({"query": upload, "variables": {"file": None}}),
            "map": json.dumps({"0": ["variables.file"]}),
            "0": SimpleUploadedFile("今天.csv", "编码,库存\nXY-0001,16\n".encode()),
        },
        headers={"Authorization": f"Bearer {program}"},
    )
    assert sent.status_code == 429
    assert not Report.objects.exists()


def test_a_list_of_reports_does_not_bring_their_files_along(ask: Ask, sheds: TwoSheds, program: str) -> None:
    for heavy in ("rawBase64", "preview { error }"):
        query = f'{{ stockReports(cooperative: "baima", first: 6) {{ edges {{ node {{ {heavy} }} }} }} }}'
        refused = ask(query, token=program)
        assert refused["errors"][0]["extensions"]["exception"]["code"] == "TOO_MUCH_COST"


def test_while_redis_is_away_a_program_is_not_kept_out(
    ask: Ask, sheds: TwoSheds, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> str:
        raise redis.ConnectionError("no Redis")

    monkeypatch.setattr(attempts, "_script", lambda _text: away)
    assert not ask(SUBMIT, token=program, input=a_count())["data"]["stockReportSubmit"]["errors"]


# ---- Reports that failed --------------------------------------------------------------------------------------------

RETRY = "mutation($id: ID!) { stockReportRetry(id: $id) { report { status message } errors { code } } }"
DISCARD = "mutation($id: ID!) { stockReportDiscard(id: $id) { report { status } errors { code } } }"


@pytest.fixture
def failed(ask: Ask, sheds: TwoSheds) -> Report:
    ask(SUBMIT, token=sheds.wang, input=a_count())
    Report.objects.update(status=Report.Status.FAILED, attempts=8, message="没成", applied_at=None)
    report = Report.objects.get()
    dead_letters.keep_dead_letter(
        task=dead_letters.APPLIES,
        args=[str(report.pk)],
        kwargs={},
        error=ValueError("no"),
        now=timezone.now(),
    )
    return report


def test_a_failed_report_is_tried_again_once_however_often_it_is_asked(
    ask: Ask,
    sheds: TwoSheds,
    program: str,
    failed: Report,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queued: list[str] = []
    monkeypatch.setattr("backend.stock.tasks.apply_report.delay", queued.append)
    with django_capture_on_commit_callbacks(execute=True):
        for token in (sheds.wang, program):
            answer = ask(RETRY, token=token, id=failed.pk)["data"]["stockReportRetry"]
            assert answer == {"report": {"status": "RECEIVED", "message": ""}, "errors": []}
    assert queued == [str(failed.pk)]
    assert not DeadLetter.objects.filter(closed_at__isnull=True).exists()


def test_a_failed_report_is_put_aside_and_stays_there(ask: Ask, sheds: TwoSheds, failed: Report) -> None:
    for _each in range(2):
        answer = ask(DISCARD, token=sheds.wang, id=failed.pk)["data"]["stockReportDiscard"]
        assert answer == {"report": {"status": "DISCARDED"}, "errors": []}
    assert not DeadLetter.objects.filter(closed_at__isnull=True).exists()
    retried = ask(RETRY, token=sheds.wang, id=failed.pk)["data"]["stockReportRetry"]
    assert retried["report"]["status"] == "DISCARDED"


def test_nobody_else_touches_a_failed_report(ask: Ask, sheds: TwoSheds, failed: Report) -> None:
    for stranger in (sheds.chen, sheds.li, ""):
        for what, name in ((RETRY, "stockReportRetry"), (DISCARD, "stockReportDiscard")):
            answer = ask(what, token=stranger, id=failed.pk)["data"][name]
            assert answer is None or answer["errors"] == [{"code": "UNKNOWN_REPORT"}]
    failed.refresh_from_db()
    assert failed.status == Report.Status.FAILED
