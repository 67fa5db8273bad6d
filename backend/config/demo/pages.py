"""The shop's own facts, its pages and menus, and the town's campaigns."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.sites.models import Site
from saleor.account.models import Address
from saleor.core.weight import WeightUnits
from saleor.menu.models import Menu, MenuItem, MenuItemTranslation
from saleor.page.models import Page, PageTranslation
from saleor.product.models import Category, Collection
from saleor.site.models import SiteSettings, SiteSettingsTranslation

from backend.brand.models import Campaign
from backend.common.draft import draft_js
from backend.config.demo.files import read_json
from backend.config.demo.records import ENGLISH, ensure


def load_site(*, menus: dict[str, Menu], collection: Collection) -> None:
    """Name the shop once, and keep its address that of PUBLIC_URL, which is the machine's affair."""
    facts = read_json("shop")
    site = ensure(Site, pk=settings.SITE_ID, values={"domain": settings.PUBLIC_HOST, "name": facts["name"]})
    if site.domain != settings.PUBLIC_HOST:
        site.domain = settings.PUBLIC_HOST
        site.save(update_fields=["domain"])
    shop = ensure(SiteSettings, site=site)
    if shop.top_menu_id is not None and shop.company_address_id is not None:
        return
    site.name = facts["name"]
    site.save(update_fields=["name"])
    shop.header_text = facts["header_text"]
    shop.description = facts["description"]
    shop.top_menu = menus["navbar"]
    shop.bottom_menu = menus["footer"]
    shop.homepage_collection = collection
    shop.include_taxes_in_prices = True
    shop.display_gross_prices = True
    shop.charge_taxes_on_shipping = False
    shop.track_inventory_by_default = True
    shop.default_weight_unit = WeightUnits.GRAM
    shop.default_mail_sender_name = facts["name"]
    shop.company_address = Address.objects.create(**facts["company_address"])
    shop.save()
    ensure(
        SiteSettingsTranslation,
        site_settings=shop,
        language_code=ENGLISH,
        values={"header_text": facts["header_text_en"], "description": facts["description_en"]},
    )


def load_pages() -> dict[str, Page]:
    """Saleor's pages by slug."""
    pages = {}
    for facts in read_json("pages"):
        page = ensure(
            Page,
            slug=facts["slug"],
            values={
                "title": facts["title"],
                "content": "\n\n".join(facts["body"]),
                "content_json": draft_js(*facts["body"]),
                "seo_title": facts["title"],
                "is_published": True,
            },
        )
        ensure(
            PageTranslation,
            page=page,
            language_code=ENGLISH,
            values={
                "title": facts["title_en"],
                "content": "\n\n".join(facts["body_en"]),
                "content_json": draft_js(*facts["body_en"]),
                "seo_title": facts["title_en"],
            },
        )
        pages[facts["slug"]] = page
    return pages


def load_menus(*, categories: dict[str, Category], pages: dict[str, Page]) -> dict[str, Menu]:
    """The menus by name. One that has items already is left alone."""
    menus = {}
    english_categories = {
        slug: category.translations.get(language_code=ENGLISH).name for slug, category in categories.items()
    }
    english_pages = {slug: page.translations.get(language_code=ENGLISH).title for slug, page in pages.items()}
    for facts in read_json("menus"):
        menu = ensure(Menu, name=facts["name"])
        menus[facts["name"]] = menu
        if menu.items.exists():
            continue
        for entry in facts["items"]:
            values: dict[str, Any]
            if "category" in entry:
                category = categories[entry["category"]]
                values = {"name": category.name, "category": category}
                english = english_categories[entry["category"]]
            elif "page" in entry:
                page = pages[entry["page"]]
                values = {"name": page.title, "page": page}
                english = english_pages[entry["page"]]
            else:
                values = {"name": entry["name"], "url": entry["url"]}
                english = entry["name_en"]
            item = MenuItem(menu=menu, **values)
            item.save()
            ensure(MenuItemTranslation, menu_item=item, language_code=ENGLISH, values={"name": english})
    return menus


def load_campaigns() -> None:
    """What the brand page tells."""
    for order, facts in enumerate(read_json("campaigns")):
        ensure(
            Campaign,
            slug=facts["slug"],
            values={
                **{name: value for name, value in facts.items() if name != "slug"},
                "sort_order": order,
            },
        )
