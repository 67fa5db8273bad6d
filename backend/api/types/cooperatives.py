from __future__ import annotations

from datetime import datetime

import graphene
from django.db.models import Max
from graphene_django import DjangoObjectType
from graphql import ResolveInfo
from saleor.graphql.product.types import Product
from saleor.product import models as product_models

from backend.api.types.texts import bounded, localised_text, required_list
from backend.catalogue.selectors import goods_of_cooperative, goods_of_village
from backend.cooperatives import models


class Village(DjangoObjectType):
    name = localised_text("name")
    summary = localised_text("summary")
    story = localised_text("story")
    cooperatives = required_list(lambda: Cooperative)
    goods = required_list(Product, first=graphene.Int(default_value=24))

    class Meta:
        model = models.Village
        description = "A village of Xinyi town, or its industry park."
        fields = ("slug", "picture", "map_x", "map_y", "is_park")

    @staticmethod
    def resolve_cooperatives(root: models.Village, _info: ResolveInfo) -> list[models.Cooperative]:
        return [each for each in root.cooperatives.all() if each.is_active]

    @staticmethod
    def resolve_goods(root: models.Village, _info: ResolveInfo, first: int) -> list[product_models.Product]:
        return goods_of_village(village=root, limit=bounded(first))


class Cooperative(DjangoObjectType):
    name = localised_text("name")
    summary = localised_text("summary")
    counted_at = graphene.DateTime(description="When it last counted anything.")
    goods = required_list(Product, first=graphene.Int(default_value=24))

    class Meta:
        model = models.Cooperative
        description = "A farmers' cooperative that supplies the shop."
        fields = ("slug", "village", "is_demo")

    @staticmethod
    def resolve_counted_at(root: models.Cooperative, _info: ResolveInfo) -> datetime | None:
        newest: datetime | None = root.supplies.aggregate(newest=Max("counted_at"))["newest"]
        return newest

    @staticmethod
    def resolve_goods(
        root: models.Cooperative, _info: ResolveInfo, first: int
    ) -> list[product_models.Product]:
        return goods_of_cooperative(cooperative=root, limit=bounded(first))
