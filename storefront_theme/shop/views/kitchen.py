"""Shop by dish: choose what to cook, get all that it takes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask
from storefront_theme.same_origin import same_origin_form
from storefront_theme.shop import basket
from storefront_theme.shop.basket import BasketRefused
from storefront_theme.shop.recipes import USUAL_PEOPLE, Cooking, ShoppingList, read_list


@kept_page(Subject.STOCK, Subject.CATALOGUE)
@require_safe
def dishes(request: HttpRequest) -> HttpResponse:
    """Every dish; those first whose ingredients are all in season."""
    found = ask(request, "Dishes")["dishes"]
    for one in found:
        sold = [ingredient["product"] for ingredient in one["ingredients"] if ingredient["product"]]
        one["inSeason"] = bool(sold) and all((product["good"] or {}).get("inSeason") for product in sold)
    return render(
        request,
        "shop/dishes.html",
        {
            "here": "dishes",
            "dishes": sorted(found, key=lambda one: not one["inSeason"]),
            "people": USUAL_PEOPLE,
        },
    )


@kept_page(Subject.STOCK, Subject.CATALOGUE, parameters={"people"})
@require_safe
def dish(request: HttpRequest, slug: str) -> HttpResponse:
    """What one dish takes, and all of it for the basket."""
    given = request.GET.copy()
    given.setlist("dish", [slug])
    found = read_list(request, Cooking.read(given))
    if not found.dishes:
        raise Http404(slug)
    return render(request, "shop/dish.html", _context(found, dish=found.dishes[0]))


@require_safe
def shopping(request: HttpRequest) -> HttpResponse:
    """What several dishes take together."""
    return render(request, "shop/shopping.html", _context(read_list(request, Cooking.read(request.GET))))


@kept_page(Subject.STOCK, Subject.CATALOGUE, parameters={"people"})
@require_safe
def week(request: HttpRequest) -> HttpResponse:
    """Seven days' dishes from what is in season and in the sheds."""
    cooking = Cooking.read(request.GET)
    days = [
        {
            "date": parse_date(day["date"]),
            "dishes": day["dishes"],
            "query": Cooking(dishes=_slugs(day), people=cooking.people).query(),
        }
        for day in ask(request, "WeekMenu", startsOn=str(timezone.localdate()))["weekMenu"]
        if day["dishes"]
    ]
    everything = tuple(dish["slug"] for day in days for dish in day["dishes"])
    return render(
        request,
        "shop/week.html",
        {
            "here": "dishes",
            "days": days,
            "people": cooking.people,
            "query": Cooking(dishes=everything, people=cooking.people).query(),
        },
    )


def _slugs(day: dict[str, Any]) -> tuple[str, ...]:
    return tuple(dish["slug"] for dish in day["dishes"])


@same_origin_form
@require_POST
def shopping_put(request: HttpRequest) -> HttpResponse:
    """Puts all of a list into the basket, or nothing: what was on the page must be what there is now."""
    given = QueryDict(request.POST.get("list", ""))
    cooking = Cooking.read(given)
    found = read_list(request, cooking)
    back = f"{reverse('shop:shopping')}?{cooking.query()}"
    if [f"{packs.id}:{packs.quantity}" for packs in found.packs] != request.POST.getlist("pack"):
        messages.warning(
            request,
            _("What is in the sheds has just changed. Here is the list as it is now; nothing was bought."),
        )
        return redirect(back)
    if not found.packs:
        return redirect(back)
    try:
        basket.add_all(request, lines=[(packs.id, packs.quantity) for packs in found.packs])
    except BasketRefused as refused:
        messages.warning(request, str(refused))
        return redirect(back)
    messages.success(
        request,
        ngettext(
            "%(count)s pack is in the basket: all that is sold here for your dishes.",
            "%(count)s packs are in the basket: all that is sold here for your dishes.",
            found.count,
        )
        % {"count": found.count},
    )
    return redirect("shop:basket")


def _context(found: ShoppingList, **more: Any) -> dict[str, Any]:
    return {"here": "dishes", "list": found, "is_demo": found.is_demo, **more}
