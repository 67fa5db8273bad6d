"""What has changed between the page that a buyer looked at and the basket as it is now: old and new figures, in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from storefront_theme.shop.basket_lines import read_lines
from storefront_theme.templatetags.shop import money


def what_is_shown(checkout: Mapping[str, Any]) -> dict[str, Any]:
    """Of the Checkout of documents/Basket.graphql, for the session: the figures that the buyer agrees to."""
    voucher = checkout["voucher"] or {}
    return {
        "token": str(checkout["token"]),
        "subtotal": str(checkout["subtotalPrice"]["gross"]["amount"]),
        "code": voucher.get("code") or "",
        "discount": str(voucher["discount"]["amount"]) if voucher else "0",
        "lines": {
            line.pack.id: {
                "name": f"{line.name} {line.pack.name}".strip(),
                "quantity": line.quantity,
                "price": str(line.pack.price) if line.pack.is_sold else "",
            }
            for line in read_lines(checkout)
        },
        "methods": {
            method["id"]: {
                "kind": (method["delivery"] or {}).get("kind") or "",
                "freight": str(method["price"]["amount"]),
                "pick_up_address": (method["delivery"] or {}).get("pickUpAddress") or "",
            }
            for method in checkout["availableShippingMethods"]
        },
    }


def total_of(shown: Mapping[str, Any], *, method: str) -> Decimal | None:
    """What is to be paid with that delivery; None where it is not offered."""
    if method not in shown["methods"]:
        return None
    total = (
        Decimal(shown["subtotal"]) - Decimal(shown["discount"]) + Decimal(shown["methods"][method]["freight"])
    )
    return max(total, Decimal(0))


def changes(before: Mapping[str, Any], now: Mapping[str, Any], *, method: str) -> list[str]:
    """A sentence for each difference; none where both are the same. method: the delivery that was chosen."""
    said = []
    old, new = before["lines"], now["lines"]
    for variant, line in old.items():
        if variant not in new:
            said.append(_("%(name)s is no longer in the basket.") % {"name": line["name"]})
            continue
        if line["quantity"] != new[variant]["quantity"]:
            said.append(
                _("%(name)s: %(old)s packs before, now %(new)s.")
                % {"name": line["name"], "old": line["quantity"], "new": new[variant]["quantity"]}
            )
        prices = line["price"], new[variant]["price"]
        # What is not sold any more is said with what is sold out.
        if all(prices) and Decimal(prices[0]) != Decimal(prices[1]):
            said.append(
                _("%(name)s: %(old)s a pack before, now %(new)s.")
                % {"name": line["name"], "old": money(Decimal(prices[0])), "new": money(Decimal(prices[1]))}
            )
    said += [
        _("%(name)s has come into the basket: %(new)s packs.")
        % {"name": new[variant]["name"], "new": new[variant]["quantity"]}
        for variant in new
        if variant not in old
    ]
    said += _of_sums(before, now, method=method)
    return said


def _of_sums(before: Mapping[str, Any], now: Mapping[str, Any], *, method: str) -> list[str]:
    said = []
    if Decimal(before["discount"]) != Decimal(now["discount"]):
        said.append(
            _("The code took off %(old)s before, now %(new)s.")
            % {"old": money(Decimal(before["discount"])), "new": money(Decimal(now["discount"]))}
        )
    if method in before["methods"] and method in now["methods"]:
        old, new = (Decimal(each["methods"][method]["freight"]) for each in (before, now))
        if old != new:
            said.append(
                _("The delivery: %(old)s before, now %(new)s.") % {"old": money(old), "new": money(new)}
            )
    sums = [total_of(each, method=method) for each in (before, now)]
    if None in sums:
        # The delivery is gone, which is said beside the deliveries.
        sums = [Decimal(each["subtotal"]) - Decimal(each["discount"]) for each in (before, now)]
    if sums[0] != sums[1]:
        said.append(
            _("Together: %(old)s before, now %(new)s.") % {"old": money(sums[0]), "new": money(sums[1])}
        )
    return said
