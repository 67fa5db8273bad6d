"""What was found, and shelves of goods."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import ResolveInfo
from saleor.graphql.product.types import Product
from saleor.product import models as product_models

from backend.api.types.catalogue import Dish, StorageEnum
from backend.api.types.cooperatives import Cooperative, Village
from backend.api.types.texts import required_list
from backend.catalogue import models as catalogue_models
from backend.catalogue import shelf
from backend.catalogue.search.models import SearchEntry
from backend.catalogue.search.selectors import Found, Hit
from backend.common.language import is_english
from backend.cooperatives import models as cooperative_models

SearchKind = graphene.Enum("SearchKind", [(each.name, each.value) for each in SearchEntry.Kind])
GoodsOrder = graphene.Enum("GoodsOrder", [(each.name, each.value) for each in shelf.GoodsOrder])


class SearchAnswer:
    """What was found, with how many of each kind are wanted."""

    def __init__(self, *, found: Found, first: int) -> None:
        self.found = found
        self.first = first

    def pks(self, kind: str) -> list[int]:
        return [hit.subject for hit in self.found.of(kind)[: self.first]]


def _in_place(objects: Any, pks: list[int]) -> list[Any]:
    by_pk = objects.in_bulk(pks)
    return [by_pk[pk] for pk in pks if pk in by_pk]


class SearchResult(graphene.ObjectType):
    products = required_list(
        Product, description="What can be bought, and what is in season, before its like."
    )
    dishes = required_list(Dish)
    villages = required_list(Village)
    cooperatives = required_list(Cooperative)
    total_products = graphene.Int(required=True, description="How many goods there are, at most 400.")
    corrected = graphene.String(
        description="What was looked for in place of what was typed, of which there was nothing."
    )
    suggestions = required_list(graphene.String, description="What else may have been meant.")

    class Meta:
        description = "What a phrase names, the nearest first."

    @staticmethod
    def resolve_products(root: SearchAnswer, _info: ResolveInfo) -> list[product_models.Product]:
        return _in_place(product_models.Product.objects.published(), root.pks("product"))

    @staticmethod
    def resolve_dishes(root: SearchAnswer, _info: ResolveInfo) -> list[catalogue_models.Dish]:
        return _in_place(catalogue_models.Dish.objects, root.pks("dish"))

    @staticmethod
    def resolve_villages(root: SearchAnswer, _info: ResolveInfo) -> list[cooperative_models.Village]:
        villages = cooperative_models.Village.objects.prefetch_related("cooperatives__village")
        return _in_place(villages, root.pks("village"))

    @staticmethod
    def resolve_cooperatives(root: SearchAnswer, _info: ResolveInfo) -> list[cooperative_models.Cooperative]:
        cooperatives = cooperative_models.Cooperative.objects.filter(is_active=True).select_related("village")
        return _in_place(cooperatives, root.pks("cooperative"))

    @staticmethod
    def resolve_total_products(root: SearchAnswer, _info: ResolveInfo) -> int:
        return len(root.found.of("product"))

    @staticmethod
    def resolve_corrected(root: SearchAnswer, _info: ResolveInfo) -> str | None:
        return root.found.corrected

    @staticmethod
    def resolve_suggestions(root: SearchAnswer, _info: ResolveInfo) -> list[str]:
        return [name for name in root.found.near if name != root.found.corrected]


class SearchSuggestion(graphene.ObjectType):
    kind = SearchKind(required=True)
    slug = graphene.String(required=True)
    title = graphene.String(required=True)
    also = graphene.String(description="Another name of it, which is what was typed.")

    class Meta:
        description = "Something that begins like what is being typed, or is called so elsewhere."

    @staticmethod
    def resolve_title(root: Hit, _info: ResolveInfo) -> str:
        return (root.title_en if is_english() else "") or root.title


class FacetValue(graphene.ObjectType):
    value = graphene.String(required=True, description="A slug, a storage, a month, or “from-to” in CNY.")
    label = graphene.String(required=True)
    count = graphene.Int(required=True)

    class Meta:
        description = "A further choice, and how many goods it would leave."

    @staticmethod
    def resolve_label(root: shelf.Facet, _info: ResolveInfo) -> str:
        return root.label_en if is_english() else root.label


class GoodsFacets(graphene.ObjectType):
    villages = required_list(FacetValue)
    cooperatives = required_list(FacetValue)
    storages = required_list(FacetValue)
    months = required_list(FacetValue)
    prices = required_list(
        FacetValue, description="CNY per 500 g: “3-6” is from 3 to below 6, “20-” from 20."
    )
    in_stock = graphene.Int(required=True)

    class Meta:
        description = "The choices that a shelf has; each count keeps all other choices as they are."


class GoodsConnection(graphene.relay.Connection):
    total_count = graphene.Int(required=True)
    facets = graphene.Field(GoodsFacets, description="Null on a shelf of more than 2,000 goods.")

    class Meta:
        node = Product

    @staticmethod
    def resolve_total_count(root: Any, _info: ResolveInfo) -> int:
        return shelf.goods_on_shelf(root.wanted).count()

    @staticmethod
    def resolve_facets(root: Any, _info: ResolveInfo) -> shelf.Facets | None:
        return shelf.facets_of(root.wanted)


class GoodsFilterInput(graphene.InputObjectType):
    category = graphene.String(description="A slug; what is below it is included.")
    villages = graphene.List(graphene.NonNull(graphene.String), description="Slugs: any of these.")
    cooperatives = graphene.List(graphene.NonNull(graphene.String), description="Slugs: any of these.")
    storages = graphene.List(graphene.NonNull(StorageEnum), description="Any of these.")
    month = graphene.Int(description="In season in that month, 1 to 12; what is so all year included.")
    per_500g_from = graphene.Float(name="per500gFrom", description="CNY, included.")
    per_500g_to = graphene.Float(name="per500gTo", description="CNY, not included.")
    in_stock = graphene.Boolean(description="True: only what somebody has.")
    search = graphene.String(description="What somebody typed.")

    class Meta:
        description = "What is wanted of a shelf. What is left out narrows nothing."
