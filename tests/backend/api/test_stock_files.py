"""王会计 sends the file that the cooperative keeps: she sees what it would change, confirms, and takes it back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from backend.api.mutations import stock as stock_mutations
from backend.cooperatives.services import issue_token
from backend.ordering.services import place_order
from backend.stock import tasks
from backend.stock.models import Movement, Report, ReportLine
from backend.stock.words import Basis
from tests import produce
from tests.backend.api.conftest import Ask
from tests.backend.api.test_desk import SUBMIT, TwoSheds, a_count, nodes
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

CSV = "编码,品名,库存,单位\nXY-0001,莴笋,16,斤\n"
DOUBTFUL = "编码,品名,库存,单位\nXY-0001,莴笋,约16,斤\n"
ODD_HEADINGS = "甲,乙,丙\nXY-0001,莴笋,16\n"

LINE = "row cell code name raw outcome message supply { code } old new difference mayConfirm"
PREVIEW = f"""preview {{ error columnsUnknown columns {{ header role examples }} remarks basis accepted waiting refused skipped appliedBefore
  lines {{ {LINE} }} }}"""
UPLOAD = f"""mutation($c: String!, $file: Upload!, $basis: StockBasisEnum) {{
  stockReportUpload(cooperative: $c, file: $file, basis: $basis) {{
    report {{ id status source filename submittedBy {PREVIEW} }} errors {{ field code message }} }} }}"""
CONFIRM = """mutation($id: ID!, $rows: [Int!]) { stockReportConfirm(id: $id, acceptedWaiting: $rows) {
  report { status accepted waiting progress { stage done total } preview { error } } errors { field code } } }"""
UNDO = """mutation($id: ID!) { stockReportUndo(id: $id) {
  report { status message undoneBy undoneAt } errors { field code } } }"""
DISCARD = "mutation($id: ID!) { stockReportDiscard(id: $id) { report { status } errors { field code } } }"
COLUMNS = f"""mutation($id: ID!, $columns: [StockColumnInput!]!) {{ stockReportColumns(id: $id, columns: $columns) {{
  report {{ {PREVIEW} }} errors {{ field code }} }} }}"""
LINES_CONFIRM = """mutation($id: ID!, $rows: [Int!]!) { stockLinesConfirm(id: $id, rows: $rows) {
  report { accepted waiting } errors { field code } } }"""
WAITING = """query($c: String!) { waitingLines(cooperative: $c) { edges { node {
  row code raw message supply { code } report { id source } } } } }"""
MOVEMENTS = """query($c: String!, $code: String!, $first: Int, $after: String) {
  movements(cooperative: $c, code: $code, first: $first, after: $after) {
    edges { cursor node { kind onHandDelta onHandAfter allocatedAfter orderNumber
      line { row column raw report { id filename submittedBy source } } } }
    pageInfo { hasNextPage endCursor } } }"""
RAW = "query($id: ID!) { stockReport(id: $id) { filename rawBase64 } }"

Upload = Callable[..., dict[str, Any]]


@pytest.fixture
def sheds(sign_in: Callable[..., str]) -> TwoSheds:
    return TwoSheds(sign_in)


@pytest.fixture
def upload(client: Client) -> Upload:
    """Sends a file by the multipart request specification, as Saleor's clients do."""

    def send(
        raw: bytes | str, *, token: str, name: str = "库存.csv", c: str = "baima", **variables: Any
    ) -> dict[str, Any]:
        content = raw.encode() if isinstance(raw, str) else raw
        response = client.post(
            "/graphql/",
            data={
                "operations": json.dumps({"query": UPLOAD, "variables": {"c": c, "file": None, **variables}}),
                "map": json.dumps({"0": ["variables.file"]}),
                "0": SimpleUploadedFile(name, content, content_type="text/csv"),
            },
            headers={"Authorization": f"{'Bearer' if token.startswith('xycl_') else 'JWT'} {token}"},
        )
        answer: dict[str, Any] = response.json()
        return answer

    return send


def draft_of(answer: dict[str, Any]) -> dict[str, Any]:
    taken = answer["data"]["stockReportUpload"]
    assert taken["errors"] == []
    report: dict[str, Any] = taken["report"]
    return report


