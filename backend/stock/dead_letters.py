"""Keeps what Celery gives up, so that a person sees it and can have it run again.

Arguments are kept only where they are ids: an address, a name or a link is in no table that it does not belong to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import F

from backend.stock.feed_services import try_reports_again
from backend.stock.models import DeadLetter

HEADER = "dead_letter"
"""By which a task that is run again is known, so that its letter is closed when it succeeds."""

APPLIES = "backend.stock.tasks.apply_report"

OURS = "backend."
"""Whose ids may be texts; Saleor's may be tokens that open an order's page."""


def keep_dead_letter(
    *,
    task: str,
    args: Sequence[object],
    kwargs: Mapping[str, object],
    error: BaseException,
    now: datetime,
) -> None:
    """Write down that a task failed for good. The same failure of the same task is counted, not listed again."""
    kept_args = [_kept(value, task=task) for value in args]
    kept_kwargs = {str(name)[:50]: _kept(value, task=task) for name, value in kwargs.items()}
    whole = [*kept_args, *kept_kwargs.values()] == [*args, *kwargs.values()]
    name = type(error).__name__[:100]
    said = json.dumps([task, kept_args, kept_kwargs, name], sort_keys=True)
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    # What the database or a library says may quote what the task was about.
    message = str(error)[:500] if whole else ""
    counted = DeadLetter.objects.filter(fingerprint=fingerprint, closed_at__isnull=True)
    if counted.update(times=F("times") + 1, last_at=now, message=message):
        return
    try:
        with transaction.atomic():
            DeadLetter.objects.create(
                task=task[:200],
                args=kept_args,
                kwargs=kept_kwargs,
                can_retry=whole,
                fingerprint=fingerprint,
                error=name,
                message=message,
                first_at=now,
                last_at=now,
            )
    except IntegrityError:
        counted.update(times=F("times") + 1, last_at=now)


def run_again(*, letter_ids: Collection[int], now: datetime) -> int:
    """Queue these tasks once more; answers how many. Their letters are closed when they succeed."""
    letters = list(DeadLetter.objects.filter(pk__in=letter_ids, can_retry=True, closed_at__isnull=True))
    # One that was given up would not be touched, and its letter closed all the same.
    try_reports_again(report_ids=[pk for pk in map(report_of, letters) if pk is not None])
    for letter in letters:
        DeadLetter.objects.filter(pk=letter.pk).update(retried_at=now)
        current_app.send_task(
            letter.task, args=letter.args, kwargs=letter.kwargs, headers={HEADER: letter.pk}
        )
    return len(letters)


def close(*, letter_ids: Collection[int], now: datetime) -> int:
    """Somebody dealt with it, or it ran."""
    return DeadLetter.objects.filter(pk__in=letter_ids, closed_at__isnull=True).update(closed_at=now)


def report_of(letter: DeadLetter) -> UUID | None:
    """The report that the task was to apply; None for any other task."""
    if letter.task != APPLIES or len(letter.args) != 1:
        return None
    try:
        return UUID(letter.args[0])
    except (TypeError, ValueError, AttributeError):
        return None


def close_of_report(*, report_id: UUID, now: datetime) -> int:
    """Somebody dealt with the report that these tasks failed to apply."""
    letters = DeadLetter.objects.filter(task=APPLIES, args=[str(report_id)], closed_at__isnull=True)
    return letters.update(closed_at=now)


def _kept(value: object, *, task: str) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str) and task.startswith(OURS):
        try:
            return value if str(UUID(value)) == value else "…"
        except ValueError:
            return "…"
    return "…"
