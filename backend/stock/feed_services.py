"""Asks cooperatives' systems, folders and drops for what they count, and keeps what they say as reports.

What goes wrong is written on the feed, for the people who look after it, and moves its circuit breaker; a document that
arrived is a report, whose own fate is its own affair.
"""

from __future__ import annotations

import hashlib
import importlib
import random
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.errors import ShopError
from backend.stock import feeds
from backend.stock.books import read_report
from backend.stock.breaker import Position
from backend.stock.errors import FeedUnreadable
from backend.stock.models import Feed, Report
from backend.stock.services import keep_report
from backend.stock.ways_in import http
from backend.stock.ways_in.source import Fetched, Source, Visit, WayIn

log = structlog.get_logger(__name__)

CLAIM_LASTS = timedelta(minutes=5)
"""Who claimed a feed and was killed leaves it to the next one after this."""

MOST_ATTEMPTS = 8
"""A report that failed so often is left to a person."""

MOST_DISTURBANCES = 20
"""So is one at which the database failed so often, while it was well enough to count that: some ten minutes of it."""

# The first half of an advisory lock's key: "feed" in ASCII. The second is the feed.
_ADVISORY_LOCK = 0x66656564

_FORMATS: Mapping[str, str] = {
    Feed.Kind.HTTP_JSON: feeds.JSON,
    Feed.Kind.HTTP_CSV: feeds.CSV,
    Feed.Kind.HTTP_XLSX: feeds.XLSX,
    Feed.Kind.FOLDER: feeds.FILE,
    Feed.Kind.SFTP: feeds.FILE,
}


def claim_due_feeds(*, now: datetime) -> list[int]:
    """The feeds that are to be asked now. Each is answered once: who claims it has put off when it is asked next."""
    with transaction.atomic():
        due = list(
            Feed.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(Q(due_at__isnull=True) | Q(due_at__lte=now), is_enabled=True, cooperative__is_active=True)
            .order_by("pk")
        )
        for feed in due:
            feed.last_asked_at = now
            feed.due_at = min(feed.scheduled_after(now), now + CLAIM_LASTS)
        Feed.objects.bulk_update(due, ["last_asked_at", "due_at"])
    return [feed.pk for feed in due]


def ask_feed(*, feed_id: int, now: datetime) -> list[UUID]:
    """Look at one source, and keep what is there; answers the reports that are to be applied.

    Nothing is asked while the circuit breaker is open, or while somebody else asks the same feed.
    """
    with _alone(feed_id) as alone:
        feed = Feed.objects.filter(pk=feed_id, is_enabled=True).first() if alone else None
        if feed is None or feed.breaker.position(now=now) is Position.OPEN:
            return []
        reports: list[UUID] = []
        try:
            with _way_in(feed)(_source(feed)) as visit:
                for place, document in enumerate(visit.documents()):
                    report_id = _take(feed=feed, visit=visit, document=document, place=place, now=now)
                    if report_id is not None:
                        reports.append(report_id)
                _note_look(feed_id=feed_id, visit=visit, now=now)
        except ShopError as error:
            _note_failure(feed_id=feed_id, error=error, now=now)
        return reports


def _take(*, feed: Feed, visit: Visit, document: Fetched, place: int, now: datetime) -> UUID | None:
    report_id = receive_from_feed(feed_id=feed.pk, fetched=document, place=place, now=now)
    if document.name:
        report = _as_report(feed=feed, document=document, place=place, now=now)
        visit.settle(document, refusal=_refusal(report))
    return report_id


def _refusal(report: Report) -> str:
    """Why a file cannot be read; "" when it can. Its sender sees the folder, and maybe never the desk."""
    with translation.override(settings.LANGUAGE_CODE):
        try:
            read_report(report=report)
        except FeedUnreadable as error:
            return str(error)
    return ""


