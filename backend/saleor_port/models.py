"""What was posted to the programs of others, and what is still to be."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class WebhookDelivery(models.Model):
    """One event for one webhook: both the queue and its log.

    It names what the event is about and holds nothing of it, so that the log keeps no personal data. A row whose
    next_try_at is set is waiting, or being posted until then at the latest; the others are done.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    key = models.UUIDField(_("key"), default=uuid.uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(
        "webhook.Webhook", on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    event = models.CharField(_("event"), max_length=128)
    about = models.CharField(_("about"), max_length=36, help_text=_("The key of the order, product, …"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("happened at"), auto_now_add=True)
    next_try_at = models.DateTimeField(_("next try at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("last sent at"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("took (ms)"), null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(
                fields=("next_try_at",), condition=Q(next_try_at__isnull=False), name="webhook_deliveries_due"
            ),
            models.Index(fields=("created_at",), name="webhook_deliveries_by_age"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="waiting", next_try_at__isnull=False)
                | (~Q(status="waiting") & Q(next_try_at__isnull=True)),
                name="a_delivery_that_waits_has_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.about}"
