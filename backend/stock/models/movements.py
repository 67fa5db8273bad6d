"""The ledger: what changed a supply, and what is promised but not there."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.stock.models.reports import Report, ReportLine
from backend.stock.models.supplies import Supply
from backend.stock.words import Outcome


class Movement(models.Model):
    """One entry of the ledger, append-only (a trigger refuses update and delete).

    Deltas and balances are base units. happened_at is when it was so in the shed (a count's counted_at); recorded_at
    is when the shop learned it. on_hand_after and allocated_after are the supply's balances after this entry.

    A count says which row of which report it was, as it stood: the cell that the figure comes from. An undo says the
    same of the count that it takes back; an order's entry names its line instead.
    """

    class Kind(models.TextChoices):
        COUNT = "count", _("count")
        ALLOCATE = "allocate", _("promised to a buyer")
        RELEASE = "release", _("promise released")
        FULFIL = "fulfil", _("packed and gone")
        RETURN = "return", _("come back")
        CORRECTION = "correction", _("correction")
        UNDO = "undo", _("count undone")

    # That the supply and the report exist is checked once a statement by a trigger, not once a row by a foreign key: of
    # a great report that is half the time. An index of its own would be a part of those below.
    supply = models.ForeignKey(
        Supply,
        on_delete=models.PROTECT,
        related_name="movements",
        verbose_name=_("supply"),
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    on_hand_delta = models.BigIntegerField(_("change on hand"), default=0)
    allocated_delta = models.BigIntegerField(_("change of what is promised"), default=0)
    on_hand_after = models.BigIntegerField(_("on hand after"))
    allocated_after = models.BigIntegerField(_("promised after"))
    report = models.ForeignKey(
        Report,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        verbose_name=_("report"),
        db_constraint=False,
        db_index=False,
    )
    row = models.PositiveIntegerField(_("row"), null=True, blank=True)
    column = models.CharField(_("column"), max_length=40, blank=True, default="", db_default="")
    code = models.CharField(_("code"), max_length=60, blank=True, default="", db_default="")
    raw = models.CharField(_("as written"), max_length=200, blank=True, default="", db_default="")
    base_units = models.BigIntegerField(_("base units"), null=True, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True, default="", db_default="")
    message = models.CharField(_("message"), max_length=300, blank=True, default="", db_default="")
    # An entry outlives the order line that it names.
    order_line = models.ForeignKey(
        "order.OrderLine",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    happened_at = models.DateTimeField(_("happened at"))
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("movement")
        verbose_name_plural = _("movements")
        indexes = [
            models.Index(fields=("supply", "id"), name="history_of_a_supply"),
            # What came and went since a count: a small part of all, in which no count is.
            models.Index(
                fields=("supply", "happened_at"),
                condition=~(Q(kind="count") | Q(kind="undo")),
                name="came_and_went_since",
            ),
            models.Index(
                fields=("order_line",),
                condition=Q(order_line__isnull=False),
                name="movements_of_an_order_line",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(on_hand_after__gte=0, allocated_after__gte=0),
                name="balances_never_fall_below_zero",
            ),
            # By which the lines of a report are found, too.
            models.UniqueConstraint(
                fields=("report", "supply"), condition=Q(kind="count"), name="a_report_counts_a_supply_once"
            ),
            models.UniqueConstraint(
                fields=("report", "supply"), condition=Q(kind="undo"), name="a_count_is_undone_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supply} {self.kind} {self.on_hand_delta:+d}/{self.allocated_delta:+d}"

    @property
    def report_line(self) -> ReportLine | None:
        """The row of the report that a count, or its undoing, came from; None for an order's entry."""
        if self.report is None or self.row is None:
            return None
        return ReportLine(
            id=2 * self.pk,
            report=self.report,
            row=self.row,
            column=self.column,
            code=self.code,
            raw=self.raw,
            outcome=Outcome.ACCEPTED,
            supply=self.supply,
            base_units=self.base_units,
            unit=self.unit,
            message=self.message,
        )


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
