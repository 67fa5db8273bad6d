"""What a cooperative's members may ask, each about their own cooperative only; of the stock, its programs too."""

from __future__ import annotations

from typing import Any

import graphene
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from graphql import ResolveInfo

from backend.api.paging import connection_field, page
from backend.api.permissions import (
    managed_cooperative,
    may_report,
    own_cooperative,
    reporter,
    reporting_cooperative,
    signed_in,
)
from backend.api.types.cooperatives import Cooperative
from backend.api.types.ordering import PackList
from backend.api.types.programs import StockToken
from backend.api.types.stock import StockReport, StockReportConnection, SupplyConnection
from backend.api.types.texts import required_list
from backend.cooperatives import models as cooperative_models
from backend.cooperatives.selectors import cooperatives_of
from backend.ordering.selectors import PackList as PackListFigures
from backend.ordering.selectors import pack_list
from backend.stock import models


class DeskQueries(graphene.ObjectType):
    my_cooperatives = required_list(
        Cooperative, description="The cooperatives that the signed-in person acts for."
    )
    supplies = connection_field(SupplyConnection, first=50, cooperative=graphene.String(required=True))
    stock_reports = connection_field(
        StockReportConnection,
        first=20,
        cooperative=graphene.String(required=True),
        description="What was reported, the newest first.",
    )
    stock_report = graphene.Field(StockReport, id=graphene.ID(required=True))
    stock_tokens = required_list(
        StockToken,
        cooperative=graphene.String(required=True),
        description="The tokens of the cooperative's own programs, the newest first. For its managers.",
    )
    pack_list = graphene.Field(PackList, required=True, cooperative=graphene.String(required=True))

    @staticmethod
    def resolve_my_cooperatives(_root: Any, info: ResolveInfo) -> list[cooperative_models.Cooperative]:
        return cooperatives_of(user=signed_in(info))

    @staticmethod
    def resolve_supplies(
        _root: Any, info: ResolveInfo, cooperative: str, first: int, after: str | None = None
    ) -> Any:
        rows = supplies_to_show().filter(cooperative=reporting_cooperative(info, cooperative), is_active=True)
        return page(SupplyConnection, rows, by=("pk",), first=first, after=after)

    @staticmethod
    def resolve_stock_reports(
        _root: Any, info: ResolveInfo, cooperative: str, first: int, after: str | None = None
    ) -> Any:
        rows = (
            models.Report.objects.filter(cooperative=reporting_cooperative(info, cooperative))
            .select_related("cooperative__village")
            .defer("raw")
        )
        return page(StockReportConnection, rows, by=("-received_at", "-pk"), first=first, after=after)

    @staticmethod
    def resolve_stock_report(_root: Any, info: ResolveInfo, id: str) -> models.Report | None:
        reporter(info)
        return own_report(info, id)

    @staticmethod
    def resolve_stock_tokens(_root: Any, info: ResolveInfo, cooperative: str) -> Any:
        return managed_cooperative(info, cooperative).program_tokens.select_related("issued_by")[:100]

    @staticmethod
    def resolve_pack_list(_root: Any, info: ResolveInfo, cooperative: str) -> PackListFigures:
        return pack_list(cooperative=own_cooperative(info, cooperative))


def supplies_to_show() -> Any:
    """Supplies with all that their type answers from."""
    open_shortfalls = models.Shortfall.objects.filter(closed_at__isnull=True)
    return models.Supply.objects.select_related("product").prefetch_related(
        "packs__variant", Prefetch("shortfalls", queryset=open_shortfalls)
    )


def own_report(info: ResolveInfo, report_id: str) -> models.Report | None:
    """A report of a cooperative that the sender reports for; None for any other."""
    try:
        pk = models.Report._meta.pk.to_python(report_id)
    except ValidationError:
        return None
    report = models.Report.objects.filter(pk=pk).select_related("cooperative__village").defer("raw").first()
    return report if report and may_report(info, cooperative=report.cooperative) else None
