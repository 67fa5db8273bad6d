"""What a cooperative said: the raw bytes, and what became of each line."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backend.common.clock import in_shop_zone
from backend.common.fields import CompressedField
from backend.common.ids import time_ordered_uuid
from backend.cooperatives.models import Cooperative, ProgramToken
from backend.provenance.models import HarvestLot
from backend.stock.models.feeds import Feed
from backend.stock.models.supplies import Supply
from backend.stock.words import Basis, Outcome


class Report(models.Model):
    """What a cooperative said, byte for byte, and what became of it.

    A report is applied once: (cooperative, idempotency_key) is unique, and status moves only forward, with the row
    locked. A file that was uploaded is a draft, which changes nothing, until a person confirms it; what was applied
    may be undone. The key of a feed's report is the sha256 of its bytes, to which the time of asking is added when the feed
    says again what it had said before something else. A feed's header (basis, counted_at, …) is read when the report
    is applied.
    """

    class Source(models.TextChoices):
        FEED = "feed", _("feed")
        DESK = "desk", _("desk")
        PUSH = "push", _("API")
        UPLOAD = "upload", _("uploaded file")

    class Status(models.TextChoices):
        DRAFT = "draft", _("to be confirmed")
        RECEIVED = "received", _("received")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")
        UNDONE = "undone", _("undone")
        PARTLY = "partly", _("undone in part")
        DISCARDED = "discarded", _("discarded")

    id = models.UUIDField(primary_key=True, default=time_ordered_uuid, editable=False)
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
    # A token that brought a report stays, revoked or not: it says where the figures came from.
    program = models.ForeignKey(
        ProgramToken,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("program"),
    )
    format = models.CharField(_("format"), max_length=10)
    filename = models.CharField(_("file name"), max_length=200, blank=True)
    # Heading -> what stands below it, where somebody had to say so; empty: the reader knows the headings.
    mapping = models.JSONField(_("columns"), default=dict, blank=True)
    basis = models.CharField(_("basis"), max_length=10, choices=Basis.choices)
    is_complete = models.BooleanField(_("complete"), default=False)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    sequence = models.BigIntegerField(_("sequence"), default=0)
    idempotency_key = models.CharField(_("idempotency key"), max_length=100)
    raw = CompressedField(_("raw bytes"))
    raw_sha256 = models.CharField(_("sha256 of the raw bytes"), max_length=64)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.RECEIVED)
    message = models.CharField(_("message"), max_length=500, blank=True)
    # Rows that would have waited and that a person said are meant.
    confirmed_rows = models.JSONField(_("confirmed rows"), default=list, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, editable=False)
    # How often the database failed while it was applied; attempts are those that failed by the report itself.
    disturbances = models.PositiveIntegerField(_("disturbances"), default=0, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)
    received_at = models.DateTimeField(_("received at"))
    applied_at = models.DateTimeField(_("applied at"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("undone by"),
    )

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
        return f"{self.cooperative} · {in_shop_zone(self.received_at):%Y-%m-%d %H:%M}"


class Line(models.Model):
    """A row as it stood, and what became of it. base_units: what it says, as far as it was understood."""

    Outcome = Outcome

    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=40, blank=True)
    code = models.CharField(_("code"), max_length=60, blank=True)
    raw = models.CharField(_("as written"), max_length=200, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    base_units = models.BigIntegerField(_("base units"), null=True, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    message = models.CharField(_("message"), max_length=300, blank=True)

    class Meta:
        abstract = True
        ordering = ("report", "row", "pk")

    def __str__(self) -> str:
        return f"{self.row}: {self.code} {self.raw}"


class UnappliedLine(Line):
    """A row of a report that moved nothing: it waits for a person, was refused, or was skipped.

    One that waited and that a person said is meant is accepted: its movement says so from then on.
    """

    # Checked by a trigger, as a movement's supply is.
    report = models.ForeignKey(
        Report,
        on_delete=models.CASCADE,
        related_name="unapplied_lines",
        verbose_name=_("report"),
        db_constraint=False,
    )
    supply = models.ForeignKey(
        Supply,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("supply"),
        db_constraint=False,
        db_index=False,
    )

    class Meta(Line.Meta):
        verbose_name = _("line that moved nothing")
        verbose_name_plural = _("lines that moved nothing")
        indexes = [
            models.Index(fields=("supply",), condition=Q(outcome="waiting"), name="waiting_for_a_person"),
        ]


class ReportLine(Line):
    """One row of a report, whatever became of it: a view of the movements of counts and of unapplied lines.

    What was accepted is in the ledger, cell and all, so that a hundred thousand rows are written once. Its id is twice
    that of its movement; other lines have odd ones. To be found by report, never by id.
    """

    id = models.BigIntegerField(primary_key=True)
    report = models.ForeignKey(
        Report,
        on_delete=models.DO_NOTHING,
        related_name="lines",
        verbose_name=_("report"),
        db_constraint=False,
    )
    supply = models.ForeignKey(
        Supply,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("supply"),
        db_constraint=False,
    )

    class Meta(Line.Meta):
        managed = False
        db_table = "stock_reportline"
        verbose_name = _("line of a report")
        verbose_name_plural = _("lines of reports")


class LotChange(models.Model):
    """A report put another lot on sale. before: the lot until then; null where none was."""

    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, related_name="lot_changes", verbose_name=_("report")
    )
    supply = models.ForeignKey(Supply, on_delete=models.CASCADE, related_name="+", verbose_name=_("supply"))
    lot = models.ForeignKey(
        HarvestLot, on_delete=models.CASCADE, related_name="+", verbose_name=_("lot on sale")
    )
    before = models.ForeignKey(
        HarvestLot,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("lot before"),
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("change of a lot on sale")
        verbose_name_plural = _("changes of lots on sale")

    def __str__(self) -> str:
        return f"{self.supply} · {self.lot}"


class ColumnMapping(models.Model):
    """What a cooperative's headings mean, where the reader could not tell and a person said so: asked once."""

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.CASCADE,
        related_name="column_mappings",
        verbose_name=_("cooperative"),
    )
    headers_sha256 = models.CharField(max_length=64, editable=False)
    headers = models.JSONField(_("headings"))
    # Heading -> code, name, quantity, unit, lot, date or note.
    mapping = models.JSONField(_("columns"))
    told_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("told by"),
    )
    told_at = models.DateTimeField(_("told at"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("meaning of headings")
        verbose_name_plural = _("meanings of headings")
        constraints = [
            models.UniqueConstraint(
                fields=("cooperative", "headers_sha256"), name="one_meaning_per_headings_and_cooperative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cooperative} · {', '.join(map(str, self.headers))}"
