"""What Celery runs for the catalogue. A task may run twice, and may die at any line."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from backend.catalogue.search.services import index_all
from backend.catalogue.waiting import services as waiting

log = structlog.get_logger(__name__)


@shared_task
def index_search() -> None:
    """Write the search index anew; whatever had changed was changed past Django's signals."""
    changed = index_all()
    if any(changed.values()):
        log.info("search_index_mended", **changed)


@shared_task
def tell_who_waits() -> None:
    """Write to everybody whose pack can be bought again, and forget who has waited for too long."""
    now = timezone.now()
    waiting.forget_old_waits(now=now)
    sent = waiting.send_letters(now=now)
    if sent:
        log.info("waiting_list_told", letters=sent)
