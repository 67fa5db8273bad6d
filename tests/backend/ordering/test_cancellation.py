"""李婶 takes an order back; the goods are on the shelf again at once."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from saleor.account.models import User
from saleor.order import OrderStatus
from saleor.order.models import Order

from backend.common.clock import SHOP_ZONE
from backend.ordering.cancellation import cancel_own_order, cancellable_until
from backend.ordering.errors import OrderRefused
from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=SHOP_ZONE)
EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=SHOP_ZONE)


def an_order(shed: produce.Shed, *, user: User | None = None, at: datetime = NOON, **changes: Any) -> Order:
    return place_order(request=a_request(shed, **changes), user=user, now=at)


def cancel(order: Order, *, user: User | None = None, now: datetime = NOON) -> Order:
    return cancel_own_order(token=UUID(order.token), user=user, now=now)


def test_what_was_promised_is_free_again_and_twice_is_once() -> None:
    shed = produce.a_shed(on_hand=10_000)
    order = an_order(shed)
    assert cancel(order).status == OrderStatus.CANCELED
    assert cancel(order).status == OrderStatus.CANCELED
    shed.supply.refresh_from_db()
    assert (shed.supply.on_hand, shed.supply.allocated) == (10_000, 0)
    assert cancellable_until(placement=Order.objects.get().placement) is None


def test_nobody_cancels_once_the_harvest_is_near() -> None:
    order = an_order(produce.a_shed())
    assert cancellable_until(placement=order.placement) == EVENING
    with pytest.raises(OrderRefused) as refused:
        cancel(order, now=EVENING)
    assert refused.value.code == "too_late_to_cancel"
    assert cancel(order, now=EVENING - timedelta(seconds=1)).status == OrderStatus.CANCELED


def test_a_later_delivery_can_be_cancelled_later() -> None:
    van = produce.a_delivery(name="货车", price="6.00", kind="own_van")
    order = an_order(produce.a_shed(), shipping_method_pk=van.pk, delivery_window="2026-11-26T09")
    assert cancellable_until(placement=order.placement) == datetime.combine(
        datetime(2026, 11, 25), time(20), tzinfo=SHOP_ZONE
    )


def test_somebody_elses_order_is_answered_like_none() -> None:
    li, wang = produce.a_person(email="li@buyer.example"), produce.a_person(email="wang@buyer.example")
    shed = produce.a_shed()
    order = an_order(shed, user=li, basket=produce.a_basket({shed.variant: 1}, user=li))
    for stranger in (None, wang):
        with pytest.raises(OrderRefused) as refused:
            cancel(order, user=stranger)
        assert refused.value.code == "not_found"
    assert cancel(order, user=li).status == OrderStatus.CANCELED


def test_what_is_packed_is_not_cancelled() -> None:
    order = an_order(produce.a_shed())
    Order.objects.update(status=OrderStatus.FULFILLED)
    with pytest.raises(OrderRefused):
        cancel(order)
