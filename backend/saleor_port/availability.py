"""How much of a good there is, over several warehouses.

A warehouse that has promised more than it now has (a bookkeeper counted less) adds nothing and takes nothing
away from the others: allocation passes it by as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from backend.saleor_port.registry import Replace, everywhere, patch


def _with_free_quantity(stocks: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate `free`: packs on hand less packs promised, at least 0."""
    from saleor.warehouse.models import Allocation

    promised = (
        Allocation.objects.filter(stock=OuterRef("pk"))
        .order_by()
        .values("stock")
        .values_list(Sum("quantity_allocated"))
    )
    return stocks.annotate(
        free=Greatest(F("quantity") - Coalesce(Subquery(promised, output_field=IntegerField()), 0), 0)
    )


def free_packs(variant_pks: Collection[int], country_code: str) -> dict[int, int]:
    """Packs on hand less packs promised, over all warehouses that deliver to a country; one query for all variants.

    A variant that none of them has a row for is missing.
    """
    from saleor.warehouse.models import Stock, Warehouse

    # A subquery, not a join: a warehouse in two zones of one country must not be counted twice.
    delivering = Warehouse.objects.filter(shipping_zones__countries__contains=country_code).values("pk")
    stocks = Stock.objects.filter(product_variant_id__in=variant_pks, warehouse__in=delivering).order_by()
    totals: dict[int, int] = defaultdict(int)
    for variant_pk, free in _with_free_quantity(stocks).values_list("product_variant_id", "free"):
        totals[variant_pk] += free
    return dict(totals)


@patch(
    name="available_quantity",
    reason="_get_available_quantity sums distinct quantities: 5 and 5 in two warehouses are 5",
)
def available_quantity() -> Iterator[Replace]:
    from saleor.warehouse import availability

    def get_available_quantity(stocks: Any) -> int:
        return _with_free_quantity(stocks).aggregate(total=Coalesce(Sum("free"), 0))["total"]

    yield Replace(availability, "_get_available_quantity", get_available_quantity)


@patch(
    name="negative_stock",
    reason="is_product_in_stock and kin take any number but 0 for stock, -3 too",
)
def negative_stock() -> Iterator[Replace]:
    import saleor.graphql.product.types.products  # noqa: F401  (it imported the names)
    from saleor.warehouse import availability

    plain_for_customer: Callable[..., int] = availability.get_available_quantity_for_customer

    def get_available_quantity_for_customer(variant: Any, country_code: str | None = None) -> int:
        return max(plain_for_customer(variant, country_code), 0)

    def is_product_in_stock(product: Any, country_code: str) -> bool:
        stocks = availability.stocks_for_product(product, country_code)
        return stocks.filter(available_quantity__gt=0).exists()

    def are_all_product_variants_in_stock(product: Any, country_code: str) -> bool:
        stocks = availability.stocks_for_product(product, country_code)
        in_stock = stocks.filter(available_quantity__gt=0).values_list("product_variant", flat=True)
        return not product.variants.exclude(pk__in=list(in_stock)).exists()

    yield from everywhere(plain_for_customer, get_available_quantity_for_customer)
    yield from everywhere(availability.is_product_in_stock, is_product_in_stock)
    yield from everywhere(availability.are_all_product_variants_in_stock, are_all_product_variants_in_stock)


@patch(
    name="in_stock_filter",
    reason=(
        "the stockAvailability filter counts a stock row once per allocation, and takes goods without "
        "any stock row for goods in stock"
    ),
)
def in_stock_filter() -> Iterator[Replace]:
    import saleor.graphql.product.resolvers  # noqa: F401  (it imported the name)
    from saleor.graphql.product import filters
    from saleor.warehouse.models import Stock

    def filter_products_by_stock_availability(products: Any, stock_availability: Any) -> Any:
        in_stock = _with_free_quantity(Stock.objects.order_by()).filter(free__gt=0)
        product_pks = in_stock.values("product_variant__product")
        if stock_availability == filters.StockAvailability.IN_STOCK:
            return products.filter(pk__in=product_pks)
        if stock_availability == filters.StockAvailability.OUT_OF_STOCK:
            return products.exclude(pk__in=product_pks)
        return products

    yield from everywhere(
        filters.filter_products_by_stock_availability, filter_products_by_stock_availability
    )
