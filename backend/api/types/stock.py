from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import graphene
from django.db.models import Count, Prefetch, QuerySet
from graphene_django import DjangoObjectType
from graphql import ResolveInfo
from graphql.language import ast
from promise import Promise
from saleor.account.models import User
from saleor.graphql.core.dataloaders import DataLoader
from saleor.graphql.product.types import Product, ProductVariant
from saleor.order.models import OrderLine

from backend.api.types.cooperatives import Cooperative
from backend.api.types.texts import required_list
from backend.stock import models, words
from backend.stock.feeds import UnknownColumn
from backend.stock.feeds.document import TABLES_APART
from backend.stock.previewing import Preview, PreviewLine, preview
from backend.stock.progress import Progress, Stage
from backend.stock.selectors import progress as progress_of
from backend.stock.services import COLUMN_ROLES

# A report page shows at most this many lines at once.
MOST_LINES = 1000


def _enum(name: str, choices: Any) -> graphene.Enum:
    return graphene.Enum(name, [(each.name, each.value) for each in choices])


SupplyUnitEnum = _enum("SupplyUnitEnum", models.Supply.Unit)
StockBasisEnum = _enum("StockBasisEnum", words.Basis)
StockReportSourceEnum = _enum("StockReportSourceEnum", models.Report.Source)
StockReportStatusEnum = _enum("StockReportStatusEnum", models.Report.Status)
StockLineOutcomeEnum = _enum("StockLineOutcomeEnum", words.Outcome)
StockMovementKindEnum = _enum("StockMovementKindEnum", models.Movement.Kind)
StockAlertKindEnum = _enum("StockAlertKindEnum", models.Alert.Kind)
StockStageEnum = _enum("StockStageEnum", Stage)
StockColumnRoleEnum = graphene.Enum(
    "StockColumnRoleEnum", [(role.upper(), role) for role in sorted(COLUMN_ROLES)]
)


def supplies_to_show() -> QuerySet[models.Supply]:
    """Supplies with all that their type answers from."""
    open_shortfalls = models.Shortfall.objects.filter(closed_at__isnull=True)
    return models.Supply.objects.select_related("product").prefetch_related(
        "packs__variant", Prefetch("shortfalls", queryset=open_shortfalls)
    )


def name_of(person: User | None) -> str:
    """As a colleague is called; empty where nobody did it, or the account is gone."""
    return "" if person is None else f"{person.last_name}{person.first_name}".strip() or person.email


class Quantity(graphene.Scalar):
    """A quantity as a number, or as text the way that people write it: "128.5", "一百二", "卖完"."""

    @staticmethod
    def _as_written(value: Any) -> str | None:
        return None if isinstance(value, bool) or not isinstance(value, str | int | float) else str(value)

    serialize = parse_value = _as_written

    @staticmethod
    def parse_literal(node: ast.Node) -> str | None:
        if isinstance(node, ast.StringValue | ast.IntValue | ast.FloatValue):
            return str(node.value)
        return None


class Pack(DjangoObjectType):
    variant = graphene.Field(ProductVariant, required=True)

    class Meta:
        model = models.Pack
        description = "A variant as it is filled from a supply; units: base units in a pack."
        fields = ("units",)


class Supply(DjangoObjectType):
    unit = graphene.Field(SupplyUnitEnum, required=True)
    on_hand = graphene.Int(required=True, description="Base units in the shed, promised ones included.")
    allocated = graphene.Int(required=True, description="Base units promised to buyers.")
    free = graphene.Int(required=True, description="Base units that may still be sold.")
    product = graphene.Field(Product, required=True)
    packs = required_list(Pack)
    shortfall = graphene.Int(description="Base units that are promised and not there.")

    class Meta:
        model = models.Supply
        description = "One cooperative's good, counted in a base unit. For its members and the shop's staff."
        fields = (
            "id",
            "code",
            "name",
            "counted_at",
            "container_name",
            "container_units",
        )

    @staticmethod
    def resolve_packs(root: models.Supply, _info: ResolveInfo) -> QuerySet[models.Pack]:
        return root.packs.all()

    @staticmethod
    def resolve_shortfall(root: models.Supply, _info: ResolveInfo) -> int | None:
        # Prefetched with the supply: the open ones only.
        open_ones = [each for each in root.shortfalls.all() if each.closed_at is None]
        return open_ones[0].base_units if open_ones else None


