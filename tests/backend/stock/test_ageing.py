"""An old count is believed less and less, so that nobody is sold what has wilted."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings
from saleor.core.exceptions import InsufficientStock

from backend.config.environment import Environment, EnvironmentUnreadable
from backend.cooperatives.models import Cooperative
from backend.stock.ageing import percent_believed, shrink_old_counts
from backend.stock.allocation import LedgerStockKeeper, allocate
from backend.stock.audit import Drift, find_drift
from backend.stock.models import Feed, Shortfall, Supply
from backend.stock.services import confirm_lines, undo_report
from backend.stock.words import Basis
from tests.backend.stock.shed import MORNING, an_order, an_uncounted_supply, available, count, variant_of
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule(settings: Settings) -> None:
    settings.OLD_COUNTS = ((36, 50), (72, 0))


@pytest.fixture
def baima() -> Cooperative:
    return a_cooperative()


@pytest.fixture
def celtuce(baima: Cooperative) -> Supply:
    """20 kg, in packs of 1 kg and 2.5 kg."""
    supply = an_uncounted_supply(cooperative=baima, code="XY-0007", packs={1000: "7", 2500: "16"})
    count(baima, {"XY-0007": "40"})
    return supply


def on_sale(supply: Supply, grams: int = 1000) -> int:
    return available(supply, variant_of(supply, grams))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_a_count_is_believed_whole_then_half_then_not_at_all(celtuce: Supply) -> None:
    assert shrink_old_counts(now=MORNING + hours(35.9)) == 0
    assert on_sale(celtuce) == 20
    assert shrink_old_counts(now=MORNING + hours(36)) == 1
    assert (on_sale(celtuce), on_sale(celtuce, 2500)) == (10, 4)
    assert shrink_old_counts(now=MORNING + hours(36)) == 0
    assert shrink_old_counts(now=MORNING + hours(72)) == 1
    assert (on_sale(celtuce), on_sale(celtuce, 2500)) == (0, 0)
    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (20_000, 0)
    assert find_drift() == []


def test_who_counts_again_is_believed_again(baima: Cooperative, celtuce: Supply) -> None:
    shrink_old_counts(now=MORNING + hours(80))
    count(baima, {"XY-0007": "30"}, at=MORNING + hours(81))
    assert on_sale(celtuce) == 15
    # A count that was old when it came is believed as such.
    count(baima, {"XY-0007": "32"}, at=MORNING + hours(82), now=MORNING + hours(120))
    assert on_sale(celtuce) == 8
    assert find_drift() == []


def test_what_is_promised_stays_promised_and_no_more_is_promised_than_is_believed(celtuce: Supply) -> None:
    one_kilo = variant_of(celtuce)
    _, (line,) = an_order((one_kilo, 8))
    allocate(lines=[line], country_code="CN", now=MORNING + hours(1))
    shrink_old_counts(now=MORNING + hours(36))
    assert on_sale(celtuce) == 2

    _, more = an_order((one_kilo, 3))
    with pytest.raises(InsufficientStock):
        allocate(lines=more, country_code="CN", now=MORNING + hours(37))
    _, less = an_order((one_kilo, 2))
    allocate(lines=less, country_code="CN", now=MORNING + hours(37))
    assert on_sale(celtuce) == 0

    shrink_old_counts(now=MORNING + hours(80))
    assert line.allocations.get().quantity_allocated == 8
    LedgerStockKeeper().decrease(line, 8, celtuce.cooperative.warehouse_id)
    assert not Shortfall.objects.exists()
    assert on_sale(celtuce) == 0
    assert find_drift() == []


def test_a_sellable_count_grows_old_as_well(baima: Cooperative, celtuce: Supply) -> None:
    _, lines = an_order((variant_of(celtuce), 5))
    allocate(lines=lines, country_code="CN", now=MORNING + hours(1))
    count(baima, {"XY-0007": "20"}, at=MORNING + hours(2), basis=Basis.SELLABLE)
    shrink_old_counts(now=MORNING + hours(38))
    assert on_sale(celtuce) == 5
    shrink_old_counts(now=MORNING + hours(74))
    assert on_sale(celtuce) == 0


def test_what_keeps_is_believed_and_so_is_everything_where_the_rule_is_off(
    celtuce: Supply, settings: Settings
) -> None:
    Supply.objects.update(is_perishable=False)
    assert shrink_old_counts(now=MORNING + hours(500)) == 0
    Supply.objects.update(is_perishable=True)
    shrink_old_counts(now=MORNING + hours(500))
    assert on_sale(celtuce) == 0
    settings.OLD_COUNTS = ()
    assert shrink_old_counts(now=MORNING + hours(500)) == 1
    assert on_sale(celtuce) == 20
    assert percent_believed(age=hours(500)) == 100


def test_a_silent_feed_takes_its_goods_off_sale_until_it_answers(celtuce: Supply) -> None:
    feed = Feed.objects.create(
        cooperative=celtuce.cooperative,
        kind=Feed.Kind.HTTP_JSON,
        url="http://127.0.0.1/",
        interval_seconds=60,
        on_silence=Feed.Silence.STOP,
        silent_after_minutes=10,
        stop_after_hours=3,
        last_answered_at=MORNING + hours(1),
    )
    assert shrink_old_counts(now=MORNING + hours(3)) == 0
    assert shrink_old_counts(now=MORNING + hours(5)) == 1
    assert on_sale(celtuce) == 0
    feed.last_answered_at = MORNING + hours(5)
    feed.save()
    assert shrink_old_counts(now=MORNING + hours(5.1)) == 1
    assert on_sale(celtuce) == 20


def test_an_undone_count_leaves_one_that_is_as_old_as_it_is(baima: Cooperative, celtuce: Supply) -> None:
    report = count(baima, {"XY-0007": "60"}, at=MORNING + hours(40))
    assert on_sale(celtuce) == 30
    undo_report(report_id=report.pk, submitted_by=None, now=MORNING + hours(41))
    assert on_sale(celtuce) == 10
    assert find_drift() == []


def test_a_row_that_is_confirmed_late_is_believed_as_the_old_count_that_it_is(
    baima: Cooperative, celtuce: Supply
) -> None:
    report = count(baima, {"XY-0007": "约60"}, at=MORNING + hours(1))
    confirm_lines(report_id=report.pk, rows=[1], submitted_by=None, now=MORNING + hours(40))
    assert on_sale(celtuce) == 15
    assert shrink_old_counts(now=MORNING + hours(40)) == 0


def test_an_undone_count_does_not_end_a_feeds_silence(baima: Cooperative, celtuce: Supply) -> None:
    Feed.objects.create(
        cooperative=baima,
        kind=Feed.Kind.HTTP_JSON,
        url="http://127.0.0.1/",
        on_silence=Feed.Silence.STOP,
        stop_after_hours=3,
        last_answered_at=MORNING + hours(1),
    )
    shrink_old_counts(now=MORNING + hours(5))
    report = count(baima, {"XY-0007": "60"}, at=MORNING + hours(6))
    assert on_sale(celtuce) == 30
    undo_report(report_id=report.pk, submitted_by=None, now=MORNING + hours(7))
    assert on_sale(celtuce) == 0


def test_the_audit_finds_what_is_believed_for_too_long(baima: Cooperative) -> None:
    supply = an_uncounted_supply(cooperative=baima, code="XY-0008")
    count(baima, {"XY-0008": "40"}, at=timezone.now() - hours(40), now=timezone.now() - hours(39))
    (finding,) = find_drift(ages_at=timezone.now())
    assert (finding.drift, finding.supply_id, finding.is_now, finding.should_be) == (
        Drift.AGE,
        supply.pk,
        100,
        50,
    )
    with pytest.raises(CommandError, match="1 figures differ"):
        call_command("audit_stock", stdout=StringIO())
    call_command("audit_stock", "--repair", stdout=StringIO())
    assert on_sale(supply) == 10


@pytest.mark.parametrize(
    "written,steps",
    [("", ((36, 50), (72, 0))), ("24:80, 48:0", ((24, 80), (48, 0))), ("off", ()), ("12:0", ((12, 0),))],
)
def test_the_rule_is_read_from_the_environment(written: str, steps: tuple[object, ...]) -> None:
    assert Environment.read({"DEMO": "true", "OLD_COUNTS": written}).old_counts == steps


@pytest.mark.parametrize("written", ["36", "72:0,36:50", "36:100", "36:50,36:50", "a:b"])
def test_a_rule_that_makes_no_sense_stops_the_start(written: str) -> None:
    with pytest.raises(EnvironmentUnreadable, match="OLD_COUNTS"):
        Environment.read({"DEMO": "true", "OLD_COUNTS": written})
