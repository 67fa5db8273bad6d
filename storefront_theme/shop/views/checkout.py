from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from storefront_theme import session
from storefront_theme.client import ask
from storefront_theme.shop import basket
from storefront_theme.shop.addresses import as_typed, with_pasted
from storefront_theme.shop.basket import BasketRefused
from storefront_theme.shop.basket_lines import BasketLine, read_lines
from storefront_theme.shop.forms import (
    CITY,
    DISTRICT,
    DISTRICTS,
    FIELD_OF_API,
    POSTCODES,
    PROVINCE,
    CheckoutForm,
)
from storefront_theme.shop.shelf import named
from storefront_theme.templatetags.shop import window_text

_SEEN = "checkout_seen"
PAY_ON_COLLECTION = "pay_on_collection"

KINDS = ("OWN_VAN", "NEXT_DAY", "PICK_UP")
"""In the order in which they are offered: brought first, then collected."""


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """One page: who, where, how it comes, how it is paid; then the order is placed."""
    if request.method != "POST":
        return _ask_where(request)
    if "adjust" in request.POST:
        return _adjust(request)
    if "read" in request.POST:
        return _read_pasted(request)
    return _place(request)


def _ask_where(request: HttpRequest) -> HttpResponse:
    found = _read(request)
    if found is None:
        return redirect("shop:basket")
    seen = _remember_what_is_shown(request, found)
    form = CheckoutForm(initial=_what_is_known(request), methods=seen["methods"])
    return _page(request, found, form=form, key=uuid.uuid4().hex)


def _place(request: HttpRequest) -> HttpResponse:
    seen = request.session.get(_SEEN) or {}
    token, key = request.POST.get("basket", ""), request.POST.get("key", "")
    # What was shown to the buyer decides, not what the basket holds now: a second tap asks for exactly the same,
    # and gets the same order, although the basket is gone by then.
    if not token or token != seen.get("token"):
        messages.warning(
            request,
            _("This basket has been ordered, or has changed. Please look at it again."),
        )
        return redirect("shop:basket")
    form = CheckoutForm(request.POST, methods=seen["methods"])
    problems: list[dict[str, Any]] = []
    if form.is_valid():
        order, problems = _order(request, form=form, token=token, key=key, seen=seen)
        if order is not None:
            if basket.token(request) == token:
                basket.forget(request)
            return redirect("shop:order", token=order["token"])
    found = _read(request)
    if found is None:
        for problem in problems:
            messages.warning(request, problem["message"])
        return redirect("shop:basket")
    _remember_what_is_shown(request, found)
    notices = _beside_their_fields(form, problems)
    return _page(
        request,
        found,
        form=form,
        key=key or uuid.uuid4().hex,
        notices=notices,
        status=422,
    )


