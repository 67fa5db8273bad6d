"""What Celery runs for the stock. Each task takes an id, may run twice, and may die at any line."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from backend.stock import ageing, alerts, audit, dead_letters, feed_services, metrics, services
from backend.stock.errors import ReportGivenUp

log = structlog.get_logger(__name__)

PASSING = (OperationalError, InterfaceError, BrokerError, RedisError)
"""PostgreSQL or Redis is being started anew, a lock was waited for in vain: the same will work in a while."""

PATIENT: dict[str, Any] = {
    "autoretry_for": PASSING,
    # After 1 s, 2 s, 4 s … up to a minute each, and by chance sooner, so that not all come back at once.
    "retry_backoff": True,
    "retry_backoff_max": 60,
    "retry_jitter": True,
    "max_retries": 10,
}


@shared_task
def poll_feeds() -> None:
    """Queue a question to each source whose time has come. Not tried again: the next round is seconds away."""
    for feed_id in feed_services.claim_due_feeds(now=timezone.now()):
        # Whoever claimed has put it off; a question that waited longer than that is asked by the next round.
        fetch_feed.apply_async(args=[feed_id], expires=feed_services.CLAIM_LASTS.total_seconds())


@shared_task(**PATIENT, soft_time_limit=120, time_limit=150)
def fetch_feed(feed_id: int) -> None:
    """Ask one source, and queue what it says to be applied."""
    for report_id in feed_services.ask_feed(feed_id=feed_id, now=timezone.now()):
        transaction.on_commit(partial(apply_report.delay, str(report_id)))


@shared_task(**PATIENT)
def apply_report(report_id: str) -> None:
    """Apply one report that was received."""
    pk = UUID(report_id)
    if not feed_services.begin_attempt(report_id=pk):
        return
    try:
        if services.apply_report(report_id=pk, now=timezone.now()):
            # Of attempts that failed before: there is nothing left to run again.
            dead_letters.close_of_report(report_id=pk, now=timezone.now())
    except PASSING as error:
        is_given_up = False
        with suppress(DatabaseError, InterfaceError):
            is_given_up = feed_services.note_disturbed(report_id=pk, error=error)
        if is_given_up:
            # Not tried again: a dead letter, which leads to the report.
            raise ReportGivenUp(f"{type(error).__name__}: {error}") from error
        raise
    except Exception as error:
        feed_services.note_attempt_failed(report_id=pk, error=error)
        raise


@shared_task
def apply_received() -> None:
    """Queue reports that were received and then forgotten, because a worker or the broker was killed."""
    for report_id in feed_services.reports_left_behind(now=timezone.now()):
        # The next round queues it again, so the queue of a worker that is away does not grow without end.
        apply_report.apply_async(args=[str(report_id)], expires=60)


@shared_task(**PATIENT)
def watch_feeds() -> None:
    """Notice feeds that fell silent, counts that grew old and reports that failed; tell each once."""
    alerts.watch(now=timezone.now())


@shared_task(**PATIENT)
def audit_stock() -> None:
    """Compare every Stock row with the ledger, and say where they differ."""
    now = timezone.now()
    findings = audit.find_drift(ages_at=now - ageing.LATE)
    for finding in findings:
        log.error("stock_drift", finding=str(finding))
    metrics.note_audit(drifted=len(findings), now=now)


@shared_task(**PATIENT)
def shrink_old_counts() -> None:
    """Withhold what counts are too old to be believed for, and give it back where that is over."""
    ageing.shrink_old_counts(now=timezone.now())


@shared_task(**PATIENT)
def discard_old_drafts() -> None:
    """Put aside the files that were uploaded and that nobody confirmed within a day."""
    services.discard_old_drafts(now=timezone.now())
