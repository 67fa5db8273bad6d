from __future__ import annotations

from typing import Any
from uuid import UUID

import graphene
from django.db.models import Count, QuerySet
from graphene_django import DjangoObjectType
from graphql import ResolveInfo
from graphql.language import ast
from promise import Promise
from saleor.graphql.core.dataloaders import DataLoader
from saleor.graphql.product.types import Product, ProductVariant

from backend.api.types.cooperatives import Cooperative
from backend.api.types.texts import required_list
from backend.stock import models, words

# A report page shows at most this many lines at once.
MOST_LINES = 1000


def _enum(name: str, choices: Any) -> graphene.Enum:
    return graphene.Enum(name, [(each.name, each.value) for each in choices])


SupplyUnitEnum = _enum("SupplyUnitEnum", models.Supply.Unit)
StockBasisEnum = _enum("StockBasisEnum", words.Basis)
StockReportSourceEnum = _enum("StockReportSourceEnum", models.Report.Source)
StockReportStatusEnum = _enum("StockReportStatusEnum", models.Report.Status)
StockLineOutcomeEnum = _enum("StockLineOutcomeEnum", models.ReportLine.Outcome)


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

    class Meta:
        model = models.ReportLine
        description = "One row of a report as it stood, and what became of it."
        fields = ("row", "column", "code", "raw", "message")


class StockReport(DjangoObjectType):
    source = graphene.Field(StockReportSourceEnum, required=True)
    status = graphene.Field(StockReportStatusEnum, required=True)
    basis = graphene.Field(StockBasisEnum, required=True)
    cooperative = graphene.Field(Cooperative, required=True)
    accepted = graphene.Int(required=True)
    waiting = graphene.Int(required=True)
    refused = graphene.Int(required=True)
    skipped = graphene.Int(required=True)
    lines = required_list(
        StockReportLine,
        outcome=graphene.Argument(StockLineOutcomeEnum),
        first=graphene.Int(default_value=200),
    )

    class Meta:
        model = models.Report
        description = "What a cooperative said, and what became of it. For its members and the shop's staff."
        fields = ("id", "counted_at", "received_at", "applied_at", "message")

    @staticmethod
    def resolve_accepted(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, models.ReportLine.Outcome.ACCEPTED)

    @staticmethod
    def resolve_waiting(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, models.ReportLine.Outcome.WAITING)

    @staticmethod
    def resolve_refused(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, models.ReportLine.Outcome.REFUSED)

    @staticmethod
    def resolve_skipped(root: models.Report, info: ResolveInfo) -> Promise:
        return _count(root, info, models.ReportLine.Outcome.SKIPPED)

    @staticmethod
    def resolve_lines(
        root: models.Report, _info: ResolveInfo, first: int, outcome: str | None = None
    ) -> QuerySet[models.ReportLine]:
        lines = root.lines.select_related("supply__product").prefetch_related(
            "supply__packs__variant", "supply__shortfalls"
        )
        if outcome:
            lines = lines.filter(outcome=outcome)
        return lines[: max(0, min(first, MOST_LINES))]


class StockReportConnection(graphene.relay.Connection):
    class Meta:
        node = StockReport


class LinesOfReportLoader(DataLoader):
    """How many lines of a report came to what: of a whole page of reports in one query."""

    context_key = "xinyi_lines_of_report"

    def batch_load(self, keys: list[UUID]) -> list[dict[str, int]]:
        found: dict[UUID, dict[str, int]] = {}
        counted = models.ReportLine.objects.filter(report__in=keys).values_list("report", "outcome")
        for report, outcome, lines in counted.annotate(lines=Count("pk")).order_by():
            found.setdefault(report, {})[outcome] = lines
        return [found.get(key, {}) for key in keys]


def _count(report: models.Report, info: ResolveInfo, outcome: models.ReportLine.Outcome) -> Promise:
    return LinesOfReportLoader(info.context).load(report.pk).then(lambda lines: lines.get(outcome.value, 0))
