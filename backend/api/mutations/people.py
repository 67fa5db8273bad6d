"""What a buyer does about themselves: take their data along, close the account, end a wait."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import graphene
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo
from saleor.account.models import User

from backend.api.errors import RequestError, code_of
from backend.api.permissions import signed_in
from backend.api.types.texts import required_list
from backend.common.errors import ShopError
from backend.ordering.address_book import AddressBookFull, make_sure_of_room
from backend.ordering.closing import ClosingRefused, close_account
from backend.ordering.export import export_of
from backend.saleor_port.attempts import TOO_MANY_ATTEMPTS, TooManyAttempts, give_back, take_password
from backend.saleor_port.registry import Replace, patch


class OwnAccountError(RequestError):
    """Why nothing was done with the account."""


class PasswordWrong(ShopError):
    code = "invalid_credentials"
    field = "password"


class AccountExport(graphene.Mutation):
    """All that the shop holds of the person who asks."""

    file = graphene.String(description="JSON, its names in the language of the request.")
    errors = required_list(OwnAccountError)

    class Arguments:
        password = graphene.String(required=True, description="Once more, although one is signed in.")

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, password: str) -> AccountExport:
        user = signed_in(info)
        try:
            _confirm(info, user=user, password=password)
        except ShopError as error:
            return cls(errors=_errors(error))
        facts = export_of(user=user, now=timezone.now())
        return cls(file=json.dumps(facts, ensure_ascii=False, indent=2, default=str), errors=[])


class AccountClose(graphene.Mutation):
    """Closes the account of the person who asks, at once and for good; their address is free for a new one."""

    errors = required_list(OwnAccountError)

    class Arguments:
        password = graphene.String(required=True, description="Once more, although one is signed in.")

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, password: str) -> AccountClose:
        user = signed_in(info)
        try:
            _confirm(info, user=user, password=password)
            close_account(user_pk=user.pk)
        except ShopError as error:
            return cls(errors=_errors(error))
        return cls(errors=[])


def _confirm(info: ResolveInfo, *, user: User, password: str) -> None:
    """Raises PasswordWrong, and a ShopError where too many were tried."""
    try:
        taken = take_password(account=user.email, request=info.context)
    except TooManyAttempts as error:
        raise PasswordWrong(error.messages[0], code=TOO_MANY_ATTEMPTS) from error
    if not user.check_password(password):
        raise PasswordWrong(_("The password is not right."))
    give_back(taken)


def _errors(error: ShopError) -> list[OwnAccountError]:
    return [OwnAccountError(field=getattr(error, "field", None), code=code_of(error), message=str(error))]


# ---- Saleor's own clients --------------------------------------------------------------------------------------------


@patch(
    name="one_way_to_close",
    reason=(
        "accountDelete deletes an account while its orders are on their way, and leaves its addresses, its baskets and "
        "how to reach the buyer on its orders"
    ),
)
def one_way_to_close() -> Iterator[Replace]:
    from saleor.account.error_codes import AccountErrorCode
    from saleor.graphql.account.mutations import account

    @classmethod  # type: ignore[misc]  # it becomes a method of AccountDelete
    def perform_mutation(cls: Any, _root: Any, info: Any, **data: Any) -> Any:
        user = info.context.user
        cls.clean_instance(info, user)
        if not account.default_token_generator.check_token(user, data["token"]):
            raise ValidationError(
                {
                    "token": ValidationError(
                        _("This link is not valid, or no longer."), code=AccountErrorCode.INVALID.value
                    )
                }
            )
        try:
            close_account(user_pk=user.pk)
        except ClosingRefused as error:
            raise ValidationError(str(error), code=AccountErrorCode.INVALID.value) from error
        return cls.success_response(user)

    yield Replace(account.AccountDelete, "perform_mutation", perform_mutation)


@patch(name="bounded_address_book", reason="accountAddressCreate adds addresses without end")
def bounded_address_book() -> Iterator[Replace]:
    from saleor.account.error_codes import AccountErrorCode
    from saleor.graphql.account.mutations.account import AccountAddressCreate

    plain = AccountAddressCreate.perform_mutation.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of AccountAddressCreate
    def perform_mutation(cls: Any, root: Any, info: Any, **data: Any) -> Any:
        with transaction.atomic():
            try:
                make_sure_of_room(user_pk=info.context.user.pk)
            except AddressBookFull as error:
                raise ValidationError(str(error), code=AccountErrorCode.INVALID.value) from error
            return plain(cls, root, info, **data)

    yield Replace(AccountAddressCreate, "perform_mutation", perform_mutation)
