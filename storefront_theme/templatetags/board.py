"""How the board writes its figures: large, so without decimals that nobody reads from across the hall."""

from decimal import Decimal

from django import template

register = template.Library()


@register.filter
def kilograms(value: Decimal) -> str:
    """1,280; below a hundred with one decimal, 12.5; nothing after the point when it is nought."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0")


@register.filter
def yuan(value: Decimal) -> str:
    """Whole yuan, 1,280."""
    return f"{value:,.0f}"
