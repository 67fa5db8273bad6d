"""Turns errors into what a client may see. Nothing else in the house catches broadly, but to bring it here."""

from __future__ import annotations

import binascii
import logging
import re
import uuid
from typing import Any

import graphene
import structlog
from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError
from django.utils.translation import gettext as _
from graphql.error import GraphQLError, GraphQLSyntaxError
from graphql.error import format_error as format_graphql_error
from graphql_jwt.exceptions import JSONWebTokenError, PermissionDenied
from psycopg.errors import QueryCanceled

from backend.common.errors import ShopError

logger = logging.getLogger(__name__)

# Errors whose text was written for the client; of all others only a reference is told.
SPOKEN = (GraphQLSyntaxError, JSONWebTokenError, PermissionDenied, ShopError)


class RequestError(graphene.ObjectType):
    """Why a mutation of this shop did nothing, and what to change."""

    field = graphene.String(description="The field of the input to change; null where it is not one field.")
    code = graphene.String(required=True, description="Stable, in capitals, for machines.")
    message = graphene.String(required=True, description="For the person, in the language of the request.")


class OrderPlaceError(RequestError):
    """Why an order was not placed."""

    variant = graphene.ID(description="The variant that is short.")
    available = graphene.Int(description="How many packs of it are left.")


class OrderCancelError(RequestError):
    """Why an order was not cancelled."""


class ClaimOpenError(RequestError):
    """Why a claim was not opened."""


class StockReportError(RequestError):
    """Why a stock report was not taken."""


def code_of(error: ShopError) -> str:
    return error.code.upper()


def validation_messages(error: ValidationError) -> list[tuple[str | None, str]]:
    """(field in camel case, message) for every part of a ValidationError."""
    if hasattr(error, "error_dict"):
        return [
            (_camel_case(field), message)
            for field, errors in error.message_dict.items()
            for message in errors
        ]
    return [(None, message) for message in error.messages]


def _camel_case(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def format_error(error: Exception) -> dict[str, Any]:
    """The error as GraphQL states it: {message, locations?, path?, extensions: {exception: {code}}}.

    An error that was not written for clients is logged in full under a reference, the id of the request; only the
    reference is told.
    """
    cause: Exception = error
    while isinstance(cause, GraphQLError) and getattr(cause, "original_error", None) is not None:
        cause = cause.original_error
    formatted = format_graphql_error(error) if isinstance(error, GraphQLError) else {"message": str(error)}
    more: dict[str, Any] = {}
    if isinstance(cause, ShopError):
        code = code_of(cause)
        more = getattr(cause, "extensions", {})
    elif isinstance(cause, (binascii.Error, UnicodeDecodeError)):
        # Ids are base64 of text, and Saleor decodes whatever it is given.
        logger.info("An id could not be read", exc_info=cause)
        code = "UNREADABLE_ID"
        formatted["message"] = _("An id could not be read.")
    elif isinstance(cause, OperationalError) and isinstance(cause.__cause__, QueryCanceled):
        logger.warning("A query was ended by the statement time-out", exc_info=cause)
        code = "TIMEOUT"
        formatted["message"] = _("That took too long. Please ask for less at once.")
    elif missing := _missing_arguments(cause):
        code = "ARGUMENT_MISSING"
        formatted["message"] = _("An argument is missing: %s") % ", ".join(missing)
    elif isinstance(cause, (DataError, ValidationError)) or (
        isinstance(cause, ValueError) and _ABOUT_VALUES.match(str(cause))
    ):
        logger.info("A value could not be read", exc_info=cause)
        code = "UNREADABLE_VALUE"
        formatted["message"] = _("A value of the request could not be read.")
    elif isinstance(cause, AssertionError) and _is_about_arguments(cause):
        code = "GraphQLError"
    elif isinstance(cause, SPOKEN) or _is_spoken_graphql_error(cause):
        code = type(cause).__name__
    else:
        reference = structlog.contextvars.get_contextvars().get("request_id") or uuid.uuid4().hex
        logger.error("A query failed unexpectedly, reference %s", reference, exc_info=cause)
        code = "INTERNAL_ERROR"
        formatted["message"] = _("Something went wrong on our side. Reference: %s") % reference
    if len(formatted["message"]) > LONGEST_MESSAGE:
        # It quotes what the client sent.
        formatted["message"] = formatted["message"][:LONGEST_MESSAGE] + "…"
    formatted["extensions"] = {"exception": {"code": code}, **more}
    return formatted


LONGEST_MESSAGE = 500

# What Django says of a value that no column of that type holds: "Field 'id' expected a number but got ''", NUL in a text.
# What Saleor's filter says of an attribute that no product has, and the address library of a country that it has not.
_ABOUT_VALUES = re.compile(
    r"Field '|A string literal cannot contain NUL|Unknown attribute name: |'\w*' is not a valid country code"
)

# graphql-core says so when a resolver answers with what its type is not, and quotes the answer: a row of ours.
_ABOUT_OUR_ANSWERS = (
    "Abstract type",
    "Expected a value of type",
    "Expected Iterable",
    "Expected value of type",
    "Runtime Object type",
    "Subscription must return",
)


def _missing_arguments(cause: Exception) -> list[str]:
    """Those that the schema calls optional, and Saleor's resolver does not."""
    if not isinstance(cause, TypeError) or "missing" not in str(cause) or cause.__traceback__ is None:
        return []
    innermost = cause.__traceback__
    while innermost.tb_next:
        innermost = innermost.tb_next
    # Where resolvers are called from; the same words from inside of one are a fault of its own.
    callers = ("graphql.", "graphql_jwt.", "backend.api.executor")
    if not innermost.tb_frame.f_globals.get("__name__", "").startswith(callers):
        return []
    return [_camel_case(name) for name in re.findall(r"'(\w+)'", str(cause))]


def _is_about_arguments(cause: AssertionError) -> bool:
    """Whether Saleor asserted something about what the client sent, such as "You must provide `first`"."""
    frame = cause.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    module = frame.tb_frame.f_globals.get("__name__", "") if frame is not None else ""
    return bool(str(cause)) and module.startswith(("saleor.graphql.", "graphene.relay.", "graphene_django."))


def _is_spoken_graphql_error(cause: Exception) -> bool:
    return type(cause) is GraphQLError and not str(cause).startswith(_ABOUT_OUR_ANSWERS)
