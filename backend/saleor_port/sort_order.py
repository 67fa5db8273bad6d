"""Reordering menus, pages and attributes: stand-ins for rows that go through bulk_update."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.saleor_port.registry import Phase, Replace, patch


@patch(
    name="sort_order",
    reason="Django 4.1, 5.2: bulk_update asks for _prepare_related_fields_for_save and _is_pk_set",
    phase=Phase.AFTER,
)
def sort_order() -> Iterator[Replace]:
    from saleor.graphql.core.utils.reordering import FinalSortOrder

    def is_pk_set(self: Any, meta: Any = None) -> bool:
        return True

    def prepare_related_fields_for_save(self: Any, operation_name: str, fields: Any = None) -> None:
        return None

    yield Replace(FinalSortOrder, "_is_pk_set", is_pk_set)
    yield Replace(
        FinalSortOrder,
        "_prepare_related_fields_for_save",
        prepare_related_fields_for_save,
    )
