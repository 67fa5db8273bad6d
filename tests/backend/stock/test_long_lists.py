"""A long list is gone through in parts, and once where it can be: it ends as a short one with the same rows does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from saleor.warehouse.models import Stock

from backend.cooperatives.models import Cooperative
from backend.provenance.models import HarvestLot
from backend.stock import applying, books, ledger, matching
from backend.stock.audit import find_drift
from backend.stock.feed_services import receive_from_feed
from backend.stock.models import Feed, LotChange, Movement, Report, Shortfall, Supply
from backend.stock.services import apply_report
from backend.stock.ways_in.source import Fetched
from backend.stock.words import Outcome
from tests.backend.stock.shed import MORNING, an_uncounted_supply, as_json, count
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db

NAMES = ("莴笋", "儿菜", "豌豆尖", "红油菜薹", "血皮菜")
CODES = tuple(f"XY-000{number}" for number in range(len(NAMES)))

items = st.fixed_dictionaries(
    {
        "code": st.sampled_from([*CODES, *CODES, "xy－0001", "XY-0O02", "QQ-1", ""]),
        "quantity": st.sampled_from([0, 5, 12.5, "20", "一百二", "卖完", "", None, 9000, "x"]),
        "unit": st.sampled_from(["斤", "公斤", "筐"]),
    },
    optional={"name": st.sampled_from([*NAMES, "鱼"]), "lot": st.sampled_from(["1123-A", "1123-B", "?"])},
)


@pytest.fixture
def feed() -> Feed:
    """Of a cooperative with five goods that were counted, and two lots of the first."""
    baima = a_cooperative()
    for code, name in zip(CODES, NAMES, strict=True):
        an_uncounted_supply(cooperative=baima, code=code, name=name, packs={1000: "7", 500: "4"})
    product = Supply.objects.get(code=CODES[0]).product
    for code in ("1123-A", "1123-B"):
        HarvestLot.objects.create(
            cooperative=baima,
            product=product,
            code=code,
            harvested_on=MORNING.date(),
            best_before=MORNING.date() + timedelta(days=3),
        )
    count(baima, dict.fromkeys(CODES[:4], "60"), at=MORNING - timedelta(days=1))
    # The fifth was never counted, but may be sold.
    ledger.make_stock_rows(supply_ids=Supply.objects.values_list("pk", flat=True))
    return Feed.objects.create(cooperative=baima, kind=Feed.Kind.HTTP_JSON, url="http://127.0.0.1:9/")


@pytest.fixture
def long_from_three(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A list of three rows is a long one, and is gone through by two."""
    with monkeypatch.context() as patch:
        make_long_from_three(patch)
        yield


def make_long_from_three(patch: pytest.MonkeyPatch) -> None:
    for module in (applying, books, matching):
        patch.setattr(module, "BATCH", 2)
    patch.setattr(applying, "AT_ONCE", 1)


def applied(feed: Feed, said: Sequence[dict[str, object]], *, complete: bool) -> Report:
    report_id = receive_from_feed(
        feed_id=feed.pk,
        fetched=Fetched(body=as_json(said, counted_at=MORNING.isoformat(), complete=complete)),
        now=MORNING,
    )
    assert report_id is not None
    assert apply_report(report_id=report_id, now=MORNING)
    return Report.objects.get(pk=report_id)


def evening(feed: Feed, said: Sequence[dict[str, object]], *, complete: bool) -> list[object]:
    """All that the list has brought about, as if it had never been."""
    with transaction.atomic():
        report = applied(feed, said, complete=complete)
        assert find_drift() == []
        found: list[object] = [
            (report.status, report.message),
            *report.lines.order_by("row", "code").values_list(
                "row", "column", "code", "raw", "outcome", "supply", "base_units", "unit", "message"
            ),
            *Movement.objects.filter(report=report)
            .order_by("supply")
            .values_list("supply", "on_hand_delta", "on_hand_after", "allocated_after", "happened_at"),
            *Supply.objects.order_by("pk").values_list(
                "pk", "on_hand", "counted_at", "counted_digest", "counted_base_units", "counted_unit", "lot"
            ),
            *Stock.objects.order_by("product_variant").values_list("product_variant", "quantity"),
            *LotChange.objects.order_by("supply").values_list("supply", "lot", "before"),
            *Shortfall.objects.order_by("supply").values_list("supply", "base_units", "closed_at"),
        ]
        transaction.set_rollback(True)
    return found


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=st.lists(items, min_size=3, max_size=9), complete=st.booleans())
def test_a_list_ends_alike_whether_it_is_long_or_short(
    feed: Feed, said: list[dict[str, object]], complete: bool
) -> None:
    short = evening(feed, said, complete=complete)
    with pytest.MonkeyPatch.context() as patch:
        make_long_from_three(patch)
        assert evening(feed, said, complete=complete) == short


@pytest.mark.usefixtures("long_from_three")
def test_a_good_that_a_long_list_counts_twice_is_refused_in_both_rows_and_the_others_go_through(
    feed: Feed,
) -> None:
    said: list[dict[str, object]] = [
        {"code": CODES[number], "quantity": 50 + place, "unit": "斤"}
        for place, number in enumerate((0, 1, 2, 3, 0))
    ]
    report = applied(feed, said, complete=False)
    assert list(report.lines.order_by("row").values_list("outcome", flat=True)) == [
        Outcome.REFUSED,
        *[Outcome.ACCEPTED] * 3,
        Outcome.REFUSED,
    ]
    assert set(Supply.objects.order_by("pk").values_list("on_hand", flat=True)[:4]) == {
        30_000,
        25_500,
        26_000,
        26_500,
    }
    assert find_drift() == []


@pytest.mark.usefixtures("long_from_three")
def test_a_long_list_of_a_part_of_the_shed_holds_that_part_alone(feed: Feed) -> None:
    product = Supply.objects.get(code=CODES[0]).product
    cooperative: Cooperative = feed.cooperative
    Supply.objects.bulk_create(
        Supply(cooperative=cooperative, code=f"XY-1{number:03}", name=f"菜{number}", product=product)
        for number in range(20)
    )
    said: list[dict[str, object]] = [{"code": code, "quantity": 50, "unit": "斤"} for code in CODES[:4]]
    with CaptureQueriesContext(connection) as queries:
        applied(feed, said, complete=False)
    held = [query["sql"] for query in queries if "FOR UPDATE) held" in query["sql"]]
    named = Supply.objects.filter(code__in=CODES[:4]).values_list("pk", flat=True)
    assert len(held) == 1 and f"'{{{','.join(map(str, sorted(named)))}}}'" in held[0]
    assert find_drift() == []
