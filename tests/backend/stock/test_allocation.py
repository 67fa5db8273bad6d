"""Promising packs to buyers, and what becomes of promises."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from saleor.core.exceptions import AllocationError, InsufficientStock
from saleor.order.actions import cancel_fulfillment, cancel_order
from saleor.order.models import Fulfillment
from saleor.product.models import ProductVariant
from saleor.warehouse.models import Allocation, Stock

from backend.cooperatives.models import Cooperative
from backend.provenance.models import HarvestLot
from backend.saleor_port.warehouse import stock_keeper
from backend.stock.allocation import LedgerStockKeeper, allocate
from backend.stock.audit import find_drift
from backend.stock.models import Movement, Supply
from tests.backend.stock.shed import (
    MORNING,
    an_order,
    an_uncounted_supply,
    available,
    count,
    fill_from,
    stock_of,
    variant_of,
)
from tests.produce import a_cooperative, a_person, a_product

pytestmark = pytest.mark.django_db

NOW = MORNING + timedelta(hours=1)


@pytest.fixture
def baima() -> Cooperative:
    return a_cooperative()


@pytest.fixture
def fuxing() -> Cooperative:
    return a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")


@pytest.fixture
def celtuce(baima: Cooperative) -> Supply:
    """20 kg of 莴笋, sold in packs of 1 kg and 2.5 kg from one heap."""
    supply = an_uncounted_supply(cooperative=baima, code="XY-0007", packs={1000: "7", 2500: "16"})
    count(baima, {"XY-0007": "40"})
    return supply


def the_same_good(supply: Supply, *, cooperative: Cooperative, quantity: str, at_hour: int = 0) -> Supply:
    """Another cooperative's supply of the same packs."""
    twin = Supply.objects.create(
        cooperative=cooperative, code=supply.code, name=supply.name, product=supply.product
    )
    fill_from(twin)
    count(cooperative, {supply.code: quantity}, at=MORNING + timedelta(hours=at_hour))
    return twin


def a_lot(supply: Supply, *, best_before: date) -> None:
    supply.lot = HarvestLot.objects.create(
        cooperative=supply.cooperative,
        product=supply.product,
        code=f"lot {best_before}",
        harvested_on=date(2026, 11, 20),
        best_before=best_before,
    )
    supply.save(update_fields=["lot"])


def promised(supply: Supply, variant: ProductVariant) -> int:
    return sum(
        Allocation.objects.filter(stock=stock_of(supply, variant)).values_list(
            "quantity_allocated", flat=True
        )
    )


def test_the_ledger_keeps_saleors_stock() -> None:
    assert isinstance(stock_keeper(), LedgerStockKeeper)


def test_a_promise_of_one_pack_takes_from_its_siblings(celtuce: Supply) -> None:
    one_kilo, two_and_a_half = variant_of(celtuce, 1000), variant_of(celtuce, 2500)
    _, lines = an_order((one_kilo, 4))
    allocate(lines=lines, country_code="CN", now=NOW)

    assert (available(celtuce, one_kilo), available(celtuce, two_and_a_half)) == (16, 6)
    assert (stock_of(celtuce, one_kilo).quantity, stock_of(celtuce, two_and_a_half).quantity) == (20, 6)
    movement = Movement.objects.get(kind=Movement.Kind.ALLOCATE)
    assert (movement.allocated_delta, movement.allocated_after, movement.order_line) == (4000, 4000, lines[0])
    assert find_drift() == []


def test_two_packs_of_one_heap_are_summed_before_anything_is_promised(celtuce: Supply) -> None:
    # 15 kg and 7.5 kg: each would fit alone, both are more than 20 kg.
    _, lines = an_order((variant_of(celtuce, 1000), 15), (variant_of(celtuce, 2500), 3))
    with pytest.raises(InsufficientStock) as refused:
        allocate(lines=lines, country_code="CN", now=NOW)

    assert refused.value.item == lines[0].variant
    assert refused.value.context["short"] == [(lines[0], 12)]
    assert not Allocation.objects.exists()
    assert not Movement.objects.filter(kind=Movement.Kind.ALLOCATE).exists()


def test_everything_to_the_last_gram_can_be_sold(celtuce: Supply) -> None:
    _, lines = an_order((variant_of(celtuce, 1000), 15), (variant_of(celtuce, 2500), 2))
    allocate(lines=lines, country_code="CN", now=NOW)
    assert available(celtuce, variant_of(celtuce, 1000)) == available(celtuce, variant_of(celtuce, 2500)) == 0
    assert find_drift() == []


