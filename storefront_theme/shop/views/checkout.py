from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from storefront_theme import session
from storefront_theme.client import ask
from storefront_theme.shop import basket
from storefront_theme.shop.addresses import (
    PLACE,
    begun_with,
    is_same_place,
    saved_addresses,
    with_fitting_lists,
    with_pasted,
    with_saved,
)
from storefront_theme.shop.basket import BasketRefused, CodeRefused
from storefront_theme.shop.basket_lines import BasketLine, read_lines
from storefront_theme.shop.changes import changes, total_of, what_is_shown
from storefront_theme.shop.forms import (
    CITY,
    DISTRICT,
    FIELD_OF_API,
    POSTCODE,
    PROVINCE,
    CheckoutForm,
    PlaceForm,
)
from storefront_theme.shop.places import places_below
from storefront_theme.shop.shelf import named
from storefront_theme.templatetags.shop import window_text

# What each page that is open was drawn with, by the key of its form; the newest few.
_SHOWN = "checkout_shown"
_MOST_PAGES = 4
# What was typed into a page that has not become an order.
_TYPED = "checkout_typed"
PAY_ON_COLLECTION = "pay_on_collection"

KINDS = ("OWN_VAN", "NEXT_DAY", "PICK_UP")
"""In the order in which they are offered: brought first, then collected."""


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """One page: who, where, how it comes, how it is paid; then the order is placed."""
    if request.method != "POST":
        return _ask_where(request)
    _keep_typed(request, _typed(request))
    if "adjust" in request.POST:
        return _adjust(request)
    if "read" in request.POST:
        return _read_pasted(request)
    if "saved" in request.POST:
        return _take_saved(request)
    if "manage" in request.POST:
        return redirect("shop:addresses")
    if "use_code" in request.POST or "remove_code" in request.POST:
        return _change_code(request)
    if "lists" in request.POST:
        return _renew_lists(request)
    return _place(request)


def _ask_where(request: HttpRequest) -> HttpResponse:
    found = _read(request)
    if found is None:
        return redirect("shop:basket")
    saved = saved_addresses(request)
    return _page(
        request,
        found,
        typed=_what_is_known(request, saved) | request.session.get(_TYPED, {}),
        key=uuid.uuid4().hex,
        saved=saved,
    )


def _keep_typed(request: HttpRequest, typed: dict[str, str]) -> None:
    """Until the order is placed; the confirmation is given anew each time."""
    request.session[_TYPED] = {name: value for name, value in typed.items() if value and name != "fresh_rule"}


def _typed(request: HttpRequest) -> dict[str, str]:
    return {
        name: str(value)[:500] for name, value in request.POST.items() if name in CheckoutForm.base_fields
    }


def _place(request: HttpRequest) -> HttpResponse:
    token, key = request.POST.get("basket", ""), request.POST.get("key", "")
    # What was shown to the buyer decides, not what the basket holds now: a second tap asks for exactly the same,
    # and gets the same order, although the basket is gone by then.
    shown = _shown(request, key)
    if shown is None or not token or token != shown["token"]:
        return _look_again(request, token=token)
    form = CheckoutForm(request.POST, methods=shown["methods"], places=places_below(request, request.POST))
    problems: list[dict[str, Any]] = []
    if form.is_valid():
        order, problems = _order(request, form=form, token=token, key=key, shown=shown)
        if order is not None:
            if basket.token(request) == token:
                basket.forget(request)
            request.session.pop(_TYPED, None)
            return redirect("shop:order", token=order["token"])
    found = _read(request)
    if found is None:
        for problem in problems:
            messages.warning(request, problem["message"])
        return redirect("shop:basket")
    now = what_is_shown(found)
    changed = changes(shown, now, method=request.POST.get("shipping_method", ""))
    return _page(
        request,
        found,
        form=form,
        key=key,
        notices=_beside_their_fields(form, problems, explained=bool(changed)),
        changed=changed,
        is_code_refused=any(problem["code"] == "VOUCHER_NOT_APPLICABLE" for problem in problems),
        status=422,
    )


def _look_again(request: HttpRequest, *, token: str) -> HttpResponse:
    """The session knows nothing of that page: it is drawn anew, with all that was typed, to be looked at once more."""
    if not basket.token(request):
        basket.take_up(request, token=token)
    found = _read(request)
    if found is None or str(found["token"]) != token:
        messages.warning(
            request,
            _("This basket has been ordered, or has changed. Please look at it again."),
        )
        return redirect("shop:basket")
    return _page(
        request,
        found,
        typed=_typed(request),
        key=uuid.uuid4().hex,
        notices=[_("This page was open for long. Please look it over once more, then order.")],
        status=422,
    )


def _order(
    request: HttpRequest,
    *,
    form: CheckoutForm,
    token: str,
    key: str,
    shown: dict[str, Any],
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    chosen = form.cleaned_data["shipping_method"]
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
            "expectedTotal": str(total_of(shown, method=chosen)),
        },
    )["orderPlace"]
    return answer["order"], answer["errors"]


def _beside_their_fields(form: CheckoutForm, problems: list[dict[str, Any]], *, explained: bool) -> list[str]:
    """Puts each error of the API beside its field; returns the messages that have none.

    explained: what has changed is said line by line, so the API's own sentence about the total is not needed.
    """
    notices = []
    for problem in problems:
        if explained and problem["code"] == "BASKET_CHANGED":
            continue
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
    messages.success(request, _("The basket now holds what is left. Have a look, then order."))
    return _page(request, found, typed=_typed(request), key=uuid.uuid4().hex)


