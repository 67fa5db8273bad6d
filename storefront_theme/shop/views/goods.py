from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ask
from storefront_theme.shop.delivery import deliveries
from storefront_theme.shop.rich_text import Block, read_blocks
from storefront_theme.shop.shelf import Goods, named, read_goods
from storefront_theme.templatetags.shop import SHANGHAI
from storefront_theme.town.board import MAP_HEIGHT, MAP_WIDTH, draw_map

STORAGES = {
    "COLD": lambda: _("in the fridge, 0–5 °C"),
    "COOL": lambda: _("somewhere cool, 8–12 °C"),
    "ROOM": lambda: _("at room temperature"),
}


@kept_page(Subject.STOCK, Subject.CATALOGUE, Subject.BRAND, parameters=["pack"])
@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One good: what it costs, who grew it and when it was counted."""
    answer = ask(request, "Product", slug=slug)
    node = answer["product"]
    if node is None or not node["isPublished"]:
        raise Http404(slug)
    goods, good = read_goods(node), node["good"] or {}
    url = f"{settings.PUBLIC_URL}/p/{goods.slug}/"
    month = timezone.now().astimezone(SHANGHAI).month
    wanted = request.GET.get("pack")
    chosen = next((pack for pack in goods.packs if pack.id == wanted and pack.left), goods.pack)
    description = _description(node)
    return render(
        request,
        "shop/product.html",
        {
            "here": "shelves",
            "goods": goods,
            "good": good,
            "chosen": chosen,
            "waited": [pack for pack in goods.packs if not pack.left],
            "trail": _trail(node["category"]),
            "description": description,
            "summary": description[0].texts[0] if description else "",
            "storage": STORAGES[good["storage"]]() if good.get("storage") else "",
            "months": [
                {
                    "number": number,
                    "inside": number in goods.season_months,
                    "now": number == month,
                }
                for number in range(1, 13)
            ],
            "dishes": node["dishes"],
            "pictures": node["images"],
            "lots": [source for source in goods.sources if source.lot],
            "delivery": deliveries(now=timezone.now(), shelf_life_days=good.get("shelfLifeDays")),
            "places": draw_map(villages=answer["villages"], weights=None) if good.get("village") else (),
            "grown_in": good["village"]["slug"] if good.get("village") else "",
            "map_width": MAP_WIDTH,
            "map_height": MAP_HEIGHT,
            "is_demo": goods.is_demo,
            "canonical": url,
            "structured": [
                _structured(goods, url=url, description=description, category=named(node["category"])),
                _crumbs(goods, category=node["category"], url=url),
            ],
        },
    )


def _description(node: dict[str, Any]) -> list[Block]:
    translation = node["translation"] or {}
    for source in (translation, node):
        blocks = read_blocks(source.get("descriptionJson"))
        if blocks:
            return blocks
        plain = (source.get("description") or "").strip()
        if plain:
            return [Block("paragraph", (plain,))]
    return []


def _structured(goods: Goods, *, url: str, description: list[Block], category: str) -> dict[str, Any]:
    """schema.org's Product, as search engines read it."""
    picture = goods.picture
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": goods.name,
        "url": url,
        "image": picture if "://" in picture else f"{settings.PUBLIC_URL}{picture}",
        "description": description[0].texts[0] if description else goods.name,
        "category": category,
        "brand": {"@type": "Brand", "name": "信义"},
        "offers": [
            {
                "@type": "Offer",
                "sku": pack.sku,
                "name": pack.name,
                "price": f"{pack.price:.2f}",
                "priceCurrency": "CNY",
                "url": f"{url}?{urlencode({'pack': pack.id})}",
                "availability": f"https://schema.org/{'InStock' if pack.left else 'OutOfStock'}",
            }
            for pack in goods.packs
        ],
    }


def _trail(category: dict[str, Any] | None) -> list[tuple[str, str]]:
    """(name, address) of the places above a good."""
    trail = [(_("All goods"), reverse("shop:categories"))]
    if category:
        trail.append((named(category), reverse("shop:category", args=[category["slug"]])))
    return trail


def _crumbs(goods: Goods, *, category: dict[str, Any] | None, url: str) -> dict[str, Any]:
    """schema.org's BreadcrumbList: where the good stands in the shop."""
    places = [(name, f"{settings.PUBLIC_URL}{address}") for name, address in _trail(category)]
    places.append((goods.name, url))
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": address}
            for number, (name, address) in enumerate(places, start=1)
        ],
    }
