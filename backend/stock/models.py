"""The ledger and what leads to it.

Feed -> Report (raw bytes) -> ReportLine (a cell's fate) -> Movement (one ledger entry) -> Supply (the running
balances of its movements) -> Pack -> Saleor's Stock row (its projection).
"""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.cooperatives.models import Cooperative
from backend.provenance.models import HarvestLot
from backend.stock.words import Basis, Outcome


class Supply(models.Model):
    """One cooperative's good, counted in a base unit and sold as one or more packs.

    on_hand and allocated are the running sums of this supply's movements, in base units (grams or pieces); both
    change only in the transaction that appends a movement, with this row locked. free = on_hand - allocated; it is
    negative only while a shortfall is open.
    """

    class Unit(models.TextChoices):
        GRAM = "g", _("grams")
        PIECE = "piece", _("pieces")

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.PROTECT,
        related_name="supplies",
        verbose_name=_("cooperative"),
    )
    code = models.CharField(
        _("code"),
        max_length=20,
        help_text=_("As the cooperative's books say, XY-0123."),
    )
    name = models.CharField(_("name"), max_length=80, help_text=_("As the cooperative's books say."))
    product = models.ForeignKey(
        "product.Product",
        on_delete=models.PROTECT,
        related_name="supplies",
        verbose_name=_("product"),
    )
    unit = models.CharField(_("base unit"), max_length=5, choices=Unit.choices, default=Unit.GRAM)
    container_name = models.CharField(
        _("container"),
        max_length=10,
        blank=True,
        help_text=_("筐, 箱, 袋 …: how the shed counts."),
    )
    container_units = models.PositiveIntegerField(
        _("base units in a container"),
        null=True,
        blank=True,
        help_text=_("Empty: must be asked."),
    )
    lot = models.ForeignKey(
        HarvestLot,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="supplies",
        verbose_name=_("lot on sale"),
    )
    on_hand = models.BigIntegerField(_("on hand"), default=0)
    allocated = models.BigIntegerField(_("allocated"), default=0)
    # The newest count that was applied. (counted_at, counted_sequence, counted_sha256) orders counts, so that any
    # order of arrival ends in the same state; counts_from is counted_at, or when the report arrived where the
    # cooperative's clock was ahead: movements later than that are not in the count.
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    counted_sequence = models.BigIntegerField(_("sequence of the count"), default=0)
    counted_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    counts_from = models.DateTimeField(null=True, blank=True, editable=False)
    counted_base_units = models.BigIntegerField(
        _("base units counted"), null=True, blank=True, editable=False
    )
    counted_unit = models.CharField(_("unit of the count"), max_length=20, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("supply")
        verbose_name_plural = _("supplies")
        constraints = [
            models.UniqueConstraint(
                fields=("cooperative", "code"),
                name="one_supply_per_code_and_cooperative",
            ),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="a_shed_never_holds_less_than_nothing"),
            models.CheckConstraint(
                condition=Q(allocated__gte=0),
                name="nobody_is_promised_less_than_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def free(self) -> int:
        """Base units that may still be sold; negative while a shortfall is open."""
        return self.on_hand - self.allocated


class Pack(models.Model):
    """A Saleor variant as it is filled from one supply: the variant's Stock row in the cooperative's warehouse."""

    supply = models.ForeignKey(
        Supply, on_delete=models.CASCADE, related_name="packs", verbose_name=_("supply")
    )
    variant = models.ForeignKey(
        "product.ProductVariant",
        on_delete=models.CASCADE,
        related_name="packs",
        verbose_name=_("variant"),
    )
    units = models.PositiveIntegerField(_("base units in a pack"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("pack")
        verbose_name_plural = _("packs")
        constraints = [
            models.UniqueConstraint(fields=("supply", "variant"), name="one_pack_per_supply_and_variant"),
            models.CheckConstraint(condition=Q(units__gt=0), name="a_pack_holds_something"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} ({self.units})"

    def clean(self) -> None:
        """A Stock row belongs to one supply: a cooperative fills a variant from one of its supplies only."""
        rivals = Pack.objects.filter(supply__cooperative=self.supply.cooperative_id, variant=self.variant_id)
        if rivals.exclude(pk=self.pk).exists():
            raise ValidationError(_("Another supply of this cooperative fills this variant already."))


class Feed(models.Model):
    """Where a cooperative's own system can be asked for its counts."""

    class Kind(models.TextChoices):
        HTTP_JSON = "http_json", _("JSON over HTTP")
        HTTP_XLSX = "http_xlsx", _("workbook over HTTP")

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.CASCADE,
        related_name="feeds",
        verbose_name=_("cooperative"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    url = models.URLField(_("address"), max_length=500)
    basis = models.CharField(_("basis"), max_length=10, choices=Basis.choices, default=Basis.SHELF)
    is_complete = models.BooleanField(
        _("complete"), default=False, help_text=_("A good that is absent is sold out.")
    )
    interval_seconds = models.PositiveIntegerField(_("asked every … seconds"), default=60)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_asked_at = models.DateTimeField(_("last asked"), null=True, blank=True, editable=False)
    last_answered_at = models.DateTimeField(_("last answered"), null=True, blank=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")

    def __str__(self) -> str:
        return f"{self.cooperative} · {self.get_kind_display()}"


class Report(models.Model):
    """What a cooperative said, byte for byte, and what became of it.

    A report is applied once: (cooperative, idempotency_key) is unique, and status moves only forward, with the row
    locked. The key of a feed's report is the sha256 of its bytes, to which the time of asking is added when the feed
    says again what it had said before something else. A feed's header (basis, counted_at, …) is read when the report
    is applied.
    """

    class Source(models.TextChoices):
        FEED = "feed", _("feed")
        DESK = "desk", _("desk")
        PUSH = "push", _("API")

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("refused")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.PROTECT,
        related_name="reports",
        verbose_name=_("cooperative"),
    )
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    feed = models.ForeignKey(
        Feed,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=_("feed"),
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("submitted by"),
    )
    format = models.CharField(_("format"), max_length=10)
    basis = models.CharField(_("basis"), max_length=10, choices=Basis.choices)
    is_complete = models.BooleanField(_("complete"), default=False)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    sequence = models.BigIntegerField(_("sequence"), default=0)
    idempotency_key = models.CharField(_("idempotency key"), max_length=100)
    raw = models.BinaryField(_("raw bytes"))
    raw_sha256 = models.CharField(_("sha256 of the raw bytes"), max_length=64)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.RECEIVED)
    message = models.CharField(_("message"), max_length=500, blank=True)
    received_at = models.DateTimeField(_("received at"))
    applied_at = models.DateTimeField(_("applied at"), null=True, blank=True)

    class Meta:
        ordering = ("-received_at", "-id")
        verbose_name = _("stock report")
        verbose_name_plural = _("stock reports")
        indexes = [models.Index(fields=("cooperative", "-received_at"), name="reports_of_a_cooperative")]
        constraints = [
            models.UniqueConstraint(
                fields=("cooperative", "idempotency_key"),
                name="one_report_per_key_and_cooperative",
            )
        ]

    def __str__(self) -> str:
        return f"{self.cooperative} · {self.received_at:%Y-%m-%d %H:%M}"


class ReportLine(models.Model):
    """One row of a report, as it stood, and its outcome."""

    Outcome = Outcome

    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, related_name="lines", verbose_name=_("report")
    )
    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=40, blank=True)
    code = models.CharField(_("code"), max_length=60, blank=True)
    raw = models.CharField(_("as written"), max_length=200, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    supply = models.ForeignKey(
        Supply,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("supply"),
    )
    base_units = models.BigIntegerField(_("base units"), null=True, blank=True)
    message = models.CharField(_("message"), max_length=300, blank=True)

    class Meta:
        ordering = ("report", "row", "pk")
        verbose_name = _("line of a report")
        verbose_name_plural = _("lines of reports")

    def __str__(self) -> str:
        return f"{self.row}: {self.code} {self.raw}"


class Movement(models.Model):
    """One entry of the ledger, append-only (a trigger refuses update and delete).

    Deltas and balances are base units. happened_at is when it was so in the shed (a count's counted_at); recorded_at
    is when the shop learned it. on_hand_after and allocated_after are the supply's balances after this entry.
    """

    class Kind(models.TextChoices):
        COUNT = "count", _("count")
        ALLOCATE = "allocate", _("promised to a buyer")
        RELEASE = "release", _("promise released")
        FULFIL = "fulfil", _("packed and gone")
        RETURN = "return", _("come back")
        CORRECTION = "correction", _("correction")

    supply = models.ForeignKey(
        Supply,
        on_delete=models.PROTECT,
        related_name="movements",
        verbose_name=_("supply"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    on_hand_delta = models.BigIntegerField(_("change on hand"), default=0)
    allocated_delta = models.BigIntegerField(_("change of what is promised"), default=0)
    on_hand_after = models.BigIntegerField(_("on hand after"))
    allocated_after = models.BigIntegerField(_("promised after"))
    report_line = models.ForeignKey(
        ReportLine,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
    )
    # An entry outlives the order line that it names.
    order_line = models.ForeignKey(
        "order.OrderLine",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
    )
    happened_at = models.DateTimeField(_("happened at"))
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("movement")
        verbose_name_plural = _("movements")
        indexes = [
            models.Index(fields=("supply", "happened_at"), name="movements_of_a_supply"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(on_hand_after__gte=0, allocated_after__gte=0),
                name="balances_never_fall_below_zero",
            ),
            models.UniqueConstraint(
                fields=("report_line",),
                condition=Q(report_line__isnull=False),
                name="a_line_moves_stock_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supply} {self.kind} {self.on_hand_delta:+d}/{self.allocated_delta:+d}"


class Shortfall(models.Model):
    """A count that lies below what is already promised: a person must find more, or call buyers."""

    supply = models.ForeignKey(
        Supply,
        on_delete=models.PROTECT,
        related_name="shortfalls",
        verbose_name=_("supply"),
    )
    base_units = models.PositiveBigIntegerField(_("base units missing"))
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        ordering = ("-opened_at", "-pk")
        verbose_name = _("shortfall")
        verbose_name_plural = _("shortfalls")
        constraints = [
            models.UniqueConstraint(
                fields=("supply",),
                condition=Q(closed_at__isnull=True),
                name="one_open_shortfall_per_supply",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="a_shortfall_closes_after_it_opens",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supply}: {self.base_units}"
