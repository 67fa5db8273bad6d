"""Goods and dishes: what this shop adds, and Saleor's products, packs, categories and collections."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from measurement.measures import Weight
from saleor.product.models import (
    Category,
    CategoryTranslation,
    Collection,
    CollectionProduct,
    CollectionTranslation,
    Product,
    ProductImage,
    ProductTranslation,
    ProductType,
    ProductVariant,
    ProductVariantTranslation,
)
from saleor.product.tasks import update_product_minimal_variant_price_task

from backend.catalogue.models import Dish, FoodLabel, Good, Ingredient
from backend.common.admin import (
    DraftForm,
    SaleorPermissionAdmin,
    SaleorPermissionStackedInline,
    SaleorPermissionTabularInline,
    name_in_admin,
)

PERMISSION = "product.manage_products"

_NAMED = {"name": _("name"), "slug": _("name in addresses")}
_TOLD = {
    **_NAMED,
    "description": _("description"),
    "seo_title": _("title for search engines"),
    "seo_description": _("summary for search engines"),
}
_TRANSLATED = {"language_code": _("language"), "name": _("name"), "description": _("description")}

name_in_admin(
    Category, name=_("category"), plural=_("categories"), fields={**_TOLD, "parent": _("belongs to")}
)
name_in_admin(CategoryTranslation, name=_("translation"), plural=_("translations"), fields=_TRANSLATED)
name_in_admin(
    Collection,
    name=_("collection"),
    plural=_("collections"),
    fields={**_TOLD, "is_published": _("published")},
)
name_in_admin(CollectionTranslation, name=_("translation"), plural=_("translations"), fields=_TRANSLATED)
name_in_admin(CollectionProduct, name=_("product"), plural=_("products"), fields={"product": _("product")})
name_in_admin(ProductType, name=_("product type"), plural=_("product types"), fields=_NAMED)
name_in_admin(
    Product,
    name=_("product"),
    plural=_("products"),
    fields={
        **_TOLD,
        "product_type": _("product type"),
        "category": _("category"),
        "price_amount": _("price, CNY"),
        "is_published": _("published"),
        "publication_date": _("published from"),
    },
)
name_in_admin(ProductTranslation, name=_("translation"), plural=_("translations"), fields=_TRANSLATED)
name_in_admin(
    ProductImage,
    name=_("picture"),
    plural=_("pictures"),
    fields={"image": _("picture"), "alt": _("what it shows")},
)
name_in_admin(
    ProductVariant,
    name=_("pack on sale"),
    plural=_("packs on sale"),
    fields={
        "sku": _("code"),
        "name": _("name"),
        "product": _("product"),
        "price_override_amount": _("price, CNY"),
        "track_inventory": _("stock is counted"),
    },
)
name_in_admin(
    ProductVariantTranslation,
    name=_("translation"),
    plural=_("translations"),
    fields={"language_code": _("language"), "name": _("name")},
)


class TranslationInline(SaleorPermissionStackedInline):
    """What Saleor translates of a thing with a description."""

    form = DraftForm
    permission = PERMISSION
    fields = ("language_code", "name", "description", "seo_title", "seo_description")


class CategoryTranslationInline(TranslationInline):
    model = CategoryTranslation


@admin.register(Category)
class CategoryAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    form = DraftForm
    list_display = ("name", "slug", "parent")
    search_fields = ("name", "slug")
    list_select_related = ("parent",)
    ordering = ("tree_id", "lft")
    fields = ("name", "slug", "parent", "description", "background_image", "seo_title", "seo_description")
    inlines = (CategoryTranslationInline,)


class CollectionTranslationInline(TranslationInline):
    model = CollectionTranslation


class CollectionProductInline(SaleorPermissionTabularInline):
    model = CollectionProduct
    permission = PERMISSION
    fields = ("product",)
    autocomplete_fields = ("product",)


@admin.register(Collection)
class CollectionAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    form = DraftForm
    list_display = ("name", "slug", "is_published")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "is_published", "description", "seo_title", "seo_description")
    inlines = (CollectionTranslationInline, CollectionProductInline)


@admin.register(ProductType)
class ProductTypeAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    list_display = ("name", "slug")
    fields = ("name", "slug", "is_shipping_required")


class GoodInline(SaleorPermissionStackedInline):
    model = Good
    permission = PERMISSION
    can_delete = False


class ProductTranslationInline(TranslationInline):
    model = ProductTranslation


class ProductImageInline(SaleorPermissionTabularInline):
    model = ProductImage
    permission = PERMISSION
    fields = ("image", "alt")


class PackOnSaleForm(forms.ModelForm):
    """A variant with its net weight in grams. Saleor's own field asks for a number and one of four units."""

    net_weight_g = forms.IntegerField(
        label=_("net weight, g"),
        required=False,
        min_value=1,
        help_text=_("Empty for what is sold by the piece; the price per 500 g follows from it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        weight = self.instance.weight
        if weight is not None:
            self.initial["net_weight_g"] = round(weight.g)

    def save(self, commit: bool = True) -> Any:
        grams = self.cleaned_data.get("net_weight_g")
        self.instance.weight = Weight(g=grams) if grams else None
        return super().save(commit=commit)


class PackOnSaleInline(SaleorPermissionTabularInline):
    model = ProductVariant
    form = PackOnSaleForm
    permission = PERMISSION
    fields = ("sku", "name", "price_override_amount", "net_weight_g", "track_inventory")
    show_change_link = True


@admin.register(Product)
class ProductAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    form = DraftForm
    list_display = (
        "name",
        "category",
        "price_amount",
        "minimal_variant_price_amount",
        "is_published",
        "updated_at",
    )
    list_filter = ("category", "is_published", "product_type")
    search_fields = ("name", "slug", "variants__sku", "good__pinyin")
    list_select_related = ("category",)
    fields = (
        "name",
        "slug",
        "product_type",
        "category",
        "price_amount",
        "is_published",
        "publication_date",
        "description",
        "seo_title",
        "seo_description",
    )
    inlines = (GoodInline, PackOnSaleInline, ProductImageInline, ProductTranslationInline)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        _update_lowest_price(product_pk=form.instance.pk)


class PackTranslationInline(SaleorPermissionTabularInline):
    model = ProductVariantTranslation
    permission = PERMISSION


@admin.register(ProductVariant)
class PackOnSaleAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    form = PackOnSaleForm
    list_display = ("sku", "product", "name", "price_override_amount")
    search_fields = ("sku", "name", "product__name")
    list_select_related = ("product",)
    fields = ("product", "sku", "name", "price_override_amount", "net_weight_g", "track_inventory")
    autocomplete_fields = ("product",)
    inlines = (PackTranslationInline,)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _update_lowest_price(product_pk=obj.product_id)


def _update_lowest_price(*, product_pk: int) -> None:
    """Saleor keeps a product's lowest price beside it, for sorting; its own mutations queue the same task."""
    transaction.on_commit(lambda: update_product_minimal_variant_price_task.delay(product_pk))


class IngredientInline(SaleorPermissionTabularInline):
    model = Ingredient
    permission = PERMISSION
    autocomplete_fields = ("product", "alternatives")


@admin.register(Dish)
class DishAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    list_display = ("name", "name_en", "serves", "sort_order")
    search_fields = ("name", "name_en")
    inlines = (IngredientInline,)


@admin.register(Good)
class GoodAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    list_display = ("product", "pinyin", "village", "storage", "shelf_life_days", "is_returnable", "is_demo")
    list_filter = ("village", "storage", "is_returnable")
    search_fields = ("product__name", "pinyin")
    list_select_related = ("product", "village")
    autocomplete_fields = ("product",)


@admin.register(FoodLabel)
class FoodLabelAdmin(SaleorPermissionAdmin):
    permission = PERMISSION
    list_display = ("good", "producer", "licence_number", "is_demo")
    search_fields = ("good__product__name", "producer", "licence_number")
    list_select_related = ("good__product",)
    raw_id_fields = ("good",)
