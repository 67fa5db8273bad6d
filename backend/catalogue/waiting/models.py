"""Who waits for a pack that is sold out, and how many were told of it lately."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Wait(models.Model):
    """One address that gets one letter when one pack can be bought again. Gone with the letter.

    email: in lower case. token: opens the page that ends all waits of this address, the same for all of them.
    """

    variant = models.ForeignKey(
        "product.ProductVariant", on_delete=models.CASCADE, related_name="waits", verbose_name=_("variant")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="waits",
        verbose_name=_("buyer"),
        help_text=_("Empty for a guest."),
    )
    email = models.EmailField(_("e-mail"))
    token = models.UUIDField(default=uuid.uuid4, editable=False)
    asked_at = models.DateTimeField(_("asked at"))

    class Meta:
        ordering = ("asked_at", "pk")
        verbose_name = _("wait")
        verbose_name_plural = _("waiting list")
        constraints = [models.UniqueConstraint(fields=("variant", "email"), name="one_wait_per_address")]
        indexes = [
            models.Index(fields=("email",), name="waits_of_an_address"),
            models.Index(fields=("token",), name="waits_of_a_link"),
            models.Index(fields=("asked_at",), name="waits_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} · {self.asked_at:%Y-%m-%d}"


class WaitLetter(models.Model):
    """That somebody was told of a pack; not who. It holds one pack's place for a day."""

    variant = models.ForeignKey("product.ProductVariant", on_delete=models.CASCADE, related_name="+")
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("letter to the waiting list")
        verbose_name_plural = _("letters to the waiting list")
        indexes = [models.Index(fields=("sent_at",), name="wait_letters_by_age")]

    def __str__(self) -> str:
        return f"{self.variant_id} · {self.sent_at:%Y-%m-%d %H:%M}"
