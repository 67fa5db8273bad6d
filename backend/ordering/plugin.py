"""What this room does when Saleor says that something happened."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from saleor.plugins.base_plugin import BasePlugin

from backend.ordering.packing import record_packed_lots


class OrderingPlugin(BasePlugin):
    """Every fulfilment, whoever makes it, ends in this hook, within its transaction."""

    PLUGIN_ID = "ordering"
    PLUGIN_NAME = _("Packed lots")
    PLUGIN_DESCRIPTION = _("Writes down from which harvest lots an order was packed.")
    DEFAULT_ACTIVE = True

    def fulfillment_created(self, fulfillment: Any, previous_value: Any) -> Any:
        record_packed_lots(fulfillment_pk=fulfillment.pk, now=timezone.now())
        return previous_value