def _as_report(*, feed: Feed, document: Fetched, place: int, now: datetime) -> Report:
    """A document as the report that it will be, not saved yet."""
    raw = document.body or b""
    sha256 = hashlib.sha256(raw).hexdigest()
    return Report(
        cooperative_id=feed.cooperative_id,
        source=Report.Source.FEED,
        feed=feed,
        format=_FORMATS[feed.kind],
        filename=document.name,
        mapping=feed.mapping,
        basis=feed.basis,
        is_complete=feed.is_complete,
        # Of two documents without a number of their own, the one that was fetched later is the newer; of two files at
        # one look, the one that was written later, as they come in that order.
        sequence=int(now.timestamp()) + place,
        idempotency_key=sha256,
        raw=raw,
        raw_sha256=sha256,
        received_at=now,
    )


def receive_from_feed(*, feed_id: int, fetched: Fetched, place: int = 0, now: datetime) -> UUID | None:
    """Keep what a feed answered; None when it says what it said last, unless that could not be read and now may be.

    place: which of the documents of one look, from 0.
    """
    with transaction.atomic():
        feed = Feed.objects.select_for_update(of=("self",)).get(pk=feed_id)
        feed.last_answered_at, feed.last_error = now, ""
        feed.set_breaker(feed.breaker.after_answer())
        feed.due_at = feed.scheduled_after(now)
        feed.etag, feed.last_modified = fetched.etag, fetched.last_modified
        feed.save(
            update_fields=[
                *("last_answered_at", "last_error", "failures", "opened_at", "next_try_at", "due_at"),
                *("etag", "last_modified"),
            ]
        )
        if fetched.body is None:
            return None
        report = _as_report(feed=feed, document=fetched, place=place, now=now)
        sha256 = report.raw_sha256
        last = feed.reports.order_by("-received_at", "-id").defer("raw").first()
        if last is not None and last.raw_sha256 == sha256 and not _may_be_read_now(last, feed=feed):
            return None
        # It may say again what it had said before something else: that is news, too.
        if Report.objects.filter(cooperative=feed.cooperative_id, idempotency_key=sha256).exists():
            report.idempotency_key = f"{sha256}:{report.sequence}"
        return keep_report(report).pk


def _may_be_read_now(report: Report, *, feed: Feed) -> bool:
    """Whether somebody has said since it was refused what the columns of the feed's documents mean."""
    return report.status == Report.Status.REFUSED and bool(feed.mapping) and report.mapping != feed.mapping


def _note_look(*, feed_id: int, visit: Visit, now: datetime) -> None:
    """The look went well, whether or not there was anything to see."""
    with transaction.atomic():
        feed = Feed.objects.select_for_update(of=("self",)).get(pk=feed_id)
        feed.seen = dict(visit.seen)
        feed.set_breaker(feed.breaker.after_answer())
        feed.last_error = ""
        # A file that is still growing, or that the next look must confirm, is not left until tomorrow.
        soon = now + timedelta(seconds=30)
        feed.due_at = min(feed.scheduled_after(now), soon) if feed.seen else feed.scheduled_after(now)
        feed.save(update_fields=["seen", "last_error", "failures", "opened_at", "next_try_at", "due_at"])


def _note_failure(*, feed_id: int, error: ShopError, now: datetime) -> None:
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        feed = Feed.objects.select_for_update(of=("self",)).get(pk=feed_id)
        feed.set_breaker(
            # Chance spreads load here, and keeps no secret.
            feed.breaker.after_failure(now=now, permanent=error.permanent, jitter=random.random())  # noqa: S311  (no secret)
        )
        feed.due_at = feed.next_try_at
        feed.last_error = str(error)[:500]
        feed.save(update_fields=["failures", "opened_at", "next_try_at", "due_at", "last_error"])
    log.warning("feed_failed", feed=feed_id, code=error.code, failures=feed.failures)


def try_again(*, feed_ids: list[int]) -> None:
    """A person has mended something: the next round asks these feeds, whatever their breakers say."""
    Feed.objects.filter(pk__in=feed_ids).update(due_at=None, failures=0, opened_at=None, next_try_at=None)


def _source(feed: Feed) -> Source:
    return Source(
        url=feed.url,
        credential=feed.credential,
        username=feed.username,
        secret=feed.secret,
        host_key=feed.host_key,
        etag=feed.etag,
        last_modified=feed.last_modified,
        seen={name: (int(size), float(at), float(since)) for name, (size, at, since) in feed.seen.items()},
        allow_private=settings.FEEDS_ALLOW_PRIVATE,
        patience_s=settings.FEEDS_PATIENCE_SECONDS,
        root=settings.FEEDS_FOLDER,
    )


