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
        "an id of another kind, of no kind or empty, a cursor of another list, an order without a field, a missing "
        "checkoutId and an address with a NUL end in AssertionError, ValueError, AttributeError, JSONDecodeError, "
        "TypeError and KeyError"
    ),
)
def unreadable_requests() -> Iterator[Replace]:
    from graphene.relay import Node
    from graphql import GraphQLError
    from saleor.account.i18n import CountryAwareAddressForm
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
    plain_node = BaseMutation.get_node_or_error.__func__
    plain_nodes = BaseMutation.get_nodes_or_error.__func__
    plain_validate = CountryAwareAddressForm.validate_address
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

    def get_node_or_error(
        cls: Any, info: Any, node_id: str, field: str = "id", only_type: Any = None, qs: Any = None
    ) -> Any:
        # accountSetDefaultAddress gives a type in place of the field.
        name = field if isinstance(field, str) else "id"
        missing = ValidationError({name: ValidationError("There is no such id.", code="not_found")})
        if node_id == "" and name in _required_ids(cls):
            raise missing
        if node_id and only_type is None:
            kind = info.schema.get_type(Node.from_global_id(node_id)[0])
            if getattr(kind, "graphene_type", None) is None:
                raise missing
        return plain_node(cls, info, node_id, name, only_type, qs)

    def validate_address(self: Any, data: dict[str, Any]) -> dict[str, Any]:
        # A line that was refused by itself is missing here, and its error stands.
        return plain_validate(self, {"street_address_1": "", "street_address_2": ""} | data)

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
    yield Replace(BaseMutation, "get_node_or_error", classmethod(get_node_or_error))
    yield Replace(BaseMutation, "get_nodes_or_error", classmethod(get_nodes_or_error))
    yield Replace(CountryAwareAddressForm, "validate_address", validate_address)
    for mutation, name in (
        (CheckoutEmailUpdate, "checkout_id"),
        (CheckoutLineDelete, "line_id"),
        (CheckoutShippingMethodUpdate, "checkout_id"),
    ):
        yield Replace(mutation, "perform_mutation", _with_required(mutation, name))
    yield Replace(BaseMetadataMutation, "get_model_for_type_name", classmethod(get_model_for_type_name))
    yield from everywhere(plain_sort, sort_queryset)
    yield from everywhere(connection.from_global_cursor, _readable_cursor(connection.from_global_cursor))


def _required_ids(mutation: Any) -> list[str]:
    """The arguments of a mutation that must be given, and are ids."""
    from graphene import ID

    arguments = mutation._meta.arguments or {}
    return [
        name
        for name, each in arguments.items()
        if isinstance(each, ID) and each.kwargs.get("required", False)
    ]


def _with_required(mutation: Any, name: str) -> Any:
    """The mutation, for an argument that Saleor declares as optional and cannot do without."""
    plain = mutation.perform_mutation.__func__

    def perform_mutation(cls: Any, root: Any, info: Any, **data: Any) -> Any:
        if not data.get(name):
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
        # Saleor writes each value as a text, or null.
        if not isinstance(values, list) or not all(isinstance(each, str | None) for each in values):
            raise GraphQLError("Received cursor is invalid.")
        return values

    return from_global_cursor
