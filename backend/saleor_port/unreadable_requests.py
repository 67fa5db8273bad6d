"""What a client wrote and nobody can read is refused in words; Saleor fails on it as on a fault of its own."""

from __future__ import annotations

import binascii
import functools
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from backend.saleor_port.registry import Replace, everywhere, patch


@patch(
    name="unreadable_requests",
    reason=(
        "an id of another kind or of no kind, a cursor of another list, an order without a field and a missing "
        "checkoutId end in AssertionError, ValueError, JSONDecodeError and TypeError"
    ),
)
def unreadable_requests() -> Iterator[Replace]:
    from graphene.relay import Node
    from graphql import GraphQLError
    from saleor.graphql.checkout.mutations import (
        CheckoutEmailUpdate,
        CheckoutLineDelete,
        CheckoutShippingMethodUpdate,
    )
    from saleor.graphql.core import connection
    from saleor.graphql.core.mutations import BaseMutation
    from saleor.graphql.meta.mutations import BaseMetadataMutation
    from saleor.graphql.utils import sorting

    plain_from_id = Node.from_global_id.__func__
    plain_get_node = Node.get_node_from_global_id.__func__
    plain_by_pk = BaseMutation.get_node_by_pk.__func__
    plain_nodes = BaseMutation.get_nodes_or_error.__func__
    plain_model = BaseMetadataMutation.get_model_for_type_name.__func__
    plain_sort = sorting.sort_queryset

    def from_global_id(cls: Any, global_id: str) -> Any:
        try:
            return plain_from_id(cls, global_id)
        except ValueError as error:
            raise binascii.Error("An id could not be read.") from error

    def get_node_from_global_id(cls: Any, info: Any, global_id: str, only_type: Any = None) -> Any:
        try:
            return plain_get_node(cls, info, global_id, only_type)
        except AssertionError as error:
            raise GraphQLError(str(error)) from error
        except (ValueError, ValidationError):
            return None  # No key of that model looks like this one.

    def get_node_by_pk(cls: Any, info: Any, graphene_type: Any, pk: Any, qs: Any = None) -> Any:
        try:
            return plain_by_pk(cls, info, graphene_type, pk, qs)
        except (ValueError, ValidationError):
            return None

    def get_nodes_or_error(cls: Any, ids: Any, field: str, only_type: Any = None, qs: Any = None) -> Any:
        try:
            return plain_nodes(cls, ids, field, only_type, qs)
        except (AssertionError, ValueError) as error:
            said = ValidationError("An id could not be resolved.", code="not_found")
            raise ValidationError({field: said}) from error

    def get_model_for_type_name(cls: Any, info: Any, type_name: str) -> type[Model]:
        if info.schema.get_type(type_name) is None:
            raise GraphQLError("There is no such type.")
        model: type[Model] = plain_model(cls, info, type_name)
        return model

    @functools.wraps(plain_sort)
    def sort_queryset(*args: Any, **kwargs: Any) -> Any:
        try:
            return plain_sort(*args, **kwargs)
        except ValueError as error:
            raise GraphQLError("Please say by which field to sort.") from error

    yield Replace(Node, "from_global_id", classmethod(from_global_id))
    yield Replace(Node, "get_node_from_global_id", classmethod(get_node_from_global_id))
    yield Replace(BaseMutation, "get_node_by_pk", classmethod(get_node_by_pk))
    yield Replace(BaseMutation, "get_nodes_or_error", classmethod(get_nodes_or_error))
    for mutation, name in (
        (CheckoutEmailUpdate, "checkout_id"),
        (CheckoutLineDelete, "line_id"),
        (CheckoutShippingMethodUpdate, "checkout_id"),
    ):
        yield Replace(mutation, "perform_mutation", _with_required(mutation, name))
    yield Replace(BaseMetadataMutation, "get_model_for_type_name", classmethod(get_model_for_type_name))
    yield from everywhere(plain_sort, sort_queryset)
    yield from everywhere(connection.from_global_cursor, _readable_cursor(connection.from_global_cursor))


def _with_required(mutation: Any, name: str) -> Any:
    """The mutation, for an argument that Saleor declares as optional and cannot do without."""
    plain = mutation.perform_mutation.__func__

    def perform_mutation(cls: Any, root: Any, info: Any, **data: Any) -> Any:
        if data.get(name) is None:
            raise ValidationError({name: ValidationError("This is required.", code="required")})
        return plain(cls, root, info, **data)

    return classmethod(perform_mutation)


def _readable_cursor(plain: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    from graphql import GraphQLError

    @functools.wraps(plain)
    def from_global_cursor(cursor: str) -> list[str]:
        try:
            values = plain(cursor)
        except ValueError as error:
            raise GraphQLError("Received cursor is invalid.") from error
        if not isinstance(values, list):
            raise GraphQLError("Received cursor is invalid.")
        return values

    return from_global_cursor
