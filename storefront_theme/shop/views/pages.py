from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from storefront_theme.client import ask
from storefront_theme.shop.rich_text import read_blocks
from storefront_theme.shop.shelf import in_order, named, read_goods


@require_safe
def cooperative(request: HttpRequest, slug: str) -> HttpResponse:
    """Who grew it, and all that they have."""
    found = ask(request, "Cooperative", slug=slug)["cooperative"]
    if found is None:
        raise Http404(slug)
    return render(
        request,
        "shop/cooperative.html",
        {
            "here": "villages",
            "cooperative": found,
            "goods": in_order([read_goods(node) for node in found["goods"]]),
            "is_demo": found["isDemo"],
        },
    )


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
        },
    )


@require_safe
def dish(request: HttpRequest, slug: str) -> HttpResponse:
    """What it takes, and which of it is sold here."""
    found = ask(request, "Dish", slug=slug)["dish"]
    if found is None:
        raise Http404(slug)
    ingredients = [
        {
            "name": one["name"],
            "amount": one["amount"],
            "unit": one["unit"],
            "goods": read_goods(one["product"]) if one["product"] else None,
            "alternatives": [{"slug": other["slug"], "name": named(other)} for other in one["alternatives"]],
        }
        for one in found["ingredients"]
    ]
    sold = [one["goods"] for one in ingredients if one["goods"]]
    return render(
        request,
        "shop/dish.html",
        {
            "here": "dishes",
            "dish": found,
            "ingredients": ingredients,
            "goods": sold,
            "is_demo": any(goods.is_demo for goods in sold),
        },
    )


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """A page that the shop's staff wrote."""
    found = ask(request, "ShopPage", slug=slug)["page"]
    if found is None or not found["isPublished"]:
        raise Http404(slug)
    translation = found["translation"] or {}
    return render(
        request,
        "shop/page.html",
        {
            "title": named(found, "title"),
            "blocks": read_blocks(translation.get("contentJson")) or read_blocks(found["contentJson"]),
        },
    )


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component on one page, for whoever changes them."""
    return render(request, "shop/styleguide.html", {})
