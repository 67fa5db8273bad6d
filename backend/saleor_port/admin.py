"""The log of webhooks, for who manages them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from backend.common.admin import ReadOnlyAdmin
from backend.saleor_port.models import WebhookDelivery


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    permission: ClassVar[str] = "webhook.manage_webhooks"
    list_display = ("created_at", "event", "about", "webhook", "status", "attempts", "http_status", "error")
    list_filter = ("status", "event")
    list_select_related = ("webhook",)
    date_hierarchy = "created_at"
