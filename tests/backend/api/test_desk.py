"""王会计 of 白马 counts, 陈会计 of 福星 counts too, and neither ever sees a figure of the other's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from backend.ordering.services import place_order
from backend.stock.models import Movement, Report
from tests import produce
from tests.backend.api.conftest import Ask
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

SUPPLIES = """query($c: String!, $after: String) { supplies(cooperative: $c, first: 2, after: $after) {
  edges { node { code onHand allocated free shortfall packs { units } } } pageInfo { hasNextPage endCursor } } }"""
REPORTS = """query($c: String!, $after: String) { stockReports(cooperative: $c, first: 2, after: $after) {
  edges { node { id status accepted lines { code outcome } } } pageInfo { hasNextPage endCursor } } }"""
REPORT = "query($id: ID!) { stockReport(id: $id) { status } }"
PACK_LIST = """query($c: String!) { packList(cooperative: $c) {
  orders { customer phoneMasked lines { name quantity } total { amount } } goods { name quantity } } }"""
SUBMIT = """mutation($input: StockReportInput!) { stockReportSubmit(input: $input) {
  report { id status accepted refused lines { row code raw outcome baseUnits message } } errors { field code message } } }"""


class TwoSheds:
    def __init__(self, sign_in: Callable[..., str]) -> None:
        self.baima = produce.a_shed(on_hand=10_000)
        fuxing = produce.a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
        tomato = produce.a_product(name="番茄", slug="fanqie")
        self.fuxing_supply = produce.a_supply(
            cooperative=fuxing, product=tomato, on_hand=4_000, code="XY-0002"
        )
        produce.a_member(cooperative=self.baima.cooperative, email="wang@baima.example")
        produce.a_member(cooperative=fuxing, email="chen@fuxing.example")
        produce.a_person(email="li@buyer.example")
        self.wang = sign_in("wang@baima.example")
        self.chen = sign_in("chen@fuxing.example")
        self.li = sign_in("li@buyer.example")


@pytest.fixture
def sheds(sign_in: Callable[..., str]) -> TwoSheds:
    return TwoSheds(sign_in)


def nodes(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer["data"][name]["edges"]]


def a_count(**changes: Any) -> dict[str, Any]:
    return {
        "cooperative": "baima",
        "basis": "SHELF",
        "countedAt": timezone.now().isoformat(),
        "idempotencyKey": str(uuid4()),
        "lines": [{"code": "XY-0001", "quantity": "16", "unit": "斤"}],
        **changes,
    }


def test_a_member_sees_the_own_shed(ask: Ask, sheds: TwoSheds) -> None:
    answer = ask(SUPPLIES, token=sheds.wang, c="baima")
    assert nodes(answer, "supplies") == [
        {
            "code": "XY-0001",
            "onHand": 10_000,
            "allocated": 0,
            "free": 10_000,
            "shortfall": None,
            "packs": [{"units": 1000}],
        }
    ]
    mine = ask("{ myCooperatives { slug } }", token=sheds.wang)
    assert mine["data"]["myCooperatives"] == [{"slug": "baima"}]


@pytest.mark.parametrize("query", [SUPPLIES, REPORTS, PACK_LIST])
@pytest.mark.parametrize("stranger", ["chen", "li", None])
def test_nobody_sees_another_shed(ask: Ask, sheds: TwoSheds, query: str, stranger: str | None) -> None:
    token = getattr(sheds, stranger) if stranger else ""
    answer = ask(query, token=token, c="baima")
    assert not any((answer.get("data") or {}).values())
    assert answer["errors"]
    assert "XY-0001" not in str(answer)
    unknown = ask(query, token=token, c="nowhere")
    assert unknown["errors"][0]["message"] == answer["errors"][0]["message"]


def test_a_count_reaches_the_shop(ask: Ask, sheds: TwoSheds) -> None:
    taken = ask(SUBMIT, token=sheds.wang, input=a_count())["data"]["stockReportSubmit"]
    assert taken["errors"] == []
    assert taken["report"]["status"] == "APPLIED"
    assert [(line["outcome"], line["baseUnits"]) for line in taken["report"]["lines"]] == [
        ("ACCEPTED", 8_000)
    ]
    (supply,) = nodes(ask(SUPPLIES, token=sheds.wang, c="baima"), "supplies")
    assert supply["onHand"] == 8_000


def test_a_bad_line_is_refused_and_the_rest_goes_through(ask: Ask, sheds: TwoSheds) -> None:
    tomato = produce.a_product(name="茄子", slug="qiezi")
    produce.a_supply(
        cooperative=sheds.baima.cooperative,
        product=tomato,
        on_hand=2_000,
        code="XY-0003",
    )
    lines = [
        {"code": "XY-0001", "quantity": "-5", "unit": "斤"},
        {"code": "XY-0003", "quantity": 3, "unit": "斤"},
    ]
    report = ask(SUBMIT, token=sheds.wang, input=a_count(lines=lines))["data"]["stockReportSubmit"]["report"]
    outcomes = {line["code"]: line["outcome"] for line in report["lines"]}
    assert outcomes == {"XY-0001": "REFUSED", "XY-0003": "ACCEPTED"}


def test_the_same_key_answers_with_the_same_report(ask: Ask, sheds: TwoSheds) -> None:
    count = a_count()
    first = ask(SUBMIT, token=sheds.wang, input=count)["data"]["stockReportSubmit"]["report"]
    again = ask(SUBMIT, token=sheds.wang, input=count)["data"]["stockReportSubmit"]["report"]
    assert again["id"] == first["id"]
    assert Report.objects.count() == 1
    assert Movement.objects.filter(kind="count", report__isnull=False).count() == 1


@pytest.mark.parametrize("stranger", ["chen", "li", None])
def test_nobody_counts_for_another_shed(ask: Ask, sheds: TwoSheds, stranger: str | None) -> None:
    answer = ask(SUBMIT, token=getattr(sheds, stranger) if stranger else "", input=a_count())
    assert not (answer["data"]["stockReportSubmit"] or {}).get("report")
    assert not Report.objects.exists()


def test_nobody_reads_another_shed_s_report(ask: Ask, sheds: TwoSheds) -> None:
    report = ask(SUBMIT, token=sheds.wang, input=a_count())["data"]["stockReportSubmit"]["report"]
    assert ask(REPORT, token=sheds.wang, id=report["id"])["data"]["stockReport"] == {"status": "APPLIED"}
    assert ask(REPORT, token=sheds.chen, id=report["id"])["data"]["stockReport"] is None
    assert ask(REPORT, token=sheds.wang, id="nonsense")["data"]["stockReport"] is None


def test_the_pack_list_says_what_to_pack_and_masks_the_buyer(ask: Ask, sheds: TwoSheds) -> None:
    basket = produce.a_basket({sheds.baima.variant: 2, sheds.fuxing_supply.product.variants.get(): 1})
    place_order(request=a_request(sheds.baima, basket=basket), user=None, now=timezone.now())
    listed = ask(PACK_LIST, token=sheds.wang, c="baima")["data"]["packList"]
    assert listed == {
        "orders": [
            {
                "customer": "李**",
                "phoneMasked": "138****8000",
                "lines": [{"name": "莴笋", "quantity": 2}],
                "total": {"amount": 14.0},
            }
        ],
        "goods": [{"name": "莴笋", "quantity": 2}],
    }
    other = ask(PACK_LIST, token=sheds.chen, c="fuxing")["data"]["packList"]
    assert other["goods"] == [{"name": "番茄", "quantity": 1}]


@pytest.mark.parametrize(("source", "expected"), [("DESK", "DESK"), ("PUSH", "PUSH"), ("FEED", None)])
def test_a_report_says_where_it_came_from(
    ask: Ask, sheds: TwoSheds, source: str, expected: str | None
) -> None:
    taken = ask(SUBMIT, token=sheds.wang, input=a_count(source=source))["data"]["stockReportSubmit"]
    if expected is None:
        assert [error["code"] for error in taken["errors"]] == ["SOURCE_INVALID"]
        assert not Report.objects.exists()
    else:
        assert Report.objects.get().source == expected.lower()
