"""Every stock figure is what the ledger says, or the audit says which is not."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from saleor.warehouse.models import Allocation, Stock

from backend.cooperatives.models import Cooperative
from backend.stock.allocation import allocate
from backend.stock.audit import Drift, find_drift, repair
from backend.stock.models import Movement, Pack, Shortfall, Supply
from tests.backend.stock.shed import (
    an_order,
    an_uncounted_supply,
    available,
    count,
    stock_of,
    variant_of,
)
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db


@pytest.fixture
def supply() -> Supply:
    """10 kg, of which 3 kg are promised."""
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007", packs={1000: "7", 500: "4"})
    at = timezone.now() - timedelta(minutes=5)
    count(supply.cooperative, {"XY-0007": "20"}, at=at)
    _, lines = an_order((variant_of(supply), 3))
    allocate(lines=lines, country_code="CN", now=at + timedelta(minutes=1))
    supply.refresh_from_db()
    return supply


def damage_stock(supply: Supply) -> None:
    Stock.objects.filter(pk=stock_of(supply, variant_of(supply)).pk).update(quantity=99)


def damage_on_hand(supply: Supply) -> None:
    Supply.objects.filter(pk=supply.pk).update(on_hand=11_000)


def damage_allocated(supply: Supply) -> None:
    Supply.objects.filter(pk=supply.pk).update(allocated=4000)


def lose_a_promise(supply: Supply) -> None:
    Allocation.objects.all().delete()


def lose_a_stock_row(supply: Supply) -> None:
    stock_of(supply, variant_of(supply, 500)).delete()


def invent_a_shortfall(supply: Supply) -> None:
    Shortfall.objects.create(supply=supply, base_units=5, opened_at=timezone.now())


def stock_elsewhere(supply: Supply) -> None:
    fuxing: Cooperative = a_cooperative(slug="fuxing", name="福星村")
    Stock.objects.create(warehouse=fuxing.warehouse, product_variant=variant_of(supply), quantity=7)


DAMAGES = [
    (damage_stock, Drift.STOCK),
    (damage_on_hand, Drift.ON_HAND),
    (damage_allocated, Drift.ALLOCATED),
    (lose_a_promise, Drift.PROMISES),
    (lose_a_stock_row, Drift.MISSING),
    (invent_a_shortfall, Drift.SHORTFALL),
    (stock_elsewhere, Drift.STRAY),
]


@pytest.mark.parametrize("damage,drift", DAMAGES, ids=[drift.name for _, drift in DAMAGES])
def test_drift_is_found_reported_and_repaired(supply: Supply, damage, drift: Drift) -> None:  # type: ignore[no-untyped-def]  # one of the functions above
    assert find_drift() == []
    damage(supply)

    assert drift in {finding.drift for finding in find_drift()}
    assert drift in {finding.drift for finding in repair(now=timezone.now())}
    assert find_drift() == []
    supply.refresh_from_db()
    assert supply.on_hand == 10_000
    assert available(supply, variant_of(supply)) == (10 if damage is lose_a_promise else 7)


def test_a_lost_promise_is_corrected_by_an_entry_not_by_rewriting(supply: Supply) -> None:
    lose_a_promise(supply)
    repair(now=timezone.now())
    correction = Movement.objects.get(kind=Movement.Kind.CORRECTION)
    assert (correction.allocated_delta, correction.allocated_after) == (-3000, 0)


def test_what_a_stray_row_promises_is_no_drift_once_the_rest_of_it_is_gone(supply: Supply) -> None:
    stock_elsewhere(supply)
    _, (line,) = an_order((variant_of(supply), 2))
    stray = Stock.objects.get(quantity=7)
    Allocation.objects.create(order_line=line, stock=stray, quantity_allocated=2)
    (finding,) = repair(now=timezone.now())
    assert (finding.drift, finding.is_now, finding.should_be) == (Drift.STRAY, 7, 2)
    stray.refresh_from_db()
    assert stray.quantity == 2
    assert find_drift() == []


def test_two_supplies_for_one_stock_row_are_left_to_a_person(supply: Supply) -> None:
    rival = an_uncounted_supply(cooperative=supply.cooperative, code="XY-0008")
    Pack.objects.create(supply=rival, variant=variant_of(supply), units=1000)
    assert Drift.SHARED in {finding.drift for finding in find_drift()}
    repair(now=timezone.now())
    # Whose promises they are, only a person can say.
    assert not Movement.objects.filter(kind=Movement.Kind.CORRECTION).exists()
    with pytest.raises(CommandError, match="Left for a person"):
        call_command("audit_stock", "--repair", stdout=StringIO())


def test_the_command_says_what_it_found_and_fails_until_it_is_repaired(supply: Supply) -> None:
    out = StringIO()
    call_command("audit_stock", stdout=out)
    assert "is what the ledger says" in out.getvalue()

    damage_stock(supply)
    out = StringIO()
    with pytest.raises(CommandError, match="1 figures differ"):
        call_command("audit_stock", stdout=out)
    assert f"supply {supply.pk}" in out.getvalue()
    assert "99, should be 10" in out.getvalue()
    call_command("audit_stock", "--repair", stdout=out)
    call_command("audit_stock", stdout=out)
