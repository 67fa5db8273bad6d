from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from storefront_theme.same_origin import same_origin_form
from storefront_theme.session import next_or
from storefront_theme.shop import basket
from storefront_theme.shop.basket import MOST_OF_ONE_PACK, BasketRefused
from storefront_theme.shop.basket_lines import read_lines


@require_safe
def basket_page(request: HttpRequest) -> HttpResponse:
    """What was put in, and what of it is still there."""
    return render(request, "shop/basket.html", basket_context(request))


def basket_context(request: HttpRequest) -> dict[str, Any]:
    """The basket as a page shows it."""
    checkout = basket.read(request)
    lines = read_lines(checkout)
    return {
        "here": "basket",
        "lines": lines,
        "subtotal": checkout["subtotalPrice"]["gross"] if checkout else None,
        "is_short": any(line.is_short for line in lines),
        "is_demo": any(line.is_demo for line in lines),
    }


@same_origin_form
@require_POST
def basket_add(request: HttpRequest) -> HttpResponse:
    """Puts packs into the basket and returns to where the visitor was; answers in JSON to the page's own script."""
    back = next_or(request, reverse("shop:basket"))
    said, level, status = _("In the basket."), messages.SUCCESS, 200
    try:
        basket.add(
            request,
            variant_id=request.POST.get("variant", ""),
            quantity=_quantity(request, at_least=1),
        )
    except BasketRefused as refused:
        said, level, status = str(refused), messages.WARNING, 409
    if request.accepts("application/json") and not request.accepts("text/html"):
        return JsonResponse({"count": basket.count(request), "message": said}, status=status)
    messages.add_message(request, level, said)
    return redirect(back)


@require_POST
def basket_put(request: HttpRequest) -> HttpResponse:
    """Sets the packs of one line, or of every short line to what is left."""
    try:
        if "adjust" in request.POST:
            _adjust(request)
            messages.success(
                request,
                _("The basket now holds what is left. Have a look, then order."),
            )
        else:
            # The bin's button says 0, beside the field.
            quantity = 0 if "remove" in request.POST else _quantity(request, at_least=0)
            basket.put(request, variant_id=request.POST.get("variant", ""), quantity=quantity)
    except BasketRefused as refused:
        messages.warning(request, str(refused))
    return redirect(next_or(request, reverse("shop:basket")))


def _adjust(request: HttpRequest) -> None:
    for line in read_lines(basket.read(request)):
        if line.is_short:
            basket.put(request, variant_id=line.pack.id, quantity=line.pack.left)


def _quantity(request: HttpRequest, *, at_least: int) -> int:
    written = request.POST.get("quantity", "1").strip()
    if not written.isdecimal():
        raise BasketRefused(_("Please give the number of packs in figures."))
    quantity = int(written)
    if quantity < at_least:
        return at_least
    if quantity > MOST_OF_ONE_PACK:
        raise BasketRefused(
            _("At most %(most)s packs of one good in an order.") % {"most": MOST_OF_ONE_PACK},
            left=MOST_OF_ONE_PACK,
        )
    return quantity
