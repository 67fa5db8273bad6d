import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.cooperatives.models import Cooperative

TRACE_CODE_LENGTH = 15


def new_trace_code() -> str:
    """A code for a lot's QR label: 60 random bits, so that nobody finds another lot by guessing.

    Sixteen letters that nobody confuses when he has to type them: 0-9 and a-f.
    """
    return secrets.token_hex(8)[:TRACE_CODE_LENGTH]


class Basis(models.TextChoices):
    """What a promise certificate rests on; one has to be ticked on its form."""

    INTERNAL_CONTROL = "internal", _("the grower’s own quality control")
    OWN_TEST = "own_test", _("the grower’s own test")
    COMMISSIONED_TEST = "commissioned", _("a commissioned test")


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
    quantity_g = models.PositiveIntegerField(_("quantity in grams"), null=True, blank=True)
    certificate_number = models.CharField(_("certificate number"), max_length=60, blank=True)
    certificate_issuer = models.CharField(_("certificate issued by"), max_length=80, blank=True)
    certificate_issued_on = models.DateField(_("certificate issued on"), null=True, blank=True)
    certificate_basis = models.CharField(
        _("the promise rests on"), max_length=12, choices=Basis.choices, blank=True
    )
    certificate_contact = models.CharField(
        _("contact on the certificate"),
        max_length=80,
        blank=True,
        help_text=_("As printed on it: anybody with the code reads it."),
    )
    recalled_at = models.DateTimeField(_("recalled at"), null=True, blank=True)
    recall_reason = models.CharField(
        _("why it was recalled"),
        max_length=200,
        blank=True,
        help_text=_("What is wrong and what a buyer should do: the first thing on the lot's page."),
    )
    recall_reason_en = models.CharField(_("why it was recalled, in English"), max_length=300, blank=True)
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
            models.CheckConstraint(
                condition=models.Q(recalled_at__isnull=True) | ~models.Q(recall_reason=""),
                name="a_recalled_lot_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.product}"
