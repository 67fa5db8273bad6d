"""Harvest lots and their certificates."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.common.admin import SaleorPermissionAdmin
from backend.provenance.models import HarvestLot
from backend.provenance.services import ReasonMissing, recall_lots


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
        "recalled_at",
        "is_demo",
    )
    list_filter = ("cooperative", "harvested_on", ("recalled_at", admin.EmptyFieldListFilter))
    search_fields = ("code", "trace_code", "certificate_number", "product__name")
    list_select_related = ("product", "cooperative")
    autocomplete_fields = ("product",)
    readonly_fields = ("trace_code", "recalled_at")
    date_hierarchy = "harvested_on"
    actions = ("recall",)

    @admin.action(description=_("Recall these lots (each needs its reason first)"))
    def recall(self, request: HttpRequest, lots: QuerySet[HarvestLot]) -> None:
        """For whoever may change lots; the page of each says so at once."""
        try:
            recalled = recall_lots(lots=lots, now=timezone.now())
        except ReasonMissing as missing:
            self.message_user(request, str(missing), messages.ERROR)
            return
        self.message_user(request, _("Recalled: %(count)d lots.") % {"count": recalled})
