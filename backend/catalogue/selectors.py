from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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

from backend.catalogue.models import Dish, Good, Ingredient
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


@dataclass(frozen=True)
class SeasonalGood:
    """A published good that is not there all year. months: 1 to 12, in order; name: in the reader's language."""

    slug: str
    name: str
    months: tuple[int, ...]


def seasonal_goods(*, limit: int) -> list[SeasonalGood]:
    """The park's year, in three queries however many goods there are."""
    goods = (
        Good.objects.filter(
            season_months__len__gt=0, season_months__len__lt=ALL_YEAR, product__in=Product.objects.published()
        )
        .select_related("product")
        .prefetch_related("product__translations")
        .order_by("pk")[:limit]
    )
    return [
        SeasonalGood(
            slug=good.product.slug,
            name=str(good.product.translated),
            months=tuple(sorted(good.season_months)),
        )
        for good in goods
    ]


def dishes_of_the_day(*, day: date, limit: int) -> list[Dish]:
    """A few dishes of which all that is sold here is in season, others from day to day."""
    sold = Ingredient.objects.filter(dish=OuterRef("pk"), product__in=_published())
    in_season = Q(product__good__season_months__contains=[day.month]) | Q(product__good__season_months__len=0)
    cookable = list(
        Dish.objects.filter(Exists(sold))
        .exclude(Exists(sold.exclude(in_season)))
        .values_list("pk", flat=True)
    )
    if not cookable:
        return []
    start = day.toordinal() % len(cookable)
    chosen = (cookable[start:] + cookable[:start])[:limit]
    dishes = Dish.objects.in_bulk(chosen)
    return [dishes[pk] for pk in chosen]
