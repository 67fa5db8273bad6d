"""Celery beat's schedule: ours by default, in the database where an operator may change it.

`settings.CELERY_BEAT_SCHEDULE` is what a new shop starts with. When beat starts, what is missing is added, and what nobody
has changed follows the settings; an entry that somebody changed, or switched off, stays as it is. Which of the two it is
can be seen in the entry's description, which says what the default was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from celery.schedules import crontab
from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

log = structlog.get_logger(__name__)

MARK = "default: "


class Scheduler(DatabaseScheduler):
    """django-celery-beat's, which by itself would undo an operator's changes at every start."""

    def setup_schedule(self) -> None:
        synchronise(defaults=self.app.conf.beat_schedule)


@dataclass(frozen=True)
class Entry:
    """What an entry runs, when and where. when: "every 10 s" or a crontab's five fields."""

    task: str
    when: str
    queue: str
    expires: int | None
    is_enabled: bool = True

    def __str__(self) -> str:
        words = [self.task, self.when]
        if self.queue:
            words.append(f"queue {self.queue}")
        if self.expires:
            words.append(f"expires {self.expires} s")
        if not self.is_enabled:
            words.append("off")
        return " · ".join(words)


def synchronise(*, defaults: Mapping[str, Mapping[str, Any]]) -> None:
    """Bring the database's schedule in line with the defaults, save where somebody changed it."""
    with transaction.atomic():
        kept = {
            each.name: each
            for each in PeriodicTask.objects.select_for_update(of=("self",))
            .select_related("interval", "crontab")
            .order_by("pk")
        }
        for name, given in defaults.items():
            wanted = _wanted(given)
            found = kept.get(name)
            if found is None or (_is_untouched(found) and found.description != f"{MARK}{wanted}"):
                _write(name=name, wanted=wanted, found=found, given=given)
        for name, found in kept.items():
            if name not in defaults and _is_untouched(found):
                log.info("schedule_entry_removed", entry=name)
                found.delete()


def _is_untouched(found: PeriodicTask) -> bool:
    """Whether the entry is still what we once wrote."""
    return bool(found.description == f"{MARK}{_as_is(found)}")


def _wanted(given: Mapping[str, Any]) -> Entry:
    unknown = set(given) - {"task", "schedule", "options"} or set(given.get("options", {})) - {
        "queue",
        "expires",
    }
    if unknown:
        raise ValueError(f"the schedule of {given['task']} says {unknown}, which is kept nowhere")
    schedule, options = given["schedule"], given.get("options", {})
    when = (
        _fields(
            schedule._orig_minute,
            schedule._orig_hour,
            schedule._orig_day_of_month,
            schedule._orig_month_of_year,
            schedule._orig_day_of_week,
        )
        if isinstance(schedule, crontab)
        else f"every {int(schedule)} s"
    )
    return Entry(
        task=given["task"], when=when, queue=options.get("queue") or "", expires=options.get("expires")
    )


def _as_is(found: PeriodicTask) -> Entry:
    when = "otherwise"
    if found.interval is not None and found.interval.period == IntervalSchedule.SECONDS:
        when = f"every {found.interval.every} s"
    elif found.crontab is not None:
        each = found.crontab
        when = _fields(each.minute, each.hour, each.day_of_month, each.month_of_year, each.day_of_week)
    return Entry(
        task=found.task,
        when=when,
        queue=found.queue or "",
        expires=found.expire_seconds,
        is_enabled=found.enabled,
    )


def _fields(*fields: object) -> str:
    return " ".join(str(field) for field in fields)


def _write(*, name: str, wanted: Entry, found: PeriodicTask | None, given: Mapping[str, Any]) -> None:
    schedule = given["schedule"]
    entry = found or PeriodicTask(name=name)
    entry.task, entry.queue, entry.expire_seconds = wanted.task, wanted.queue or None, wanted.expires
    entry.interval = entry.crontab = None
    if isinstance(schedule, crontab):
        minute, hour, day, month, weekday = wanted.when.split(" ")
        entry.crontab, _is_new = CrontabSchedule.objects.get_or_create(
            minute=minute,
            hour=hour,
            day_of_month=day,
            month_of_year=month,
            day_of_week=weekday,
            timezone=settings.TIME_ZONE,
        )
    else:
        entry.interval, _is_new = IntervalSchedule.objects.get_or_create(
            every=int(schedule), period=IntervalSchedule.SECONDS
        )
    entry.description = f"{MARK}{wanted}"
    entry.save()
