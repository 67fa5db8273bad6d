"""李婶 closes her account: what goes, what stays, and when she has to wait."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone
from saleor.account.models import Address, User
from saleor.checkout.models import Checkout
from saleor.order import OrderStatus
from saleor.order.models import Order

from backend.catalogue.models import Wait
from backend.ordering.closing import ClosingRefused, close_account
from backend.ordering.models import Claim
from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LI = "li@buyer.example"


def an_order(shed: produce.Shed, user: User, *, status: str = OrderStatus.FULFILLED) -> Order:
    request = a_request(shed, basket=produce.a_basket({shed.variant: 1}, user=user))
    order = place_order(request=request, user=user, now=NOW)
    Order.objects.filter(pk=order.pk).update(status=status)
    return order


def test_everything_goes_but_the_record_of_what_was_sold_and_the_address_is_free_again() -> None:
    shed = produce.a_shed()
    li, wang = produce.a_person(email=LI), produce.a_person(email="wang@buyer.example")
    order = an_order(shed, li)
    book = list(li.addresses.values_list("pk", flat=True))
    produce.a_basket({shed.variant: 2}, user=li)
    for email in (LI, wang.email):
        Wait.objects.create(variant=shed.variant, email=email, asked_at=NOW)
    kept = produce.an_address()
    kept.save()
    wang.addresses.add(kept)

    close_account(user_pk=li.pk)

    assert not User.objects.filter(email=LI).exists()
    assert not Address.objects.filter(pk__in=book).exists()
    assert not Checkout.objects.exists()
    assert [each.email for each in Wait.objects.all()] == [wang.email]
    assert wang.addresses.get() == kept
    order.refresh_from_db()
    assert (order.user, order.user_email, str(order.total_gross_amount)) == (None, "", "7.00")
    assert order.shipping_address.phone == ""
    produce.a_person(email=LI)
    # The task may run twice.
    close_account(user_pk=li.pk)


@pytest.mark.parametrize(
    "status", [OrderStatus.UNFULFILLED, OrderStatus.PARTIALLY_FULFILLED, OrderStatus.DRAFT]
)
def test_an_order_on_its_way_keeps_the_account_open_and_is_named(status: str) -> None:
    li = produce.a_person(email=LI)
    order = an_order(produce.a_shed(), li, status=status)
    with pytest.raises(ClosingRefused) as refused:
        close_account(user_pk=li.pk)
    assert refused.value.code == "order_open"
    assert str(order.pk) in str(refused.value)
    Order.objects.update(status=OrderStatus.CANCELED)
    close_account(user_pk=li.pk)


def test_a_claim_that_is_not_settled_keeps_the_account_open() -> None:
    li = produce.a_person(email=LI)
    order = an_order(produce.a_shed(), li)
    claim = Claim.objects.create(
        order_line=order.lines.get(),
        packs=1,
        problem=Claim.Problem.SPOILT,
        words="烂了一半",
        idempotency_key="key-1",
        request_sha256="",
        opened_at=NOW,
    )
    claim.photos.create(position=0, jpeg=b"jpeg", width=1, height=1)
    accepted = {"status": Claim.Status.ACCEPTED, "decided_at": NOW, "amount": 7}
    for changes in ({}, accepted | {"settlement": Claim.Settlement.OWED}):
        Claim.objects.update(**({"packs": 1} | changes))
        with pytest.raises(ClosingRefused) as refused:
            close_account(user_pk=li.pk)
        assert refused.value.code == "claim_open"
    Claim.objects.update(settlement=Claim.Settlement.PAID)
    close_account(user_pk=li.pk)
    claim.refresh_from_db()
    assert (claim.words, claim.amount, claim.photos.count()) == ("", 7, 0)


def test_who_keeps_books_or_works_for_the_shop_cannot_go_alone() -> None:
    wang = produce.a_member(cooperative=produce.a_cooperative(), email="wang@baima.example")
    zhao = produce.a_person(email="zhao@town.example", is_staff=True)
    for person, code in ((wang, "member_account"), (zhao, "staff_account")):
        with pytest.raises(ClosingRefused) as refused:
            close_account(user_pk=person.pk)
        assert refused.value.code == code
        assert User.objects.filter(pk=person.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_an_order_that_is_placed_at_the_same_moment_keeps_the_account_open() -> None:
    shed = produce.a_shed()
    li = produce.a_person(email=LI)
    request = a_request(shed, basket=produce.a_basket({shed.variant: 1}, user=li))
    placed, waiting = threading.Event(), threading.Event()

    def order() -> None:
        with transaction.atomic():
            place_order(request=request, user=li, now=NOW)
            placed.set()
            # The closing has come up against this order's hold on the account, or will.
            waiting.wait(timeout=0.3)
        connection.close()

    def close() -> str:
        placed.wait(timeout=30)
        try:
            close_account(user_pk=li.pk)
        except ClosingRefused as refused:
            return refused.code
        finally:
            waiting.set()
            connection.close()
        return "closed"

    with ThreadPoolExecutor(max_workers=2) as pool:
        ordering, closing = pool.submit(order), pool.submit(close)
        ordering.result(timeout=60)
        assert closing.result(timeout=60) == "order_open"
