from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone

from backend.ordering import letters, payouts, personal_data
from backend.ordering.attempts import recover_attempts
from backend.ordering.claim_photos import forget_photos
from backend.ordering.models import Claim
from backend.ordering.services import expire_unpaid_orders as expire

log = structlog.get_logger(__name__)


@shared_task
def expire_unpaid_orders() -> int:
    """Release what nobody paid for in time."""
    return expire(now=timezone.now())


@shared_task
def pay_claim(claim_pk: str) -> str:
    """Give back what an accepted claim is owed, where the order's money is there."""
    return payouts.pay_claim(claim_pk=UUID(claim_pk), now=timezone.now())


@shared_task
def pay_accepted_claims() -> int:
    """Go through all that is owed; returns how many claims were paid."""
    now = timezone.now()
    settled = [payouts.pay_claim(claim_pk=pk, now=now) for pk in payouts.owed_claims()]
    return settled.count(Claim.Settlement.PAID)


@shared_task
def send_claim_decision(claim_pk: str) -> None:
    """Write to the buyer what was decided."""
    letters.send_claim_decision(claim_pk=UUID(claim_pk), now=timezone.now())


@shared_task
def send_new_claim(claim_pk: str) -> None:
    """Write to the staff that a claim waits for them."""
    letters.send_new_claim(claim_pk=UUID(claim_pk))


@shared_task
def forget_claim_photos() -> int:
    """Delete photos that nobody needs any more."""
    return forget_photos(now=timezone.now())


@shared_task
def forget_personal_data() -> None:
    """Let go of what nobody needs any more: names on old orders, baskets, stray addresses, sessions."""
    now = timezone.now()
    personal_data.forget_ended_sessions(now=now)
    log.info(
        "personal_data_forgotten",
        orders=personal_data.forget_old_orders(now=now),
        baskets=personal_data.forget_old_baskets(now=now),
        addresses=personal_data.forget_stray_addresses(now=now),
    )


@shared_task
def recover_checkout_attempts() -> int:
    """Finish or undo what a process that died left between a gateway and an order."""
    return recover_attempts(now=timezone.now())
