"""The waiting list of what is sold out. To a guest every address is answered alike."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import graphene
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo
from graphql_relay import from_global_id

from backend.api.errors import RequestError, code_of
from backend.api.permissions import signed_in
from backend.api.types.texts import required_list
from backend.catalogue.waiting.services import WaitRefused, stop_all, stop_wait, wait_for
from backend.saleor_port.attempts import TOO_MANY_ATTEMPTS, Bucket, TooManyAttempts, take_from_address


class WaitError(RequestError):
    """Why nobody was put on the waiting list."""


class WaitForStock(graphene.Mutation):
    """One letter when a pack that is sold out can be bought again. It says nothing about the address."""

    errors = required_list(WaitError)

    class Arguments:
        variant = graphene.ID(required=True)
        email = graphene.String(description="A guest's; who has signed in gets the letter at their own.")

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, variant: str, email: str | None = None) -> WaitForStock:
        user = info.context.user if info.context.user.is_authenticated else None
        try:
            _take(info)
            wait_for(
                variant_pk=_variant_pk(variant),
                email=user.email if user else _email(email),
                user=user,
                now=timezone.now(),
            )
        except WaitRefused as error:
            return cls(errors=[WaitError(field=error.field, code=code_of(error), message=str(error))])
        return cls(errors=[])


class WaitStop(graphene.Mutation):
    """Takes an entry off one's own list."""

    errors = required_list(WaitError)

    class Arguments:
        id = graphene.ID(required=True)

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, id: str) -> WaitStop:
        user = signed_in(info)
        if id.isdecimal() and len(id) < 19:
            stop_wait(wait_pk=int(id), user=user)
        return cls(errors=[])


class WaitStopAll(graphene.Mutation):
    """Ends all waits of the address whose letter had this token; any other token is answered the same."""

    errors = required_list(WaitError)

    class Arguments:
        token = graphene.UUID(required=True)

    @classmethod
    def mutate(cls, _root: Any, _info: ResolveInfo, token: UUID) -> WaitStopAll:
        stop_all(token=UUID(str(token)))
        return cls(errors=[])


def _take(info: ResolveInfo) -> None:
    """Raises WaitRefused for who asks too often."""
    try:
        take_from_address(bucket=Bucket.WAIT_FROM_ADDRESS, request=info.context)
    except TooManyAttempts as error:
        raise WaitRefused(error.messages[0], code=TOO_MANY_ATTEMPTS) from error


def _email(email: str | None) -> str:
    email = (email or "").strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise WaitRefused(
            _("Please give an e-mail address such as li@example.com."), code="email_invalid", field="email"
        ) from error
    return email


def _variant_pk(global_id: str) -> int:
    try:
        kind, pk = from_global_id(global_id)
        if kind == "ProductVariant":
            return int(pk)
    except (ValueError, UnicodeDecodeError):
        pass  # Said below: it is answered like one that is not sold.
    raise WaitRefused(_("This is no longer sold."), code="unknown_variant", field="variant")
