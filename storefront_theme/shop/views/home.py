from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask
from storefront_theme.shop.almanac import solar_term
from storefront_theme.shop.shelf import read_goods
from storefront_theme.templatetags.shop import SHANGHAI

DISHES_SHOWN = 4


@kept_page(Subject.STOCK, Subject.CATALOGUE, Subject.BRAND)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The leaf of today: the solar term, what was counted, what is in season."""
    today = timezone.now().astimezone(SHANGHAI).date()
    data = ask(request, "Home", month=today.month)
    goods = [read_goods(node) for node in data["goodsInSeason"]]
    return render(
        request,
        "shop/home.html",
        {
            "here": "home",
            "today": today,
            "term": solar_term(today),
            "goods": goods,
            "board": data["board"],
            "dishes": dishes_of_the_day(data["dishes"], day_number=today.toordinal()),
            "villages": data["villages"],
            "campaigns": data["campaigns"],
            "is_demo": data["board"]["isDemo"] or any(one.is_demo for one in goods),
        },
    )


def dishes_of_the_day(dishes: list[dict[str, Any]], *, day_number: int) -> list[dict[str, Any]]:
    """A few dishes whose first ingredient sold here is in season, others from day to day."""
    cookable = [dish for dish in dishes if _leads_in_season(dish)]
    if not cookable:
        return []
    start = day_number % len(cookable)
    return (cookable[start:] + cookable[:start])[:DISHES_SHOWN]


def _leads_in_season(dish: dict[str, Any]) -> bool:
    sold = [one["product"] for one in dish["ingredients"] if one["product"]]
    return bool(sold) and all((product["good"] or {}).get("inSeason") for product in sold)
