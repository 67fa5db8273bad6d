"""Staff set a stock row's quantity while nobody else moves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from backend.saleor_port.registry import Replace, patch
from backend.saleor_port.warehouse import PlainStockKeeper


@patch(
    name="unlocked_stock_writes",
    reason="productVariantStocksUpdate reads rows, and writes them later without a lock: a sale between is lost",
)
def unlocked_stock_writes() -> Iterator[Replace]:
    from saleor.graphql.product.bulk_mutations.products import ProductVariantStocksUpdate

    plain = ProductVariantStocksUpdate.update_or_create_variant_stocks.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of ProductVariantStocksUpdate
    @transaction.atomic
    def update_or_create_variant_stocks(cls: Any, variant: Any, stocks_data: Any, warehouses: Any) -> Any:
        PlainStockKeeper().lock([variant.pk])
        return plain(cls, variant, stocks_data, warehouses)

    yield Replace(
        ProductVariantStocksUpdate, "update_or_create_variant_stocks", update_or_create_variant_stocks
    )
