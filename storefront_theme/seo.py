"""What search engines ask for before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask

# Pages of somebody, pages without end, and doors.
CLOSED = (
    "/account/",
    "/admin/",
    "/basket/",
    "/checkout/",
    "/desk/",
    "/dishes/list/",
    "/graphql/",
    "/i18n/",
    "/me/",
    "/orders/",
    "/search/",
    "/t/",
)
# A hundred goods a request; what lies beyond is found through its shelf.
MOST_REQUESTS = 50


@dataclass(frozen=True)
class Entry:
    """A page of the sitemap. changed_on: ISO date, or ''."""

    path: str
    changed_on: str = ""


@cache_control(public=True, max_age=86400)
@require_safe
def robots(_request: HttpRequest) -> HttpResponse:
    """Where robots are welcome."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED), ""]
    lines.append(f"Sitemap: {settings.PUBLIC_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@kept_page(Subject.CATALOGUE, Subject.BRAND)
@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every public page, in both languages."""
    return render(
        request,
        "sitemap.xml",
        {"entries": [*_fixed(), *_places(request), *_goods(request)], "public_url": settings.PUBLIC_URL},
        content_type="application/xml; charset=utf-8",
    )


def _fixed() -> Iterator[Entry]:
    for name in (
        "shop:home",
        "shop:calendar",
        "shop:categories",
        "shop:dishes",
        "town:brand",
        "town:villages",
    ):
        yield Entry(reverse(name))


def _places(request: HttpRequest) -> Iterator[Entry]:
    found = ask(request, "SitemapPlaces")
    for edge in found["categories"]["edges"]:
        yield Entry(reverse("shop:category", args=[edge["node"]["slug"]]))
    for kind, name in (
        ("dishes", "shop:dish"),
        ("villages", "town:village"),
        ("cooperatives", "shop:cooperative"),
    ):
        for each in found[kind]:
            yield Entry(reverse(name, args=[each["slug"]]))
    for edge in found["pages"]["edges"]:
        if edge["node"]["isPublished"]:
            yield Entry(reverse("shop:page", args=[edge["node"]["slug"]]))


def _goods(request: HttpRequest) -> Iterator[Entry]:
    after = None
    for _ in range(MOST_REQUESTS):
        found = ask(request, "Sitemap", after=after)["products"]
        for edge in found["edges"]:
            node = edge["node"]
            yield Entry(reverse("shop:product", args=[node["slug"]]), (node["updatedAt"] or "")[:10])
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]
