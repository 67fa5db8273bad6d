"""Moving stock: one seam between Saleor and whoever keeps it.

Saleor's functions (saleor.warehouse.management) are replaced, wherever they were imported by name, by ones
that ask the stock keeper. By default that is `PlainStockKeeper`: what Saleor does, corrected. The stock room
puts its own in its place at start-up: `set_stock_keeper(LedgerStockKeeper())`.

The corrections, in every method: rows are locked first, in pk order, and only then are allocations summed.
Saleor 2.10.1 sums before it locks (upstream a075c2ca18), and locks order line by order line in whatever order
they have (upstream fb72855c1b); `lock` lets a caller take all rows of an order in one go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from backend.saleor_port.registry import Replace, everywhere, patch

if TYPE_CHECKING:
    from saleor.order.models import Order, OrderLine
    from saleor.warehouse.models import Stock, Warehouse


class StockKeeper(Protocol):
    """Who moves stock for Saleor. quantity: packs (units of the variant), always positive.

    Arguments stand in the order of Saleor's functions. Every method is called inside or outside a transaction
    and must be atomic by itself.
    """

    def lock(self, variant_ids: Collection[int]) -> None:
        """Lock, in pk order, every row that the methods below will touch for these variants.

        Called inside a transaction, before the first of several calls for one order.
        """

    def allocate(self, order_line: OrderLine, country_code: str, quantity: int) -> None:
        """Promise stock to the line; raise Saleor's InsufficientStock(variant) if there is less."""

    def deallocate(self, order_line: OrderLine, quantity: int) -> None:
        """Take back the promise; raise Saleor's AllocationError if it was for less."""

    def deallocate_order(self, order: Order) -> None:
        """Take back every promise made to the order."""

    def increase(
        self,
        order_line: OrderLine,
        warehouse: Warehouse,
        quantity: int,
        allocate: bool = False,
    ) -> None:
        """Goods come back to a warehouse; with allocate they stay promised to the line."""

    def decrease(self, order_line: OrderLine, quantity: int, warehouse_pk: UUID | str) -> None:
        """Goods leave a warehouse, their promise with them; raise InsufficientStock if there is less."""


class PlainStockKeeper:
    """Saleor's rules on Saleor's rows, with the locks where they belong."""

    def lock(self, variant_ids: Collection[int]) -> None:
        from saleor.warehouse.models import Stock

        _lock(Stock.objects.filter(product_variant__in=variant_ids).values_list("pk", flat=True))

    @transaction.atomic
    def allocate(self, order_line: OrderLine, country_code: str, quantity: int) -> None:
        from saleor.core.exceptions import InsufficientStock
        from saleor.warehouse.models import Stock

        if order_line.variant is None:
            raise ValueError(
                f"Order line {order_line.pk} has lost its variant: nothing can be promised to it"
            )
        stocks = _lock(
            Stock.objects.get_variant_stocks_for_country(country_code, order_line.variant).values_list(
                "pk", flat=True
            )
        )
        allocated = _allocated_by_stock(stocks)
        missing = quantity
        for stock in stocks:
            taken = min(missing, stock.quantity - allocated.get(stock.pk, 0))
            if taken > 0:
                _add_allocation(order_line=order_line, stock=stock, quantity=taken)
                missing -= taken
        if missing:
            raise InsufficientStock(order_line.variant)

    @transaction.atomic
    def deallocate(self, order_line: OrderLine, quantity: int) -> None:
        from saleor.core.exceptions import AllocationError

        if _release(order_line=order_line, quantity=quantity, first_warehouse_pk=None) < quantity:
            raise AllocationError(order_line, quantity)

    @transaction.atomic
    def deallocate_order(self, order: Order) -> None:
        from saleor.warehouse.models import Allocation

        allocations = Allocation.objects.filter(order_line__order=order, quantity_allocated__gt=0)
        _lock(allocations.values_list("stock", flat=True))
        allocations.update(quantity_allocated=0)

    @transaction.atomic
    def increase(
        self,
        order_line: OrderLine,
        warehouse: Warehouse,
        quantity: int,
        allocate: bool = False,
    ) -> None:
        from saleor.warehouse.models import Stock

        stock, _ = Stock.objects.get_or_create(warehouse=warehouse, product_variant=order_line.variant)
        _lock([stock.pk])
        Stock.objects.filter(pk=stock.pk).update(quantity=F("quantity") + quantity)
        if allocate:
            _add_allocation(order_line=order_line, stock=stock, quantity=quantity)

    @transaction.atomic
    def decrease(self, order_line: OrderLine, quantity: int, warehouse_pk: UUID | str) -> None:
        from saleor.core.exceptions import InsufficientStock
        from saleor.warehouse.models import Stock

        if order_line.variant_id is None:
            raise ValueError(f"Order line {order_line.pk} has lost its variant: nothing can leave for it")
        self.lock([order_line.variant_id])
        # The line's promise in this very warehouse goes first. Saleor releases in pk order, so goods promised
        # here could not leave from here while the line had a promise elsewhere.
        _release(order_line=order_line, quantity=quantity, first_warehouse_pk=warehouse_pk)
        stock = Stock.objects.filter(
            warehouse__pk=warehouse_pk, product_variant=order_line.variant_id
        ).first()
        if stock is None or stock.quantity - _allocated_by_stock([stock]).get(stock.pk, 0) < quantity:
            raise InsufficientStock(
                order_line.variant,
                {"order_line": order_line, "warehouse_pk": warehouse_pk},
            )
        Stock.objects.filter(pk=stock.pk).update(quantity=F("quantity") - quantity)