class SupplyConnection(graphene.relay.Connection):
    class Meta:
        node = Supply


class StockReportLine(DjangoObjectType):
    outcome = graphene.Field(StockLineOutcomeEnum, required=True)
    base_units = graphene.Int()
    supply = graphene.Field(Supply)
    report = graphene.Field(lambda: StockReport, required=True)
    line = graphene.Int(
        required=True,
        description="Where it stands in its sheet; `row` is unique in a file of several tables, too.",
    )

    class Meta:
        model = models.ReportLine
        description = "One row of a report as it stood, and what became of it."
        fields = ("row", "column", "code", "raw", "message")

    @staticmethod
    def resolve_line(root: models.ReportLine, _info: ResolveInfo) -> int:
        return root.row % TABLES_APART


class StockPreviewLine(graphene.ObjectType):
    """One row of a draft, and what confirming would do with it."""

    row = graphene.Int(required=True, description="Its number, by which it is confirmed.")
    line = graphene.Int(required=True, description="Where it stands in its sheet.")
    cell = graphene.String(
        required=True, description="Where it stands, C7; empty where the file has no cells."
    )
    column = graphene.String(
        required=True, description="Its letter, or its heading; empty where there is none."
    )
    code = graphene.String(required=True)
    name = graphene.String(required=True)
    raw = graphene.String(required=True, description="The quantity as it was written.")
    outcome = graphene.Field(StockLineOutcomeEnum, required=True)
    message = graphene.String(required=True)
    supply = graphene.Field(Supply)
    old = graphene.Int(description="Base units now, as the cooperative counts.")
    new = graphene.Int(description="Base units afterwards; of a row that waits: if it is meant.")
    difference = graphene.Int()
    may_confirm = graphene.Boolean(
        required=True, description="Whether it waits, and a person can say that it is meant."
    )


class StockColumn(graphene.ObjectType):
    """A column of a draft that somebody is to explain."""

    header = graphene.String(required=True)
    role = graphene.Field(StockColumnRoleEnum, description="What it probably is; null where that is open.")
    examples = required_list(graphene.String, description="The first cells below its heading.")

    @staticmethod
    def resolve_role(root: UnknownColumn, _info: ResolveInfo) -> str | None:
        return root.role or None


class StockPreview(graphene.ObjectType):
    """What confirming a draft would change, as things are at this moment."""

    error = graphene.String(required=True, description="Why the file cannot be read; empty where it can.")
    columns_unknown = required_list(
        graphene.String, description="Headings that stockReportColumns must explain first."
    )
    columns = required_list(StockColumn, description="The same headings, with what is known of them.")
    remarks = required_list(graphene.String)
    basis = graphene.Field(StockBasisEnum, required=True)
    counted_at = graphene.DateTime()
    complete = graphene.Boolean(required=True)
    applied_before = graphene.DateTime(description="When the very same file was applied before.")
    accepted = graphene.Int(required=True)
    waiting = graphene.Int(required=True)
    refused = graphene.Int(required=True)
    skipped = graphene.Int(required=True)
    lines = required_list(
        StockPreviewLine,
        outcome=graphene.Argument(StockLineOutcomeEnum),
        first=graphene.Int(default_value=200),
    )

    @staticmethod
    def resolve_columns_unknown(root: Preview, _info: ResolveInfo) -> list[str]:
        return [column.header for column in root.columns_unknown]

    @staticmethod
    def resolve_columns(root: Preview, _info: ResolveInfo) -> Sequence[UnknownColumn]:
        return root.columns_unknown

    @staticmethod
    def resolve_complete(root: Preview, _info: ResolveInfo) -> bool:
        return root.is_complete

    @staticmethod
    def resolve_accepted(root: Preview, _info: ResolveInfo) -> int:
        return root.counts.get(words.Outcome.ACCEPTED, 0)

    @staticmethod
    def resolve_waiting(root: Preview, _info: ResolveInfo) -> int:
        return root.counts.get(words.Outcome.WAITING, 0)

    @staticmethod
    def resolve_refused(root: Preview, _info: ResolveInfo) -> int:
        return root.counts.get(words.Outcome.REFUSED, 0)

    @staticmethod
    def resolve_skipped(root: Preview, _info: ResolveInfo) -> int:
        return root.counts.get(words.Outcome.SKIPPED, 0)

    @staticmethod
    def resolve_lines(
        root: Preview, _info: ResolveInfo, first: int, outcome: str | None = None
    ) -> list[StockPreviewLine]:
        lines = [line for line in root.lines if outcome is None or line.outcome == outcome]
        return _drawn(lines[: max(0, min(first, MOST_LINES))])


