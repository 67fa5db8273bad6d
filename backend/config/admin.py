"""Celery beat's schedule in the admin, for whoever looks after the shop's settings."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat.admin import CrontabScheduleAdmin, IntervalScheduleAdmin, PeriodicTaskAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from backend.common.admin import SaleorPermission

OPERATIONS = "site.manage_settings"

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule):
    # Its own pages ask for Django's permissions, which nobody has here; the last two are of no use to a shop.
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class OurPeriodicTaskAdmin(SaleorPermission, PeriodicTaskAdmin):
    """Changing when something runs, or switching it off, holds until somebody changes it back."""

    permission = OPERATIONS


@admin.register(IntervalSchedule)
class OurIntervalScheduleAdmin(SaleorPermission, IntervalScheduleAdmin):
    permission = OPERATIONS


@admin.register(CrontabSchedule)
class OurCrontabScheduleAdmin(SaleorPermission, CrontabScheduleAdmin):
    permission = OPERATIONS
