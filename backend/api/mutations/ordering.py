from __future__ import annotations

from typing import Any
from uuid import UUID

import graphene
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from graphql import ResolveInfo
from graphql_relay import from_global_id
from saleor.account.models import Address
from saleor.graphql.account.i18n import I18nMixin
from saleor.graphql.account.types import AddressInput
from saleor.graphql.core.mutations import BaseMutation
from saleor.graphql.core.scalars import Decimal
from saleor.graphql.order.types import Order
from saleor.order import models as order_models
from stdnum.cn import uscc

from backend.api.errors import OrderCancelError, OrderPlaceError, code_of, validation_messages
from backend.api.types.texts import required_list
from backend.common.errors import ShopError
from backend.ordering.cancellation import cancel_own_order
from backend.ordering.errors import OrderRefused, ShortStock
from backend.ordering.services import OrderRequest, place_order

LONGEST_NOTE = 500
LONGEST_KEY = 100


class OrderPlaceInput(graphene.InputObjectType):
    checkout_token = graphene.UUID(required=True, description="The basket.")
    idempotency_key = graphene.String(
        required=True,
        description="Chosen by the client; the same key answers with the same order for ever.",
    )
    email = graphene.String(required=True)
    shipping_address = AddressInput(required=True)
    shipping_method = graphene.ID(required=True)
    payment_gateway = graphene.String(required=True, description='Such as "pay_on_collection".')
    note = graphene.String(default_value="")
    accept_fresh_rule = graphene.Boolean(
        required=True,
        description="The buyer has confirmed that fresh goods are not returned within seven days.",
    )
    delivery_window = graphene.ID(description="One of the delivery's windows; the earliest if not given.")
    gift_note = graphene.String(description="For the card in a present, at most 200 characters.")
    invoice_title = graphene.String(description="Whom the invoice (发票) is for; no invoice if not given.")
    invoice_tax_number = graphene.String(description="Of a company: 18 characters, with a check character.")
    expected_total = Decimal(
        description="What the buyer saw, freight included; another total refuses the order."
    )


class _Addresses(I18nMixin, BaseMutation):
    """Saleor's address rules. They stand in a mixin for mutations, so this is one that is never mounted."""

    class Meta:
        abstract = True

    @classmethod
    def clean(cls, data: dict[str, Any]) -> Address:
        address = Address()
        form = cls.validate_address_form(data)
        return BaseMutation.construct_instance(address, form.cleaned_data)


class OrderPlace(graphene.Mutation):
    """Places an order: allocates the stock and creates the order in one transaction, before any payment."""

    order = graphene.Field(Order)
    errors = required_list(OrderPlaceError)

    class Arguments:
        input = graphene.Argument(OrderPlaceInput, required=True)

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, input: dict[str, Any]) -> OrderPlace:
        try:
            order = cls._place(info, input)
        except ValidationError as error:
            return cls(
                errors=[
                    OrderPlaceError(
                        field=f"shippingAddress.{field}" if field else "shippingAddress",
                        code="ADDRESS_INVALID",
                        message=message,
                    )
                    for field, message in validation_messages(error)
                ]
            )
        except ShortStock as error:
            return cls(
                errors=[
                    OrderPlaceError(
                        field="checkoutToken",
                        code=code_of(error),
                        message=item.message,
                        variant=graphene.Node.to_global_id("ProductVariant", item.variant_pk),
                        available=item.left,
                    )
                    for item in error.items
                ]
            )
        except ShopError as error:
            return cls(
                errors=[
                    OrderPlaceError(
                        field=getattr(error, "field", None),
                        code=code_of(error),
                        message=str(error),
                    )
                ]
            )
        return cls(order=order, errors=[])

    @staticmethod
    def _place(info: ResolveInfo, given: dict[str, Any]) -> order_models.Order:
        user = info.context.user if info.context.user.is_authenticated else None
        request = OrderRequest(
            checkout_token=UUID(str(given["checkout_token"])),
            idempotency_key=_key(given["idempotency_key"]),
            email=_email(given["email"]),
            address=_Addresses.clean(dict(given["shipping_address"])),
            shipping_method_pk=_shipping_method_pk(given["shipping_method"]),
            payment_gateway=given["payment_gateway"],
            note=_note(given.get("note") or ""),
            accepts_fresh_rule=given["accept_fresh_rule"],
            delivery_window=given.get("delivery_window") or "",
            gift_note=_short(given.get("gift_note"), most=200, field="giftNote"),
            invoice_title=_short(given.get("invoice_title"), most=100, field="invoiceTitle"),
            invoice_tax_number=_tax_number(given.get("invoice_tax_number"), given.get("invoice_title")),
            expected_total=given.get("expected_total"),
        )
        return place_order(request=request, user=user, now=timezone.now())


class OrderCancelOwn(graphene.Mutation):
    """Cancels an order of the buyer's own, until the evening before its harvest; its goods go back on the shelves."""

    order = graphene.Field(Order)
    errors = required_list(OrderCancelError)

    class Arguments:
        token = graphene.UUID(required=True, description="The order's; enough for an order of a guest.")

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, token: UUID) -> OrderCancelOwn:
        user = info.context.user if info.context.user.is_authenticated else None
        try:
            order = cancel_own_order(token=token, user=user, now=timezone.now())
        except OrderRefused as error:
            return cls(errors=[OrderCancelError(field=error.field, code=code_of(error), message=str(error))])
        return cls(order=order, errors=[])


def _key(key: str) -> str:
    if not 8 <= len(key) <= LONGEST_KEY:
        raise OrderRefused(
            _("The key has 8 to %(most)s characters.") % {"most": LONGEST_KEY},
            code="idempotency_key_invalid",
            field="idempotencyKey",
        )
    return key


def _email(email: str) -> str:
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise OrderRefused(
            _("Please give an e-mail address such as li@example.com."),
            code="email_invalid",
            field="email",
        ) from error
    return email


def _note(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise OrderRefused(
            _("The note is too long: %(most)s characters at most.") % {"most": LONGEST_NOTE},
            code="note_too_long",
            field="note",
        )
    return note.strip()


def _short(text: str | None, *, most: int, field: str) -> str:
    text = (text or "").strip()
    if len(text) > most:
        raise OrderRefused(
            _("Too long: %(most)s characters at most.") % {"most": most}, code="too_long", field=field
        )
    return text


def _tax_number(number: str | None, title: str | None) -> str:
    """A company's unified social credit code, checked as GB 32100 says; people have none."""
    number = uscc.compact(number or "").upper()
    if not number:
        return ""
    if not (title or "").strip():
        raise OrderRefused(
            _("Please say whom the invoice is for."), code="invoice_title_missing", field="invoiceTitle"
        )
    if not uscc.is_valid(number):
        raise OrderRefused(
            _("That is not a tax number: 18 figures and letters, as on the business licence."),
            code="tax_number_invalid",
            field="invoiceTaxNumber",
        )
    return number


def _shipping_method_pk(global_id: str) -> int:
    try:
        kind, pk = from_global_id(global_id)
        if kind == "ShippingMethod":
            return int(pk)
    except (ValueError, UnicodeDecodeError):
        pass  # Said below: it is answered like a method that is not offered.
    raise OrderRefused(
        _("Please choose a delivery."),
        code="delivery_unavailable",
        field="shippingMethod",
    )
