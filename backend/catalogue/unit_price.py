"""Prices per 500 g (斤), which the law on marked prices (明码标价) wants beside the price of a pack."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from prices import Money

FEN = Decimal("0.01")


def price_per_500g(*, price: Money, net_weight_g: int | None) -> Money | None:
    """The price of 500 g at this pack's price, rounded to the fen; None for what has no weight."""
    if not net_weight_g:
        return None
    amount = (price.amount * 500 / net_weight_g).quantize(FEN, rounding=ROUND_HALF_UP)
    return Money(amount, price.currency)
