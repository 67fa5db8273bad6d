from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask
from storefront_theme.shop.almanac import solar_term
from storefront_theme.shop.calendar import read_year
from storefront_theme.shop.shelf import read_goods
from storefront_theme.templatetags.shop import SHANGHAI

SOON_SHOWN = 8
CORRIDOR = "baili-chuancai-changlang"


@kept_page(Subject.STOCK, Subject.CATALOGUE, Subject.BRAND)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The leaf of today: the solar term, what was counted, what is in season, and what comes next."""
    today = timezone.now().astimezone(SHANGHAI).date()
    data = ask(request, "Home", month=today.month, today=today.isoformat())
    goods = [read_goods(node) for node in data["goodsInSeason"]]
    corridor = next((one for one in data["campaigns"] if one["slug"] == CORRIDOR), None)
    return render(
        request,
        "shop/home.html",
        {
            "here": "home",
            "today": today,
            "term": solar_term(today),
            "next_term": solar_term(solar_term(today).last + timedelta(days=1)),
            "goods": goods,
            "board": data["board"],
            "dishes": data["dishesOfTheDay"],
            "soon": read_year(data["seasonalGoods"], month=today.month).soon[:SOON_SHOWN],
            "villages": data["villages"],
            "cooperatives": data["cooperatives"],
            "corridor": corridor,
            "campaigns": [one for one in data["campaigns"] if one is not corridor],
            "structured": _structured(),
            "is_demo": data["board"]["isDemo"] or any(one.is_demo for one in goods),
        },
    )


@kept_page(Subject.CATALOGUE)
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """The park's year, month by month."""
    today = timezone.now().astimezone(SHANGHAI).date()
    year = read_year(ask(request, "Calendar")["seasonalGoods"], month=today.month)
    return render(
        request,
        "shop/calendar.html",
        {
            "here": "calendar",
            "month": today.month,
            "term": solar_term(today),
            "parts": [
                {"title": title, "seasons": [(one, one.cells(today.month)) for one in seasons]}
                for title, seasons in (
                    (_("There now"), year.now),
                    (_("In the next two months"), year.soon),
                    (_("Later in the year"), year.later),
                )
                if seasons
            ],
        },
    )


def _structured() -> dict[str, Any]:
    """schema.org's Store and its search."""
    return {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": "信义菜篮",
        "alternateName": "Xinyi Basket",
        "url": f"{settings.PUBLIC_URL}/",
        "potentialAction": {
            "@type": "SearchAction",
            "target": f"{settings.PUBLIC_URL}{reverse('shop:search')}?q={{q}}",
            "query-input": "required name=q",
        },
    }