def test_the_lot_that_must_be_sold_first_goes_first_and_a_line_may_be_split(
    celtuce: Supply, fuxing: Cooperative
) -> None:
    theirs = the_same_good(celtuce, cooperative=fuxing, quantity="6")
    a_lot(celtuce, best_before=date(2026, 11, 30))
    a_lot(theirs, best_before=date(2026, 11, 25))
    one_kilo = variant_of(celtuce)
    _, lines = an_order((one_kilo, 5))
    allocate(lines=lines, country_code="CN", now=NOW)

    assert (promised(theirs, one_kilo), promised(celtuce, one_kilo)) == (3, 2)
    assert find_drift() == []


def test_without_lots_the_oldest_count_goes_first(celtuce: Supply, fuxing: Cooperative) -> None:
    theirs = the_same_good(celtuce, cooperative=fuxing, quantity="20", at_hour=-5)
    one_kilo = variant_of(celtuce)
    _, lines = an_order((one_kilo, 5))
    allocate(lines=lines, country_code="CN", now=NOW)
    assert (promised(theirs, one_kilo), promised(celtuce, one_kilo)) == (5, 0)


def test_who_has_no_choice_is_served_before_who_has(celtuce: Supply, fuxing: Cooperative) -> None:
    # 2.5 kg packs come from 白马 alone; 1 kg packs from either, and 白马's would be taken first.
    theirs = Supply.objects.create(cooperative=fuxing, code="XY-0007", name="莴笋", product=celtuce.product)
    fill_from(theirs, [variant_of(celtuce, 1000)])
    count(fuxing, {"XY-0007": "40"}, at=MORNING + timedelta(minutes=30))
    _, lines = an_order((variant_of(celtuce, 1000), 20), (variant_of(celtuce, 2500), 8))
    allocate(lines=lines, country_code="CN", now=NOW)

    assert promised(celtuce, variant_of(celtuce, 2500)) == 8
    assert promised(theirs, variant_of(celtuce, 1000)) == 20


def test_a_shed_that_does_not_deliver_there_or_is_closed_promises_nothing(
    celtuce: Supply, baima: Cooperative
) -> None:
    _, lines = an_order((variant_of(celtuce), 1))
    with pytest.raises(InsufficientStock):
        allocate(lines=lines, country_code="PL", now=NOW)
    Cooperative.objects.filter(pk=baima.pk).update(is_active=False)
    with pytest.raises(InsufficientStock):
        allocate(lines=lines, country_code="CN", now=NOW)


def test_a_variant_that_no_cooperative_supplies_is_kept_by_saleors_rules(
    celtuce: Supply, baima: Cooperative
) -> None:
    bag = a_product(name="布袋", slug="budai").variants.get()
    stock = Stock.objects.create(warehouse=baima.warehouse, product_variant=bag, quantity=3)
    _, lines = an_order((bag, 2), (variant_of(celtuce), 2))
    allocate(lines=lines, country_code="CN", now=NOW)

    assert Allocation.objects.get(stock=stock).quantity_allocated == 2
    assert available(celtuce, variant_of(celtuce)) == 18
    _, more = an_order((variant_of(celtuce), 2), (bag, 2))
    with pytest.raises(InsufficientStock) as refused:
        allocate(lines=more, country_code="CN", now=NOW)
    assert refused.value.item == bag
    assert available(celtuce, variant_of(celtuce)) == 18
    assert find_drift() == []


def test_what_is_not_tracked_is_not_promised(celtuce: Supply) -> None:
    variant = variant_of(celtuce)
    variant.track_inventory = False
    _, lines = an_order((variant, 999))
    allocate(lines=lines, country_code="CN", now=NOW)
    assert not Allocation.objects.exists()


def test_a_cancelled_order_gives_everything_back(celtuce: Supply) -> None:
    order, lines = an_order((variant_of(celtuce, 1000), 5), (variant_of(celtuce, 2500), 2))
    allocate(lines=lines, country_code="CN", now=NOW)
    cancel_order(order=order, user=a_person(email="staff@xinyi.example", is_staff=True))

    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (20_000, 0)
    assert available(celtuce, variant_of(celtuce, 1000)) == 20
    assert available(celtuce, variant_of(celtuce, 2500)) == 8
    assert find_drift() == []


