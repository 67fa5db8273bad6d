"""What Celery runs for the catalogue. A task may run twice, and may die at any line."""

from __future__ import annotations

import structlog
from celery import shared_task

from backend.catalogue.search.services import index_all

log = structlog.get_logger(__name__)


@shared_task
def index_search() -> None:
    """Write the search index anew; whatever had changed was changed past Django's signals."""
    changed = index_all()
    if any(changed.values()):
        log.info("search_index_mended", **changed)
