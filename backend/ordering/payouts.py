"""Giving back what accepted claims are owed, each once.

**How.** As soon as all of the order's money was captured, the claim is refunded out of it, through Saleor's gateway;
where that books cash, it goes back in cash. An order that is paid on collection and not paid yet shows what is still to
be collected, the claim taken off. Who then books that much less has settled the claim with it; who books the whole has
it refunded. Either way the buyer pays the same, and money in equals orders less what was granted.

**Once.** A claim is marked PAYING, and that is committed, before the gateway is asked, and only one that is OWED can
be. What the gateway then refuses, or a process that dies meanwhile, leaves a claim UNCLEAR or PAYING, which nobody but
a member of staff, having looked, makes OWED again: a refund that nobody heard the answer to may have gone out.

Locks, always in this order: the claim; the payments of its order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from saleor.order.actions import order_refunded
from saleor.payment import ChargeStatus, CustomPaymentChoices, PaymentError, gateway
from saleor.payment.models import Payment

from backend.ordering.errors import ClaimRefused
from backend.ordering.models import Claim
from backend.ordering.services import NOBODY

log = structlog.get_logger(__name__)

STUCK_AFTER = timedelta(minutes=10)
"""Longer than any task may take: a claim that is PAYING for so long is in nobody's hands."""


def pay_claim(*, claim_pk: UUID, now: datetime) -> Claim.Settlement:
    """Refund an accepted claim out of its order's payment, once; answers how far its money is afterwards.

    It stays OWED while the order's money has not come in.
    """
    with transaction.atomic():
        claim = _locked(claim_pk)
        if claim.settlement != Claim.Settlement.OWED:
            return Claim.Settlement(claim.settlement)
        if _was_taken_off(claim):
            claim.settlement, claim.paid_at = Claim.Settlement.TAKEN_OFF, now
            claim.save(update_fields=["settlement", "paid_at"])
            return Claim.Settlement.TAKEN_OFF
        if _payment_with_money(claim) is None:
            return Claim.Settlement.OWED
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


def _was_taken_off(claim: Claim) -> bool:
    """Whether the order's money was captured short of this claim, beside those that are taken off already.

    The payments' rows are locked, so that two claims are not both found in one gap.
    """
    payments = list(
        Payment.objects.select_for_update(of=("self",))
        .filter(order=claim.order_line.order_id, is_active=True)
        .order_by("pk")
    )
    if [payment.charge_status for payment in payments] != [ChargeStatus.PARTIALLY_CHARGED]:
        return False
    taken_off = Claim.objects.filter(
        order_line__order=claim.order_line.order_id, settlement=Claim.Settlement.TAKEN_OFF
    ).aggregate(total=Coalesce(Sum("amount"), Decimal(0)))["total"]
    (payment,) = payments
    return claim.amount is not None and payment.get_charge_amount() - taken_off >= claim.amount


def _payment_with_money(claim: Claim) -> Payment | None:
    """The payment, locked, that was captured in whole and holds what is owed."""
    if claim.amount is None:
        return None
    return next(
        (
            payment
            for payment in Payment.objects.select_for_update(of=("self",))
            .filter(order=claim.order_line.order_id, captured_amount__gte=claim.amount)
            .order_by("pk")
            if payment.can_refund() and payment.charge_status != ChargeStatus.PARTIALLY_CHARGED
        ),
        None,
    )


def owed_claims(*, limit: int = 200) -> list[UUID]:
    """Claims that are owed although money of their order has come in by now; the oldest first."""
    holding = Payment.objects.filter(
        order=OuterRef("order_line__order"), is_active=True, captured_amount__gt=0
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