def _read_pasted(request: HttpRequest) -> HttpResponse:
    """What was pasted goes into its fields, for the buyer to look at; what was typed elsewhere stays."""
    found = _read(request)
    if found is None:
        return redirect("shop:basket")
    typed = with_pasted(request, _typed(request))
    _keep_typed(request, typed)
    return _page(request, found, typed=typed, key=_key(request))


def _take_saved(request: HttpRequest) -> HttpResponse:
    """One of the buyer's saved addresses is who and where; what was typed elsewhere stays."""
    found = _read(request)
    if found is None:
        return redirect("shop:basket")
    saved = saved_addresses(request)
    typed = with_saved(request, _typed(request), saved=saved, key=request.POST["saved"])
    _keep_typed(request, typed)
    return _page(request, found, typed=typed, key=_key(request), saved=saved)


def _change_code(request: HttpRequest) -> HttpResponse:
    """A voucher is used or taken out; what was typed stays."""
    refused = ""
    try:
        if "remove_code" in request.POST:
            basket.remove_code(request, code=request.POST["remove_code"])
        else:
            basket.add_code(request, code=request.POST.get("code", ""))
    except CodeRefused as error:
        refused = str(error)
    found = _read(request)
    if found is None:
        return redirect("shop:basket")
    return _page(
        request,
        found,
        typed=_typed(request),
        key=_key(request),
        code_problem=refused,
        status=422 if refused else 200,
    )


def _renew_lists(request: HttpRequest) -> HttpResponse:
    """Without JavaScript: the lists below what was chosen; what is not in them any more has to be chosen again."""
    found = _read(request)
    if found is None:
        return redirect("shop:basket")
    return _page(request, found, typed=with_fitting_lists(request, _typed(request)), key=_key(request))


@require_safe
@cache_control(public=True, max_age=24 * 60 * 60)
def divisions(request: HttpRequest) -> JsonResponse:
    """The lists below a province, a city and a district, for the page's own script."""
    found = places_below(request, request.GET)
    return JsonResponse(
        {
            "city": found.cities,
            "district": found.districts,
            "town": found.towns,
            "postcode": found.postcode,
        }
    )


def _key(request: HttpRequest) -> str:
    return request.POST.get("key", "")[:64] or uuid.uuid4().hex


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
                "postalCode": POSTCODE,
            },
        )
        found = basket.read(request)
    return found


def _shown(request: HttpRequest, key: str) -> dict[str, Any] | None:
    """What the page of that key was drawn with."""
    found: dict[str, Any] | None = (request.session.get(_SHOWN) or {}).get(key)
    return found


def _remember_what_is_shown(request: HttpRequest, found: dict[str, Any], *, key: str) -> dict[str, Any]:
    shown = what_is_shown(found)
    others = {each: page for each, page in (request.session.get(_SHOWN) or {}).items() if each != key}
    request.session[_SHOWN] = dict([*others.items(), (key, shown)][-_MOST_PAGES:])
    return shown


def _what_is_known(request: HttpRequest, saved: list[dict[str, Any]]) -> dict[str, str]:
    """A signed-in buyer's own name, and the address that the checkout begins with."""
    person = session.person(request)
    if person is None:
        return {}
    known = {"email": person.email, "name": person.name}
    for address in saved[:1]:
        if address["is_default"]:
            known |= {field: address[field] for field in ("name", "phone", *PLACE)}
    return known


def _page(
    request: HttpRequest,
    found: dict[str, Any],
    *,
    key: str,
    typed: dict[str, Any] | None = None,
    form: CheckoutForm | None = None,
    saved: list[dict[str, Any]] | None = None,
    notices: list[str] | None = None,
    changed: list[str] | None = None,
    code_problem: str = "",
    is_code_refused: bool = False,
    status: int = 200,
) -> HttpResponse:
    """typed: what stands in the fields, where nothing was checked yet; form: where it was.

    saved: the buyer's saved addresses, where they were read already.
    """
    shown = _remember_what_is_shown(request, found, key=key)
    if form is None:
        form = CheckoutForm(methods=shown["methods"], **begun_with(request, typed or {}))
    fields = {name: form[name].value() for name in PlaceForm.base_fields}
    choices = [
        {**address, "is_chosen": is_same_place(address, fields)}
        for address in (saved_addresses(request) if saved is None else saved)
    ]
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
    context = {
        "here": "basket",
        "form": form,
        "saved": choices,
        "key": key,
        "basket_token": found["token"],
        "lines": lines,
        "subtotal": subtotal,
        "deliveries": deliveries,
        "due": subtotal - Decimal(shown["discount"]),
        "total": total_of(shown, method=chosen),
        "voucher": found["voucher"],
        "code": request.POST.get("code", "") if code_problem else "",
        "code_problem": code_problem,
        "is_code_refused": is_code_refused,
        "changed": changed or [],
        "pay_on_collection": PAY_ON_COLLECTION,
        "has_fresh": any(not line.is_returnable for line in lines),
        "is_short": any(line.is_short for line in lines),
        "notices": notices or [],
        "towns": form.places.towns,
        "is_demo": any(line.is_demo for line in lines),
    }
    return render(request, "shop/checkout.html", context, status=status)
