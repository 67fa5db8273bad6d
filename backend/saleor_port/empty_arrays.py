"""Permission groups without members or permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Value

from backend.saleor_port.registry import Phase, Replace, patch


@patch(
    name="empty_arrays",
    reason="Django 5.0: ArrayAgg answers None for no rows; saleor.graphql.account.utils makes a set of it",
    phase=Phase.AFTER,
)
def empty_arrays() -> Iterator[Replace]:
    import saleor.graphql.account.utils as account_utils

    def array_agg(*expressions: Any, **options: Any) -> ArrayAgg:
        return ArrayAgg(*expressions, default=Value([]), **options)

    yield Replace(account_utils, "ArrayAgg", array_agg)
