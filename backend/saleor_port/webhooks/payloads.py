"""What is posted: Saleor's payloads, with what they mean to hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder

from backend.saleor_port.registry import Replace, everywhere, patch

PAYMENT_FIELDS = (
    "gateway",
    "is_active",
    "created",
    "modified",
    "charge_status",
    "total",
    "captured_amount",
    "currency",
    "billing_email",
    "billing_first_name",
    "billing_last_name",
    "billing_company_name",
    "billing_address_1",
    "billing_address_2",
    "billing_city",
    "billing_city_area",
    "billing_postal_code",
    "billing_country_code",
    "billing_country_area",
)


def payload_of(*, event: str, about: str) -> str | None:
    """The JSON of what the event is about as it is now; None when it is gone."""
    from saleor.account.models import User
    from saleor.checkout.models import Checkout
    from saleor.order.models import Fulfillment, Order
    from saleor.product.models import Product
    from saleor.webhook import payloads
    from saleor.webhook.event_types import WebhookEventType as Event

    made_of: dict[str, tuple[Any, Callable[[Any], str]]] = {
        Event.CHECKOUT_QUANTITY_CHANGED: (Checkout, payloads.generate_checkout_payload),
        Event.CUSTOMER_CREATED: (User, payloads.generate_customer_payload),
        Event.FULFILLMENT_CREATED: (Fulfillment, payloads.generate_fulfillment_payload),
        Event.PRODUCT_CREATED: (Product, payloads.generate_product_payload),
    }
    model, generate = made_of.get(event, (Order, payloads.generate_order_payload))
    try:
        found = model.objects.filter(pk=about).first()
    except (ValueError, ValidationError):
        return None
    return None if found is None else generate(found)


@patch(
    name="webhook_payloads",
    reason=(
        "an order's payments have no fields, as the commas between their names are missing (#5862); a customer's two "
        "addresses are exchanged; a fulfillment has no tracking number, for its name is misspelt"
    ),
)
def webhook_payloads() -> Iterator[Replace]:
    import saleor.plugins.webhook.plugin  # noqa: F401  (it imported the names)
    from saleor.webhook import payloads
    from saleor.webhook.payload_serializers import PythonSerializer

    plain_order = payloads.generate_order_payload
    plain_customer = payloads.generate_customer_payload
    plain_fulfillment = payloads.generate_fulfillment_payload

    def generate_order_payload(order: Any) -> str:
        [data] = json.loads(plain_order(order))
        data["payments"] = PythonSerializer().serialize(order.payments.all(), fields=PAYMENT_FIELDS)
        return json.dumps([data], cls=DjangoJSONEncoder)

    def generate_customer_payload(customer: Any) -> str:
        [data] = json.loads(plain_customer(customer))
        shipping, billing = "default_shipping_address", "default_billing_address"
        data[shipping], data[billing] = data[billing], data[shipping]
        return json.dumps([data])

    def generate_fulfillment_payload(fulfillment: Any) -> str:
        [data] = json.loads(plain_fulfillment(fulfillment))
        data["tracking_number"] = fulfillment.tracking_number
        return json.dumps([data])

    yield from everywhere(plain_order, generate_order_payload)
    yield from everywhere(plain_customer, generate_customer_payload)
    yield from everywhere(plain_fulfillment, generate_fulfillment_payload)
