"""How much there is, and whether there is any."""

from __future__ import annotations

from typing import Any

import pytest
from saleor.graphql.product.enums import StockAvailability
from saleor.graphql.product.filters import filter_stock_availability
from saleor.product.models import Product
from saleor.warehouse import availability

from backend.saleor_port import without
from tests.backend.saleor_port.small_shop import Shop


def test_saleor_takes_five_and_five_in_two_warehouses_for_five(shop: Shop) -> None:
    with without("available_quantity"):
        assert availability.get_available_quantity(shop.good(5, 5), "CN") == 5


def test_five_and_five_in_two_warehouses_are_ten(shop: Shop) -> None:
    assert availability.get_available_quantity(shop.good(5, 5), "CN") == 10


def test_what_two_orders_were_promised_is_taken_off_once_each(shop: Shop) -> None:
    good = shop.good(5, 5)
    for quantity in (1, 2):
        shop.promise(shop.order(good, quantity=quantity).lines.get(), quantity)

    assert availability.get_available_quantity(good, "CN") == 7


def test_a_warehouse_that_promised_too_much_takes_nothing_from_the_other(shop: Shop) -> None:
    good = shop.good(1, 5)
    shop.promise(shop.order(good, quantity=3).lines.get(), 3)

    assert availability.get_available_quantity(good, "CN") == 5


@pytest.fixture
def over_promised(shop: Shop) -> Any:
    good = shop.good(2)
    shop.promise(shop.order(good, quantity=5).lines.get(), 5)
    return good


def test_saleor_takes_minus_three_for_stock(over_promised: Any) -> None:
    with without("negative_stock"):
        assert availability.is_product_in_stock(over_promised.product, "CN")
        assert availability.are_all_product_variants_in_stock(over_promised.product, "CN")
        assert availability.get_available_quantity_for_customer(over_promised, "CN") == -3


def test_minus_three_is_sold_out(over_promised: Any) -> None:
    assert not availability.is_product_in_stock(over_promised.product, "CN")
    assert not availability.are_all_product_variants_in_stock(over_promised.product, "CN")
    assert availability.get_available_quantity_for_customer(over_promised, "CN") == 0


def test_goods_in_one_of_two_warehouses_are_in_stock(shop: Shop) -> None:
    good = shop.good(0, 2)

    assert availability.is_product_in_stock(good.product, "CN")
    assert availability.are_all_product_variants_in_stock(good.product, "CN")


def filtered(value: str) -> set[str]:
    products = filter_stock_availability(Product.objects.all(), None, value)
    return set(products.values_list("name", flat=True))


@pytest.fixture
def shelf(shop: Shop) -> Shop:
    """二荆条 1 is all promised, to two orders; 2 has no stock row; 3 is there."""
    promised = shop.good(4)
    for _ in range(2):
        shop.promise(shop.order(promised, quantity=2).lines.get(), 2)
    shop.good(None)
    shop.good(4)
    return shop


def test_saleor_filters_as_in_stock_what_is_all_promised_or_was_never_there(shelf: Shop) -> None:
    with without("in_stock_filter"):
        assert filtered(StockAvailability.IN_STOCK) == {"二荆条 1", "二荆条 2", "二荆条 3"}


def test_only_what_can_be_bought_is_filtered_as_in_stock(shelf: Shop) -> None:
    assert filtered(StockAvailability.IN_STOCK) == {"二荆条 3"}
    assert filtered(StockAvailability.OUT_OF_STOCK) == {"二荆条 1", "二荆条 2"}