def _order(
    request: HttpRequest,
    *,
    form: CheckoutForm,
    token: str,
    key: str,
    seen: dict[str, Any],
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    chosen = form.cleaned_data["shipping_method"]
    expected = Decimal(seen["subtotal"]) + Decimal(seen["methods"][chosen]["freight"])
    answer = ask(
        request,
        "OrderPlace",
        input={
            "checkoutToken": token,
            "idempotencyKey": key,
            "email": form.cleaned_data["email"],
            "shippingAddress": form.address(),
            "shippingMethod": chosen,
            "paymentGateway": form.cleaned_data["payment"],
            "note": form.cleaned_data["note"],
            "acceptFreshRule": form.cleaned_data["fresh_rule"],
            "deliveryWindow": form.window() or None,
            "giftNote": form.cleaned_data["gift_note"],
            "invoiceTitle": form.cleaned_data["invoice_title"],
            "invoiceTaxNumber": form.cleaned_data["invoice_tax_number"],
            "expectedTotal": str(expected),
        },
    )["orderPlace"]
    return answer["order"], answer["errors"]


def _beside_their_fields(form: CheckoutForm, problems: list[dict[str, Any]]) -> list[str]:
    """Puts each error of the API beside its field; returns the messages that have none."""
    notices = []
    for problem in problems:
        field = FIELD_OF_API.get(problem["field"] or "")
        if field and problem["code"] != "INSUFFICIENT_STOCK":
            form.add_error(field, problem["message"])
        else:
            notices.append(problem["message"])
    return notices


def _adjust(request: HttpRequest) -> HttpResponse:
    """The basket comes down to what is left; what was typed stays."""
    for line in read_lines(basket.read(request)):
        if line.is_short:
            try:
                basket.put(request, variant_id=line.pack.id, quantity=line.pack.left)
            except BasketRefused as refused:
                messages.warning(request, str(refused))
    found = _read(request)
    if found is None or not found["lines"]:
        messages.warning(
            request,
            _("What you chose is sold out for today. Have a look at what is in season."),
        )
        return redirect("shop:basket")
    seen = _remember_what_is_shown(request, found)
    typed = {name: value for name, value in request.POST.items() if name in CheckoutForm.base_fields}
    messages.success(request, _("The basket now holds what is left. Have a look, then order."))
    return _page(
        request,
        found,
        form=CheckoutForm(initial=typed, methods=seen["methods"]),
        key=uuid.uuid4().hex,
    )


def _read_pasted(request: HttpRequest) -> HttpResponse:
    """What was pasted goes into its fields, for the buyer to look at; what was typed elsewhere stays."""
    found = _read(request)
    if found is None:
        return redirect("shop:basket")
    seen = _remember_what_is_shown(request, found)
    typed = {name: str(value) for name, value in request.POST.items() if name in CheckoutForm.base_fields}
    return _page(
        request,
        found,
        form=CheckoutForm(initial=with_pasted(request, typed), methods=seen["methods"]),
        key=request.POST.get("key") or uuid.uuid4().hex,
    )


def _read(request: HttpRequest) -> dict[str, Any] | None:
    """The basket with the deliveries that it may have; None when there is nothing in it."""
    found = basket.read(request)
    if found is None or not found["lines"]:
        return None
    if found["shippingAddress"] is None:
        # Saleor offers deliveries to a known address only; freight is shown before the buyer gives one.
        basket.quote_for(
            request,
            address={
                "country": "CN",
                "countryArea": PROVINCE,
                "city": CITY,
                "cityArea": DISTRICT,
                "streetAddress1": "信义镇",
                "postalCode": POSTCODES[CITY],
            },
        )
        found = basket.read(request)
    return found


def _remember_what_is_shown(request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    seen = {
        "token": str(found["token"]),
        "subtotal": str(found["subtotalPrice"]["gross"]["amount"]),
        "methods": {
            method["id"]: {
                "kind": (method["delivery"] or {}).get("kind") or "",
                "freight": str(method["price"]["amount"]),
                "pick_up_address": (method["delivery"] or {}).get("pickUpAddress") or "",
            }
            for method in found["availableShippingMethods"]
        },
    }
    request.session[_SEEN] = seen
    return seen


def _what_is_known(request: HttpRequest) -> dict[str, str]:
    """A signed-in buyer's own address."""
    person = session.person(request)
    if person is None:
        return {}
    me = ask(request, "AddressBook")["me"]
    address = (me or {}).get("defaultShippingAddress")
    known = {"email": person.email, "name": person.name}
    if address:
        known |= as_typed(address)
    return known


def _page(
    request: HttpRequest,
    found: dict[str, Any],
    *,
    form: CheckoutForm,
    key: str,
    notices: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    lines: list[BasketLine] = read_lines(found)
    subtotal = Decimal(str(found["subtotalPrice"]["gross"]["amount"]))
    chosen = str(form["shipping_method"].value() or "")
    deliveries = sorted(
        (
            {
                "id": method["id"],
                "name": named(method),
                "price": Decimal(str(method["price"]["amount"])),
                "delivery": method["delivery"] or {},
                "chosen": method["id"] == chosen,
                "windows": [
                    {
                        "id": window["id"],
                        "label": window_text(day=window["day"], starts=window["starts"], ends=window["ends"]),
                        "chosen": window["id"] == request.POST.get(f"window-{method['id']}"),
                    }
                    for window in (method["delivery"] or {}).get("windows") or ()
                ],
            }
            for method in found["availableShippingMethods"]
        ),
        key=lambda one: (KINDS.index(one["delivery"].get("kind", KINDS[-1])), one["price"]),
    )
    freight = next((one["price"] for one in deliveries if one["chosen"]), None)
    context = {
        "here": "basket",
        "form": form,
        "key": key,
        "basket_token": found["token"],
        "lines": lines,
        "subtotal": subtotal,
        "deliveries": deliveries,
        "total": subtotal + freight if freight is not None else None,
        "pay_on_collection": PAY_ON_COLLECTION,
        "has_fresh": any(not line.is_returnable for line in lines),
        "is_short": any(line.is_short for line in lines),
        "notices": notices or [],
        "cities": POSTCODES,
        "districts": DISTRICTS,
        "is_demo": any(line.is_demo for line in lines),
    }
    return render(request, "shop/checkout.html", context, status=status)
