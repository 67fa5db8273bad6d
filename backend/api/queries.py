from __future__ import annotations

import base64
from datetime import date
from typing import Any
from uuid import UUID

import graphene
from django.utils import timezone
from graphql import ResolveInfo
from saleor.graphql.product.types import Product
from saleor.product import models as product_models

from backend.api.tracing import traced_lot
from backend.api.types.brand import Board, Campaign
from backend.api.types.catalogue import Dish, HarvestLot, SeasonalGood
from backend.api.types.cooperatives import Cooperative, Village
from backend.api.types.ordering import Divisions, ReadAddress
from backend.api.types.texts import bounded, required_list
from backend.brand import models as brand_models
from backend.brand.selectors import Board as BoardFigures
from backend.brand.selectors import board
from backend.catalogue import models as catalogue_models
from backend.catalogue.selectors import SeasonalGood as SeasonalGoodFigures
from backend.catalogue.selectors import dishes_of_the_day, goods_in_season, seasonal_goods
from backend.cooperatives import models as cooperative_models
from backend.ordering.addresses import Divisions as AddressDivisions
from backend.ordering.addresses import ReadAddress as PastedAddress
from backend.ordering.addresses import divisions_of, read_address
from backend.ordering.claim_photos import claim_photo
from backend.provenance.models import HarvestLot as HarvestLotModel

MOST_SEASONAL = 400


class ShopQueries(graphene.ObjectType):
    """What anybody may ask about the villages, the goods and the town."""

    villages = required_list(Village)
    village = graphene.Field(Village, slug=graphene.String(required=True))
    cooperatives = required_list(Cooperative)
    cooperative = graphene.Field(Cooperative, slug=graphene.String(required=True))
    dishes = required_list(Dish)
    dish = graphene.Field(Dish, slug=graphene.String(required=True))
    dishes_of_the_day = required_list(
        Dish,
        day=graphene.Date(required=True),
        first=graphene.Int(default_value=4),
        description="Dishes of which all that is sold here is in season, others from day to day.",
    )
    seasonal_goods = required_list(
        SeasonalGood,
        description="The park's year: what is not there all the time, 400 goods at most.",
    )
    campaigns = required_list(Campaign)
    read_address = graphene.Field(
        ReadAddress,
        required=True,
        text=graphene.String(
            required=True, description="As it was pasted; what is beyond 500 characters is ignored."
        ),
        description="Name, mobile number and place out of one text, for the buyer to look at. Nothing is kept.",
    )
    divisions = graphene.Field(
        Divisions,
        required=True,
        province=graphene.String(default_value=""),
        city=graphene.String(default_value=""),
        district=graphene.String(default_value=""),
        description="Provinces, the cities of one, the districts of one of these, and its towns.",
    )
    lot = graphene.Field(
        HarvestLot,
        trace_code=graphene.String(required=True),
        description="What the code on a label stands for, recalled lots included. Few wrong codes may be tried.",
    )
    claim_photo = graphene.String(
        order=graphene.UUID(required=True, description="The order's token."),
        id=graphene.UUID(required=True),
        description="A JPEG in base64, for whose order it is; null for others.",
    )
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
    def resolve_dishes_of_the_day(
        _root: Any, _info: ResolveInfo, day: date, first: int
    ) -> list[catalogue_models.Dish]:
        return dishes_of_the_day(day=day, limit=bounded(first))

    @staticmethod
    def resolve_seasonal_goods(_root: Any, _info: ResolveInfo) -> list[SeasonalGoodFigures]:
        return seasonal_goods(limit=MOST_SEASONAL)

    @staticmethod
    def resolve_campaigns(_root: Any, _info: ResolveInfo) -> Any:
        return brand_models.Campaign.objects.filter(is_published=True)

    @staticmethod
    def resolve_lot(_root: Any, info: ResolveInfo, trace_code: str) -> HarvestLotModel | None:
        return traced_lot(trace_code=trace_code, request=info.context)

    @staticmethod
    def resolve_read_address(_root: Any, _info: ResolveInfo, text: str) -> PastedAddress:
        return read_address(text)

    @staticmethod
    def resolve_divisions(
        _root: Any, _info: ResolveInfo, province: str, city: str, district: str
    ) -> AddressDivisions:
        return divisions_of(province=province, city=city, district=district)

    @staticmethod
    def resolve_claim_photo(_root: Any, info: ResolveInfo, order: UUID, id: UUID) -> str | None:
        user = info.context.user
        jpeg = claim_photo(order_token=order, photo_pk=id, user=user if user.is_authenticated else None)
        return None if jpeg is None else base64.b64encode(jpeg).decode()

    @staticmethod
    def resolve_board(_root: Any, _info: ResolveInfo) -> BoardFigures:
        return board(now=timezone.now())

    @staticmethod
    def resolve_goods_in_season(
        _root: Any, _info: ResolveInfo, month: int, first: int
    ) -> list[product_models.Product]:
        return goods_in_season(month=month, limit=bounded(first))
