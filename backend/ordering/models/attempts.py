"""Attempts to pay through Saleor's checkoutComplete."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CheckoutAttempt(models.Model):
    """One attempt to pay for a checkout through Saleor's checkoutComplete, written before its gateway is asked.

    order: a draft that holds its stock while the attempt is open, then the order that was made; None once undone.
    order_number: what the gateway was told as order_id. No other attempt has it, so it is the key under which the
    gateway takes the money once, gives it back once, and can be asked what became of it.
    """

    class State(models.TextChoices):
        ASKING = "asking", _("the gateway is asked")
        RETURNING = "returning", _("undone, the money is on its way back")
        OWED = "owed", _("undone, the gateway refused to give the money back")
        MADE = "made", _("the order was made")
        UNDONE = "undone", _("undone, no money is held")

    OPEN = (State.ASKING, State.RETURNING, State.OWED)

    checkout_token = models.UUIDField(_("basket"))
    order = models.OneToOneField(
        "order.Order",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="checkout_attempt",
        verbose_name=_("order"),
    )
    order_number = models.PositiveIntegerField(_("number told to the gateway"), unique=True)
    payment = models.ForeignKey(
        "payment.Payment", on_delete=models.PROTECT, related_name="+", verbose_name=_("payment")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ASKING)
    redirect_url = models.TextField(_("link in the letter"), blank=True)
    spent_on_cards = models.JSONField(_("taken from gift cards"), default=dict)
    """{primary key of a gift card: what was taken from it, as text}"""
    begun_at = models.DateTimeField(_("begun at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ("-begun_at", "-pk")
        verbose_name = _("attempt to pay")
        verbose_name_plural = _("attempts to pay")
        constraints = [
            models.UniqueConstraint(
                fields=("checkout_token",),
                condition=Q(state__in=("asking", "returning", "owed")),
                name="one_open_attempt_per_checkout",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("asking", "made"), order__isnull=False)
                | Q(state__in=("returning", "owed", "undone"), order__isnull=True),
                name="an_attempt_undone_has_no_order",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("made", "undone"), ended_at__isnull=False)
                | Q(state__in=("asking", "returning", "owed"), ended_at__isnull=True),
                name="an_open_attempt_has_not_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_number}: {self.get_state_display()}"
