"""Writes down what is to be posted; stands in for saleor.plugins.webhook, which posts from within the event."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from saleor.plugins.base_plugin import BasePlugin
from saleor.webhook.event_types import WebhookEventType as Event

from backend.saleor_port.webhooks.delivery import note_event


class WebhookPlugin(BasePlugin):
    """Saleor's hooks of which webhooks tell."""

    PLUGIN_ID = "webhooks"
    PLUGIN_NAME = _("Webhooks")
    PLUGIN_DESCRIPTION = _("Posts what happens in the shop to the programs that asked for it.")
    DEFAULT_ACTIVE = True

    def order_created(self, order: Any, previous_value: Any) -> Any:
        return self._note(Event.ORDER_CREATED, order, previous_value)

    def order_fully_paid(self, order: Any, previous_value: Any) -> Any:
        return self._note(Event.ORDER_FULLY_PAID, order, previous_value)

    def order_updated(self, order: Any, previous_value: Any) -> Any:
        return self._note(Event.ORDER_UPDATED, order, previous_value)

    def order_cancelled(self, order: Any, previous_value: Any) -> Any:
        return self._note(Event.ORDER_CANCELLED, order, previous_value)

    def order_fulfilled(self, order: Any, previous_value: Any) -> Any:
        return self._note(Event.ORDER_FULFILLED, order, previous_value)

    def fulfillment_created(self, fulfillment: Any, previous_value: Any) -> Any:
        return self._note(Event.FULFILLMENT_CREATED, fulfillment, previous_value)

    def customer_created(self, customer: Any, previous_value: Any) -> Any:
        return self._note(Event.CUSTOMER_CREATED, customer, previous_value)

    def product_created(self, product: Any, previous_value: Any) -> Any:
        return self._note(Event.PRODUCT_CREATED, product, previous_value)

    def checkout_quantity_changed(self, checkout: Any, previous_value: Any) -> Any:
        return self._note(Event.CHECKOUT_QUANTITY_CHANGED, checkout, previous_value)

    def _note(self, event: str, about: Any, previous_value: Any) -> Any:
        # Saleor asks plugins that are switched off, too.
        if self.active:
            with transaction.atomic(savepoint=False):
                note_event(event=event, about=str(about.pk))
        return previous_value
