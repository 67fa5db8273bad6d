"""An account's basket is that account's, for whoever wants to change it, too."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError

from backend.saleor_port.registry import Replace, patch


@patch(
    name="own_baskets",
    reason=(
        "checkout(token) hides an account's basket from others, but mutations change it, hand it over to another account "
        "and return its addresses to whoever knows its id"
    ),
)
def own_baskets() -> Iterator[Replace]:
    from saleor.graphql.checkout import mutations as of_checkouts
    from saleor.graphql.core.mutations import BaseMutation
    from saleor.graphql.payment import mutations as of_payments

    for module in (of_checkouts, of_payments):
        mutations: list[Any] = [
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, BaseMutation)
        ]
        for mutation in mutations:
            if "checkout_id" in (getattr(mutation._meta, "arguments", None) or {}):
                yield Replace(mutation, "perform_mutation", _for_its_own(mutation))


def _for_its_own(mutation: Any) -> Any:
    plain = mutation.perform_mutation.__func__

    @functools.wraps(plain)
    def perform_mutation(cls: Any, root: Any, info: Any, *given: Any, **data: Any) -> Any:
        # A client's arguments come by name. By place checkoutLinesUpdate, which has asked, hands them to checkoutLinesAdd.
        if "checkout_id" in data and _is_anothers(info.context, data["checkout_id"]):
            raise ValidationError(
                {"checkout_id": ValidationError("There is no such checkout.", code="not_found")}
            )
        return plain(cls, root, info, *given, **data)

    return classmethod(perform_mutation)


def _is_anothers(context: Any, checkout_id: str | None) -> bool:
    from graphql_relay import from_global_id
    from saleor.checkout.models import Checkout
    from saleor.core.permissions import CheckoutPermissions
    from saleor.graphql.utils import get_user_or_app_from_context

    try:
        kind, token = from_global_id(checkout_id or "")
        owner = Checkout.objects.filter(pk=token).values_list("user", flat=True).first()
    except (ValueError, ValidationError):
        # The mutation says what is wrong with such an id.
        return False
    if kind != "Checkout" or owner in (None, context.user.pk):
        return False
    return not get_user_or_app_from_context(context).has_perm(CheckoutPermissions.MANAGE_CHECKOUTS)
