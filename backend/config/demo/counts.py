"""The first counts, on the way that every later one takes: document, report, ledger, shelf."""

from __future__ import annotations

from datetime import datetime

from backend.config.demo.files import feed_server
from backend.stock.feed_services import receive_from_feed
from backend.stock.models import Feed, Report
from backend.stock.services import apply_report
from backend.stock.ways_in.source import Fetched


def receive_first_counts(*, feeds: dict[str, Feed], now: datetime) -> int:
    """Receive and apply what each cooperative's system says now, if it was never heard before.

    feeds: by the cooperative's slug. Returns how many reports were applied.
    """
    server = feed_server()
    books = server.read_books()
    applied = 0
    for slug, feed in feeds.items():
        if not feed.reports.exists():
            document = server.document(books[slug], moment=now)
            receive_from_feed(
                feed_id=feed.pk, fetched=Fetched(body=document.body, etag=document.etag), now=now
            )
        # Also one that an earlier loading received and did not live to apply.
        for report in feed.reports.filter(status=Report.Status.RECEIVED):
            applied += apply_report(report_id=report.pk, now=now)
    return applied
