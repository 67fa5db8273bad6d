"""What somebody must look at: feeds that fell silent, counts that grew old, background work that failed."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.cooperatives.models import Cooperative
from backend.stock.models.feeds import Feed


class Alert(models.Model):
    """One trouble from when it was noticed to when it was over; told once.

    feed is null where the trouble is the cooperative's as a whole.
    """

    class Kind(models.TextChoices):
        FEED_SILENT = "feed_silent", _("feed is silent")
        FEED_STOPPED = "feed_stopped", _("feed is silent, its goods are off sale")
        COUNTS_OLD = "counts_old", _("counts are old")
        REPORT_FAILED = "report_failed", _("reports could not be applied")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    cooperative = models.ForeignKey(
        Cooperative, on_delete=models.CASCADE, related_name="alerts", verbose_name=_("cooperative")
    )
    feed = models.ForeignKey(
        Feed,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="alerts",
        verbose_name=_("feed"),
    )
    message = models.CharField(_("message"), max_length=300)
    since = models.DateTimeField(_("since"))
    opened_at = models.DateTimeField(_("noticed at"))
    told_at = models.DateTimeField(_("told at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("over at"), null=True, blank=True)

    class Meta:
        ordering = ("-opened_at", "-pk")
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=("kind", "cooperative", "feed"),
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="a_trouble_is_told_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("opened_at")),
                name="a_trouble_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return self.message


class DeadLetter(models.Model):
    """A task that failed for good: what it was asked to do, how often it failed so, and whether somebody dealt with it.

    args and kwargs hold numbers and ids alone; can_retry is false where something else had to be left out.
    """

    task = models.CharField(_("task"), max_length=200)
    args = models.JSONField(_("arguments"), default=list)
    kwargs = models.JSONField(_("named arguments"), default=dict)
    can_retry = models.BooleanField(_("can be run again"), default=True)
    # Of task, arguments and error: the same failure is counted, not listed again.
    fingerprint = models.CharField(max_length=64, editable=False)
    error = models.CharField(_("error"), max_length=100)
    message = models.CharField(_("message"), max_length=500, blank=True)
    times = models.PositiveIntegerField(_("times"), default=1)
    first_at = models.DateTimeField(_("first at"))
    last_at = models.DateTimeField(_("last at"))
    retried_at = models.DateTimeField(_("run again at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("dealt with at"), null=True, blank=True)

    class Meta:
        ordering = ("-last_at", "-pk")
        verbose_name = _("failed task")
        verbose_name_plural = _("failed tasks")
        constraints = [
            models.UniqueConstraint(
                fields=("fingerprint",),
                condition=Q(closed_at__isnull=True),
                name="one_open_letter_per_failure",
            )
        ]

    def __str__(self) -> str:
        return f"{self.task} · {self.error}"
