"""Asks cooperatives' systems for what they count, and keeps what they say as reports."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation

from backend.common.errors import ShopError
from backend.stock import feeds
from backend.stock.feeds.fetch import Fetched, fetch
from backend.stock.models import Feed, Report
from backend.stock.services import keep_report

LONGEST_BACKOFF = timedelta(hours=1)


def claim_due_feeds(*, now: datetime) -> list[int]:
    """The feeds that are to be asked now. Each is answered once: who claims it has written down that it was asked.

    A feed that failed is asked less and less often, up to once an hour.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE stock_feed SET last_asked_at = %(now)s
            WHERE id IN (
                SELECT feed.id FROM stock_feed feed
                JOIN cooperatives_cooperative cooperative ON cooperative.id = feed.cooperative_id
                WHERE feed.is_enabled AND cooperative.is_active AND (
                    feed.last_asked_at IS NULL
                    OR feed.last_asked_at + LEAST(
                        feed.interval_seconds * interval '1 second' * power(2, LEAST(feed.failures, 10)),
                        GREATEST(%(longest)s * interval '1 second', feed.interval_seconds * interval '1 second')
                    ) <= %(now)s
                )
                ORDER BY feed.id
                FOR UPDATE OF feed SKIP LOCKED
            )
            RETURNING id
            """,
            {"now": now, "longest": LONGEST_BACKOFF.total_seconds()},
        )
        return sorted(feed_id for (feed_id,) in cursor.fetchall())


def ask_feed(*, feed_id: int, now: datetime) -> UUID | None:
    """Ask a cooperative's system, and keep what it says; answers the report that is to be applied, if there is one.

    What goes wrong is written on the feed, for the people who look after it.
    """
    feed = Feed.objects.filter(pk=feed_id, is_enabled=True).first()
    if feed is None:
        return None
    try:
        fetched = fetch(url=feed.url, etag=feed.etag, allow_private=settings.FEEDS_ALLOW_PRIVATE)
    except ShopError as error:
        with translation.override(settings.LANGUAGE_CODE):
            Feed.objects.filter(pk=feed_id).update(last_error=str(error)[:500], failures=feed.failures + 1)
        return None
    return receive_from_feed(feed_id=feed_id, fetched=fetched, now=now)


def receive_from_feed(*, feed_id: int, fetched: Fetched, now: datetime) -> UUID | None:
    """Keep what a feed answered; None when it says what it said last."""
    with transaction.atomic():
        feed = Feed.objects.select_for_update(of=("self",)).get(pk=feed_id)
        feed.last_answered_at, feed.last_error, feed.failures = now, "", 0
        feed.etag = fetched.etag
        feed.save(update_fields=["last_answered_at", "last_error", "failures", "etag"])
        if fetched.body is None:
            return None
        sha256 = hashlib.sha256(fetched.body).hexdigest()
        last = feed.reports.order_by("-received_at", "-id").values_list("raw_sha256", flat=True).first()
        if last == sha256:
            return None
        # It may say again what it had said before something else: that is news, too.
        is_known = Report.objects.filter(cooperative=feed.cooperative_id, idempotency_key=sha256).exists()
        report = keep_report(
            Report(
                cooperative_id=feed.cooperative_id,
                source=Report.Source.FEED,
                feed=feed,
                format=feeds.XLSX if feed.kind == Feed.Kind.HTTP_XLSX else feeds.JSON,
                basis=feed.basis,
                is_complete=feed.is_complete,
                # Of two documents without a number of their own, the one that was fetched later is the newer.
                sequence=int(now.timestamp()),
                idempotency_key=f"{sha256}:{int(now.timestamp())}" if is_known else sha256,
                raw=fetched.body,
                raw_sha256=sha256,
                received_at=now,
            )
        )
        return report.pk


def reports_left_behind(*, now: datetime) -> list[UUID]:
    """Reports that were received and not applied: their worker, or the message to it, was lost."""
    return list(
        Report.objects.filter(
            status=Report.Status.RECEIVED,
            received_at__lt=now - timedelta(seconds=20),
            received_at__gt=now - timedelta(days=1),
        )
        .order_by("received_at")
        .values_list("pk", flat=True)[:1000]
    )