def _drawn(lines: Sequence[PreviewLine]) -> list[StockPreviewLine]:
    supplies = supplies_to_show().in_bulk({line.supply_id for line in lines if line.supply_id is not None})
    return [
        StockPreviewLine(
            row=line.row,
            line=line.row % TABLES_APART,
            cell=line.cell,
            column=line.column,
            code=line.code,
            name=line.name,
            raw=line.raw,
            outcome=line.outcome.value,
            message=line.message,
            supply=supplies.get(line.supply_id or 0),
            old=line.old,
            new=line.new,
            difference=line.difference,
            may_confirm=line.may_confirm,
        )
        for line in lines
    ]


class StockProgress(graphene.ObjectType):
    """How far a report is; done and total are rows, both 0 while nobody knows how many there are."""

    stage = graphene.Field(StockStageEnum, required=True)
    done = graphene.Int(required=True)
    total = graphene.Int(required=True)

    @staticmethod
    def resolve_stage(root: Progress, _info: ResolveInfo) -> str:
        return root.stage.value


class StockReport(DjangoObjectType):
    source = graphene.Field(StockReportSourceEnum, required=True)
    status = graphene.Field(StockReportStatusEnum, required=True)
    basis = graphene.Field(StockBasisEnum, required=True)
    complete = graphene.Boolean(required=True)
    cooperative = graphene.Field(Cooperative, required=True)
    submitted_by = graphene.String(required=True, description="The person; empty for a program or a feed.")
    program = graphene.String(
        required=True,
        description="The program and the end of its token, as its managers know it; empty where a person or a feed did.",
    )
    undone_by = graphene.String(required=True)
    progress = graphene.Field(StockProgress, required=True)
    preview = graphene.Field(StockPreview, description="Of a draft; null once it is confirmed or put aside.")
    raw_base64 = graphene.String(
        required=True, name="rawBase64", description="The very bytes that the cooperative sent."
    )
    accepted = graphene.Int(required=True)
    waiting = graphene.Int(required=True)
    refused = graphene.Int(required=True)
    skipped = graphene.Int(required=True)
    lines = required_list(
        StockReportLine,
        outcome=graphene.Argument(StockLineOutcomeEnum),
        rows=graphene.List(graphene.NonNull(graphene.Int), description="Only those with these numbers."),
        first=graphene.Int(default_value=200),
    )

    class Meta:
        model = models.Report
        description = "What a cooperative said, and what became of it. For its members and the shop's staff."
        fields = (
            "id",
            "filename",
            "format",
            "sequence",
            "counted_at",
            "received_at",
            "applied_at",
            "undone_at",
            "message",
        )

    @staticmethod
    def resolve_complete(root: models.Report, _info: ResolveInfo) -> bool:
        return root.is_complete

    @staticmethod
    def resolve_submitted_by(root: models.Report, _info: ResolveInfo) -> str:
        return name_of(root.submitted_by)

    @staticmethod
    def resolve_program(root: models.Report, _info: ResolveInfo) -> str:
        return "" if root.program is None else f"{root.program.name} …{root.program.ending}"

    @staticmethod
    def resolve_undone_by(root: models.Report, _info: ResolveInfo) -> str:
        return name_of(root.undone_by)

    @staticmethod
    def resolve_progress(root: models.Report, _info: ResolveInfo) -> Progress:
        return progress_of(report=root)

    @staticmethod
    def resolve_preview(root: models.Report, _info: ResolveInfo) -> Preview | None:
        if root.status != models.Report.Status.DRAFT:
            return None
        return preview(report=root)

    @staticmethod
    def resolve_raw_base64(root: models.Report, _info: ResolveInfo) -> str:
        return base64.b64encode(bytes(root.raw)).decode()

    @staticmethod
    def resolve_accepted(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, words.Outcome.ACCEPTED)

    @staticmethod
    def resolve_waiting(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, words.Outcome.WAITING)

    @staticmethod
    def resolve_refused(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, words.Outcome.REFUSED)

    @staticmethod
    def resolve_skipped(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, words.Outcome.SKIPPED)

    @staticmethod
    def resolve_lines(
        root: models.Report,
        _info: ResolveInfo,
        first: int,
        outcome: str | None = None,
        rows: list[int] | None = None,
    ) -> QuerySet[models.ReportLine]:
        lines = root.lines.prefetch_related(Prefetch("supply", queryset=supplies_to_show()))
        if outcome:
            lines = lines.filter(outcome=outcome)
        if rows is not None:
            lines = lines.filter(row__in=rows)
        return lines[: max(0, min(first, MOST_LINES))]