_keeper: StockKeeper = PlainStockKeeper()


def stock_keeper() -> StockKeeper:
    """Who keeps the stock at this moment."""
    return _keeper


def set_stock_keeper(keeper: StockKeeper) -> StockKeeper:
    """Put keeper in charge, for the whole process; answers the one before, for a test to put back."""
    global _keeper
    before, _keeper = _keeper, keeper
    return before


def _lock(stock_pks: Collection[int]) -> list[Stock]:
    """Lock these stock rows in pk order and answer them as they are once locked."""
    from saleor.warehouse.models import Stock

    return list(Stock.objects.filter(pk__in=stock_pks).select_for_update().order_by("pk"))


def _allocated_by_stock(stocks: Collection[Stock]) -> dict[int, int]:
    from saleor.warehouse.models import Allocation

    return dict(
        Allocation.objects.filter(stock__in=stocks)
        .values_list("stock")
        .annotate(total=Sum("quantity_allocated"))
        .order_by()
    )


def _add_allocation(*, order_line: OrderLine, stock: Stock, quantity: int) -> None:
    allocation, is_new = order_line.allocations.get_or_create(
        stock=stock, defaults={"quantity_allocated": quantity}
    )
    if not is_new:
        order_line.allocations.filter(pk=allocation.pk).update(
            quantity_allocated=F("quantity_allocated") + quantity
        )


def _release(*, order_line: OrderLine, quantity: int, first_warehouse_pk: UUID | str | None) -> int:
    """Take back up to quantity of the line's promise and answer how much it was."""
    from saleor.warehouse.models import Allocation

    _lock(order_line.allocations.values_list("stock", flat=True))
    allocations = sorted(
        order_line.allocations.select_related("stock"),
        key=lambda each: (
            str(each.stock.warehouse_id) != str(first_warehouse_pk),
            each.stock_id,
        ),
    )
    released = 0
    for allocation in allocations:
        part = min(quantity - released, allocation.quantity_allocated)
        if part > 0:
            Allocation.objects.filter(pk=allocation.pk).update(
                quantity_allocated=F("quantity_allocated") - part
            )
            released += part
    return released


def lock_stock_of(order_lines: Iterable[OrderLine]) -> None:
    """Lock what the methods above touch for these lines. Inside a transaction, before the first of them."""
    variant_ids = {line.variant_id for line in order_lines if line.variant_id is not None}
    if variant_ids:
        _keeper.lock(variant_ids)


def allocate_stock(order_line: OrderLine, country_code: str, quantity: int) -> None:
    """Stands in for saleor.warehouse.management.allocate_stock."""
    _keeper.allocate(order_line, country_code, quantity)


def deallocate_stock(order_line: OrderLine, quantity: int) -> None:
    """Stands in for saleor.warehouse.management.deallocate_stock."""
    _keeper.deallocate(order_line, quantity)


def deallocate_stock_for_order(order: Order) -> None:
    """Stands in for saleor.warehouse.management.deallocate_stock_for_order."""
    _keeper.deallocate_order(order)


def increase_stock(
    order_line: OrderLine, warehouse: Warehouse, quantity: int, allocate: bool = False
) -> None:
    """Stands in for saleor.warehouse.management.increase_stock."""
    _keeper.increase(order_line, warehouse, quantity, allocate)


def decrease_stock(order_line: OrderLine, quantity: int, warehouse_pk: UUID | str) -> None:
    """Stands in for saleor.warehouse.management.decrease_stock."""
    _keeper.decrease(order_line, quantity, warehouse_pk)


@patch(
    name="oversell",
    reason="allocate_stock sums the allocations before it takes the lock (upstream a075c2ca18)",
)
def oversell() -> Iterator[Replace]:
    import saleor.graphql.order.mutations.draft_orders  # noqa: F401  (it imported the name)
    from saleor.warehouse import management

    yield from everywhere(management.allocate_stock, allocate_stock)


@patch(
    name="decrease_stock",
    reason="decrease_stock releases promises in pk order, not those of the warehouse that the goods leave",
)
def decrease_stock_from_its_own_allocation() -> Iterator[Replace]:
    import saleor.order.actions  # noqa: F401  (it imported the names)
    from saleor.warehouse import management

    yield from everywhere(management.decrease_stock, decrease_stock)
    yield from everywhere(management.deallocate_stock, deallocate_stock)
    yield from everywhere(management.deallocate_stock_for_order, deallocate_stock_for_order)
    yield from everywhere(management.increase_stock, increase_stock)
