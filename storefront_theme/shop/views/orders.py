from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from storefront_theme.client import ask
from storefront_theme.shop import basket
from storefront_theme.shop.basket import BasketRefused
from storefront_theme.shop.claim_form import problem_names
from storefront_theme.shop.order_way import state_of, sums_of, way_of
from storefront_theme.shop.shelf import named
from storefront_theme.templatetags.shop import window_text


@never_cache
@require_safe
def order(request: HttpRequest, token: UUID) -> HttpResponse:
    """An order, for whoever holds its address: the buyer, guest or not."""
    found = ask(request, "Order", token=str(token))["orderByToken"]
    if found is None:
        raise Http404(token)
    method = found["shippingMethod"]
    claims = _by_line(found["claims"])
    claimable = {each["orderLine"]["id"]: each["until"] for each in found["claimable"]}
    return render(
        request,
        "shop/order.html",
        {
            "here": "account",
            "order": found,
            "lines": [
                {
                    "name": line["translatedProductName"] or line["productName"],
                    "pack": line["translatedVariantName"] or line["variantName"],
                    "quantity": line["quantity"],
                    "picture": (line["thumbnail"] or {}).get("url"),
                    "total": line["unitPrice"]["gross"]["amount"] * line["quantity"],
                    "cooperatives": line["cooperatives"],
                    "slug": ((line["variant"] or {}).get("product") or {}).get("slug"),
                    "id": line["id"],
                    "lots": line["lots"],
                    "claims": claims.get(line["id"], ()),
                    "claim_until": claimable.get(line["id"]),
                }
                for line in found["lines"]
            ],
            "state": state_of(found),
            "discount_name": found["translatedDiscountName"] or found["discountName"] or "",
            "way": way_of(found),
            "recalled": _recalled(found["lines"]),
            "sums": sums_of(found),
            "method_name": named(method) if method else found["shippingMethodName"],
            "delivery": (method or {}).get("delivery") or {},
            "window": window_of(found["placement"] or {}),
            "phone": masked((found["shippingAddress"] or {}).get("phone") or ""),
        },
    )


@require_POST
def cancel(request: HttpRequest, token: UUID) -> HttpResponse:
    """Takes the order back, while that is possible."""
    answer = ask(request, "OrderCancel", token=str(token))["orderCancelOwn"]
    for error in answer["errors"]:
        messages.warning(request, error["message"])
    if answer["order"]:
        messages.success(request, _("The order is cancelled; nothing is to be paid."))
    return redirect("shop:order", token=token)


@require_POST
def again(request: HttpRequest, token: UUID) -> HttpResponse:
    """Puts what can be had of an old order into the basket, and names the rest."""
    found = ask(request, "Order", token=str(token))["orderByToken"]
    if found is None:
        raise Http404(token)
    short = []
    for line in found["lines"]:
        left = min(line["quantity"], (line["variant"] or {}).get("quantityAvailable") or 0)
        if left < line["quantity"]:
            short.append(line["translatedProductName"] or line["productName"])
        if left:
            try:
                basket.add(request, variant_id=line["variant"]["id"], quantity=left)
            except BasketRefused as refused:
                messages.warning(request, str(refused))
    if short:
        names = _(", ").join(dict.fromkeys(short))
        messages.warning(request, _("Not there today, or not as much of it: %(names)s") % {"names": names})
    return redirect("shop:basket")


def window_of(placement: dict[str, Any]) -> str:
    """When it comes, or can be collected; '' where that was not agreed."""
    if not placement.get("deliveryOn"):
        return ""
    return window_text(
        day=placement["deliveryOn"], starts=placement["deliveryFrom"], ends=placement["deliveryUntil"]
    )


def _by_line(claims: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The claims about each line, each with its state and its problem in words."""
    by_line: dict[str, list[dict[str, Any]]] = {}
    for claim in claims:
        by_line.setdefault(claim["orderLine"]["id"], []).append(
            claim | {"problem_name": problem_names()[claim["problem"]]}
        )
    return by_line


def _recalled(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The recalled lots that something was packed from, each once."""
    lots = {row["lot"]["traceCode"]: row["lot"] for line in lines for row in line["lots"]}
    return [lot for lot in lots.values() if lot["recalledAt"]]


def masked(phone: str) -> str:
    """138****5678: enough for the buyer to know it, too little for anybody else."""
    digits = phone.removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else ""
