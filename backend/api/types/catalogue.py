from __future__ import annotations

from typing import Any

import graphene
from django.utils import timezone
from graphene_django import DjangoObjectType
from graphql import ResolveInfo
from promise import Promise
from saleor.graphql.product.types import Product
from saleor.product import models as product_models

from backend.api.loaders import (
    CooperativeByIdLoader,
    FoodLabelByGoodLoader,
    IngredientsByDishLoader,
    ProductNameLoader,
    PublishedProductLoader,
)
from backend.api.types.cooperatives import Cooperative
from backend.api.types.texts import localised_text, required_list
from backend.catalogue import models
from backend.provenance import models as provenance_models

StorageEnum = graphene.Enum(
    "StorageEnum",
    [(each.name, each.value) for each in models.Storage],
    description=None,
)


class FoodLabel(DjangoObjectType):
    producer = localised_text("producer")
    ingredients = localised_text("ingredients")
    allergens = localised_text("allergens", description="Empty: none.")

    class Meta:
        model = models.FoodLabel
        description = "What has to be shown of a packaged, cured or pickled good."
        fields = ("licence_number", "standard", "is_demo")


class Good(DjangoObjectType):
    origin = localised_text("origin")
    food_label = graphene.Field(FoodLabel)
    storage = graphene.Field(StorageEnum, required=True)
    season_months = required_list(graphene.Int, description="1 to 12; empty: all year.")
    in_season = graphene.Boolean(required=True, description="Whether it is in season this month.")

    class Meta:
        model = models.Good
        description = "What a buyer of produce asks about a product."
        fields = ("pinyin", "shelf_life_days", "village", "is_returnable", "is_demo")

    @staticmethod
    def resolve_food_label(root: models.Good, info: ResolveInfo) -> Promise:
        return FoodLabelByGoodLoader(info.context).load(root.pk)

    @staticmethod
    def resolve_in_season(root: models.Good, _info: ResolveInfo) -> bool:
        return root.in_season(month=timezone.localdate().month)


CertificateBasisEnum = graphene.Enum(
    "CertificateBasisEnum",
    [(each.name, each.value) for each in provenance_models.Basis],
    description=lambda value: "What a promise certificate rests on." if value is None else None,
)


class HarvestLot(DjangoObjectType):
    certificate_basis = graphene.Field(CertificateBasisEnum)
    recall_reason = localised_text("recall_reason")
    cooperative = graphene.Field(Cooperative, required=True)
    product = graphene.Field(Product, description="Null: no longer sold here.")
    product_name = graphene.String(required=True, description="In the language of the request.")

    class Meta:
        model = provenance_models.HarvestLot
        description = (
            "What one cooperative harvested of one product on one day, with its promise certificate."
        )
        fields = (
            "code",
            "trace_code",
            "harvested_on",
            "best_before",
            "plot",
            "certificate_number",
            "certificate_issuer",
            "certificate_issued_on",
            "certificate_contact",
            "quantity_g",
            "recalled_at",
            "is_demo",
        )

    @staticmethod
    def resolve_certificate_basis(root: provenance_models.HarvestLot, _info: ResolveInfo) -> str | None:
        return root.certificate_basis or None

    @staticmethod
    def resolve_product(root: provenance_models.HarvestLot, info: ResolveInfo) -> Promise:
        return PublishedProductLoader(info.context).load(root.product_id)

    @staticmethod
    def resolve_product_name(root: provenance_models.HarvestLot, info: ResolveInfo) -> Promise:
        return ProductNameLoader(info.context).load(root.product_id)

    @staticmethod
    def resolve_cooperative(root: provenance_models.HarvestLot, info: ResolveInfo) -> Promise:
        return CooperativeByIdLoader(info.context).load(root.cooperative_id)


class ProductSource(graphene.ObjectType):
    """Who supplies a product, when that was last counted, and from which lot. Made from a Supply."""

    cooperative = graphene.Field(Cooperative, required=True)
    counted_at = graphene.DateTime()
    lot = graphene.Field(HarvestLot)


class Ingredient(DjangoObjectType):
    name = localised_text("name")
    unit = graphene.String(required=True, description='"g" or "piece".')
    product = graphene.Field(Product, description="Null: not sold here.")
    alternatives = required_list(Product)

    class Meta:
        model = models.Ingredient
        description = "What a dish takes."
        fields = ("amount",)

    @staticmethod
    def resolve_product(root: models.Ingredient, info: ResolveInfo) -> Promise | None:
        return PublishedProductLoader(info.context).load(root.product_id) if root.product_id else None

    @staticmethod
    def resolve_alternatives(root: models.Ingredient, info: ResolveInfo) -> Promise:
        def published(
            products: list[product_models.Product | None],
        ) -> list[product_models.Product]:
            return [product for product in products if product is not None]

        return (
            PublishedProductLoader(info.context)
            .load_many([product.pk for product in root.alternatives.all()])
            .then(published)
        )


class Dish(DjangoObjectType):
    name = localised_text("name")
    summary = localised_text("summary")
    ingredients = required_list(Ingredient)

    class Meta:
        model = models.Dish
        description = "A Sichuan dish and what it takes."
        fields = ("slug", "serves")

    @staticmethod
    def resolve_ingredients(root: models.Dish, info: ResolveInfo) -> Any:
        return IngredientsByDishLoader(info.context).load(root.pk)


class SeasonalGood(graphene.ObjectType):
    """A good that is not there all year, for the park's calendar."""

    slug = graphene.String(required=True)
    name = graphene.String(required=True)
    months = required_list(graphene.Int, description="1 to 12.")
