"""From which harvest lots orders were packed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backend.provenance.models import HarvestLot


class PackedLot(models.Model):
    """How many packs of what was handed over came out of one harvest lot (backend.ordering.packing)."""

    fulfillment_line = models.ForeignKey(
        "order.FulfillmentLine",
        on_delete=models.CASCADE,
        related_name="packed_lots",
        verbose_name=_("packs handed over"),
    )
    # What was eaten stays traceable: a lot that somebody got is not deleted.
    lot = models.ForeignKey(
        HarvestLot, on_delete=models.PROTECT, related_name="packed", verbose_name=_("harvest lot")
    )
    packs = models.PositiveIntegerField(_("packs"))
    base_units = models.PositiveBigIntegerField(_("base units"))

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("packed lot")
        verbose_name_plural = _("packed lots")
        constraints = [
            models.UniqueConstraint(
                fields=("fulfillment_line", "lot"), name="one_row_per_packed_line_and_lot"
            ),
            models.CheckConstraint(condition=Q(packs__gt=0), name="what_is_packed_is_at_least_one_pack"),
        ]

    def __str__(self) -> str:
        return f"{self.lot} × {self.packs}"