def on_hand(sheds: TwoSheds) -> int:
    sheds.baima.supply.refresh_from_db()
    return sheds.baima.supply.on_hand


def test_an_upload_shows_what_it_would_change_and_changes_nothing(upload: Upload, sheds: TwoSheds) -> None:
    draft = draft_of(upload(CSV, token=sheds.wang))
    assert (draft["status"], draft["source"], draft["filename"], draft["submittedBy"]) == (
        "DRAFT",
        "UPLOAD",
        "库存.csv",
        "wang@baima.example",
    )
    (line,) = draft["preview"]["lines"]
    assert (line["old"], line["new"], line["difference"]) == (10_000, 8_000, -2_000)
    assert (line["outcome"], line["mayConfirm"], line["supply"]["code"]) == ("ACCEPTED", False, "XY-0001")
    assert on_hand(sheds) == 10_000


def test_a_confirmed_file_is_in_the_books_and_an_undone_one_is_out_again(
    ask: Ask, upload: Upload, sheds: TwoSheds
) -> None:
    draft = draft_of(upload(CSV, token=sheds.wang))
    for _twice in range(2):
        confirmed = ask(CONFIRM, token=sheds.wang, id=draft["id"])["data"]["stockReportConfirm"]
        assert confirmed["errors"] == []
        assert confirmed["report"] == {
            "status": "APPLIED",
            "accepted": 1,
            "waiting": 0,
            "progress": {"stage": "DONE", "done": 1, "total": 1},
            "preview": None,
        }
        assert on_hand(sheds) == 8_000
    for _twice in range(2):
        undone = ask(UNDO, token=sheds.wang, id=draft["id"])["data"]["stockReportUndo"]
        assert (undone["report"]["status"], undone["report"]["undoneBy"]) == ("UNDONE", "wang@baima.example")
        assert on_hand(sheds) == 10_000


def test_a_row_that_waits_is_applied_when_it_is_said_to_be_meant(
    ask: Ask, upload: Upload, sheds: TwoSheds
) -> None:
    draft = draft_of(upload(DOUBTFUL, token=sheds.wang))
    (line,) = draft["preview"]["lines"]
    assert (line["outcome"], line["mayConfirm"], line["new"]) == ("WAITING", True, 8_000)
    confirmed = ask(CONFIRM, token=sheds.wang, id=draft["id"], rows=[line["row"]])
    assert confirmed["data"]["stockReportConfirm"]["report"]["accepted"] == 1
    assert on_hand(sheds) == 8_000


def test_a_row_that_waits_can_be_said_to_be_meant_later(ask: Ask, upload: Upload, sheds: TwoSheds) -> None:
    draft = draft_of(upload(DOUBTFUL, token=sheds.wang))
    ask(CONFIRM, token=sheds.wang, id=draft["id"])
    assert on_hand(sheds) == 10_000
    (line,) = nodes(ask(WAITING, token=sheds.wang, c="baima"), "waitingLines")
    assert (line["raw"], line["supply"]["code"], line["report"]["source"]) == ("约16 斤", "XY-0001", "UPLOAD")
    meant = ask(LINES_CONFIRM, token=sheds.wang, id=line["report"]["id"], rows=[line["row"]])
    assert meant["data"]["stockLinesConfirm"] == {"report": {"accepted": 1, "waiting": 0}, "errors": []}
    assert on_hand(sheds) == 8_000
    assert nodes(ask(WAITING, token=sheds.wang, c="baima"), "waitingLines") == []


def test_a_good_that_was_counted_again_waits_for_nobody(ask: Ask, upload: Upload, sheds: TwoSheds) -> None:
    draft = draft_of(upload(DOUBTFUL, token=sheds.wang))
    ask(CONFIRM, token=sheds.wang, id=draft["id"])
    ask(SUBMIT, token=sheds.wang, input=a_count())
    assert nodes(ask(WAITING, token=sheds.wang, c="baima"), "waitingLines") == []


