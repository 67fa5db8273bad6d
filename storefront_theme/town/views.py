"""The town: its brand, its villages, and the board on the wall."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask
from storefront_theme.shop.almanac import solar_term
from storefront_theme.shop.shelf import in_order, read_goods
from storefront_theme.town.board import MAP_HEIGHT, MAP_WIDTH, draw_map, read_board

_MAP = {"map_width": MAP_WIDTH, "map_height": MAP_HEIGHT}


@kept_page(Subject.BRAND)
@require_safe
def brand(request: HttpRequest) -> HttpResponse:
    """What the name 信义 stands for, and the villages behind it."""
    answer = ask(request, "Brand")
    return render(
        request,
        "town/brand.html",
        {
            "here": "brand",
            "campaigns": answer["campaigns"],
            "villages": answer["villages"],
            "places": draw_map(villages=answer["villages"], weights=None),
        }
        | _MAP,
    )


@kept_page(Subject.BRAND)
@require_safe
def villages(request: HttpRequest) -> HttpResponse:
    """All villages, on the schematic map and as pictures."""
    found = ask(request, "Villages")["villages"]
    return render(
        request,
        "town/villages.html",
        {
            "here": "villages",
            "villages": found,
            "places": draw_map(villages=found, weights=None),
        }
        | _MAP,
    )


@kept_page(Subject.STOCK, Subject.CATALOGUE, Subject.BRAND)
@require_safe
def village(request: HttpRequest, slug: str) -> HttpResponse:
    """One village: its story, its cooperatives, its goods."""
    answer = ask(request, "Village", slug=slug)
    if answer["village"] is None:
        raise Http404("no such village")
    goods = in_order([read_goods(node) for node in answer["village"]["goods"]])
    return render(
        request,
        "town/village.html",
        {
            "here": "villages",
            "village": answer["village"],
            "goods": goods,
            "others": [other for other in answer["villages"] if other["slug"] != slug],
            "is_demo": any(one.is_demo for one in goods),
        },
    )


@never_cache
@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    """The board for the town hall's screen: figures of this moment."""
    answer = ask(request, "Board")
    board = read_board(board=answer["board"], villages=answer["villages"])
    today = timezone.localtime(board.as_of).date()
    return render(
        request,
        "town/wall.html",
        {"board": board, "today": today, "term": solar_term(today)} | _MAP,
    )
