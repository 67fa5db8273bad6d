"""An id in a mutation's input names a thing of the kind that the field holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model

from backend.saleor_port.registry import Replace, patch


@patch(
    name="typed_ids",
    reason="ModelMutation.clean_input loads whatever an id names: a category may be set to a user, and fails late",
)
def typed_ids() -> Iterator[Replace]:
    from saleor.graphql.core.mutations import ModelMutation

    plain = ModelMutation.clean_input.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of ModelMutation
    def clean_input(cls: Any, info: Any, instance: Any, data: Any, input_cls: Any = None) -> Any:
        cleaned = plain(cls, info, instance, data, input_cls)
        # productVariantBulkCreate calls this on ModelMutation itself, which has no model; its input holds no ids of
        # things that a variant's fields refer to.
        model = getattr(cls._meta, "model", None)
        if model is not None:
            for name, value in cleaned.items():
                _check(model=model, name=name, value=value)
        return cleaned

    yield Replace(ModelMutation, "clean_input", clean_input)


def _check(*, model: type[Model], name: str, value: Any) -> None:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return
    # A price is a field that is made of two columns, and has no such attribute.
    held = getattr(field, "related_model", None)
    if not isinstance(held, type):
        return
    given = value if isinstance(value, list) else [value]
    if any(isinstance(each, Model) and not isinstance(each, held) for each in given):
        raise ValidationError(
            {name: ValidationError(f"Must receive a {held.__name__} id.", code="graphql_error")}
        )
