from __future__ import annotations

from django.db.models import (
    Case,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from saleor.product.models import Product

from backend.cooperatives.models import Cooperative, Village
from backend.stock.models import Supply

ALL_YEAR = 12


def _published() -> QuerySet[Product]:
    return Product.objects.published().filter(good__isnull=False)


def _stock_rank() -> Case:
    """0 for a product that somebody has, 1 for one that is sold out."""
    free = Supply.objects.filter(product=OuterRef("pk"), is_active=True, on_hand__gt=F("allocated"))
    return Case(When(Exists(free), then=Value(0)), default=Value(1), output_field=IntegerField())


def goods_in_season(*, month: int, limit: int) -> list[Product]:
    """Published goods in season in a month (1 to 12): those in stock first, then those with the shortest season."""
    in_season = Q(good__season_months__contains=[month]) | Q(good__season_months__len=0)
    season_length = Case(
        When(good__season_months__len=0, then=Value(ALL_YEAR)),
        default=F("good__season_months__len"),
        output_field=IntegerField(),
    )
    return list(_published().filter(in_season).order_by(_stock_rank(), season_length, "pk")[:limit])


def goods_of_village(*, village: Village, limit: int) -> list[Product]:
    """What is grown in a village, in stock first."""
    return list(_published().filter(good__village=village).order_by(_stock_rank(), "pk")[:limit])


def goods_of_cooperative(*, cooperative: Cooperative, limit: int) -> list[Product]:
    """What a cooperative supplies, in stock first."""
    supplied = Supply.objects.filter(cooperative=cooperative, product=OuterRef("pk"), is_active=True)
    return list(_published().filter(Exists(supplied)).order_by(_stock_rank(), "pk")[:limit])