def test_headings_are_asked_for_once(ask: Ask, upload: Upload, sheds: TwoSheds) -> None:
    draft = draft_of(upload(ODD_HEADINGS, token=sheds.wang))
    assert draft["preview"]["columnsUnknown"] == ["甲", "乙", "丙"]
    assert draft["preview"]["columns"][0] == {"header": "甲", "role": None, "examples": ["XY-0001"]}
    unclear = ask(COLUMNS, token=sheds.wang, id=draft["id"], columns=[{"header": "甲", "role": "CODE"}])
    assert unclear["data"]["stockReportColumns"]["errors"] == [
        {"field": "mapping", "code": "MAPPING_UNCLEAR"}
    ]
    told = ask(
        COLUMNS,
        token=sheds.wang,
        id=draft["id"],
        columns=[{"header": "甲", "role": "CODE"}, {"header": "丙", "role": "QUANTITY"}],
    )["data"]["stockReportColumns"]
    assert told["errors"] == []
    assert [line["raw"] for line in told["report"]["preview"]["lines"]] == ["16"]
    later = draft_of(upload(ODD_HEADINGS.replace("16", "17"), token=sheds.wang))
    assert [line["raw"] for line in later["preview"]["lines"]] == ["17"]


def test_a_draft_that_was_put_aside_cannot_be_confirmed(ask: Ask, upload: Upload, sheds: TwoSheds) -> None:
    draft = draft_of(upload(CSV, token=sheds.wang))
    assert ask(DISCARD, token=sheds.wang, id=draft["id"])["data"]["stockReportDiscard"]["report"] == {
        "status": "DISCARDED"
    }
    assert ask(CONFIRM, token=sheds.wang, id=draft["id"])["data"]["stockReportConfirm"]["errors"] == [
        {"field": None, "code": "REPORT_CLOSED"}
    ]


