"""Overselling, deadlocks and goods that leave the wrong warehouse."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, transaction
from saleor.core.exceptions import AllocationError, InsufficientStock
from saleor.order.actions import cancel_order, create_fulfillments
from saleor.order.models import OrderLine
from saleor.product.models import ProductVariant
from saleor.warehouse import management
from saleor.warehouse.models import Allocation, Stock

from backend.saleor_port import without
from backend.saleor_port.warehouse import PlainStockKeeper, set_stock_keeper
from tests.backend.saleor_port.small_shop import Rendezvous, Shop, race, waiting_for_locks


def promised(good: ProductVariant) -> int:
    return sum(
        Allocation.objects.filter(stock__product_variant=good).values_list("quantity_allocated", flat=True)
    )


def on_hand(good: ProductVariant) -> list[int]:
    return list(good.stocks.order_by("pk").values_list("quantity", flat=True))


# ---- oversell ----


def sell_the_last_one_twice(shop: Shop) -> tuple[list[Any], int]:
    """Both buyers are held at the lock of the last box, then let go: what each got, and what is promised."""
    good = shop.good(1)
    lines = [shop.order(good).lines.get() for _ in range(2)]

    def hold_the_row_until_both_wait() -> None:
        with transaction.atomic():
            Stock.objects.select_for_update().get(product_variant=good)
            give_up = time.monotonic() + 20
            while waiting_for_locks() < 2 and time.monotonic() < give_up:
                time.sleep(0.01)

    def buy(line: OrderLine) -> Callable[[], None]:
        def allocate() -> None:
            time.sleep(0.3)  # the row is held by then
            management.allocate_stock(line, "CN", 1)

        return allocate

    outcomes = race(hold_the_row_until_both_wait, *(buy(line) for line in lines))[1:]
    return outcomes, promised(good)


def test_saleor_sells_the_last_box_to_both_of_two_buyers(committed_shop: Shop) -> None:
    with without("oversell"):
        outcomes, boxes = sell_the_last_one_twice(committed_shop)

    assert outcomes == [None, None]
    assert boxes == 2


def test_the_last_box_is_sold_to_one_of_two_buyers(committed_shop: Shop) -> None:
    outcomes, boxes = sell_the_last_one_twice(committed_shop)

    assert sorted(type(each).__name__ for each in outcomes) == ["InsufficientStock", "NoneType"]
    assert boxes == 1


def test_an_order_takes_from_the_second_warehouse_what_the_first_lacks(shop: Shop) -> None:
    good = shop.good(3, 4)
    line = shop.order(good, quantity=5).lines.get()

    management.allocate_stock(line, "CN", 5)

    assert list(line.allocations.order_by("stock").values_list("quantity_allocated", flat=True)) == [3, 2]


def test_an_order_of_too_much_promises_nothing(shop: Shop) -> None:
    good = shop.good(3, 4)
    line = shop.order(good, quantity=8).lines.get()

    with pytest.raises(InsufficientStock):
        management.allocate_stock(line, "CN", 8)

    assert promised(good) == 0


# ---- lock order ----


def order_the_same_goods_in_opposite_order(shop: Shop) -> list[Any]:
    """Two fulfilments whose lines stand in opposite order; each waits for the other after its first line."""
    first, second = shop.good(9), shop.good(9)
    orders = [shop.order(first, second), shop.order(second, first)]
    for order in orders:
        for line in order.lines.all():
            shop.promise(line, 1)
    meeting = Rendezvous(seconds=3)

    class Slow(PlainStockKeeper):
        def decrease(self, order_line: OrderLine, quantity: int, warehouse_pk: Any) -> None:
            super().decrease(order_line, quantity, warehouse_pk)
            meeting.wait()

    set_stock_keeper(Slow())
    warehouse = shop.warehouses[0]
    return race(
        *(
            lambda order=order: create_fulfill(order, warehouse.pk)  # bound at once
            for order in orders
        )
    )


def create_fulfill(order: Any, warehouse_pk: Any) -> None:
    lines = [{"order_line": line, "quantity": 1} for line in order.lines.order_by("pk")]
    # Called by its module's name, as Saleor does: the patch is in the module.
    from saleor.order import actions

    actions.create_fulfillments(None, order, {warehouse_pk: lines}, notify_customer=False)


def test_saleor_deadlocks_on_two_orders_of_the_same_goods(committed_shop: Shop) -> None:
    with without("lock_order"):
        outcomes = order_the_same_goods_in_opposite_order(committed_shop)

    [failure] = [each for each in outcomes if each is not None]
    assert isinstance(failure, OperationalError)
    assert "deadlock detected" in str(failure)


def test_two_orders_of_the_same_goods_wait_for_each_other(committed_shop: Shop) -> None:
    assert order_the_same_goods_in_opposite_order(committed_shop) == [None, None]


# ---- decrease_stock ----


def pack_from_the_second_warehouse(shop: Shop) -> ProductVariant:
    good = shop.good(5, 5)
    line = shop.order(good, quantity=10).lines.get()
    shop.promise(line, 5, 5)
    create_fulfillments(
        None,
        line.order,
        {shop.warehouses[1].pk: [{"order_line": line, "quantity": 5}]},
        notify_customer=False,
    )
    return good


def test_saleor_cannot_pack_from_the_second_warehouse_what_it_promised_there(shop: Shop) -> None:
    with without("decrease_stock"), pytest.raises(InsufficientStock):
        pack_from_the_second_warehouse(shop)


def test_goods_leave_the_warehouse_that_promised_them(shop: Shop) -> None:
    good = pack_from_the_second_warehouse(shop)

    assert on_hand(good) == [5, 0]
    left = Allocation.objects.filter(stock__product_variant=good).order_by("stock")
    assert list(left.values_list("quantity_allocated", flat=True)) == [5, 0]


def test_goods_promised_to_others_do_not_leave(shop: Shop) -> None:
    good = shop.good(5)
    other, mine = (shop.order(good, quantity=3).lines.get() for _ in range(2))
    shop.promise(other, 3)
    shop.promise(mine, 2)

    with pytest.raises(InsufficientStock):
        management.decrease_stock(mine, 3, shop.warehouses[0].pk)

    assert on_hand(good) == [5]
    assert mine.allocations.get().quantity_allocated == 2


def test_cancelling_an_order_takes_its_promises_back(shop: Shop) -> None:
    good = shop.good(5)
    line = shop.order(good, quantity=3).lines.get()
    shop.promise(line, 3)

    cancel_order(line.order, None)

    assert promised(good) == 0
    assert on_hand(good) == [5]


def test_more_than_was_promised_cannot_be_taken_back(shop: Shop) -> None:
    good = shop.good(5)
    line = shop.order(good, quantity=3).lines.get()
    shop.promise(line, 2)

    with pytest.raises(AllocationError):
        management.deallocate_stock(line, 3)

    assert promised(good) == 2


def test_goods_that_come_back_are_on_hand_again_and_stay_promised(shop: Shop) -> None:
    good = shop.good(5, None)
    line = shop.order(good, quantity=3).lines.get()

    management.increase_stock(line, shop.warehouses[1], 2, allocate=True)
    management.increase_stock(line, shop.warehouses[1], 1, allocate=True)

    assert on_hand(good) == [5, 3]
    assert promised(good) == 3
