"""Search: its page, and what is suggested while somebody types."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from backend.api.executor import client_address, times
from storefront_theme.client import ask
from storefront_theme.shop.narrowing import Choice, Narrowing, read_narrowing
from storefront_theme.shop.paging import read_page
from storefront_theme.shop.shelf import Goods, named, read_goods
from storefront_theme.templatetags.shop import SHANGHAI

LONGEST_QUESTION = 60
SUGGESTED = 8
# Many phones of one carrier share an address; a person who types asks two or three times a second.
MOST_SUGGESTIONS_FROM_ADDRESS = 120
SUGGESTIONS_WINDOW_S = 10

_SORTS = {"": None, "price": "PRICE_PER_500G"}
_PAGES = {
    "PRODUCT": "shop:product",
    "DISH": "shop:dish",
    "VILLAGE": "town:village",
    "COOPERATIVE": "shop:cooperative",
}


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Goods, dishes, villages and cooperatives that a phrase names; without any, what there is instead."""
    q = _question(request)
    today = timezone.now().astimezone(SHANGHAI).date()
    narrowing = read_narrowing(request.GET, today=today, others={"q": q})
    narrowing = Narrowing(
        today=today,
        only_in_stock=narrowing.only_in_stock,
        sort=narrowing.sort if narrowing.sort in _SORTS else "",
        others={"q": q},
    )
    context: dict[str, Any] = {"here": "shelves", "q": q, "page": None, "is_found": False}
    if q:
        answer, page = read_page(
            partial(
                ask,
                request,
                "Search",
                search=q,
                inStock=narrowing.only_in_stock or None,
                sort=_SORTS[narrowing.sort],
            ),
            query=request.GET,
            address=narrowing.query,
        )
        found = answer["search"]
        places = [*_places(found["villages"], "VILLAGE"), *_places(found["cooperatives"], "COOPERATIVE")]
        meant = _dishes_meant(found["dishes"], called=found["corrected"] or q, goods=page.goods)
        context |= {
            "page": page,
            "goods": page.goods,
            "corrected": found["corrected"],
            "others": [{"text": text, "query": urlencode({"q": text})} for text in found["suggestions"]],
            "dishes": [
                dish for dish in found["dishes"] if dish["slug"] not in {one["slug"] for one in meant}
            ],
            "places": [*meant, *places],
            "sorts": _sorts(narrowing),
            "only_there": narrowing.stock(None),
            "is_found": bool(page.total or found["dishes"] or places or narrowing.only_in_stock),
            "is_demo": page.is_demo,
        }
    if not context["is_found"]:
        context |= _help(request)
    return render(request, "shop/search.html", context)


@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """JSON for the list below the search field: {"suggestions": [{"title", "also", "kind", "url"}]}."""
    if _asks_too_often(request):
        return JsonResponse(
            {"suggestions": []}, status=429, headers={"Retry-After": str(SUGGESTIONS_WINDOW_S)}
        )
    q = _question(request)
    found = ask(request, "Suggestions", search=q, first=SUGGESTED)["searchSuggestions"] if q else []
    kinds = {"PRODUCT": "", "DISH": _("dish"), "VILLAGE": _("village"), "COOPERATIVE": _("cooperative")}
    return JsonResponse(
        {
            "suggestions": [
                {
                    "title": one["title"],
                    "also": one["also"] or "",
                    "kind": kinds[one["kind"]],
                    "url": reverse(_PAGES[one["kind"]], args=[one["slug"]]),
                }
                for one in found
            ]
        },
        # By the language, which is a cookie: in nobody's cache but the browser's own.
        headers={"Cache-Control": "private, max-age=60"},
    )


def _question(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_QUESTION]


def _sorts(narrowing: Narrowing) -> list[Choice]:
    labels = {"": _("Nearest first"), "price": _("Price per 500 g")}
    return [
        Choice(label=labels[choice_key], query=choice.query, chosen=choice.chosen)
        for choice_key, choice in zip(_SORTS, narrowing.sorts(), strict=False)
    ]


def _dishes_meant(dishes: list[dict[str, str]], *, called: str, goods: list[Goods]) -> list[dict[str, str]]:
    """Dishes that stand before the goods: they are called so, and no good is."""
    if any(called in one.name for one in goods):
        return []
    return [
        {**dish, "url": reverse(_PAGES["DISH"], args=[dish["slug"]])}
        for dish in dishes
        if called in dish["name"]
    ]


def _places(found: list[dict[str, str]], kind: str) -> list[dict[str, str]]:
    return [
        {"name": one["name"], "summary": one["summary"], "url": reverse(_PAGES[kind], args=[one["slug"]])}
        for one in found
    ]


def _help(request: HttpRequest) -> dict[str, Any]:
    """For a page on which nothing was found, or nothing looked for yet."""
    today = timezone.now().astimezone(SHANGHAI).date()
    data = ask(request, "SearchHelp", month=today.month, today=today.isoformat())
    goods = [read_goods(node) for node in data["goodsInSeason"]]
    return {
        "shelves": [
            {"slug": edge["node"]["slug"], "name": named(edge["node"])}
            for edge in data["categories"]["edges"]
        ],
        "in_season": goods,
        "dishes_of_the_day": data["dishesOfTheDay"],
        "is_demo": any(one.is_demo for one in goods),
    }


def _asks_too_often(request: HttpRequest) -> bool:
    asked = times(f"suggestions-{client_address(request)}", window_s=SUGGESTIONS_WINDOW_S)
    return asked > MOST_SUGGESTIONS_FROM_ADDRESS