def test_a_long_file_is_left_to_a_worker(
    ask: Ask,
    upload: Upload,
    sheds: TwoSheds,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    queued: list[str] = []
    monkeypatch.setattr(stock_mutations, "LONG_FILE_BYTES", 10)
    monkeypatch.setattr(stock_mutations.apply_report, "delay", queued.append)
    draft = draft_of(upload(CSV, token=sheds.wang))
    with django_capture_on_commit_callbacks(execute=True):
        confirmed = ask(CONFIRM, token=sheds.wang, id=draft["id"], rows=[2])["data"]["stockReportConfirm"]
    assert confirmed["report"]["status"] == "RECEIVED"
    assert confirmed["report"]["progress"] == {"stage": "QUEUED", "done": 0, "total": 0}
    assert queued == [draft["id"]]
    assert Report.objects.get().confirmed_rows == [2]
    assert on_hand(sheds) == 10_000
    tasks.apply_report(queued[0])
    assert on_hand(sheds) == 8_000


@pytest.mark.parametrize("operation", [CONFIRM, UNDO, DISCARD, COLUMNS, LINES_CONFIRM])
@pytest.mark.parametrize("stranger", ["chen", "li", None])
def test_nobody_touches_another_shed_s_file(
    ask: Ask, upload: Upload, sheds: TwoSheds, operation: str, stranger: str | None
) -> None:
    draft = draft_of(upload(CSV, token=sheds.wang))
    token = getattr(sheds, stranger) if stranger else ""
    answer = ask(operation, token=token, id=draft["id"], rows=[2], columns=[{"header": "x", "role": "NOTE"}])
    (payload,) = answer["data"].values()
    assert payload is None or [error["code"] for error in payload["errors"]] == ["UNKNOWN_REPORT"]
    assert Report.objects.get().status == "draft"
    assert not (ask(RAW, token=token, id=draft["id"])["data"] or {}).get("stockReport")


@pytest.mark.parametrize(
    ("raw", "expected"), [(b"", "FILE_EMPTY"), (b"x" * (10 * 1024 * 1024 + 1), "FILE_TOO_LARGE")]
)
def test_a_file_has_something_in_it_and_not_too_much(
    upload: Upload, sheds: TwoSheds, raw: bytes, expected: str
) -> None:
    taken = upload(raw, token=sheds.wang)["data"]["stockReportUpload"]
    assert [error["code"] for error in taken["errors"]] == [expected]
    assert not Report.objects.exists()


def test_files_are_taken_for_the_own_cooperative_and_from_members_only(
    upload: Upload, sheds: TwoSheds
) -> None:
    taken = upload(CSV, token=sheds.chen)["data"]["stockReportUpload"]
    assert [error["code"] for error in taken["errors"]] == ["UNKNOWN_COOPERATIVE"]
    assert upload(CSV, token=sheds.li)["errors"][0]["extensions"]["exception"]["code"] == "NO_FILES"
    assert not Report.objects.exists()


def test_a_program_uploads_and_confirms(ask: Ask, upload: Upload, sheds: TwoSheds) -> None:
    _token, text = issue_token(
        cooperative=sheds.baima.cooperative, name="进销存", issued_by=None, now=timezone.now()
    )
    draft = draft_of(upload(CSV, token=text, basis="SELLABLE"))
    assert draft["preview"]["basis"] == "SELLABLE"
    confirmed = ask(CONFIRM, token=text, id=draft["id"])["data"]["stockReportConfirm"]["report"]
    assert confirmed["status"] == "APPLIED"
    assert Report.objects.get().basis == Basis.SELLABLE


def test_a_figure_leads_back_to_the_cell_and_the_very_bytes(
    ask: Ask, upload: Upload, sheds: TwoSheds
) -> None:
    raw = CSV.encode("gb18030")
    draft = draft_of(upload(raw, token=sheds.wang, name="今天.csv"))
    ask(CONFIRM, token=sheds.wang, id=draft["id"])
    basket = produce.a_basket({sheds.baima.variant: 2})
    placed = place_order(request=a_request(sheds.baima, basket=basket), user=None, now=timezone.now())
    answer = ask(MOVEMENTS, token=sheds.wang, c="baima", code="XY-0001", first=2)
    order, count = nodes(answer, "movements")
    assert (order["kind"], order["allocatedAfter"], order["orderNumber"]) == (
        "ALLOCATE",
        2_000,
        str(placed.pk),
    )
    assert (count["kind"], count["onHandDelta"], count["onHandAfter"]) == ("COUNT", -2_000, 8_000)
    assert (count["line"]["row"], count["line"]["raw"]) == (2, "16 斤")
    assert count["line"]["report"]["filename"] == "今天.csv"
    sent = ask(RAW, token=sheds.wang, id=count["line"]["report"]["id"])["data"]["stockReport"]
    assert base64.b64decode(sent["rawBase64"]) == raw

    ends = answer["data"]["movements"]["pageInfo"]
    assert ends["hasNextPage"]
    last = ask(MOVEMENTS, token=sheds.wang, c="baima", code="XY-0001", first=2, after=ends["endCursor"])
    assert [each["onHandAfter"] for each in nodes(last, "movements")] == [10_000]
    assert not last["data"]["movements"]["pageInfo"]["hasNextPage"]
    assert Movement.objects.filter(supply=sheds.baima.supply).count() == 3


@pytest.mark.parametrize("cursor", ["nonsense", "W10=", "WyJ4Il0=", "////", "WzFlOTk5XQ=="])
def test_a_cursor_of_something_else_is_refused_in_words(ask: Ask, sheds: TwoSheds, cursor: str) -> None:
    answer = ask(MOVEMENTS, token=sheds.wang, c="baima", code="XY-0001", after=cursor)
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "CURSOR_UNREADABLE"


def test_pages_of_reports_follow_each_other_without_gap_or_repetition(ask: Ask, sheds: TwoSheds) -> None:
    for number in range(5):
        ask(SUBMIT, token=sheds.wang, input=a_count(sequence=number))
    Report.objects.update(received_at=timezone.now())
    listed: list[str] = []
    after = None
    query = """query($c: String!, $after: String) { stockReports(cooperative: $c, first: 2, after: $after) {
      edges { node { id accepted skipped } } pageInfo { hasNextPage endCursor } } }"""
    while True:
        answer = ask(query, token=sheds.wang, c="baima", after=after)
        listed += [node["id"] for node in nodes(answer, "stockReports")]
        ends = answer["data"]["stockReports"]["pageInfo"]
        if not ends["hasNextPage"]:
            break
        after = ends["endCursor"]
    assert listed == [
        str(pk) for pk in Report.objects.order_by("-received_at", "-pk").values_list("pk", flat=True)
    ]
    assert ReportLine.objects.count() == 5
