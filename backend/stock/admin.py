"""Sheds, feeds and reports, to be looked after; the ledger, to be looked at."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backend.common.admin import (
    ReadOnlyAdmin,
    ReadOnlyTabularInline,
    SaleorPermissionAdmin,
    SaleorPermissionTabularInline,
)
from backend.stock.feed_admin import apply_again
from backend.stock.models import ColumnMapping, Movement, Pack, Report, ReportLine, Shortfall, Supply
from backend.stock.services import reproject

PRODUCTS = "product.manage_products"

BALANCES = (
    "on_hand",
    "allocated",
    "believed_percent",
    "counted_at",
    "counted_sequence",
    "counted_base_units",
    "counted_unit",
)


class PackInline(SaleorPermissionTabularInline):
    """Packs may be added. One that was promised to somebody cannot become larger, or vanish, under the promise."""

    model = Pack
    permission = PRODUCTS
    autocomplete_fields = ("variant",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Supply)
class SupplyAdmin(SaleorPermissionAdmin):
    """What a supply is may be changed; how much there is comes from the ledger alone."""

    permission = PRODUCTS
    list_display = ("code", "name", "cooperative", "unit", "on_hand", "allocated", "counted_at", "is_active")
    list_filter = ("cooperative", "is_active", "is_perishable", "unit")
    search_fields = ("code", "name", "product__name")
    list_select_related = ("cooperative",)
    autocomplete_fields = ("product", "lot")
    readonly_fields = BALANCES
    inlines = (PackInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The unit of what is counted already, and whose it is, cannot change under it.
        return (*BALANCES, "unit", "cooperative") if obj else BALANCES

    def save_model(self, request: HttpRequest, obj: Supply, form: Any, change: bool) -> None:
        # What was read with the form, of the balances above all, may be another figure by now.
        obj.save(update_fields=form.changed_data if change else None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        reproject(supply_id=form.instance.pk, now=timezone.now())


@admin.register(ColumnMapping)
class ColumnMappingAdmin(SaleorPermissionAdmin):
    """What somebody said once; deleted, it is asked again."""

    permission = PRODUCTS
    list_display = ("cooperative", "headers", "mapping", "told_by", "told_at")
    list_filter = ("cooperative",)
    list_select_related = ("cooperative", "told_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReportLines(BaseInlineFormSet):
    """The first rows of a report, which may have a hundred thousand: no page shows them all."""

    most = 200

    def get_queryset(self) -> QuerySet[ReportLine]:
        if not hasattr(self, "_first"):
            self._first = super().get_queryset()[: self.most]
        return self._first


class ReportLineInline(ReadOnlyTabularInline):
    model = ReportLine
    formset = ReportLines
    permission = PRODUCTS
    fields = ("row", "column", "code", "raw", "outcome", "supply", "base_units", "message")
    max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportLine]:
        return cast(QuerySet[ReportLine], super().get_queryset(request)).select_related("supply")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    permission = PRODUCTS
    list_display = (
        "received_at",
        "cooperative",
        "source",
        "program",
        "basis",
        "counted_at",
        "status",
        "message",
    )
    list_filter = ("cooperative", "source", "status")
    list_select_related = ("cooperative", "program__cooperative")
    date_hierarchy = "received_at"
    exclude = ("raw",)
    inlines = (ReportLineInline,)
    actions = (apply_again,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return cast(QuerySet[Report], super().get_queryset(request)).defer("raw")


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    permission = PRODUCTS
    list_display = (
        "happened_at",
        "supply",
        "kind",
        "on_hand_delta",
        "allocated_delta",
        "on_hand_after",
        "allocated_after",
        "origin",
    )
    list_filter = ("kind", "supply__cooperative")
    search_fields = ("supply__code", "supply__name")
    list_select_related = ("supply",)
    date_hierarchy = "happened_at"
    readonly_fields = ("origin",)
    exclude = ("report", "order_line")

    @admin.display(description=_("where it comes from"))
    def origin(self, movement: Movement) -> str | SafeString:
        """The row of a report that said it, as written; or the number of the order line."""
        if movement.report_id is not None:
            address = reverse("admin:stock_report_change", args=[movement.report_id])
            return format_html(
                '<a href="{}">{}: {} {}</a>', address, movement.row, movement.code, movement.raw
            )
        return str(_("order line")) + f" {movement.order_line_id}" if movement.order_line_id else ""


@admin.register(Shortfall)
class ShortfallAdmin(ReadOnlyAdmin):
    permission = PRODUCTS
    list_display = ("supply", "base_units", "opened_at", "closed_at")
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "supply__cooperative")
    list_select_related = ("supply",)
