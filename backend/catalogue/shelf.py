"""Goods on a shelf: narrowed, put in order, counted, and read page by page, forwards and back.

A page begins where another one ended, by the values that the order goes by, so that a page far down costs no more
than the first, and a good that is sold out meanwhile moves nobody's place.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    DecimalField,
    Exists,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Extract
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from saleor.product.models import Category, Product

from backend.catalogue.search.selectors import in_stock
from backend.common.errors import ShopError
from backend.stock.models import Supply

MOST_FACETED = 2_000
"""A shelf longer than that is not counted by village and price: the whole of it would have to be read."""
PRICE_STEPS = (Decimal(3), Decimal(6), Decimal(10), Decimal(20))
"""CNY for 500 g at which one band of prices ends and the next begins."""
_BEYOND_ALL = Decimal("9999999999.99")


class CursorInvalid(ShopError):
    """A place in a list that this list never gave out."""

    code = "cursor_invalid"


class GoodsOrder(StrEnum):
    """What a shelf is sorted by."""

    TODAY = "today"
    PRICE_PER_500G = "price"
    PRICE_PER_500G_DESC = "price-desc"
    NEWEST_COUNT = "counted"
    NAME = "name"
    RELEVANCE = "relevance"


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a shelf; what is empty narrows nothing. Within a collection one of it suffices.

    category: slug, its sub-categories included; month: in season then, 1 to 12; per_500g_from (included) and
    per_500g_to (not included): CNY; found: the pks that a search found, best first.
    """

    category: str = ""
    villages: tuple[str, ...] = ()
    cooperatives: tuple[str, ...] = ()
    storages: tuple[str, ...] = ()
    month: int | None = None
    per_500g_from: Decimal | None = None
    per_500g_to: Decimal | None = None
    only_in_stock: bool = False
    found: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ShelfPage:
    """products: of this page; places: the cursor of each."""

    products: Sequence[Product]
    places: Sequence[str]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True)
class Facet:
    """One choice and how many goods it would leave, all other choices kept."""

    value: str
    label: str
    label_en: str
    count: int


@dataclass(frozen=True)
class Facets:
    """Choices that this shelf has, by kind."""

    villages: tuple[Facet, ...]
    cooperatives: tuple[Facet, ...]
    storages: tuple[Facet, ...]
    months: tuple[Facet, ...]
    prices: tuple[Facet, ...]
    in_stock: int


# ---- Narrowing -------------------------------------------------------------------------------------------------------


def goods_on_shelf(wanted: Wanted) -> QuerySet[Product]:
    """The published goods that are wanted, in no order."""
    goods = _on_the_shelf(wanted)
    if wanted.villages:
        goods = goods.filter(good__village__slug__in=wanted.villages)
    if wanted.cooperatives:
        goods = goods.filter(
            Exists(
                Supply.objects.filter(
                    product=OuterRef("pk"),
                    is_active=True,
                    cooperative__is_active=True,
                    cooperative__slug__in=wanted.cooperatives,
                )
            )
        )
    if wanted.storages:
        goods = goods.filter(good__storage__in=wanted.storages)
    if wanted.month:
        goods = goods.filter(Q(good__season_months__contains=[wanted.month]) | Q(good__season_months__len=0))
    if wanted.per_500g_from is not None:
        goods = goods.filter(search_entry__price_per_500g__gte=wanted.per_500g_from)
    if wanted.per_500g_to is not None:
        goods = goods.filter(search_entry__price_per_500g__lt=wanted.per_500g_to)
    if wanted.only_in_stock:
        goods = goods.filter(in_stock())
    return goods


def _on_the_shelf(wanted: Wanted) -> QuerySet[Product]:
    goods = Product.objects.published().filter(good__isnull=False)
    if wanted.category:
        above = Category.objects.filter(
            slug=wanted.category,
            tree_id=OuterRef("category__tree_id"),
            lft__lte=OuterRef("category__lft"),
            rght__gte=OuterRef("category__rght"),
        )
        goods = goods.filter(Exists(above))
    if wanted.found is not None:
        goods = goods.filter(pk__in=wanted.found)
    return goods


# ---- Order and pages -------------------------------------------------------------------------------------------------


def _counted_at() -> Coalesce:
    """Microseconds since 1970 of the newest count, negative: the newest first, the never counted last."""
    newest = (
        Supply.objects.filter(product=OuterRef("pk"), is_active=True)
        .order_by()
        .values("product")
        .annotate(newest=Max("counted_at"))
        .annotate(microseconds=Cast(Extract("newest", "epoch") * Value(-1_000_000), BigIntegerField()))
        .values("microseconds")
    )
    return Coalesce(Subquery(newest), Value(0), output_field=BigIntegerField())


