from __future__ import annotations

from typing import Any

import graphene
from django.core.exceptions import ValidationError
from django.db.models import Count, Prefetch, Q
from django.utils import timezone
from graphql import ResolveInfo
from saleor.account.models import User
from saleor.graphql.product.types import Product
from saleor.product import models as product_models

from backend.api.permissions import own_cooperative, signed_in
from backend.api.types.brand import Board, Campaign
from backend.api.types.catalogue import Dish
from backend.api.types.cooperatives import Cooperative, Village
from backend.api.types.ordering import PackList
from backend.api.types.stock import StockReport, Supply
from backend.api.types.texts import bounded, required_list
from backend.brand import models as brand_models
from backend.brand.selectors import Board as BoardFigures
from backend.brand.selectors import board
from backend.catalogue import models as catalogue_models
from backend.catalogue.selectors import goods_in_season
from backend.cooperatives import models as cooperative_models
from backend.cooperatives.selectors import cooperatives_of, may_act_for
from backend.ordering.selectors import PackList as PackListFigures
from backend.ordering.selectors import pack_list
from backend.stock import models as stock_models


class ShopQueries(graphene.ObjectType):
    """What anybody may ask about the villages, the goods and the town."""

    villages = required_list(Village)
    village = graphene.Field(Village, slug=graphene.String(required=True))
    cooperatives = required_list(Cooperative)
    cooperative = graphene.Field(Cooperative, slug=graphene.String(required=True))
    dishes = required_list(Dish)
    dish = graphene.Field(Dish, slug=graphene.String(required=True))
    campaigns = required_list(Campaign)
    board = graphene.Field(Board, required=True)
    goods_in_season = required_list(
        Product,
        month=graphene.Int(required=True, description="1 to 12."),
        first=graphene.Int(default_value=12),
        description="Published goods in season in that month, those in stock first.",
    )

    @staticmethod
    def resolve_villages(_root: Any, _info: ResolveInfo) -> Any:
        return cooperative_models.Village.objects.prefetch_related("cooperatives__village")

    @staticmethod
    def resolve_village(_root: Any, _info: ResolveInfo, slug: str) -> cooperative_models.Village | None:
        return (
            cooperative_models.Village.objects.prefetch_related("cooperatives__village")
            .filter(slug=slug)
            .first()
        )

    @staticmethod
    def resolve_cooperatives(_root: Any, _info: ResolveInfo) -> Any:
        return cooperative_models.Cooperative.objects.filter(is_active=True).select_related("village")

    @staticmethod
    def resolve_cooperative(
        _root: Any, _info: ResolveInfo, slug: str
    ) -> cooperative_models.Cooperative | None:
        return (
            cooperative_models.Cooperative.objects.filter(slug=slug, is_active=True)
            .select_related("village")
            .first()
        )

    @staticmethod
    def resolve_dishes(_root: Any, _info: ResolveInfo) -> Any:
        return catalogue_models.Dish.objects.all()

    @staticmethod
    def resolve_dish(_root: Any, _info: ResolveInfo, slug: str) -> catalogue_models.Dish | None:
        return catalogue_models.Dish.objects.filter(slug=slug).first()

    @staticmethod
    def resolve_campaigns(_root: Any, _info: ResolveInfo) -> Any:
        return brand_models.Campaign.objects.filter(is_published=True)

    @staticmethod
    def resolve_board(_root: Any, _info: ResolveInfo) -> BoardFigures:
        return board(now=timezone.now())

    @staticmethod
    def resolve_goods_in_season(
        _root: Any, _info: ResolveInfo, month: int, first: int
    ) -> list[product_models.Product]:
        return goods_in_season(month=month, limit=bounded(first))


class DeskQueries(graphene.ObjectType):
    """What a cooperative's members may ask, each about their own cooperative only."""

    my_cooperatives = required_list(
        Cooperative, description="The cooperatives that the signed-in person acts for."
    )
    supplies = required_list(Supply, cooperative=graphene.String(required=True))
    stock_reports = required_list(
        StockReport,
        cooperative=graphene.String(required=True),
        first=graphene.Int(default_value=20),
    )
    stock_report = graphene.Field(StockReport, id=graphene.ID(required=True))
    pack_list = graphene.Field(PackList, required=True, cooperative=graphene.String(required=True))

    @staticmethod
    def resolve_my_cooperatives(_root: Any, info: ResolveInfo) -> list[cooperative_models.Cooperative]:
        return cooperatives_of(user=signed_in(info))

    @staticmethod
    def resolve_supplies(_root: Any, info: ResolveInfo, cooperative: str) -> Any:
        return (
            stock_models.Supply.objects.filter(cooperative=own_cooperative(info, cooperative), is_active=True)
            .select_related("product")
            .prefetch_related(
                "packs__variant",
                Prefetch(
                    "shortfalls",
                    queryset=stock_models.Shortfall.objects.filter(closed_at__isnull=True),
                ),
            )
        )

    @staticmethod
    def resolve_stock_reports(_root: Any, info: ResolveInfo, cooperative: str, first: int) -> Any:
        outcomes = stock_models.ReportLine.Outcome
        return (
            stock_models.Report.objects.filter(cooperative=own_cooperative(info, cooperative))
            .select_related("cooperative__village")
            .defer("raw")
            .annotate(
                **{
                    f"count_{outcome.value}": Count("lines", filter=Q(lines__outcome=outcome))
                    for outcome in outcomes
                }
            )[: bounded(first)]
        )

    @staticmethod
    def resolve_stock_report(_root: Any, info: ResolveInfo, id: str) -> stock_models.Report | None:
        return _own_report(user=signed_in(info), report_id=id)

    @staticmethod
    def resolve_pack_list(_root: Any, info: ResolveInfo, cooperative: str) -> PackListFigures:
        return pack_list(cooperative=own_cooperative(info, cooperative))


def _own_report(*, user: User, report_id: str) -> stock_models.Report | None:
    try:
        pk = stock_models.Report._meta.pk.to_python(report_id)
    except ValidationError:
        return None
    report = (
        stock_models.Report.objects.filter(pk=pk).select_related("cooperative__village").defer("raw").first()
    )
    return report if report and may_act_for(user=user, cooperative=report.cooperative) else None
