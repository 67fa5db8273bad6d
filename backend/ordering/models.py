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
