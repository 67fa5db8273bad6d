"""What checkoutPaymentCreate may make: one payment a checkout, of today's total, with a gateway that is offered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backend.saleor_port.registry import Replace, patch


@patch(
    name="stale_payment",
    reason=(
        "a payment is looked up by its token and keeps its old total: a basket reduced to 10 is charged 50; "
        "older payments stay active beside it (upstream 20e604f0e6)"
    ),
)
def stale_payment() -> Iterator[Replace]:
    from saleor.checkout.models import Checkout
    from saleor.graphql.payment.mutations import CheckoutPaymentCreate
    from saleor.payment.error_codes import PaymentErrorCode

    plain = CheckoutPaymentCreate.perform_mutation.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of CheckoutPaymentCreate
    @transaction.atomic
    def perform_mutation(cls: Any, root: Any, info: Any, checkout_id: str, **data: Any) -> Any:
        checkout = _locked_checkout(Checkout, checkout_id)
        if checkout is None:
            raise ValidationError(
                {
                    "checkout_id": ValidationError(
                        _("There is no such checkout."), code=PaymentErrorCode.NOT_FOUND.value
                    )
                }
            )
        _wait_for_the_gateway(checkout)
        _retire(checkout)
        return plain(cls, root, info, checkout_id, **data)

    yield Replace(CheckoutPaymentCreate, "perform_mutation", perform_mutation)


def _wait_for_the_gateway(checkout: Any) -> None:
    """Raises while a gateway is asked about this checkout: its draft of an order stands (backend.ordering.attempts)."""
    from saleor.order import OrderStatus
    from saleor.order.models import Order
    from saleor.payment.error_codes import PaymentErrorCode

    if Order.objects.filter(checkout_token=str(checkout.pk), status=OrderStatus.DRAFT).exists():
        raise ValidationError(
            _("This basket is being paid at this moment. Try again in a minute."),
            code=PaymentErrorCode.PAYMENT_ERROR.value,
        )


def _retire(checkout: Any) -> None:
    """Take earlier payments of the checkout out of use. Raises when one of them holds the buyer's money."""
    from saleor.payment import TransactionKind
    from saleor.payment.error_codes import PaymentErrorCode

    for payment in checkout.payments.select_for_update(of=("self",)).filter(is_active=True).order_by("pk"):
        holds = payment.transactions.filter(
            kind__in=(TransactionKind.AUTH, TransactionKind.CAPTURE),
            is_success=True,
            action_required=False,
        )
        if payment.captured_amount > 0 or holds.exists():
            raise ValidationError(
                _("This basket has been paid already. Complete it."),
                code=PaymentErrorCode.PAYMENT_ERROR.value,
            )
        payment.is_active = False
        payment.save(update_fields=["is_active", "modified"])


@patch(
    name="offered_gateways",
    reason="checkoutPaymentCreate takes the name of any gateway, also of one that the shop does not offer",
)
def offered_gateways() -> Iterator[Replace]:
    from saleor.graphql.payment.mutations import CheckoutPaymentCreate
    from saleor.payment.error_codes import PaymentErrorCode
    from saleor.plugins.manager import get_plugins_manager

    plain = CheckoutPaymentCreate.perform_mutation.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of CheckoutPaymentCreate
    def perform_mutation(cls: Any, root: Any, info: Any, checkout_id: str, **data: Any) -> Any:
        listed = get_plugins_manager().list_payment_plugin_names(active_only=True)
        if data["input"]["gateway"] not in {plugin_id for plugin_id, _name in listed}:
            raise ValidationError(
                {
                    "gateway": ValidationError(
                        _("This way of paying is not offered."), code=PaymentErrorCode.INVALID.value
                    )
                }
            )
        return plain(cls, root, info, checkout_id, **data)

    yield Replace(CheckoutPaymentCreate, "perform_mutation", perform_mutation)


def _locked_checkout(model: Any, checkout_id: str) -> Any:
    from graphql_relay import from_global_id

    try:
        kind, token = from_global_id(checkout_id)
        key = UUID(token)
    except ValueError:
        return None
    if kind != "Checkout":
        return None
    return model.objects.select_for_update(of=("self",)).filter(pk=key).first()
