"""Beat's schedule: the defaults arrive once, and an operator's change stays."""

from __future__ import annotations

import pytest
from celery import current_app
from celery.schedules import crontab
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from backend.config.schedule import Scheduler, synchronise
from tests.produce import a_person

pytestmark = pytest.mark.django_db

POLL = {"task": "backend.stock.tasks.poll_feeds", "schedule": 10.0, "options": {"expires": 30}}
AUDIT = {"task": "backend.stock.tasks.audit_stock", "schedule": crontab(hour=3, minute=30)}
BY_PASSWORD = "backend.saleor_port.sign_in.PasswordBackend"


def poll() -> PeriodicTask:
    return PeriodicTask.objects.get(name="poll feeds")


def test_every_default_arrives_in_the_database_and_names_a_task_that_there_is() -> None:
    current_app.loader.import_default_modules()
    scheduler = Scheduler(app=current_app, lazy=False)
    assert {each.name for each in PeriodicTask.objects.all()} == set(settings.CELERY_BEAT_SCHEDULE)
    for entry in scheduler.all_as_schedule().values():
        assert entry.task in current_app.tasks
        assert entry.options.get("queue") in {None, "default", "feeds", "apply"}


def test_a_second_start_writes_nothing() -> None:
    synchronise(defaults={"poll feeds": POLL, "audit stock": AUDIT})
    before = list(PeriodicTask.objects.order_by("pk").values())
    synchronise(defaults={"poll feeds": POLL, "audit stock": AUDIT})
    assert list(PeriodicTask.objects.order_by("pk").values()) == before
    assert (poll().interval.every, poll().expire_seconds) == (10, 30)
    audit = PeriodicTask.objects.get(name="audit stock")
    assert (audit.crontab.hour, audit.crontab.minute, str(audit.crontab.timezone)) == (
        "3",
        "30",
        "Asia/Shanghai",
    )


def test_what_nobody_changed_follows_a_new_default() -> None:
    synchronise(defaults={"poll feeds": POLL, "audit stock": AUDIT})
    synchronise(defaults={"poll feeds": {**POLL, "schedule": 20.0}})
    assert poll().interval.every == 20
    assert not PeriodicTask.objects.filter(name="audit stock").exists()


@pytest.mark.parametrize("change", [{"enabled": False}, {"expire_seconds": 5}, {"queue": "feeds"}])
def test_what_an_operator_changed_stays(change: dict[str, object]) -> None:
    synchronise(defaults={"poll feeds": POLL})
    PeriodicTask.objects.filter(name="poll feeds").update(**change)
    synchronise(defaults={"poll feeds": {**POLL, "schedule": 20.0}})
    assert poll().interval.every == 10
    assert {name: getattr(poll(), name) for name in change} == change
    synchronise(defaults={})
    assert poll().enabled is change.get("enabled", True)


def test_an_entry_that_somebody_made_himself_is_left_alone() -> None:
    synchronise(defaults={"poll feeds": POLL})
    PeriodicTask.objects.create(
        name="every night", task=AUDIT["task"], interval=poll().interval, description="mine"
    )
    synchronise(defaults={"poll feeds": POLL})
    assert PeriodicTask.objects.filter(name="every night", enabled=True).exists()


def test_an_entry_that_the_database_could_not_hold_stops_the_start() -> None:
    with pytest.raises(ValueError, match="priority"):
        synchronise(defaults={"poll feeds": {**POLL, "options": {"priority": 3}}})


def test_only_who_manages_the_settings_sees_it_in_the_admin(client: Client) -> None:
    synchronise(defaults={"poll feeds": POLL})
    pages = [
        reverse("admin:django_celery_beat_periodictask_changelist"),
        reverse("admin:django_celery_beat_periodictask_change", args=[poll().pk]),
        reverse("admin:django_celery_beat_intervalschedule_changelist"),
        reverse("admin:django_celery_beat_crontabschedule_changelist"),
    ]
    person = a_person(email="ops@xinyi.example", is_staff=True)
    client.force_login(person, backend=BY_PASSWORD)
    assert [client.get(page).status_code for page in pages] == [403, 403, 403, 403]
    person.user_permissions.add(Permission.objects.get(codename="manage_settings"))
    assert [client.get(page).status_code for page in pages] == [200, 200, 200, 200]
