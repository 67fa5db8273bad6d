"""The draft of an order whose gateway is being asked is nobody's to see or to touch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphene
import pytest
from django.contrib.auth.models import Permission
from saleor.account.models import User
from saleor.order.models import Order
from saleor.warehouse.models import Allocation

from backend.saleor_port import without
from tests.backend.saleor_port.small_shop import Ask, GatewayOfTests, Shop
from tests.backend.saleor_port.test_checkout import complete

LISTS = "{ orders(first: 9) { totalCount } draftOrders(first: 9) { totalCount } }"
COMPLETE = "mutation($order: ID!) { draftOrderComplete(id: $order) { orderErrors { code } } }"
TOUCH = """
mutation($order: ID!, $line: ID!) {
  draftOrderComplete(id: $order) { orderErrors { code } }
  draftOrderUpdate(id: $order, input: {customerNote: "x"}) { orderErrors { code } }
  draftOrderDelete(id: $order) { orderErrors { code } }
  draftOrderBulkDelete(ids: [$order]) { orderErrors { code } }
  draftOrderLineDelete(id: $line) { orderErrors { code } }
  draftOrderLinesBulkDelete(ids: [$line]) { orderErrors { code } }
}
"""


@pytest.fixture
def clerk(shop: Shop) -> User:
    """A member of staff who manages orders."""
    user = User.objects.create_user("clerk@xinyi.example", "password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="manage_orders"))
    return user


def meanwhile(shop: Shop, ask: Ask, gateway: type[GatewayOfTests], happens: Callable[[Order], Any]) -> Any:
    """What `happens` answers while a gateway is asked about the draft of an order."""
    seen: list[Any] = []
    checkout = shop.basket(shop.good(9, price="50"))
    shop.payment(checkout, "50")
    gateway.before_answer = staticmethod(lambda: seen.append(happens(Order.objects.get())))
    complete(ask, checkout)
    [answer] = seen
    return answer


def test_without_the_patch_staff_promise_its_stock_twice(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests], clerk: User
) -> None:
    with without("drafts_being_paid"):
        meanwhile(
            shop,
            ask,
            gateway,
            lambda order: ask(COMPLETE, user=clerk, order=graphene.Node.to_global_id("Order", order.pk)),
        )

    assert sum(Allocation.objects.values_list("quantity_allocated", flat=True)) == 2


def test_it_is_in_no_list_and_under_no_id(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests], clerk: User
) -> None:
    def touch(order: Order) -> tuple[Any, Any]:
        ids = {
            "order": graphene.Node.to_global_id("Order", order.pk),
            "line": graphene.Node.to_global_id("OrderLine", order.lines.get().pk),
        }
        return ask(LISTS, user=clerk), ask(TOUCH, user=clerk, **ids)

    listed, touched = meanwhile(shop, ask, gateway, touch)

    assert listed.data == {"orders": {"totalCount": 0}, "draftOrders": {"totalCount": 0}}
    # Saleor gives no codes for what it refuses in bulk.
    assert {name: answer["orderErrors"][0]["code"] for name, answer in touched.data.items()} == {
        "draftOrderComplete": "NOT_FOUND",
        "draftOrderUpdate": "NOT_FOUND",
        "draftOrderDelete": "NOT_FOUND",
        "draftOrderBulkDelete": "INVALID",
        "draftOrderLineDelete": "NOT_FOUND",
        "draftOrderLinesBulkDelete": "INVALID",
    }
    assert sum(Allocation.objects.values_list("quantity_allocated", flat=True)) == 1
    assert ask(LISTS, user=clerk).data == {"orders": {"totalCount": 1}, "draftOrders": {"totalCount": 0}}