class StockReportConnection(graphene.relay.Connection):
    class Meta:
        node = StockReport


class StockReportLineConnection(graphene.relay.Connection):
    class Meta:
        node = StockReportLine


class StockMovement(DjangoObjectType):
    kind = graphene.Field(StockMovementKindEnum, required=True)
    on_hand_delta = graphene.Int(required=True)
    allocated_delta = graphene.Int(required=True)
    on_hand_after = graphene.Int(required=True)
    allocated_after = graphene.Int(required=True)
    line = graphene.Field(
        StockReportLine, description="The row of the report that a count, or its undoing, came from."
    )
    order_number = graphene.String(
        required=True, description="Of the order that it belongs to; empty for a count."
    )

    class Meta:
        model = models.Movement
        description = "One entry of the ledger, in base units: what changed a supply's figure, and to what."
        fields = ("id", "happened_at", "recorded_at")

    @staticmethod
    def resolve_line(root: models.Movement, _info: ResolveInfo) -> models.ReportLine | None:
        return root.report_line

    @staticmethod
    def resolve_order_number(root: models.Movement, info: ResolveInfo) -> str | Promise:
        if root.order_line_id is None:
            return ""
        return OrderNumberLoader(info.context).load(root.order_line_id)


class StockAlert(DjangoObjectType):
    kind = graphene.Field(StockAlertKindEnum, required=True)

    class Meta:
        model = models.Alert
        description = (
            "A trouble that is not over: a feed that fell silent, counts that grew old, reports that failed."
        )
        fields = ("id", "message", "since")


class StockMovementConnection(graphene.relay.Connection):
    class Meta:
        node = StockMovement


class OrderNumberLoader(DataLoader):
    """The number of an order line's order; empty where the line is gone."""

    context_key = "xinyi_order_number_of_line"

    def batch_load(self, keys: list[int]) -> list[str]:
        orders = dict(OrderLine.objects.filter(pk__in=keys).values_list("pk", "order"))
        return [str(orders.get(key, "")) for key in keys]


class LinesOfReportLoader(DataLoader):
    """How many lines of a report came to what: of a whole page of reports in one query."""

    context_key = "xinyi_lines_of_report"

    def batch_load(self, keys: list[UUID]) -> list[dict[str, int]]:
        found: dict[UUID, dict[str, int]] = {}
        counted = models.ReportLine.objects.filter(report__in=keys).values_list("report", "outcome")
        for report, outcome, lines in counted.annotate(lines=Count("pk")).order_by():
            found.setdefault(report, {})[outcome] = lines
        return [found.get(key, {}) for key in keys]


def _count(report: models.Report, info: ResolveInfo, outcome: words.Outcome) -> Promise:
    return LinesOfReportLoader(info.context).load(report.pk).then(lambda lines: lines.get(outcome.value, 0))
