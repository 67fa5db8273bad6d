"""What a cooperative's members may ask, each about their own cooperative only; of the stock, its programs too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import graphene
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.utils import timezone
from graphql import ResolveInfo

from backend.api.paging import connection_field, page, page_of, read_cursor
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
from backend.api.types.stock import (
    StockAlert,
    StockMovementConnection,
    StockReport,
    StockReportConnection,
    StockReportLineConnection,
    Supply,
    SupplyConnection,
    supplies_to_show,
)
from backend.api.types.texts import bounded, required_list
from backend.cooperatives import models as cooperative_models
from backend.cooperatives.selectors import cooperatives_of
from backend.ordering.selectors import PackList as PackListFigures
from backend.ordering.selectors import pack_list
from backend.stock import models
from backend.stock.selectors import history
from backend.stock.waiting import waiting_lines

WAITS_AT_MOST = timedelta(days=7)
"""What nobody looked at for so long is not waited for any more."""


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
    supply = graphene.Field(
        Supply, cooperative=graphene.String(required=True), code=graphene.String(required=True)
    )
    movements = connection_field(
        StockMovementConnection,
        first=30,
        cooperative=graphene.String(required=True),
        code=graphene.String(required=True, description="The supply's."),
        description="Why a supply's figure is what it is: the ledger, the newest entry first.",
    )
    waiting_lines = connection_field(
        StockReportLineConnection,
        first=50,
        cooperative=graphene.String(required=True),
        description="Rows of the last seven days that wait for a person, the newest of each code.",
    )
    stock_tokens = required_list(
        StockToken,
        cooperative=graphene.String(required=True),
        description="The tokens of the cooperative's own programs, the newest first. For its managers.",
    )
    stock_alerts = required_list(
        StockAlert,
        cooperative=graphene.String(required=True),
        description="The cooperative's troubles that are not over, the newest first.",
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
            .select_related("cooperative__village", "submitted_by", "undone_by", "program")
            .defer("raw")
        )
        return page(StockReportConnection, rows, by=("-received_at", "-pk"), first=first, after=after)

    @staticmethod
    def resolve_stock_report(_root: Any, info: ResolveInfo, id: str) -> models.Report | None:
        reporter(info)
        return own_report(info, id)

    @staticmethod
    def resolve_supply(_root: Any, info: ResolveInfo, cooperative: str, code: str) -> models.Supply | None:
        own = reporting_cooperative(info, cooperative)
        return supplies_to_show().filter(cooperative=own, code=code).first()

    @staticmethod
    def resolve_movements(
        _root: Any, info: ResolveInfo, cooperative: str, code: str, first: int, after: str | None = None
    ) -> Any:
        own = reporting_cooperative(info, cooperative)
        supply = models.Supply.objects.filter(cooperative=own, code=code).first()
        size = bounded(first)
        last = read_cursor(models.Movement, by=("-pk",), cursor=after)[0] if after else None
        entries = history(supply=supply, first=size + 1, after=last) if supply is not None else ()
        return page_of(StockMovementConnection, entries, by=("-pk",), size=size, is_first=not after)

    @staticmethod
    def resolve_waiting_lines(
        _root: Any, info: ResolveInfo, cooperative: str, first: int, after: str | None = None
    ) -> Any:
        rows = waiting_lines(
            cooperative=reporting_cooperative(info, cooperative), since=timezone.now() - WAITS_AT_MOST
        ).prefetch_related(
            Prefetch("supply", queryset=supplies_to_show()),
            Prefetch(
                "report",
                queryset=models.Report.objects.select_related(
                    "cooperative__village", "submitted_by", "undone_by", "program"
                ).defer("raw"),
            ),
        )
        return page(StockReportLineConnection, rows, by=("-pk",), first=first, after=after)

    @staticmethod
    def resolve_stock_tokens(_root: Any, info: ResolveInfo, cooperative: str) -> Any:
        return managed_cooperative(info, cooperative).program_tokens.select_related("issued_by")[:100]

    @staticmethod
    def resolve_stock_alerts(_root: Any, info: ResolveInfo, cooperative: str) -> Any:
        own = reporting_cooperative(info, cooperative)
        return models.Alert.objects.filter(cooperative=own, ended_at__isnull=True)[:20]

    @staticmethod
    def resolve_pack_list(_root: Any, info: ResolveInfo, cooperative: str) -> PackListFigures:
        return pack_list(cooperative=own_cooperative(info, cooperative))


def own_report(info: ResolveInfo, report_id: str) -> models.Report | None:
    """A report of a cooperative that the sender reports for; None for any other."""
    try:
        pk = models.Report._meta.pk.to_python(report_id)
    except ValidationError:
        return None
    found = models.Report.objects.filter(pk=pk).select_related(
        "cooperative__village", "submitted_by", "undone_by", "program"
    )
    report = found.defer("raw").first()
    return report if report and may_report(info, cooperative=report.cooperative) else None
