from celery import shared_task
from django.utils import timezone

from backend.ordering.attempts import recover_attempts
from backend.ordering.services import expire_unpaid_orders as expire


@shared_task
def expire_unpaid_orders() -> int:
    """Release what nobody paid for in time."""
    return expire(now=timezone.now())


@shared_task
def recover_checkout_attempts() -> int:
    """Finish or undo what a process that died left between a gateway and an order."""
    return recover_attempts(now=timezone.now())
