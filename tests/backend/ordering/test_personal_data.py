"""What old orders and forgotten baskets let go of, and what they keep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from saleor.account.models import Address, User
from saleor.checkout.models import Checkout
from saleor.order.models import Order

from backend.ordering import personal_data
from backend.ordering.models import Placement
from backend.ordering.personal_data import (
    forget_old_baskets,
    forget_old_orders,
    forget_stray_addresses,
    thin_out_orders,
)
from backend.ordering.services import place_order
from backend.ordering.tasks import forget_personal_data
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

NOW = timezone.now()
OLD = NOW - timedelta(days=settings.ORDERS_KEPT_DAYS, seconds=1)


@pytest.fixture
def li() -> User:
    return produce.a_person(email="li@buyer.example")


@pytest.fixture
def shed() -> produce.Shed:
    return produce.a_shed()


def an_order(shed: produce.Shed, *, user: User | None = None, at: Any = NOW) -> Order:
    request = a_request(
        shed,
        basket=produce.a_basket({shed.variant: 1}, user=user),
        note="放门口",
        gift_note="生日快乐",
        invoice_title="李秀英",
    )
    order = place_order(request=request, user=user, now=NOW)
    Order.objects.filter(pk=order.pk).update(created=at)
    order.events.create(type="email_sent", parameters={"email": "li@buyer.example", "email_type": "order"})
    order.payments.update(customer_ip_address="203.0.113.9")
    return Order.objects.get(pk=order.pk)


def traces(order: Order) -> str:
    """All that is kept of an order beside its goods, as one text."""
    order.refresh_from_db()
    kept = [
        order.user_email,
        order.customer_note,
        *Placement.objects.filter(order=order).values_list(
            "gift_note", "invoice_title", "invoice_tax_number"
        ),
        *order.events.values_list("parameters", flat=True),
        *order.payments.values(),
        *(each.as_data() for each in (order.shipping_address, order.billing_address) if each),
    ]
    return str(kept)


def test_an_order_of_more_than_three_years_keeps_the_goods_and_the_money_only(
    shed: produce.Shed, li: User
) -> None:
    old, young = an_order(shed, user=li, at=OLD), an_order(shed, user=li)
    assert forget_old_orders(now=NOW) == 1
    assert forget_old_orders(now=NOW) == 0
    kept = traces(old)
    for gone in ("秀英", "白马路", "绵阳", "13800138000", "li@buyer", "放门口", "生日快乐", "203.0.113.9"):
        assert gone not in kept
        assert gone in traces(young)
    [line] = old.lines.all()
    assert (line.product_name, line.quantity, str(old.total_gross_amount)) == ("莴笋", 1, "7.00")
    assert old.payments.get().total == 7
    # It is still hers to look at.
    assert old.user == li


def test_her_address_book_outlives_her_orders(shed: produce.Shed, li: User) -> None:
    order = an_order(shed, user=li, at=OLD)
    mine = li.addresses.get()
    # As an order of other software may: it points into the address book.
    Order.objects.filter(pk=order.pk).update(billing_address=mine)
    forget_old_orders(now=NOW)
    assert li.addresses.get().street_address_1 == mine.street_address_1
    order.refresh_from_db()
    assert order.billing_address is None


def test_an_order_of_a_closed_account_keeps_the_name_and_the_town(shed: produce.Shed, li: User) -> None:
    order, other = an_order(shed, user=li), an_order(shed)
    thin_out_orders(order_pks=[order.pk])
    kept = traces(order)
    for gone in ("白马路", "13800138000", "li@buyer", "放门口", "生日快乐", "203.0.113.9"):
        assert gone not in kept
        assert gone in traces(other)
    for stays in ("秀英", "绵阳", "游仙区"):
        assert stays in kept


def test_old_orders_take_as_many_queries_as_one(shed: produce.Shed, monkeypatch: pytest.MonkeyPatch) -> None:
    def queries(orders: int) -> int:
        for _ in range(orders):
            an_order(shed, at=OLD)
        with CaptureQueriesContext(connection) as captured:
            assert forget_old_orders(now=NOW) == orders
        return len(captured)

    assert queries(1) == queries(3)
    # More than are taken at once are taken in turns.
    monkeypatch.setattr(personal_data, "AT_ONCE", 2)
    for _ in range(3):
        an_order(shed, at=OLD)
    assert forget_old_orders(now=NOW) == 3


def test_baskets_that_nobody_touches_go_with_their_addresses(shed: produce.Shed, li: User) -> None:
    def a_basket(*, days: int, user: User | None = None) -> Checkout:
        basket = produce.a_basket({shed.variant: 1}, user=user)
        address = produce.an_address(first_name="别人")
        address.save()
        Checkout.objects.filter(pk=basket.pk).update(
            shipping_address=address, last_change=NOW - timedelta(days=days)
        )
        return basket

    kept = {a_basket(days=29).pk, a_basket(days=89, user=li).pk}
    a_basket(days=31)
    a_basket(days=91, user=li)
    assert forget_old_baskets(now=NOW) == 2
    assert set(Checkout.objects.values_list("pk", flat=True)) == kept
    assert Address.objects.filter(first_name="别人").count() == 2


def test_addresses_that_nothing_refers_to_go_but_not_todays(shed: produce.Shed, li: User) -> None:
    stray = produce.an_address(first_name="旧的")
    stray.save()
    mine = produce.an_address(first_name="自己的")
    mine.save()
    li.addresses.add(mine)
    an_order(shed, at=NOW - timedelta(days=2))
    today = produce.an_address(first_name="今天的")
    today.save()
    forget_stray_addresses(now=NOW)
    names = set(Address.objects.values_list("first_name", flat=True))
    assert {"自己的", "今天的", "秀英"} <= names
    assert "旧的" not in names
    # The sheds stand where they stood.
    assert Address.objects.filter(pk=shed.cooperative.warehouse.address_id).exists()


def test_the_task_does_all_of_it_and_ended_sessions_go(shed: produce.Shed) -> None:
    order = an_order(shed, at=OLD)
    for key, days in (("ended", -1), ("running", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=NOW + timedelta(days=days))
    for _twice in range(2):
        forget_personal_data()
    order.refresh_from_db()
    assert (order.user_email, order.shipping_address) == ("", None)
    assert [each.session_key for each in Session.objects.all()] == ["running"]
