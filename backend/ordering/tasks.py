import structlog
from celery import shared_task
from django.utils import timezone

from backend.ordering import personal_data
from backend.ordering.services import expire_unpaid_orders as expire

log = structlog.get_logger(__name__)


@shared_task
def expire_unpaid_orders() -> int:
    """Release what nobody paid for in time."""
    return expire(now=timezone.now())


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
