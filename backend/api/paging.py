"""Connections over our own tables: each page is one query that begins where the last one ended, however far that is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from typing import Any

import graphene
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from backend.api.types.texts import bounded
from backend.common.errors import ShopError


class CursorUnreadable(ShopError):
    code = "cursor_unreadable"


def connection_field(
    connection: type[graphene.relay.Connection], *, first: int, **more: Any
) -> graphene.Field:
    """A field of so many items, if no other number is given; at most 100."""
    return graphene.Field(
        connection,
        required=True,
        first=graphene.Int(default_value=first, description="How many, at most 100."),
        after=graphene.String(description="The cursor that the last page ended with."),
        **more,
    )


def page(
    connection: type[graphene.relay.Connection],
    rows: QuerySet[Any],
    *,
    by: Sequence[str],
    first: int,
    after: str | None,
) -> Any:
    """One page of rows. by: fields that together are unique, "-" before those that fall. Raises CursorUnreadable."""
    if after:
        rows = rows.filter(_beyond(by=by, values=read_cursor(rows.model, by=by, cursor=after)))
    size = bounded(first)
    return page_of(connection, rows.order_by(*by)[: size + 1], by=by, size=size, is_first=not after)


def page_of(
    connection: type[graphene.relay.Connection],
    rows: Iterable[Any],
    *,
    by: Sequence[str],
    size: int,
    is_first: bool,
) -> Any:
    """The same of rows that were found already: one more than fit, where there are more."""
    found = list(rows)
    edges = [connection.Edge(node=row, cursor=_write(row, by=by)) for row in found[:size]]
    return connection(
        edges=edges,
        page_info=graphene.relay.PageInfo(
            has_next_page=len(found) > size,
            has_previous_page=not is_first,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


def _beyond(*, by: Sequence[str], values: Sequence[Any]) -> Q:
    condition = Q()
    equal: dict[str, Any] = {}
    for order, value in zip(by, values, strict=True):
        name = order.removeprefix("-")
        condition |= Q(**equal, **{f"{name}__{'lt' if order.startswith('-') else 'gt'}": value})
        equal[name] = value
    return condition


def _write(row: Model, *, by: Sequence[str]) -> str:
    values = [str(getattr(row, order.removeprefix("-"))) for order in by]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def read_cursor(model: type[Model], *, by: Sequence[str], cursor: str) -> list[Any]:
    """The values of `by` that a page ended with. Raises CursorUnreadable."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if not isinstance(values, list) or len(values) != len(by):
            raise ValueError("not as many values as the order has fields")
        fields = [_field(model, order.removeprefix("-")) for order in by]
        return [field.to_python(str(value)) for field, value in zip(fields, values, strict=True)]
    except (ValueError, binascii.Error, ValidationError, RecursionError, OverflowError) as error:
        raise CursorUnreadable(_("The cursor in “after” is none of this list’s.")) from error


def _field(model: type[Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)
