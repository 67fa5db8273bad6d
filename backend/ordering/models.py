import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from backend.provenance.models import HarvestLot


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


MOST_PHOTO_BYTES = 1024 * 1024


class Claim(models.Model):
    """A buyer's word that something of an order arrived spoilt, short or wrong (坏果包赔), and what came of it.

    packs: of the line, those that are affected. amount: what is given back, in the order's currency; set when the claim
    is accepted. settlement says how far that is: backend.ordering.claims has the rule.
    """

    class Problem(models.TextChoices):
        SPOILT = "spoilt", _("spoilt or rotten")
        DAMAGED = "damaged", _("crushed or damaged")
        SHORT = "short", _("missing or too little")
        WRONG = "wrong", _("not what was ordered")

    class Status(models.TextChoices):
        OPEN = "open", _("being looked at")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")

    class Settlement(models.TextChoices):
        NONE = "", _("nothing to give back")
        OWED = "owed", _("owed")
        PAYING = "paying", _("handed to the payment")
        PAID = "paid", _("given back by the payment")
        PAID_BY_HAND = "by_hand", _("given back by hand")
        UNCLEAR = "unclear", _("the payment said no")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order_line = models.ForeignKey(
        "order.OrderLine", on_delete=models.CASCADE, related_name="claims", verbose_name=_("order line")
    )
    packs = models.PositiveIntegerField(_("packs affected"))
    problem = models.CharField(_("what is wrong"), max_length=10, choices=Problem.choices)
    words = models.CharField(_("in the buyer's words"), max_length=500)
    idempotency_key = models.CharField(_("idempotency key"), max_length=100, unique=True)
    request_sha256 = models.CharField(max_length=64, editable=False)
    opened_at = models.DateTimeField(_("opened at"))
    status = models.CharField(_("state"), max_length=10, choices=Status.choices, default=Status.OPEN)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        "account.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    reason = models.CharField(
        _("what the buyer is told"),
        max_length=300,
        blank=True,
        help_text=_("Shown on the order's page and in the letter. A refusal needs one."),
    )
    amount = models.DecimalField(_("given back, CNY"), max_digits=12, decimal_places=2, null=True, blank=True)
    settlement = models.CharField(
        _("money"), max_length=10, choices=Settlement.choices, default=Settlement.NONE, blank=True
    )
    paying_since = models.DateTimeField(null=True, blank=True, editable=False)
    paid_at = models.DateTimeField(_("given back at"), null=True, blank=True)
    told_at = models.DateTimeField(_("letter sent at"), null=True, blank=True)

    class Meta:
        ordering = ("-opened_at", "pk")
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        indexes = [
            models.Index(fields=("opened_at",), condition=Q(status="open"), name="open_claims"),
            models.Index(fields=("decided_at",), condition=Q(settlement="owed"), name="owed_claims"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("order_line",), condition=Q(status="open"), name="one_open_claim_a_line"
            ),
            models.CheckConstraint(condition=Q(packs__gt=0), name="a_claim_is_about_something"),
            models.CheckConstraint(
                condition=Q(status="open", decided_at__isnull=True)
                | (~Q(status="open") & Q(decided_at__isnull=False)),
                name="a_claim_is_decided_at_a_time",
            ),
            models.CheckConstraint(condition=~Q(status="refused") | ~Q(reason=""), name="a_refusal_says_why"),
            models.CheckConstraint(
                condition=Q(status="accepted", amount__gt=0) & ~Q(settlement="")
                | ~Q(status="accepted") & Q(amount__isnull=True, settlement=""),
                name="an_accepted_claim_owes_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_line.order_id} · {self.order_line} × {self.packs}"


class ClaimPhoto(models.Model):
    """A photo of a claim, drawn anew, small, without where it was taken. It lies in the database: under no address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="photos", verbose_name=_("claim"))
    position = models.PositiveSmallIntegerField()
    jpeg = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("claim", "position")
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        constraints = [
            models.UniqueConstraint(fields=("claim", "position"), name="one_photo_a_position"),
            models.CheckConstraint(condition=Q(position__lt=4), name="a_claim_has_four_photos_at_most"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("jpeg"), MOST_PHOTO_BYTES), name="a_claim_photo_is_small"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
