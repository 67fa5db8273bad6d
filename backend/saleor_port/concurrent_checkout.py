"""One checkout becomes one order, however often and however fast checkoutComplete is called.

The checkout's row is locked for the whole mutation; migration 0001 adds a unique index on the order's
checkout_token, for every way of making an order that this lock does not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from backend.saleor_port.registry import Replace, patch


@patch(
    name="concurrent_checkout",
    reason="two checkoutComplete at once: two captures and two orders of one checkout (upstream 5bbe330446)",
)
def concurrent_checkout() -> Iterator[Replace]:
    from graphql_relay import from_global_id
    from saleor.checkout.models import Checkout
    from saleor.graphql.checkout.mutations import CheckoutComplete
    from saleor.order.models import Order

    plain = CheckoutComplete.perform_mutation.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of CheckoutComplete
    def perform_mutation(
        cls: Any, root: Any, info: Any, checkout_id: str, store_source: bool, **data: Any
    ) -> Any:
        failure: Exception | None = None
        answer = None
        with transaction.atomic():
            token = _token(from_global_id, checkout_id)
            if token is not None:
                locked = Checkout.objects.select_for_update(of=("self",)).filter(pk=token).first()
                if locked is None:
                    order = Order.objects.filter(checkout_token=token).first()
                    if order is not None:
                        # The other request won: its order is what this one asked for.
                        return cls(order=order, confirmation_needed=False)
            try:
                answer = plain(cls, root, info, checkout_id, store_source, **data)
            except Exception as error:
                # Commit all the same: what the gateway answered must stay on record when the rest fails. What
                # must not stay is rolled back by Saleor's own, inner transactions.
                failure = error
        if failure is not None:
            raise failure
        return answer

    yield Replace(CheckoutComplete, "perform_mutation", perform_mutation)


def _token(from_global_id: Any, checkout_id: str) -> str | None:
    """The checkout's key, or None for an id that Saleor itself will refuse with its own words."""
    from uuid import UUID

    try:
        type_name, key = from_global_id(checkout_id)
        return str(UUID(key)) if type_name == "Checkout" else None
    except ValueError:
        return None