def _flag(condition: Any, *, when_true: int) -> Case:
    return Case(
        When(condition, then=Value(when_true)), default=Value(1 - when_true), output_field=IntegerField()
    )


def _price(*, falling: bool) -> Coalesce:
    price = F("search_entry__price_per_500g")
    return Coalesce(
        price * Value(-1) if falling else price,
        Value(_BEYOND_ALL),
        output_field=DecimalField(max_digits=12, decimal_places=2),
    )


def _keys(order: GoodsOrder, *, found: Sequence[int]) -> dict[str, Any]:
    """What each good is sorted by, all of it rising; the pk comes after these and decides between equals."""
    match order:
        case GoodsOrder.PRICE_PER_500G:
            return {"key_price": _price(falling=False)}
        case GoodsOrder.PRICE_PER_500G_DESC:
            return {"key_price": _price(falling=True)}
        case GoodsOrder.NEWEST_COUNT:
            return {"key_counted": _counted_at()}
        case GoodsOrder.NAME:
            return {
                "key_spoken": Coalesce(
                    F("search_entry__spoken"), Value("~"), output_field=CharField(db_collation="C")
                )
            }
        case GoodsOrder.RELEVANCE:
            places = [When(pk=pk, then=Value(place)) for place, pk in enumerate(found)]
            return {"key_place": Case(*places, default=Value(len(found)), output_field=IntegerField())}
    month = timezone.localdate().month
    return {
        "key_gone": _flag(in_stock(), when_true=0),
        "key_rest": _flag(Q(good__season_months__contains=[month]), when_true=0),
    }


# How each is read from a cursor, and the largest value that its column holds.
_READERS: dict[str, tuple[Callable[[str], Any], int]] = {
    "key_price": (Decimal, 10**10),
    "key_counted": (int, 2**63 - 1),
    "key_spoken": (str, 600),
    "key_place": (int, 2**31 - 1),
    "key_gone": (int, 1),
    "key_rest": (int, 1),
    "pk": (int, 2**31 - 1),
}


def page_of_goods(
    wanted: Wanted,
    *,
    order: GoodsOrder | None,
    size: int,
    after: str | None = None,
    before: str | None = None,
    from_end: bool = False,
) -> ShelfPage:
    """`size` goods after a place, or before it; from_end: the last of those. Raises CursorInvalid."""
    order = order or (GoodsOrder.TODAY if wanted.found is None else GoodsOrder.RELEVANCE)
    keys = _keys(order, found=wanted.found or ())
    names = (*keys, "pk")
    goods = goods_on_shelf(wanted).annotate(**keys)
    if after:
        goods = goods.filter(_beyond(names, _read_cursor(after, order=order, names=names), "gt"))
    if before:
        goods = goods.filter(_beyond(names, _read_cursor(before, order=order, names=names), "lt"))
    found = list(goods.order_by(*(f"-{name}" if from_end else name for name in names))[: size + 1])
    more, found = len(found) > size, found[:size]
    if from_end:
        found.reverse()
    return ShelfPage(
        products=found,
        places=[_write_cursor(product, order=order, names=names) for product in found],
        has_next=bool(before) if from_end else more,
        has_previous=more if from_end else bool(after),
    )


def _beyond(names: Sequence[str], values: Sequence[Any], comparison: str) -> Q:
    condition = Q()
    equal: dict[str, Any] = {}
    for name, value in zip(names, values, strict=True):
        condition |= Q(**equal, **{f"{name}__{comparison}": value})
        equal[name] = value
    return condition


def _write_cursor(product: Product, *, order: GoodsOrder, names: Sequence[str]) -> str:
    values = [order.value, *(str(getattr(product, name)) for name in names)]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, *, order: GoodsOrder, names: Sequence[str]) -> list[Any]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or values[:1] != [order.value]:
            raise ValueError("of another order")
        return [_read_value(str(value), name=name) for name, value in zip(names, values[1:], strict=True)]
    except (ValueError, binascii.Error, ArithmeticError, RecursionError) as error:
        raise CursorInvalid(_("This place is not in this list. Begin again with its first page.")) from error


def _read_value(text: str, *, name: str) -> Any:
    read, most = _READERS[name]
    value = read(text)
    size = len(value) if isinstance(value, str) else abs(value)
    # A NaN is no smaller than anything.
    if not size <= most or (isinstance(value, str) and "\x00" in value):
        raise ValueError("no column holds it")
    return value


# ---- Counting --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    village: str
    cooperatives: frozenset[str]
    storage: str
    months: frozenset[int]
    price: Decimal | None
    in_stock: bool


