"""An account's basket is that account's, for whoever wants to change it, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.saleor_port.registry import Replace, patch


@patch(
    name="own_baskets",
    reason=(
        "checkout(token) hides an account's basket from others, but mutations change it, hand it over to another account "
        "and return its addresses to whoever knows its id"
    ),
)
def own_baskets() -> Iterator[Replace]:
    from saleor.core.permissions import CheckoutPermissions
    from saleor.graphql.checkout.types import Checkout
    from saleor.graphql.utils import get_user_or_app_from_context

    plain = Checkout.get_node.__func__

    def get_node(cls: Any, info: Any, id: Any) -> Any:
        checkout = plain(cls, info, id)
        if checkout is None or checkout.user_id in (None, info.context.user.pk):
            return checkout
        asking = get_user_or_app_from_context(info.context)
        return checkout if asking.has_perm(CheckoutPermissions.MANAGE_CHECKOUTS) else None

    yield Replace(Checkout, "get_node", classmethod(get_node))
