"""Stock that a cooperative counts is written by its reports alone; Saleor's staff mutations are told so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backend.saleor_port.registry import Replace, patch
from backend.stock.selectors import is_supplied


@patch(
    name="supplied_stock",
    reason=(
        "Saleor's staff mutations write stock rows that are the projection of the cooperatives' ledger: what they "
        "write would be lost with the next count, or sell what is not there"
    ),
)
def supplied_stock() -> Iterator[Replace]:
    from saleor.graphql.product.bulk_mutations.products import (
        ProductVariantStocksCreate,
        ProductVariantStocksDelete,
        ProductVariantStocksUpdate,
    )

    for mutation in (ProductVariantStocksCreate, ProductVariantStocksUpdate, ProductVariantStocksDelete):
        yield Replace(mutation, "perform_mutation", _for_plain_stock(mutation, field="variant_id"))


def _for_plain_stock(mutation: Any, *, field: str) -> Any:
    plain = mutation.perform_mutation.__func__

    def perform_mutation(cls: Any, root: Any, info: Any, **data: Any) -> Any:
        from saleor.graphql.product.types import ProductVariant

        variant = cls.get_node_or_error(info, data[field], field=field, only_type=ProductVariant)
        if is_supplied(variant_pk=variant.pk):
            raise ValidationError(
                {
                    field: ValidationError(
                        _(
                            "%(name)s is counted by its cooperatives. Its stock is changed by a report at /desk/, "
                            "or by a correction in the admin."
                        )
                        % {"name": variant.display_product()},
                        code="invalid",
                    )
                }
            )
        return plain(cls, root, info, **data)

    return classmethod(perform_mutation)
