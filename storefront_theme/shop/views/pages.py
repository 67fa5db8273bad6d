from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask
from storefront_theme.shop.rich_text import read_blocks
from storefront_theme.shop.shelf import in_order, named, read_goods


@kept_page(Subject.STOCK, Subject.CATALOGUE, Subject.BRAND)
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


@kept_page(Subject.BRAND)
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
