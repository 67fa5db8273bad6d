from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from storefront_theme.same_origin import same_origin_form
from storefront_theme.session import next_or
from storefront_theme.shop import basket
from storefront_theme.shop.basket import MOST_OF_ONE_PACK, BasketRefused, CodeRefused
from storefront_theme.shop.basket_lines import read_lines
from storefront_theme.shop.delivery import deliveries


@require_http_methods(["GET", "HEAD", "POST"])
def basket_page(request: HttpRequest) -> HttpResponse:
    """What was put in, and what of it is still there. A post uses a code, or takes it out."""
    if request.method != "POST":
        return render(request, "shop/basket.html", basket_context(request))
    try:
        if "remove_code" in request.POST:
            basket.remove_code(request, code=request.POST["remove_code"])
        else:
            basket.add_code(request, code=request.POST.get("code", ""))
    except CodeRefused as refused:
        typed = {"code": request.POST.get("code", ""), "code_problem": str(refused)}
        return render(request, "shop/basket.html", basket_context(request) | typed, status=422)
    return redirect("shop:basket")


def basket_context(request: HttpRequest) -> dict[str, Any]:
    """The basket as a page shows it."""
    checkout = basket.read(request)
    lines = read_lines(checkout)
    voucher = checkout["voucher"] if checkout else None
    subtotal = Decimal(str(checkout["subtotalPrice"]["gross"]["amount"])) if checkout else Decimal(0)
    shelf_lives = [line.shelf_life_days for line in lines if line.shelf_life_days is not None]
    return {
        "here": "basket",
        "lines": lines,
        "subtotal": subtotal,
        "voucher": voucher,
        "due": subtotal - Decimal(str(voucher["discount"]["amount"])) if voucher else subtotal,
        "delivery": deliveries(now=timezone.now(), shelf_life_days=min(shelf_lives, default=None)),
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
