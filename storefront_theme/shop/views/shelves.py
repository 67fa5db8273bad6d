from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ApiError, ask
from storefront_theme.shop.paging import PAGE, ShelfPage, read_page
from storefront_theme.shop.shelf import in_order, named

SORTS = {
    "": (_("Today’s first"), {"field": "NAME", "direction": "ASC"}),
    "price": (_("Price, low first"), {"field": "MINIMAL_PRICE", "direction": "ASC"}),
    "price-desc": (
        _("Price, high first"),
        {"field": "MINIMAL_PRICE", "direction": "DESC"},
    ),
}


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


@kept_page(Subject.STOCK, Subject.CATALOGUE, parameters=["sort", "stock", "after"])
@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """One shelf, sorted and narrowed by links."""
    data = ask(request, "Category", slug=slug)
    found = data["category"]
    if found is None:
        raise Http404(slug)
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else ""
    only_in_stock = request.GET.get("stock") == "in"
    page = _page(
        request,
        "CategoryGoods",
        category=found["id"],
        inStock="IN_STOCK" if only_in_stock else None,
        sort=SORTS[sort][1],
    )
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
            "goods": page.goods if sort else in_order(page.goods),
            "sorts": [(key, label) for key, (label, _order) in SORTS.items()],
            "sort": sort,
            "only_in_stock": only_in_stock,
            "is_demo": page.is_demo,
        },
    )


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Goods whose names or descriptions hold what was typed."""
    q = request.GET.get("q", "").strip()[:60]
    page = _page(request, "Search", search=q) if q else None
    return render(
        request,
        "shop/search.html",
        {"here": "shelves", "q": q, "page": page, "goods": in_order(page.goods) if page else []},
    )


def _page(request: HttpRequest, operation: str, **variables: Any) -> ShelfPage:
    after = request.GET.get("after") or None
    try:
        answer = ask(request, operation, first=PAGE, after=after, **variables)
    except ApiError as error:
        # Saleor breaks, in several ways, on a place in the list that it never gave out.
        if after is None:
            raise
        raise Http404(after) from error
    return read_page(answer["products"], query=request.GET)


def _named_shelves(data: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"slug": edge["node"]["slug"], "name": named(edge["node"])} for edge in data["categories"]["edges"]
    ]


def _picture(edges: list[dict[str, Any]]) -> str:
    return next((edge["node"]["thumbnail"]["url"] for edge in edges if edge["node"]["thumbnail"]), "")
