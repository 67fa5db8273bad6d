"""What workers tell of their tasks: counted for /metrics, and kept as a dead letter when one fails for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from celery import Task
from celery.signals import task_failure, task_retry, task_success
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from backend.stock import dead_letters
from backend.stock.metrics import count_task

log = structlog.get_logger(__name__)

UNCOUNTED = "backend.config.health.heartbeat"
"""It says itself when it ran."""


@task_success.connect
def succeeded(sender: Task, **_: object) -> None:
    """Count it; and close its letter, if it was run again by a person."""
    if sender.name != UNCOUNTED:
        count_task(task=sender.name, outcome="success")
    letter = (sender.request.headers or {}).get(dead_letters.HEADER)
    if isinstance(letter, int):
        try:
            dead_letters.close(letter_ids=[letter], now=timezone.now())
        except (DatabaseError, InterfaceError) as error:
            log.error("dead_letter_not_closed", letter=letter, error=type(error).__name__)


@task_retry.connect
def put_off(sender: Task, **_: object) -> None:
    count_task(task=sender.name, outcome="retry")


@task_failure.connect
def failed(
    sender: Task,
    exception: BaseException,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    **_: object,
) -> None:
    """Keep it for a person. What cannot be kept, because the database is away, is in the log at least."""
    count_task(task=sender.name, outcome="failure")
    try:
        dead_letters.keep_dead_letter(
            task=sender.name, args=args or (), kwargs=kwargs or {}, error=exception, now=timezone.now()
        )
    except (DatabaseError, InterfaceError) as error:
        log.error("dead_letter_lost", task=sender.name, error=type(error).__name__)
