from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from saleor.order.actions import cancel_order

from backend.brand.selectors import board
from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db


def test_the_board_of_an_empty_shop_shows_noughts() -> None:
    figures = board(now=timezone.now())
    assert (
        figures.orders_today,
        figures.kilograms_today,
        figures.sales_today.amount,
    ) == (0, 0, 0)
    assert [day.orders for day in figures.seven_days] == [0] * 7
    assert figures.by_village == figures.top_goods == figures.latest_counts == ()


def test_the_board_counts_what_was_ordered_and_not_what_was_cancelled() -> None:
    now = timezone.now()
    shed = produce.a_shed(on_hand=50_000)
    place_order(request=a_request(shed), user=None, now=now)
    gone = place_order(request=a_request(shed), user=None, now=now)
    cancel_order(order=gone, user=None)
    place_order(request=a_request(shed), user=None, now=now - timedelta(days=3))

    figures = board(now=now)
    assert figures.orders_today == 1
    assert figures.sales_today.amount == Decimal("14.00")
    assert figures.kilograms_today == Decimal("2.0")
    assert [day.orders for day in figures.seven_days] == [0, 0, 0, 1, 0, 0, 1]
    assert [(good.name, good.kilograms) for good in figures.top_goods] == [("莴笋", Decimal("4.0"))]
    (village,) = figures.by_village
    assert (village.kilograms, village.sales.amount) == (
        Decimal("4.0"),
        Decimal("28.00"),
    )
    assert (
        figures.goods_in_stock,
        figures.cooperatives_counted,
        figures.cooperatives_total,
    ) == (1, 1, 1)
    assert [count.good for count in figures.latest_counts] == ["莴笋"]


def test_the_board_costs_the_same_queries_for_many_orders(
    django_assert_max_num_queries: Any,
) -> None:
    shed = produce.a_shed(on_hand=50_000)
    for _ in range(5):
        place_order(request=a_request(shed), user=None, now=timezone.now())
    with django_assert_max_num_queries(13):
        board(now=timezone.now())
