"""Money that was taken for an order that then could not be made goes back at once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backend.saleor_port.registry import Replace, patch

logger = structlog.get_logger(__name__)


@patch(
    name="captured_without_stock",
    reason=(
        "checkoutComplete takes the money, then finds no stock or dislikes the redirectUrl: money gone, "
        "no order, no refund (upstream 5eaad4a02b)"
    ),
)
def captured_without_stock() -> Iterator[Replace]:
    from saleor.account.error_codes import AccountErrorCode
    from saleor.checkout.error_codes import CheckoutErrorCode
    from saleor.checkout.utils import abort_order_data
    from saleor.core.exceptions import InsufficientStock
    from saleor.core.utils.url import validate_storefront_url
    from saleor.graphql.checkout import mutations

    plain_perform = mutations.CheckoutComplete.perform_mutation.__func__
    plain_create_order = mutations.create_order

    @classmethod  # type: ignore[misc]  # it becomes a method of CheckoutComplete
    def perform_mutation(
        cls: Any, root: Any, info: Any, checkout_id: str, store_source: bool, **data: Any
    ) -> Any:
        if data.get("redirect_url"):
            try:
                validate_storefront_url(data["redirect_url"])
            except ValidationError as error:
                raise ValidationError({"redirect_url": error}, code=AccountErrorCode.INVALID.value) from error
        return plain_perform(cls, root, info, checkout_id, store_source, **data)

    @functools.wraps(plain_create_order)
    def create_order(*, checkout: Any, order_data: dict[str, Any], user: Any, redirect_url: str) -> Any:
        # create_order empties order_data as it goes.
        kept = dict(order_data)
        try:
            return plain_create_order(
                checkout=checkout, order_data=order_data, user=user, redirect_url=redirect_url
            )
        except Exception as error:
            is_returned = _give_back(checkout)
            abort_order_data(kept)
            if not isinstance(error, InsufficientStock):
                raise
            sentence = (
                _("%(item)s has just been sold out. You have not been charged.")
                if is_returned
                else _("%(item)s has just been sold out. Your payment could not be returned yet: we will.")
            )
            raise ValidationError(
                sentence % {"item": error.item.display_product()},
                code=CheckoutErrorCode.INSUFFICIENT_STOCK.value,
            ) from error

    yield Replace(mutations.CheckoutComplete, "perform_mutation", perform_mutation)
    yield Replace(mutations, "create_order", create_order)


def _give_back(checkout: Any) -> bool:
    """Refund what was captured, void what was authorised; False when the gateway refused."""
    from saleor.payment import PaymentError, TransactionKind, gateway
    from saleor.payment.models import Payment

    payment = Payment.objects.filter(checkout=checkout.pk, is_active=True).last()
    if payment is None:
        return True
    try:
        if payment.captured_amount > 0:
            gateway.refund(payment)
        elif payment.transactions.filter(kind=TransactionKind.AUTH, is_success=True).exists():
            gateway.void(payment)
    except PaymentError as error:
        logger.error("payment not returned", payment=payment.pk, gateway=payment.gateway, reason=str(error))
        return False
    return True
