"""How orders are delivered."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DeliveryMethod(models.Model):
    """What the shop adds to a Saleor shipping method: how it is delivered, and where it is collected."""

    class Kind(models.TextChoices):
        OWN_VAN = "own_van", _("own van")
        NEXT_DAY = "next_day", _("next-day courier")
        PICK_UP = "pick_up", _("pick-up")

    shipping_method = models.OneToOneField(
        "shipping.ShippingMethod",
        on_delete=models.CASCADE,
        related_name="delivery",
        verbose_name=_("shipping method"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    summary = models.CharField(_("summary"), max_length=200, blank=True)
    summary_en = models.CharField(_("English summary"), max_length=300, blank=True)
    pick_up_address = models.CharField(_("pick-up address"), max_length=200, blank=True)
    sort_order = models.PositiveSmallIntegerField(_("sort order"), default=0)

    class Meta:
        ordering = ("sort_order", "pk")
        verbose_name = _("delivery method")
        verbose_name_plural = _("delivery methods")
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="pick_up") | ~Q(pick_up_address=""),
                name="a_pick_up_point_has_an_address",
            )
        ]

    def __str__(self) -> str:
        return str(self.shipping_method)
