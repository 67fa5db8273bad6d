"""checkoutComplete of Saleor's own clients, by the code that places this shop's orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from graphql import ResolveInfo

from backend.common.errors import ShopError
from backend.ordering.completion import CheckoutRequest, complete_checkout
from backend.ordering.errors import ShortStock
from backend.saleor_port.registry import Replace, patch


@patch(
    name="sound_checkout",
    reason=(
        "checkoutComplete charges before it knows that there will be an order: underpaid, twice, without stock or to "
        "a bad redirectUrl; a voucher is used up by 3-D Secure, a gift card twice; order_fully_paid is not fired; a "
        "total of zero fails (upstream 4c95b48bfc, 20e604f0e6, 5bbe330446, 5eaad4a02b, 4ece25502a, #9131)"
    ),
)
def sound_checkout() -> Iterator[Replace]:
    from saleor.account.error_codes import AccountErrorCode
    from saleor.checkout.error_codes import CheckoutErrorCode
    from saleor.core import analytics
    from saleor.core.permissions import CheckoutPermissions
    from saleor.core.utils import url as urls
    from saleor.graphql.checkout.mutations import CheckoutComplete
    from saleor.graphql.utils import get_user_or_app_from_context

    @classmethod  # type: ignore[misc]  # it becomes a method of CheckoutComplete
    def perform_mutation(
        cls: Any, _root: Any, info: ResolveInfo, checkout_id: str, store_source: bool = False, **data: Any
    ) -> Any:
        redirect_url = data.get("redirect_url") or ""
        if redirect_url:
            try:
                urls.validate_storefront_url(redirect_url)
            except ValidationError as error:
                raise ValidationError({"redirect_url": error}, code=AccountErrorCode.INVALID.value) from error
        request = CheckoutRequest(
            checkout_token=_token(checkout_id),
            manages_checkouts=get_user_or_app_from_context(info.context).has_perm(
                CheckoutPermissions.MANAGE_CHECKOUTS
            ),
            redirect_url=redirect_url,
            store_source=bool(store_source),
            tracking_client_id=analytics.get_client_id(info.context) or "",
        )
        user = info.context.user if info.context.user.is_authenticated else None
        try:
            order = complete_checkout(request=request, user=user, now=timezone.now())
        except ShortStock as error:
            raise ValidationError(
                [
                    ValidationError(item.message, code=CheckoutErrorCode.INSUFFICIENT_STOCK.value)
                    for item in error.items
                ]
            ) from error
        except ShopError as error:
            refused = ValidationError(str(error), code=error.code)
            field = getattr(error, "field", None)
            raise (ValidationError({field: refused}) if field else refused) from error
        return cls(order=order, confirmation_needed=order is None)

    yield Replace(CheckoutComplete, "perform_mutation", perform_mutation)


@patch(
    name="drafts_being_paid",
    reason=(
        "the draft of an order whose gateway is being asked is nobody's to edit, complete or delete: draftOrderComplete "
        "would promise its stock twice, draftOrderDelete forget it"
    ),
)
def drafts_being_paid() -> Iterator[Replace]:
    from saleor.graphql.order.bulk_mutations.draft_orders import (
        DraftOrderBulkDelete,
        DraftOrderLinesBulkDelete,
    )
    from saleor.graphql.order.types import Order, OrderLine
    from saleor.order.models import OrderQueryset

    plain_drafts = OrderQueryset.drafts

    def drafts(self: Any) -> Any:
        return plain_drafts(self).filter(checkout_token="")

    yield Replace(OrderQueryset, "drafts", drafts)
    yield Replace(Order, "get_node", _unless_being_paid(Order.get_node, order_of=lambda order: order))
    yield Replace(
        OrderLine, "get_node", _unless_being_paid(OrderLine.get_node, order_of=lambda line: line.order)
    )
    yield Replace(
        DraftOrderBulkDelete,
        "clean_instance",
        _refusing_what_is_being_paid(DraftOrderBulkDelete.clean_instance, order_of=lambda order: order),
    )
    yield Replace(
        DraftOrderLinesBulkDelete,
        "clean_instance",
        _refusing_what_is_being_paid(
            DraftOrderLinesBulkDelete.clean_instance, order_of=lambda line: line.order
        ),
    )


def _is_being_paid(order: Any) -> bool:
    # A draft that staff make has no checkout.
    return bool(order.is_draft() and order.checkout_token)


def _unless_being_paid(plain: Any, *, order_of: Callable[[Any], Any]) -> Any:
    def get_node(cls: Any, info: ResolveInfo, id: Any) -> Any:
        node = plain.__func__(cls, info, id)
        return None if node is None or _is_being_paid(order_of(node)) else node

    return classmethod(get_node)


def _refusing_what_is_being_paid(plain: Any, *, order_of: Callable[[Any], Any]) -> Any:
    def clean_instance(cls: Any, info: ResolveInfo, instance: Any) -> None:
        if _is_being_paid(order_of(instance)):
            raise ValidationError(
                {"id": ValidationError(_("This order is being paid at this moment."), code="cannot_delete")}
            )
        plain.__func__(cls, info, instance)

    return classmethod(clean_instance)


def _token(checkout_id: str) -> UUID:
    from graphql_relay import from_global_id
    from saleor.checkout.error_codes import CheckoutErrorCode

    try:
        kind, token = from_global_id(checkout_id)
        if kind == "Checkout":
            return UUID(token)
    except ValueError:
        pass  # Said below: it is answered like a checkout that is not there.
    raise ValidationError(
        {"checkout_id": ValidationError("There is no such checkout.", code=CheckoutErrorCode.NOT_FOUND.value)}
    )
