"""Puts a record where there is none."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model

ENGLISH = "en"
"""The language of the translations beside the Chinese texts, as Saleor writes it."""

Record = TypeVar("Record", bound=Model)


def ensure(model: type[Record], *, values: dict[str, Any] | None = None, **key: Any) -> Record:
    """The record that `key` names; made with `values` if it is missing, left as it is otherwise.

    It saves the instance itself: Saleor's managers queue a task for every variant that `create` makes.
    """
    manager = model._default_manager
    found = manager.filter(**key).first()
    if found is not None:
        return found
    record = model(**key, **(values or {}))
    record.save()
    return record
