"""Giving back what accepted claims are owed, each once.

**How.** One way for every order: as soon as the order's payment holds that much money, it is refunded through Saleor's
gateway. An order that is paid on collection and not paid yet stays whole: its page shows what is still to be collected,
the claim taken off, and when the money is booked the claim is refunded out of it. So money in equals paid orders less
refunds, whichever came first. Where the gateway books cash, the money goes back in cash.

**Once.** A claim is marked PAYING, and that is committed, before the gateway is asked, and only one that is OWED can
be. What the gateway then refuses, or a process that dies meanwhile, leaves a claim UNCLEAR or PAYING, which nobody but
a member of staff, having looked, makes OWED again: a refund that nobody heard the answer to may have gone out.

Locks, always in this order: the claim; the payments of its order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from saleor.order.actions import order_refunded
from saleor.payment import CustomPaymentChoices, PaymentError, gateway
from saleor.payment.models import Payment

from backend.ordering.errors import ClaimRefused
from backend.ordering.models import Claim
from backend.ordering.services import NOBODY

log = structlog.get_logger(__name__)

STUCK_AFTER = timedelta(minutes=10)
"""Longer than any task may take: a claim that is PAYING for so long is in nobody's hands."""


def pay_claim(*, claim_pk: UUID, now: datetime) -> Claim.Settlement:
    """Refund an accepted claim out of its order's payment, once; answers how far its money is afterwards.

    It stays OWED while no payment of the order holds that much.
    """
    with transaction.atomic():
        claim = _locked(claim_pk)
        payment = _payment_with_money(claim)
        if claim.settlement != Claim.Settlement.OWED or payment is None:
            return Claim.Settlement(claim.settlement)
        claim.settlement, claim.paying_since = Claim.Settlement.PAYING, now
        claim.save(update_fields=["settlement", "paying_since"])
    with transaction.atomic():
        claim = _locked(claim_pk)
        payment = _payment_with_money(claim)
        if claim.settlement != Claim.Settlement.PAYING:
            return Claim.Settlement(claim.settlement)
        claim.settlement = Claim.Settlement.UNCLEAR
        if payment is not None and claim.amount is not None:
            try:
                gateway.refund(payment, claim.amount)
            except PaymentError as error:
                log.error("claim not refunded", claim=str(claim.pk), payment=payment.pk, reason=str(error))
            else:
                claim.settlement, claim.paid_at = Claim.Settlement.PAID, now
                order_refunded(
                    order=claim.order_line.order,
                    user=claim.decided_by or NOBODY,
                    amount=claim.amount,
                    payment=payment,
                )
        claim.save(update_fields=["settlement", "paid_at"])
    return Claim.Settlement(claim.settlement)


def _payment_with_money(claim: Claim) -> Payment | None:
    """The payment, locked, that holds what is owed."""
    if claim.amount is None:
        return None
    return next(
        (
            payment
            for payment in Payment.objects.select_for_update(of=("self",))
            .filter(order=claim.order_line.order_id, captured_amount__gte=claim.amount)
            .order_by("pk")
            if payment.can_refund()
        ),
        None,
    )


def owed_claims(*, limit: int = 200) -> list[UUID]:
    """Claims that are owed although their order's money is there by now; the oldest first."""
    holding = Payment.objects.filter(
        order=OuterRef("order_line__order"), is_active=True, captured_amount__gte=OuterRef("amount")
    ).exclude(gateway=CustomPaymentChoices.MANUAL)
    owed = Claim.objects.filter(Exists(holding), settlement=Claim.Settlement.OWED)
    return list(owed.order_by("decided_at", "pk").values_list("pk", flat=True)[:limit])


def pay_again(*, claim_pk: UUID, now: datetime) -> None:
    """After a member of staff has seen that the money did not go out: it is owed again, and tried by the clock.

    Raises ClaimRefused for a claim that nothing is wrong with, or that somebody is paying right now.
    """
    with transaction.atomic():
        claim = _locked(claim_pk)
        _check_stuck(claim=claim, now=now)
        claim.settlement, claim.paying_since = Claim.Settlement.OWED, None
        claim.save(update_fields=["settlement", "paying_since"])


def note_paid_by_hand(*, claim_pk: UUID, now: datetime) -> None:
    """A member of staff has given the money back some other way: nothing else will. Raises ClaimRefused."""
    with transaction.atomic():
        claim = _locked(claim_pk)
        if claim.settlement != Claim.Settlement.OWED:
            _check_stuck(claim=claim, now=now)
        claim.settlement, claim.paid_at = Claim.Settlement.PAID_BY_HAND, now
        claim.save(update_fields=["settlement", "paid_at"])


def _check_stuck(*, claim: Claim, now: datetime) -> None:
    stuck = claim.settlement == Claim.Settlement.UNCLEAR or (
        claim.settlement == Claim.Settlement.PAYING
        and claim.paying_since is not None
        and claim.paying_since <= now - STUCK_AFTER
    )
    if not stuck:
        raise ClaimRefused(_("There is nothing to pay again on this claim."), code="not_stuck")


def _locked(claim_pk: UUID) -> Claim:
    return Claim.objects.select_for_update(of=("self",)).select_related("order_line__order").get(pk=claim_pk)
