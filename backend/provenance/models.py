import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.cooperatives.models import Cooperative


def new_trace_code() -> str:
    """A code for a lot's QR label: 60 random bits, so that nobody finds another lot by guessing."""
    return secrets.token_hex(8)[:15]


class HarvestLot(models.Model):
    """What one cooperative harvested of one product on one day, with its promise certificate (承诺达标合格证)."""

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.PROTECT,
        related_name="lots",
        verbose_name=_("cooperative"),
    )
    product = models.ForeignKey(
        "product.Product",
        on_delete=models.PROTECT,
        related_name="harvest_lots",
        verbose_name=_("product"),
    )
    code = models.CharField(_("lot"), max_length=40, help_text=_("As the cooperative writes it."))
    trace_code = models.CharField(_("trace code"), max_length=20, unique=True, default=new_trace_code)
    harvested_on = models.DateField(_("harvested on"))
    best_before = models.DateField(_("to be sold by"))
    plot = models.CharField(_("plot"), max_length=80, blank=True)
    certificate_number = models.CharField(_("certificate number"), max_length=60, blank=True)
    certificate_issuer = models.CharField(_("certificate issued by"), max_length=80, blank=True)
    certificate_issued_on = models.DateField(_("certificate issued on"), null=True, blank=True)
    recalled_at = models.DateTimeField(_("recalled at"), null=True, blank=True)
    is_demo = models.BooleanField(_("demo data"), default=False)

    class Meta:
        ordering = ("-harvested_on", "-pk")
        verbose_name = _("harvest lot")
        verbose_name_plural = _("harvest lots")
        constraints = [
            models.UniqueConstraint(fields=("cooperative", "code"), name="one_lot_per_code_and_cooperative"),
            models.CheckConstraint(
                condition=models.Q(best_before__gte=models.F("harvested_on")),
                name="a_lot_keeps_at_least_its_harvest_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.product}"