def _way_in(feed: Feed) -> WayIn:
    if feed.is_over_http:
        return http.visit
    # asyncssh is a second of CPU and ten megabytes, which a shop without a drop, and every web process, can spare.
    way_in: WayIn = importlib.import_module(f"backend.stock.ways_in.{feed.kind}").visit
    return way_in


@contextmanager
def _alone(feed_id: int) -> Iterator[bool]:
    """Whether nobody else is asking this feed; a worker that is killed lets go of it with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_ADVISORY_LOCK, feed_id])
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_ADVISORY_LOCK, feed_id])


# ---- Reports that nobody has applied --------------------------------------------------------------------------------


def reports_left_behind(*, now: datetime) -> list[UUID]:
    """Reports that were received and not applied: their worker, or the message to it, was lost, or it failed.

    One that failed, or whose worker was killed, is tried again at once, then after a minute, three, seven … One at
    which the database failed is tried again by its task, and a minute later here for each time.
    """
    waiting = Report.objects.filter(
        status=Report.Status.RECEIVED, received_at__lt=now - timedelta(seconds=20)
    ).order_by("received_at")
    return [
        pk
        for pk, received_at, attempts, disturbances in waiting.values_list(
            "pk", "received_at", "attempts", "disturbances"
        )[:1000]
        if now - received_at >= timedelta(minutes=2 ** max(0, attempts - 1) - 1 + disturbances)
    ]


def begin_attempt(*, report_id: UUID) -> bool:
    """Whether a report may be tried once more; counted before it is tried, so that one that kills its worker is, too."""
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = (
            Report.objects.select_for_update(of=("self",), no_key=True)
            .defer("raw")
            .filter(pk=report_id, status=Report.Status.RECEIVED)
            .first()
        )
        if report is None:
            return False
        if report.attempts >= MOST_ATTEMPTS:
            report.last_error = report.last_error or "the worker ended"
            _give_up(report, times=report.attempts)
            report.save(update_fields=["status", "message", "last_error"])
            return False
        report.attempts += 1
        report.save(update_fields=["attempts"])
        return True


def note_attempt_failed(*, report_id: UUID, error: BaseException) -> None:
    """Write down what went wrong: for the staff, who have the log besides, and that it did for who reported."""
    with translation.override(settings.LANGUAGE_CODE):
        Report.objects.filter(pk=report_id, status=Report.Status.RECEIVED).update(
            last_error=_error(error), message=str(_NOT_YET)
        )


def note_disturbed(*, report_id: UUID, error: BaseException) -> bool:
    """It was the database that failed, and not the report: the attempt does not count.

    True when that was so often that the report is now left to a person.
    """
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = (
            Report.objects.select_for_update(of=("self",), no_key=True)
            .defer("raw")
            .filter(pk=report_id, status=Report.Status.RECEIVED)
            .first()
        )
        if report is None:
            return False
        report.attempts = max(0, report.attempts - 1)
        report.disturbances += 1
        report.last_error, report.message = _error(error), str(_NOT_YET)
        is_given_up = report.disturbances >= MOST_DISTURBANCES
        if is_given_up:
            _give_up(report, times=report.disturbances)
        report.save(update_fields=["status", "attempts", "disturbances", "last_error", "message"])
        return is_given_up


_NOT_YET = _("Could not be taken over yet. It is tried again by itself.")


def _give_up(report: Report, *, times: int) -> None:
    report.status = Report.Status.FAILED
    report.message = str(
        format_lazy(
            _("Could not be applied in {times} attempts. The shop's staff have been told."), times=times
        )
    )


def _error(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def try_reports_again(*, report_ids: Collection[UUID]) -> int:
    """A person has mended what they failed on: they wait to be applied as if they had just come.

    Whoever calls this queues them. Of two at once only the first finds them failed.
    """
    return Report.objects.filter(pk__in=report_ids, status=Report.Status.FAILED).update(
        status=Report.Status.RECEIVED, attempts=0, disturbances=0, last_error="", message=""
    )
