"""Asking an object that is not saved yet for what points at it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from backend.saleor_port.registry import Phase, Replace, patch


@patch(
    name="unsaved_relations",
    reason="Django 4.0: the reverse relation of an unsaved object raises; attributeCreate asks for one",
    phase=Phase.AFTER,
)
def unsaved_relations() -> Iterator[Replace]:
    from saleor.graphql.product.mutations.attributes import AttributeMixin
    from saleor.product.models import AttributeValue

    plain = AttributeMixin.check_values_are_unique.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of AttributeMixin
    def check_values_are_unique(cls: type, values_input: Any, attribute: Any) -> None:
        if attribute.pk is None:
            attribute = SimpleNamespace(values=AttributeValue.objects.none())
        plain(cls, values_input, attribute)

    yield Replace(AttributeMixin, "check_values_are_unique", check_values_are_unique)
