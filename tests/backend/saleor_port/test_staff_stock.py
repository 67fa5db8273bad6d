"""What staff do to stock by Saleor's mutations."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

import graphene
import pytest
from django.contrib.auth.models import Permission
from django.db.models import F
from saleor.account.models import User
from saleor.order import OrderStatus
from saleor.order.models import Order
from saleor.warehouse.models import Allocation, Stock

from backend.saleor_port import without
from tests import produce
from tests.backend.saleor_port.small_shop import Ask, Shop, race

STOCKS = """
mutation($variant: ID!, $stocks: [StockInput!]!) {
  productVariantStocksUpdate(variantId: $variant, stocks: $stocks) {
    productVariant { sku } bulkStockErrors { field message } } }
"""

COMPLETE_DRAFT = """
mutation($id: ID!) { draftOrderComplete(id: $id) { order { id } orderErrors { field code } } }
"""


def staff() -> User:
    user = User.objects.create_user("zhao@town.example", "password", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("manage_products", "manage_orders", "manage_shipping"))
    )
    return user


def set_stock(ask: Ask, stock: Stock, quantity: int, user: User) -> Any:
    return ask(
        STOCKS,
        user=user,
        variant=graphene.Node.to_global_id("ProductVariant", stock.product_variant_id),
        stocks=[
            {"warehouse": graphene.Node.to_global_id("Warehouse", stock.warehouse_id), "quantity": quantity}
        ],
    )


# ---- unlocked_stock_writes ----


def sell_one_while_staff_write(shop: Shop, ask: Ask) -> int:
    """Staff set 10 to 20; one is sold after they have read and before they write. What is left in the end."""
    shop.good(10)
    stock, user = Stock.objects.get(), staff()
    has_read, is_sold = threading.Event(), threading.Event()
    bulk_update = type(Stock.objects.all()).bulk_update

    def slow_bulk_update(queryset: Any, *args: Any, **kwargs: Any) -> Any:
        has_read.set()
        is_sold.wait(timeout=1)
        return bulk_update(queryset, *args, **kwargs)

    def sell() -> None:
        assert has_read.wait(timeout=10)
        Stock.objects.filter(pk=stock.pk).update(quantity=F("quantity") - 1)
        is_sold.set()

    with mock.patch.object(type(Stock.objects.all()), "bulk_update", slow_bulk_update):
        race(lambda: set_stock(ask, stock, 20, user), sell)
    return int(Stock.objects.get().quantity)


def test_saleor_forgets_a_sale_that_staff_write_over(committed_shop: Shop, ask: Ask) -> None:
    with without("unlocked_stock_writes"):
        assert sell_one_while_staff_write(committed_shop, ask) == 20


def test_a_sale_waits_until_staff_have_written(committed_shop: Shop, ask: Ask) -> None:
    assert sell_one_while_staff_write(committed_shop, ask) == 19


# ---- supplied_stock ----


@pytest.mark.django_db
def test_saleor_lets_staff_write_over_what_a_cooperative_counted(ask: Ask) -> None:
    produce.a_shed(on_hand=10_000)
    with without("supplied_stock"):
        set_stock(ask, Stock.objects.get(), 999, staff())

    assert Stock.objects.get().quantity == 999


@pytest.mark.django_db
def test_what_a_cooperative_counts_is_changed_at_the_desk_alone(ask: Ask) -> None:
    produce.a_shed(on_hand=10_000)

    answer = set_stock(ask, Stock.objects.get(), 999, staff()).data["productVariantStocksUpdate"]

    [error] = answer["bulkStockErrors"]
    assert error["field"] == "variantId"
    assert "/desk/" in error["message"]
    assert Stock.objects.get().quantity == 10


# ---- lock_order: a draft order ----


def complete_a_draft_that_is_short(shop: Shop, ask: Ask) -> Order:
    order = shop.order(shop.good(9), shop.good(0), quantity=1)
    Order.objects.filter(pk=order.pk).update(
        status=OrderStatus.DRAFT, shipping_method=shop.shipping, shipping_method_name=shop.shipping.name
    )
    user = staff()
    with mock.patch("saleor.graphql.order.mutations.draft_orders.validate_draft_order"):
        answer = ask(COMPLETE_DRAFT, user=user, id=graphene.Node.to_global_id("Order", order.pk))
    assert [error["code"] for error in answer.data["draftOrderComplete"]["orderErrors"]] == [
        "INSUFFICIENT_STOCK"
    ]
    order.refresh_from_db()
    return order


def test_saleor_completes_a_draft_that_it_says_it_could_not(shop: Shop, ask: Ask) -> None:
    with without("lock_order"):
        order = complete_a_draft_that_is_short(shop, ask)

    assert order.status == OrderStatus.UNFULFILLED


def test_a_draft_that_is_short_stays_a_draft_and_holds_nothing(shop: Shop, ask: Ask) -> None:
    order = complete_a_draft_that_is_short(shop, ask)

    assert order.status == OrderStatus.DRAFT
    assert Allocation.objects.count() == 0
