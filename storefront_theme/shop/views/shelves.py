from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask
from storefront_theme.shop.narrowing import PARAMETERS, read_narrowing
from storefront_theme.shop.paging import read_page
from storefront_theme.shop.shelf import named
from storefront_theme.templatetags.shop import SHANGHAI


@kept_page(Subject.CATALOGUE)
@require_safe
def categories(request: HttpRequest) -> HttpResponse:
    """Every shelf, with one of its goods as its picture."""
    shelves = [
        {
            "slug": edge["node"]["slug"],
            "name": named(edge["node"]),
            "description": named(edge["node"], "description"),
            "total": edge["node"]["products"]["totalCount"],
            "picture": _picture(edge["node"]["products"]["edges"]),
        }
        for edge in ask(request, "Categories")["categories"]["edges"]
    ]
    return render(
        request,
        "shop/categories.html",
        {"here": "shelves", "shelves": [one for one in shelves if one["total"]]},
    )


@kept_page(Subject.STOCK, Subject.CATALOGUE, parameters=PARAMETERS)
@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """One shelf, sorted and narrowed by links."""
    data = ask(request, "Category", slug=slug)
    found = data["category"]
    if found is None:
        raise Http404(slug)
    narrowing = read_narrowing(request.GET, today=timezone.now().astimezone(SHANGHAI).date())
    wanted = {"category": slug, **narrowing.variables()}
    _answer, page = read_page(
        partial(ask, request, "Shelf", filter=wanted, sort=narrowing.order),
        query=request.GET,
        address=narrowing.query,
    )
    path = reverse("shop:category", args=[slug])
    return render(
        request,
        "shop/category.html",
        {
            "here": "shelves",
            "slug": slug,
            "name": named(found),
            "description": named(found, "description"),
            "shelves": _named_shelves(data),
            "page": page,
            "goods": page.goods,
            "narrowing": narrowing,
            "sorts": narrowing.sorts(),
            "only_there": narrowing.stock(page.facets),
            "groups": narrowing.groups(page.facets),
            "chosen": narrowing.chosen(page.facets),
            "canonical": settings.PUBLIC_URL + _address(path, narrowing.canonical_query),
            "is_demo": page.is_demo,
        },
    )


def _address(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _named_shelves(data: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"slug": edge["node"]["slug"], "name": named(edge["node"])} for edge in data["categories"]["edges"]
    ]


def _picture(edges: list[dict[str, Any]]) -> str:
    return next((edge["node"]["thumbnail"]["url"] for edge in edges if edge["node"]["thumbnail"]), "")
