"""Where an order is: placed, being packed, handed over, or cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

PAID_BACK_IN_PART = "PARTIALLY_REFUNDED"


@dataclass(frozen=True)
class Step:
    """A station. at: when it was reached, as the API writes it; "" where that is not known, or not yet."""

    name: str
    at: str
    is_reached: bool
    is_now: bool


def is_paid(order: Mapping[str, Any]) -> bool:
    """Whether the buyer has paid; what was given back later changes nothing about it."""
    return bool(order["isPaid"]) or order.get("paymentStatus") == PAID_BACK_IN_PART


def state_of(order: Mapping[str, Any]) -> str:
    """Where an order stands, in one sentence for the buyer."""
    placement = order["placement"] or {}
    if placement.get("expiredAt"):
        return _("Cancelled: it was not paid in time.")
    if order["status"] == "CANCELED":
        return _("Cancelled.")
    if order["status"] == "FULFILLED":
        return _("Handed over.")
    if order["status"] == "PARTIALLY_FULFILLED":
        return _("A part is handed over, the rest is being packed.")
    if _is_harvested(placement):
        return _("It is being harvested and packed.")
    if placement.get("paysOnCollection"):
        return _("Placed. It is harvested and packed; you pay when you get it.")
    return _("Placed and paid.") if is_paid(order) else _("Placed, not paid yet.")


def way_of(order: Mapping[str, Any]) -> list[Step]:
    """The stations of an order, from its placing to its end."""
    placement = order["placement"] or {}
    placed, packed, got = _("Placed"), _("Harvested and packed"), _("Handed over")
    if order["status"] == "CANCELED":
        return [
            Step(name=placed, at=order["created"], is_reached=True, is_now=False),
            Step(name=_("Cancelled"), at=placement.get("expiredAt") or "", is_reached=True, is_now=True),
        ]
    handed_over = [each["created"] for each in order["fulfillments"] if each["status"] == "FULFILLED"]
    is_got = order["status"] == "FULFILLED"
    is_packed = is_got or bool(handed_over) or _is_harvested(placement)
    return [
        Step(name=placed, at=order["created"], is_reached=True, is_now=not is_packed),
        Step(name=packed, at="", is_reached=is_packed, is_now=is_packed and not is_got),
        Step(name=got, at=max(handed_over, default="") if is_got else "", is_reached=is_got, is_now=is_got),
    ]


def _is_harvested(placement: Mapping[str, Any]) -> bool:
    starts: str = placement.get("harvestStarts") or ""
    return starts != "" and datetime.fromisoformat(starts) <= timezone.now()


def owed_back(order: Mapping[str, Any], *, is_given: bool) -> Decimal:
    """Of accepted claims, in yuan: what has been given back, or what is still to be."""
    return sum(
        (
            Decimal(str(claim["amount"]["amount"]))
            for claim in order["claims"]
            if claim["amount"] and claim["isPaidBack"] == is_given
        ),
        Decimal(0),
    )
