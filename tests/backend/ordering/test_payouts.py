"""Money goes back once, and when there is some."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone
from saleor.account.models import User
from saleor.order import OrderEvents
from saleor.order.models import Order
from saleor.payment import ChargeStatus, PaymentError, TransactionKind, gateway
from saleor.payment.models import Payment, Transaction

from backend.ordering import payouts
from backend.ordering.claims import accept_claim
from backend.ordering.errors import ClaimRefused
from backend.ordering.models import Claim
from backend.ordering.payouts import note_paid_by_hand, owed_claims, pay_again, pay_claim
from backend.ordering.selectors import _captured
from tests import produce
from tests.backend.ordering.test_claims import a_handed_over_order, at_once, open_one

NOW = timezone.now()
LATER = NOW + payouts.STUCK_AFTER
Settlement = Claim.Settlement


@pytest.fixture
def staff(db: None) -> User:
    return produce.a_person(email="zhao@town.example", is_staff=True)


def an_accepted_claim(staff: User, *, paid: bool = True, amount: str | None = None) -> Claim:
    """Of three packs for 21.00, one is granted: 7.00."""
    claim = open_one(a_handed_over_order(paid=paid))
    return accept_claim(claim_pk=claim.pk, amount=Decimal(amount) if amount else None, staff=staff, now=NOW)


def refunds() -> list[Decimal]:
    rows = Transaction.objects.filter(kind=TransactionKind.REFUND, is_success=True)
    return list(rows.values_list("amount", flat=True))


@pytest.mark.django_db
def test_a_claim_is_refunded_out_of_what_was_paid_and_only_once(staff: User) -> None:
    claim = an_accepted_claim(staff)
    assert owed_claims() == [claim.pk]
    assert pay_claim(claim_pk=claim.pk, now=NOW) == Settlement.PAID
    assert pay_claim(claim_pk=claim.pk, now=LATER) == Settlement.PAID
    assert refunds() == [Decimal("7.00")]
    payment = Payment.objects.get()
    assert (payment.captured_amount, payment.charge_status) == (
        Decimal("14.00"),
        ChargeStatus.PARTIALLY_REFUNDED,
    )
    claim.refresh_from_db()
    assert claim.paid_at == NOW
    event = claim.order_line.order.events.get(type=OrderEvents.PAYMENT_REFUNDED)
    assert (event.user, event.parameters["amount"]) == (staff, "7.00")
    assert owed_claims() == []


@pytest.mark.django_db
def test_an_order_that_is_not_paid_yet_owes_until_its_money_is_booked(staff: User) -> None:
    claim = an_accepted_claim(staff, paid=False)
    assert pay_claim(claim_pk=claim.pk, now=NOW) == Settlement.OWED
    assert owed_claims() == []
    gateway.capture(Payment.objects.get())
    assert owed_claims() == [claim.pk]
    assert pay_claim(claim_pk=claim.pk, now=NOW) == Settlement.PAID
    assert refunds() == [Decimal("7.00")]


@pytest.mark.django_db
def test_less_money_than_is_owed_pays_nothing(staff: User) -> None:
    claim = an_accepted_claim(staff, paid=False)
    gateway.capture(Payment.objects.get(), amount=Decimal("6.99"))
    assert pay_claim(claim_pk=claim.pk, now=NOW) == Settlement.OWED
    assert refunds() == []


@pytest.mark.django_db
def test_what_the_gateway_refuses_is_not_tried_again_by_itself(staff: User) -> None:
    claim = an_accepted_claim(staff)
    with mock.patch.object(payouts.gateway, "refund", side_effect=PaymentError("no")):
        assert pay_claim(claim_pk=claim.pk, now=NOW) == Settlement.UNCLEAR
    assert pay_claim(claim_pk=claim.pk, now=LATER) == Settlement.UNCLEAR
    assert owed_claims() == []
    assert refunds() == []
    # Until somebody has looked.
    pay_again(claim_pk=claim.pk, now=NOW)
    assert owed_claims() == [claim.pk]
    assert pay_claim(claim_pk=claim.pk, now=NOW) == Settlement.PAID
    assert refunds() == [Decimal("7.00")]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_at_the_gateway_leaves_a_claim_that_nobody_pays_twice(staff: User) -> None:
    claim = an_accepted_claim(staff)
    with (
        mock.patch.object(payouts.gateway, "refund", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        pay_claim(claim_pk=claim.pk, now=NOW)
    claim.refresh_from_db()
    assert claim.settlement == Settlement.PAYING
    assert owed_claims() == []
    assert pay_claim(claim_pk=claim.pk, now=LATER) == Settlement.PAYING
    with pytest.raises(ClaimRefused) as refused:
        pay_again(claim_pk=claim.pk, now=LATER - timedelta(seconds=1))
    assert refused.value.code == "not_stuck"
    pay_again(claim_pk=claim.pk, now=LATER)
    assert pay_claim(claim_pk=claim.pk, now=LATER) == Settlement.PAID
    assert refunds() == [Decimal("7.00")]


@pytest.mark.django_db
def test_what_was_given_back_by_hand_is_not_refunded(staff: User) -> None:
    claim = an_accepted_claim(staff)
    note_paid_by_hand(claim_pk=claim.pk, now=NOW)
    assert pay_claim(claim_pk=claim.pk, now=NOW) == Settlement.PAID_BY_HAND
    assert refunds() == []
    for act in (pay_again, note_paid_by_hand):
        with pytest.raises(ClaimRefused):
            act(claim_pk=claim.pk, now=LATER)


@pytest.mark.django_db
def test_an_order_of_which_a_part_was_given_back_is_still_paid(staff: User) -> None:
    claim = an_accepted_claim(staff)
    pay_claim(claim_pk=claim.pk, now=NOW)
    order = Order.objects.get()
    assert order.is_fully_paid() is False
    assert _captured(order) == order.total_gross_amount


# ---- At once --------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow_gateway() -> Iterator[None]:
    """Between asking and hearing, another process has all the time it wants."""
    plain = gateway.refund

    def refund(payment: Payment, amount: Decimal) -> Transaction:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        answer: Transaction = plain(payment, amount)
        return answer

    with mock.patch.object(payouts.gateway, "refund", refund):
        yield


@pytest.mark.django_db(transaction=True)
def test_without_the_mark_and_the_lock_two_workers_refund_twice(staff: User, slow_gateway: None) -> None:
    """The race that the test below shows to be gone."""
    claim = an_accepted_claim(staff)

    def unguarded() -> None:
        found = Claim.objects.get(pk=claim.pk)
        if found.settlement == Settlement.OWED:
            payouts.gateway.refund(Payment.objects.get(), found.amount)
            Claim.objects.filter(pk=claim.pk).update(settlement=Settlement.PAID, paid_at=NOW)

    at_once(unguarded)
    assert refunds() == [Decimal("7.00"), Decimal("7.00")]


@pytest.mark.django_db(transaction=True)
def test_two_workers_refund_once(staff: User, slow_gateway: None) -> None:
    claim = an_accepted_claim(staff)
    answers = at_once(lambda: pay_claim(claim_pk=claim.pk, now=NOW), people=4)
    assert Settlement.PAID in answers
    assert set(answers) <= {Settlement.PAID, Settlement.PAYING}
    assert refunds() == [Decimal("7.00")]
    assert Payment.objects.get().captured_amount == Decimal("14.00")