def test_more_than_was_promised_cannot_be_given_back(celtuce: Supply) -> None:
    _, (line,) = an_order((variant_of(celtuce), 5))
    allocate(lines=[line], country_code="CN", now=NOW)
    keeper = LedgerStockKeeper()
    with pytest.raises(AllocationError):
        keeper.deallocate(line, 6)
    keeper.deallocate(line, 2)
    assert available(celtuce, variant_of(celtuce)) == 17
    assert find_drift() == []


def test_packed_goods_leave_the_shed_with_their_promise(celtuce: Supply) -> None:
    _, (line,) = an_order((variant_of(celtuce), 5))
    allocate(lines=[line], country_code="CN", now=NOW)
    LedgerStockKeeper().decrease(line, 3, celtuce.cooperative.warehouse_id)

    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (17_000, 2000)
    assert available(celtuce, variant_of(celtuce)) == 15
    assert find_drift() == []


def test_goods_may_leave_from_another_shed_than_was_promised(celtuce: Supply, fuxing: Cooperative) -> None:
    theirs = the_same_good(celtuce, cooperative=fuxing, quantity="20", at_hour=1)
    one_kilo = variant_of(celtuce)
    _, (line,) = an_order((one_kilo, 5))
    allocate(lines=[line], country_code="CN", now=NOW)
    assert promised(celtuce, one_kilo) == 5

    LedgerStockKeeper().decrease(line, 4, fuxing.warehouse_id)
    assert (promised(celtuce, one_kilo), available(celtuce, one_kilo)) == (1, 19)
    assert (promised(theirs, one_kilo), available(theirs, one_kilo)) == (0, 6)
    with pytest.raises(InsufficientStock):
        LedgerStockKeeper().decrease(line, 7, fuxing.warehouse_id)
    assert find_drift() == []


def test_what_a_shed_does_not_have_cannot_leave_it(celtuce: Supply, baima: Cooperative) -> None:
    _, (line,) = an_order((variant_of(celtuce), 15))
    allocate(lines=[line], country_code="CN", now=NOW)
    count(baima, {"XY-0007": "20"}, at=NOW + timedelta(minutes=1))
    with pytest.raises(InsufficientStock):
        LedgerStockKeeper().decrease(line, 11, celtuce.cooperative.warehouse_id)
    LedgerStockKeeper().decrease(line, 10, celtuce.cooperative.warehouse_id)
    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (0, 5000)
    assert find_drift() == []


def test_what_comes_back_is_for_sale_again_or_stays_promised(celtuce: Supply) -> None:
    one_kilo = variant_of(celtuce)
    _, (line,) = an_order((one_kilo, 5))
    allocate(lines=[line], country_code="CN", now=NOW)
    keeper = LedgerStockKeeper()
    keeper.decrease(line, 5, celtuce.cooperative.warehouse_id)
    keeper.increase(line, celtuce.cooperative.warehouse, 2, allocate=True)
    assert (promised(celtuce, one_kilo), available(celtuce, one_kilo)) == (2, 15)
    keeper.increase(line, celtuce.cooperative.warehouse, 1)
    assert (promised(celtuce, one_kilo), available(celtuce, one_kilo)) == (2, 16)
    assert find_drift() == []


def test_a_clock_that_was_read_before_the_lock_does_not_put_an_order_before_a_count(
    celtuce: Supply, baima: Cooperative
) -> None:
    count(baima, {"XY-0007": "40"}, at=NOW)
    _, lines = an_order((variant_of(celtuce), 5))
    allocate(lines=lines, country_code="CN", now=NOW - timedelta(seconds=1))
    assert Movement.objects.get(kind=Movement.Kind.ALLOCATE).happened_at > NOW


def test_a_basket_of_ten_goods_costs_ten_statements(baima: Cooperative) -> None:
    supplies = [an_uncounted_supply(cooperative=baima, code=f"XY-{number}") for number in range(10)]
    count(baima, {supply.code: "20" for supply in supplies})
    _, lines = an_order(*[(variant_of(supply), 2) for supply in supplies])
    for line in lines:
        assert line.variant
    with CaptureQueriesContext(
        connection,
    ) as queries:
        allocate(lines=lines, country_code="CN", now=timezone.now())
    assert len(queries) <= 10, [query["sql"] for query in queries]


