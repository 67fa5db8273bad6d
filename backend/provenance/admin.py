"""Harvest lots and their certificates."""

from __future__ import annotations

from django.contrib import admin

from backend.common.admin import SaleorPermissionAdmin
from backend.provenance.models import HarvestLot


@admin.register(HarvestLot)
class HarvestLotAdmin(SaleorPermissionAdmin):
    permission = "product.manage_products"
    list_display = (
        "code",
        "product",
        "cooperative",
        "harvested_on",
        "best_before",
        "certificate_number",
        "is_demo",
    )
    list_filter = ("cooperative", "harvested_on")
    search_fields = ("code", "trace_code", "certificate_number", "product__name")
    list_select_related = ("product", "cooperative")
    autocomplete_fields = ("product",)
    readonly_fields = ("trace_code",)
    date_hierarchy = "harvested_on"
