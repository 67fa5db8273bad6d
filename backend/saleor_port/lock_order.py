"""Whatever moves the stock of several lines locks all of their rows first, in one order for everybody."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from backend.saleor_port.registry import Replace, everywhere, patch
from backend.saleor_port.warehouse import lock_stock_of


@patch(
    name="lock_order",
    reason="stock is locked line by line, so two orders of the same goods may deadlock (upstream fb72855c1b)",
)
def lock_order() -> Iterator[Replace]:
    import saleor.checkout.utils
    import saleor.order.actions
    import saleor.order.utils
    from saleor.graphql.order.mutations.draft_orders import DraftOrderComplete
    from saleor.order.models import OrderLine

    plain_create_order = saleor.checkout.utils.create_order
    plain_create_fulfillments = saleor.order.actions.create_fulfillments
    plain_restock_order_lines = saleor.order.utils.restock_order_lines
    plain_restock_fulfillment_lines = saleor.order.utils.restock_fulfillment_lines
    plain_fulfill_digital_lines = saleor.order.actions.automatically_fulfill_digital_lines
    plain_complete_draft = DraftOrderComplete.perform_mutation.__func__

    @functools.wraps(plain_create_order)
    @transaction.atomic
    def create_order(*, checkout: Any, order_data: dict[str, Any], user: Any, redirect_url: str) -> Any:
        # It empties order_data as it goes; called again, it answers the order that it made.
        lock_stock_of(order_data.get("lines", ()))
        return plain_create_order(
            checkout=checkout, order_data=order_data, user=user, redirect_url=redirect_url
        )

    @functools.wraps(plain_create_fulfillments)
    @transaction.atomic
    def create_fulfillments(
        requester: Any, order: Any, fulfillment_lines_for_warehouses: Any, notify_customer: bool = True
    ) -> Any:
        lock_stock_of(
            line["order_line"] for lines in fulfillment_lines_for_warehouses.values() for line in lines
        )
        return plain_create_fulfillments(requester, order, fulfillment_lines_for_warehouses, notify_customer)

    @functools.wraps(plain_restock_order_lines)
    @transaction.atomic
    def restock_order_lines(order: Any) -> None:
        lock_stock_of(order)
        plain_restock_order_lines(order)

    @functools.wraps(plain_restock_fulfillment_lines)
    @transaction.atomic
    def restock_fulfillment_lines(fulfillment: Any, warehouse: Any) -> None:
        lock_stock_of(line.order_line for line in fulfillment)
        plain_restock_fulfillment_lines(fulfillment, warehouse)

    @functools.wraps(plain_fulfill_digital_lines)
    @transaction.atomic
    def automatically_fulfill_digital_lines(order: Any) -> None:
        lock_stock_of(order.lines.all())
        plain_fulfill_digital_lines(order)

    @classmethod  # type: ignore[misc]  # it becomes a method of DraftOrderComplete
    @transaction.atomic
    def complete_draft(cls: Any, root: Any, info: Any, id: str) -> Any:
        order = cls.get_node_or_error(info, id)
        lock_stock_of(OrderLine.objects.filter(order=order))
        return plain_complete_draft(cls, root, info, id)

    yield from everywhere(plain_create_order, create_order)
    yield from everywhere(plain_create_fulfillments, create_fulfillments)
    yield from everywhere(plain_restock_order_lines, restock_order_lines)
    yield from everywhere(plain_restock_fulfillment_lines, restock_fulfillment_lines)
    yield from everywhere(plain_fulfill_digital_lines, automatically_fulfill_digital_lines)
    yield Replace(DraftOrderComplete, "perform_mutation", complete_draft)