def facets_of(wanted: Wanted) -> Facets | None:
    """How many goods each further choice would leave; None on a shelf that is too long to count."""
    rows = [
        _Row(
            village=village or "",
            cooperatives=frozenset(slug for slug in cooperatives or () if slug),
            storage=storage,
            months=frozenset(months or range(1, 13)),
            price=price,
            in_stock=there,
        )
        for village, cooperatives, storage, months, price, there in _facet_rows(wanted)
    ]
    if len(rows) > MOST_FACETED:
        return None
    places = _place_names(rows)

    def count(free: Wanted, values: Iterable[str], of: Any) -> tuple[Facet, ...]:
        left = Counter(value for row in rows if _matches(row, free) for value in of(row))
        return tuple(
            Facet(value=value, label=label, label_en=label_en, count=left[value])
            for value in values
            for label, label_en in [places.get(value, (value, value))]
        )

    def there(of: Any) -> list[str]:
        return sorted({value for row in rows for value in of(row) if value})

    def village(row: _Row) -> Collection[str]:
        return (f"village:{row.village}",) if row.village else ()

    def cooperative(row: _Row) -> Collection[str]:
        return [f"cooperative:{slug}" for slug in row.cooperatives]

    def storage(row: _Row) -> Collection[str]:
        return (row.storage,)

    def months(row: _Row) -> Collection[str]:
        return [str(month) for month in row.months]

    def price(row: _Row) -> Collection[str]:
        return (_band(row.price),) if row.price is not None else ()

    free = replace(wanted, villages=())
    return Facets(
        villages=_bare(count(free, there(village), village)),
        cooperatives=_bare(count(replace(wanted, cooperatives=()), there(cooperative), cooperative)),
        storages=count(replace(wanted, storages=()), there(storage), storage),
        months=count(replace(wanted, month=None), map(str, range(1, 13)), months),
        prices=count(
            replace(wanted, per_500g_from=None, per_500g_to=None),
            [band for band in price_bands() if band in set(there(price))],
            price,
        ),
        in_stock=sum(_matches(row, replace(wanted, only_in_stock=True)) for row in rows),
    )


def _bare(facets: Iterable[Facet]) -> tuple[Facet, ...]:
    return tuple(replace(facet, value=facet.value.partition(":")[2]) for facet in facets)


def _facet_rows(wanted: Wanted) -> Iterable[tuple[Any, ...]]:
    cooperatives = (
        Supply.objects.filter(product=OuterRef("pk"), is_active=True, cooperative__is_active=True)
        .order_by()
        .values("product")
        .annotate(slugs=ArrayAgg("cooperative__slug", distinct=True))
        .values("slugs")
    )
    shelf = Wanted(category=wanted.category, found=wanted.found)
    return (
        goods_on_shelf(shelf)
        .order_by()
        .annotate(grown_by=Subquery(cooperatives), is_there=in_stock())
        .values_list(
            "good__village__slug",
            "grown_by",
            "good__storage",
            "good__season_months",
            "search_entry__price_per_500g",
            "is_there",
        )[: MOST_FACETED + 1]
    )


def _place_names(rows: Iterable[_Row]) -> Mapping[str, tuple[str, str]]:
    from backend.cooperatives.models import Cooperative, Village

    villages = {row.village for row in rows}
    cooperatives = {slug for row in rows for slug in row.cooperatives}
    named = [
        ("village", Village.objects.filter(slug__in=villages)),
        ("cooperative", Cooperative.objects.filter(slug__in=cooperatives)),
    ]
    return {
        f"{kind}:{slug}": (name, name_en or name)
        for kind, places in named
        for slug, name, name_en in places.values_list("slug", "name", "name_en")
    }


def _matches(row: _Row, wanted: Wanted) -> bool:
    return (
        (not wanted.villages or row.village in wanted.villages)
        and (not wanted.cooperatives or not row.cooperatives.isdisjoint(wanted.cooperatives))
        and (not wanted.storages or row.storage in wanted.storages)
        and (not wanted.month or wanted.month in row.months)
        and (wanted.per_500g_from is None or (row.price is not None and row.price >= wanted.per_500g_from))
        and (wanted.per_500g_to is None or (row.price is not None and row.price < wanted.per_500g_to))
        and (not wanted.only_in_stock or row.in_stock)
    )


def price_bands() -> list[str]:
    """ "0-3", "3-6", … "20-": from (included) and to (not included), CNY for 500 g."""
    starts = (Decimal(0), *PRICE_STEPS)
    return [f"{start}-{end}" for start, end in zip(starts, (*PRICE_STEPS, ""), strict=True)]


def _band(price: Decimal) -> str:
    return price_bands()[sum(price >= step for step in PRICE_STEPS)]
