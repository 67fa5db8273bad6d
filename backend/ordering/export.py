"""All that the shop holds of a buyer, as a file that a person can read (个人信息保护法 45).

Names of things are in the reader's language. Left out are secrets (the password's hash, keys of payments) and what is
about the goods rather than about the person.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _
from saleor.account.models import Address, User
from saleor.checkout.models import Checkout
from saleor.order.models import Order, OrderLine
from saleor.payment.models import Payment

from backend.catalogue.waiting.selectors import waits_of
from backend.common.clock import in_shop_zone

Facts = dict[str, Any]

# Of this room's own tables: keys to rows and doors, not facts about a person.
_KEYS = {"id", "order", "idempotency_key", "request_sha256", "token"}


def export_of(*, user: User, now: datetime) -> Facts:
    """Everything, in an order that a person reads; values are texts, numbers, lists and further facts.

    The same number of queries however much there is.
    """
    return {
        _("What this is"): _(
            "All that Xinyi Basket holds of you. Amounts are in CNY, times are those of Shanghai."
        ),
        _("Written at"): _moment(now),
        _("Account"): _account(user),
        _("Addresses"): [_address(each) for each in user.addresses.order_by("pk")],
        _("Orders"): [_order(each) for each in _orders(user)],
        _("Baskets"): [_basket(each) for each in _baskets(user)],
        _("Waiting for"): [
            {
                _("Article"): wait.name,
                _("Pack size"): wait.pack,
                _("Since"): _moment(wait.asked_at),
                _("Until"): _moment(wait.until),
            }
            for wait in waits_of(user=user)
        ],
        _("What happened to the account"): [
            {_("Date and time"): _moment(event.date), _("Event"): event.type, _("Details"): event.parameters}
            for event in user.events.order_by("date", "pk")
        ],
        _("What our staff noted"): [
            {_("Date and time"): _moment(note.date), _("Event"): note.content}
            for note in user.notes.order_by("date", "pk")
        ],
    }


def _account(user: User) -> Facts:
    return {
        _("E-mail"): user.email,
        _("Family name"): user.last_name,
        _("Given name"): user.first_name,
        _("Opened at"): _moment(user.date_joined),
        _("Last signed in at"): _moment(user.last_login),
        _("Note"): user.note or "",
        _("Further data"): user.metadata or {},
    }


def _address(address: Address | None) -> Facts | None:
    if address is None:
        return None
    return {
        _("Full name"): f"{address.last_name}{address.first_name}",
        _("Company"): address.company_name,
        _("Phone"): str(address.phone),
        _("Province"): address.country_area,
        _("City"): address.city,
        _("District"): address.city_area,
        _("Street"): f"{address.street_address_1} {address.street_address_2}".strip(),
        _("Postcode"): address.postal_code,
    }


def _orders(user: User) -> list[Order]:
    return list(
        Order.objects.filter(user=user)
        .select_related("shipping_address", "billing_address")
        .prefetch_related("lines", "payments", "events", *_beside(Order), *_beside(OrderLine, "lines__"))
        .order_by("pk")
    )


def _beside(model: type[Model], before: str = "") -> Iterator[str]:
    """Where the rows are that this room keeps beside a row of Saleor's, as paths to prefetch: its placement, and more."""
    for relation in model._meta.related_objects:
        accessor = relation.get_accessor_name()
        if accessor and relation.field.model._meta.app_label == "ordering":
            yield f"{before}{accessor}"
            yield from _beside(relation.field.model, f"{before}{accessor}__")


def _order(order: Order) -> Facts:
    return {
        _("Order number"): str(order.pk),
        _("Ordered at"): _moment(order.created),
        _("State"): order.get_status_display(),
        _("E-mail"): order.user_email,
        _("What was bought"): [
            {
                _("Article"): line.product_name,
                _("Pack size"): line.variant_name,
                _("Quantity"): line.quantity,
                _("Price of one"): str(line.unit_price_gross_amount),
                **_facts_beside(line),
            }
            for line in order.lines.all()
        ],
        _("Delivery"): order.shipping_method_name or "",
        _("Freight"): str(order.shipping_price_gross_amount),
        _("Discount"): str(order.discount_amount),
        _("Total"): str(order.total_gross_amount),
        _("Delivered to"): _address(order.shipping_address),
        _("Billed to"): _address(order.billing_address),
        _("Note"): order.customer_note,
        _("Payments"): [_payment(each) for each in order.payments.all()],
        _("What happened to the order"): [
            {_("Date and time"): _moment(event.date), _("Event"): event.type, _("Details"): event.parameters}
            for event in order.events.all()
        ],
        **_facts_beside(order),
    }


def _payment(payment: Payment) -> Facts:
    return {
        _("Paid by"): payment.gateway,
        _("Date and time"): _moment(payment.created),
        _("Total"): str(payment.total),
        _("Taken"): str(payment.captured_amount),
        _("State"): payment.get_charge_status_display(),
        _("E-mail"): payment.billing_email,
        _("Full name"): f"{payment.billing_last_name}{payment.billing_first_name}",
        _("Network address"): payment.customer_ip_address or "",
    }


def _facts_beside(row: Model) -> Facts:
    """What this room keeps beside a row, under its names: one, or several of a kind."""
    facts: Facts = {}
    for path in _beside(type(row)):
        related = None if "__" in path else getattr(row, path, None)
        if isinstance(related, Model):
            facts[str(related._meta.verbose_name)] = _row(related)
        elif related is not None and (rows := list(related.all())):
            facts[str(rows[0]._meta.verbose_name_plural)] = [_row(each) for each in rows]
    return facts


def _row(row: Model) -> Facts:
    return {
        str(field.verbose_name): _plain(field.value_from_object(row))
        for field in row._meta.concrete_fields
        if field.name not in _KEYS and not field.is_relation
    } | _facts_beside(row)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, (bytes, memoryview)):
        return b64encode(value).decode()
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def _baskets(user: User) -> list[Checkout]:
    return list(
        Checkout.objects.filter(user=user)
        .select_related("shipping_address", "billing_address")
        .prefetch_related("lines__variant__product")
        .order_by("created", "pk")
    )


def _basket(basket: Checkout) -> Facts:
    return {
        _("Since"): _moment(basket.created),
        _("E-mail"): basket.email,
        _("What was bought"): [
            {
                _("Article"): line.variant.product.name,
                _("Pack size"): line.variant.name,
                _("Quantity"): line.quantity,
            }
            for line in basket.lines.all()
        ],
        _("Delivered to"): _address(basket.shipping_address),
        _("Billed to"): _address(basket.billing_address),
        _("Note"): basket.note,
    }


def _moment(moment: datetime | None) -> str | None:
    return in_shop_zone(moment).isoformat(sep=" ", timespec="seconds") if moment else None
