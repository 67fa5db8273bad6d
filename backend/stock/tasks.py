"""What Celery runs for the stock. Each task takes an id, may run twice, and may die at any line."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from backend.stock import audit, feed_services, services

log = structlog.get_logger(__name__)


@shared_task
def poll_feeds() -> None:
    """Queue a question to each cooperative's system whose time has come."""
    for feed_id in feed_services.claim_due_feeds(now=timezone.now()):
        fetch_feed.delay(feed_id)


@shared_task
def fetch_feed(feed_id: int) -> None:
    """Ask one cooperative's system, and queue what it says to be applied."""
    report_id = feed_services.ask_feed(feed_id=feed_id, now=timezone.now())
    if report_id is not None:
        transaction.on_commit(lambda: apply_report.delay(str(report_id)))


@shared_task
def apply_report(report_id: str) -> None:
    """Apply one report that was received."""
    services.apply_report(report_id=UUID(report_id), now=timezone.now())


@shared_task
def apply_received() -> None:
    """Queue reports that were received and then forgotten, because a worker or the broker was killed."""
    for report_id in feed_services.reports_left_behind(now=timezone.now()):
        apply_report.delay(str(report_id))


@shared_task
def audit_stock() -> None:
    """Compare every Stock row with the ledger, and say where they differ."""
    for finding in audit.find_drift():
        log.error("stock_drift", finding=str(finding))
