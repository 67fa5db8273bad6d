"""What is read of a cooperative's books for a report, and how often the database is asked."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.cooperatives.models import Cooperative
from backend.stock.books import StoredCatalogue
from backend.stock.feeds.document import Row
from backend.stock.matching import Matches
from backend.stock.models import Supply
from backend.stock.words import Outcome
from tests.backend.stock.shed import an_uncounted_supply
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db


@pytest.fixture
def baima() -> Cooperative:
    """A cooperative with a hundred goods, XY-0000 to XY-0099."""
    baima = a_cooperative()
    product = an_uncounted_supply(cooperative=baima, code="XY-0000", name="菜0").product
    Supply.objects.bulk_create(
        Supply(cooperative=baima, code=f"XY-{number:04}", name=f"菜{number}", product=product)
        for number in range(1, 100)
    )
    return baima


@pytest.mark.parametrize("is_short", [True, False])
@pytest.mark.parametrize("code, name", [("xy-{:04}", ""), ("xy－{:04}", "菜{}"), ("XY-{:04}", "鱼{}")])
def test_rows_that_are_not_plain_do_not_ask_the_database_one_by_one(
    baima: Cooperative, code: str, name: str, is_short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.stock.matching.BATCH", 10)
    rows = [
        Row(number + 1, "库存", code.format(number), "5", name.format(number), "斤") for number in range(100)
    ]
    codes = frozenset(row.code for row in rows) if is_short else None
    with CaptureQueriesContext(connection) as queries:
        matches = Matches(rows=rows, catalogue=StoredCatalogue(cooperative_id=baima.pk, codes=codes))
        assert len(list(matches)) == 100
    assert len(queries) <= 4, [query["sql"] for query in queries]


def test_a_good_that_is_withdrawn_while_a_list_is_read_still_has_a_name(baima: Cooperative) -> None:
    catalogue = StoredCatalogue(cooperative_id=baima.pk, codes=None)
    pk = catalogue.by_code["XY-0007"]
    Supply.objects.filter(pk=pk).update(is_active=False)
    (match,) = Matches(rows=[Row(1, "库存", "XY-0007", "5", "菜7", "斤")], catalogue=catalogue)
    assert (match.supply_id, match.outcome) == (pk, None)


@pytest.mark.parametrize("codes", [None, frozenset(["xy-0007"])])
def test_a_withdrawn_good_is_told_as_such_and_no_other_one_is_suggested(
    baima: Cooperative, codes: frozenset[str] | None
) -> None:
    Supply.objects.filter(code="XY-0007").update(is_active=False)
    catalogue = StoredCatalogue(cooperative_id=baima.pk, codes=codes)
    (match,) = Matches(rows=[Row(1, "库存", "xy-0007", "5", "", "斤")], catalogue=catalogue)
    assert (match.supply_id, match.outcome, str(match.message)) == (
        None,
        Outcome.SKIPPED,
        "这样货已下架：没有变动。",
    )


@pytest.mark.parametrize("name, outcome", [("菜8", Outcome.WAITING), ("鱼", None), ("菜7", None)])
def test_a_short_list_that_calls_a_good_by_the_name_of_another_one_waits(
    baima: Cooperative, name: str, outcome: Outcome | None
) -> None:
    catalogue = StoredCatalogue(cooperative_id=baima.pk, codes=frozenset(["XY-0007"]))
    (match,) = Matches(rows=[Row(1, "库存", "XY-0007", "5", name, "斤")], catalogue=catalogue)
    assert match.outcome is outcome
