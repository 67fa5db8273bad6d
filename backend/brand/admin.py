"""What the town tells: campaigns, and Saleor's pages and menus."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from saleor.menu.models import Menu, MenuItem, MenuItemTranslation
from saleor.page.models import Page, PageTranslation

from backend.brand.models import Campaign
from backend.common.admin import (
    DraftForm,
    SaleorPermissionAdmin,
    SaleorPermissionStackedInline,
    SaleorPermissionTabularInline,
    name_in_admin,
    validate_link,
)

name_in_admin(
    Page,
    name=_("page"),
    plural=_("pages"),
    fields={
        "slug": _("name in addresses"),
        "title": _("title"),
        "content": _("text"),
        "is_published": _("published"),
        "publication_date": _("published from"),
        "seo_title": _("title for search engines"),
        "seo_description": _("summary for search engines"),
    },
)
name_in_admin(
    PageTranslation,
    name=_("translation"),
    plural=_("translations"),
    fields={"language_code": _("language"), "title": _("title"), "content": _("text")},
)
name_in_admin(Menu, name=_("menu"), plural=_("menus"), fields={"name": _("name")})
name_in_admin(
    MenuItem,
    name=_("entry of a menu"),
    plural=_("entries of menus"),
    fields={
        "menu": _("menu"),
        "parent": _("belongs to"),
        "name": _("name"),
        "url": _("address"),
        "category": _("category"),
        "collection": _("collection"),
        "page": _("page"),
    },
)
name_in_admin(
    MenuItemTranslation,
    name=_("translation"),
    plural=_("translations"),
    fields={"language_code": _("language"), "name": _("name")},
)


@admin.register(Campaign)
class CampaignAdmin(SaleorPermissionAdmin):
    permission = "page.manage_pages"
    list_display = ("title", "title_en", "is_published", "sort_order")
    search_fields = ("title", "title_en")
    prepopulated_fields = {"slug": ("title_en",)}


class ContentForm(DraftForm):
    """As DraftForm, for the text of a page."""

    text_field = "content"


class PageTranslationInline(SaleorPermissionStackedInline):
    model = PageTranslation
    form = ContentForm
    permission = "page.manage_pages"
    fields = ("language_code", "title", "content", "seo_title", "seo_description")


@admin.register(Page)
class PageAdmin(SaleorPermissionAdmin):
    permission = "page.manage_pages"
    form = ContentForm
    list_display = ("title", "slug", "is_published", "publication_date")
    search_fields = ("title", "slug", "content")
    fields = ("title", "slug", "is_published", "publication_date", "content", "seo_title", "seo_description")
    inlines = (PageTranslationInline,)


class MenuItemForm(forms.ModelForm):
    """An entry that may lead to a page of this shop. Saleor's own field, url, takes whole addresses only."""

    link = forms.CharField(label=_("address"), max_length=256, required=False, validators=[validate_link])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["link"] = self.instance.url or ""

    def save(self, commit: bool = True) -> Any:
        self.instance.url = self.cleaned_data.get("link") or None
        return super().save(commit=commit)


class MenuItemInline(SaleorPermissionTabularInline):
    model = MenuItem
    form = MenuItemForm
    permission = "menu.manage_menus"
    fields = ("name", "link", "category", "collection", "page", "parent")
    show_change_link = True


@admin.register(Menu)
class MenuAdmin(SaleorPermissionAdmin):
    permission = "menu.manage_menus"
    list_display = ("name",)
    fields = ("name",)
    inlines = (MenuItemInline,)


class MenuItemTranslationInline(SaleorPermissionTabularInline):
    model = MenuItemTranslation
    permission = "menu.manage_menus"


@admin.register(MenuItem)
class MenuItemAdmin(SaleorPermissionAdmin):
    permission = "menu.manage_menus"
    form = MenuItemForm
    list_display = ("name", "menu", "parent", "url")
    list_filter = ("menu",)
    list_select_related = ("menu", "parent")
    fields = ("menu", "parent", "name", "link", "category", "collection", "page")
    inlines = (MenuItemTranslationInline,)
