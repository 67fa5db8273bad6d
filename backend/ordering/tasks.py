from celery import shared_task
from django.utils import timezone

from backend.ordering.services import expire_unpaid_orders as expire


@shared_task
def expire_unpaid_orders() -> int:
    """Release what nobody paid for in time."""
    return expire(now=timezone.now())