def movements_of(supply: Supply) -> list[tuple[str, int, int]]:
    """(kind, change on hand, change of what is promised) of everything but counts, in packs of 1 kg."""
    entries = supply.movements.exclude(kind=Movement.Kind.COUNT).order_by("pk")
    return [(entry.kind, entry.on_hand_delta // 1000, entry.allocated_delta // 1000) for entry in entries]


def test_an_order_that_is_packed_in_part_and_then_given_up_gives_back_the_rest(celtuce: Supply) -> None:
    order, (line,) = an_order((variant_of(celtuce), 5))
    allocate(lines=[line], country_code="CN", now=NOW)
    LedgerStockKeeper().decrease(line, 3, celtuce.cooperative.warehouse_id)
    for _ in range(2):
        LedgerStockKeeper().deallocate_order(order)

    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (17_000, 0)
    assert available(celtuce, variant_of(celtuce)) == 17
    assert movements_of(celtuce) == [("allocate", 0, 5), ("fulfil", -3, -3), ("release", 0, -2)]
    assert find_drift() == []


def test_a_parcel_that_is_called_back_lies_in_the_shed_and_is_promised_again(celtuce: Supply) -> None:
    order, (line,) = an_order((variant_of(celtuce), 5))
    allocate(lines=[line], country_code="CN", now=NOW)
    fulfillment = Fulfillment.objects.create(order=order)
    fulfillment.lines.create(order_line=line, quantity=3)
    line.quantity_fulfilled = 3
    line.save()
    LedgerStockKeeper().decrease(line, 3, celtuce.cooperative.warehouse_id)
    assert not order.can_cancel()

    zhao = a_person(email="zhao@xinyi.example", is_staff=True)
    cancel_fulfillment(fulfillment, zhao, celtuce.cooperative.warehouse)
    celtuce.refresh_from_db()
    assert (celtuce.on_hand, celtuce.allocated) == (20_000, 5_000)
    assert order.can_cancel()
    cancel_order(order=order, user=zhao)
    assert movements_of(celtuce) == [
        ("allocate", 0, 5),
        ("fulfil", -3, -3),
        ("return", 3, 3),
        ("release", 0, -5),
    ]
    assert available(celtuce, variant_of(celtuce)) == 20
    assert find_drift() == []


def test_three_sheds_fill_one_line_the_soonest_to_spoil_first_then_the_oldest_count(
    celtuce: Supply, fuxing: Cooperative
) -> None:
    lihua = a_cooperative(slug="lihua", name="李花村果蔬专业合作社")
    counted_first = the_same_good(celtuce, cooperative=fuxing, quantity="4", at_hour=-5)
    spoils_first = the_same_good(celtuce, cooperative=lihua, quantity="6")
    a_lot(spoils_first, best_before=date(2026, 11, 25))
    one_kilo = variant_of(celtuce)
    _, (line,) = an_order((one_kilo, 7))
    allocate(lines=[line], country_code="CN", now=NOW)

    assert [promised(each, one_kilo) for each in (spoils_first, counted_first, celtuce)] == [3, 2, 2]
    LedgerStockKeeper().deallocate(line, 6)
    assert sum(promised(each, one_kilo) for each in (spoils_first, counted_first, celtuce)) == 1
    assert find_drift() == []


def test_two_lines_of_one_pack_are_summed_as_well(celtuce: Supply) -> None:
    _, lines = an_order((variant_of(celtuce), 12), (variant_of(celtuce), 9))
    with pytest.raises(InsufficientStock):
        allocate(lines=lines, country_code="CN", now=NOW)
    assert not Allocation.objects.exists()
    _, lines = an_order((variant_of(celtuce), 12), (variant_of(celtuce), 8))
    allocate(lines=lines, country_code="CN", now=NOW)
    assert available(celtuce, variant_of(celtuce)) == 0


def test_supplies_are_locked_before_stock_rows_and_each_in_the_order_of_their_keys(
    baima: Cooperative,
) -> None:
    supplies = [an_uncounted_supply(cooperative=baima, code=f"XY-{number}") for number in range(5)]
    count(baima, {supply.code: "20" for supply in supplies})
    order, lines = an_order(*[(variant_of(supply), 2) for supply in reversed(supplies)])
    keeper = LedgerStockKeeper()
    for act in (
        lambda: allocate(lines=lines, country_code="CN", now=NOW),
        lambda: keeper.decrease(lines[0], 1, baima.warehouse_id),
        lambda: keeper.deallocate_order(order),
        lambda: keeper.increase(lines[0], baima.warehouse, 1),
        lambda: keeper.lock([line.variant_id for line in lines]),
    ):
        with CaptureQueriesContext(connection) as queries:
            act()
        locks = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
        tables = [
            "supply" if '"stock_supply"' in sql else "row"
            for sql in locks
            if "warehouse_allocation" not in sql
        ]
        assert tables[0] == "supply"
        assert "supply" not in tables[1:]
        assert all("ORDER BY" in sql for sql in locks)
