"""How orders were placed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Placement(models.Model):
    """How an order was placed: the buyer's key makes a double tap one order, and pay_by ends an unpaid hold.

    Exactly one of pay_by and pays_on_collection is set: who pays on collection holds the goods until then.
    """

    order = models.OneToOneField(
        "order.Order",
        on_delete=models.CASCADE,
        related_name="placement",
        verbose_name=_("order"),
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=100, unique=True)
    request_sha256 = models.CharField(max_length=64)
    pays_on_collection = models.BooleanField(_("pays on collection"), default=False)
    pay_by = models.DateTimeField(_("pay by"), null=True, blank=True)
    accepted_fresh_rule = models.BooleanField(_("accepted the rule for fresh goods"), default=False)
    delivery_on = models.DateField(_("delivery on"), null=True, blank=True)
    delivery_from = models.TimeField(_("delivery from"), null=True, blank=True)
    delivery_until = models.TimeField(_("delivery until"), null=True, blank=True)
    gift_note = models.CharField(_("gift note"), max_length=200, blank=True)
    invoice_title = models.CharField(_("invoice to"), max_length=100, blank=True)
    invoice_tax_number = models.CharField(_("tax number"), max_length=20, blank=True)
    placed_at = models.DateTimeField(_("placed at"))
    expired_at = models.DateTimeField(_("expired at"), null=True, blank=True)

    class Meta:
        ordering = ("-placed_at", "-pk")
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        indexes = [
            models.Index(
                fields=("pay_by",),
                condition=Q(pay_by__isnull=False, expired_at__isnull=True),
                name="unpaid_holds",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(pays_on_collection=True, pay_by__isnull=True)
                | Q(pays_on_collection=False, pay_by__isnull=False),
                name="paid_by_a_time_or_on_collection",
            )
        ]

    def __str__(self) -> str:
        return str(self.order)
