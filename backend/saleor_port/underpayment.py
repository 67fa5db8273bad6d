"""How much must be paid before checkoutComplete makes an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.saleor_port.registry import Replace, everywhere, patch


@patch(
    name="underpayment",
    reason=(
        "is_fully_paid adds up all active payments, but only the last one is ever processed: 40 + 10 pass "
        "for 50, 10 are captured (upstream 4c95b48bfc, 20e604f0e6)"
    ),
)
def underpayment() -> Iterator[Replace]:
    import saleor.checkout.utils
    import saleor.graphql.checkout.utils
    from saleor.checkout import calculations

    def is_fully_paid(checkout: Any, lines: Any, discounts: Any) -> bool:
        """Whether the payment that is going to be processed covers the total, gift cards taken off."""
        payment = checkout.get_last_active_payment()
        total = calculations.checkout_total(checkout=checkout, lines=lines, discounts=discounts).gross
        due = total.amount - checkout.get_total_gift_cards_balance().amount
        return due <= (payment.total if payment else 0)

    yield from everywhere(saleor.checkout.utils.is_fully_paid, is_fully_paid)
