"""A buyer closes the account, and nobody has to be asked: as easy as opening it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User
from saleor.checkout.models import Checkout
from saleor.discount.models import VoucherCustomer
from saleor.order import OrderStatus
from saleor.order.models import Order

from backend.catalogue.models import Wait
from backend.common.errors import ShopError
from backend.cooperatives.models import Membership
from backend.ordering.models import Claim
from backend.ordering.personal_data import delete_baskets, delete_strays, thin_out_orders
from backend.ordering.selectors import OPEN_STATUSES


class ClosingRefused(ShopError):
    """The account stays; the message says what to do first."""

    code = "closing_refused"


@transaction.atomic
def close_account(*, user_pk: int) -> None:
    """Delete an account with its addresses, baskets and waits. Its e-mail address is free again.

    With the row go all tokens: they name it. Orders stay as records, thinned out (personal_data). Raises
    ClosingRefused while an order or a claim is open, and for who keeps a cooperative's books or works for the shop.
    """
    # Whoever places an order for this account meanwhile waits for this lock, or is seen below.
    user = User.objects.select_for_update(of=("self",)).filter(pk=user_pk).first()
    if user is None:
        return
    if user.is_staff:
        raise ClosingRefused(
            _("This account belongs to the shop’s staff: the shop closes it."), code="staff_account"
        )
    if Membership.objects.filter(user=user).exists():
        raise ClosingRefused(
            _(
                "You keep the books of a cooperative. Ask its manager to take you off the list, then close your account."
            ),
            code="member_account",
        )
    # A draft that holds stock is about to become an order.
    holds = Q(status=OrderStatus.DRAFT, lines__allocations__quantity_allocated__gt=0)
    open_order = Order.objects.filter(Q(status__in=OPEN_STATUSES) | holds, user=user).order_by("pk").first()
    if open_order is not None:
        raise ClosingRefused(
            _("Order %(number)s is still open. Cancel it, or close your account once you have it.")
            % {"number": open_order.pk},
            code="order_open",
        )
    unsettled = Q(status=Claim.Status.OPEN) | Q(
        settlement__in=(Claim.Settlement.OWED, Claim.Settlement.PAYING, Claim.Settlement.UNCLEAR)
    )
    claim = Claim.objects.filter(unsettled, order_line__order__user=user).select_related("order_line").first()
    if claim is not None:
        raise ClosingRefused(
            _("Your claim about order %(number)s is not settled yet. Close your account once it is.")
            % {"number": claim.order_line.order_id},
            code="claim_open",
        )
    Wait.objects.filter(email=user.email.lower()).delete()
    VoucherCustomer.objects.filter(customer_email=user.email).delete()
    delete_baskets(tokens=list(Checkout.objects.filter(user=user).values_list("pk", flat=True)))
    thin_out_orders(order_pks=list(Order.objects.filter(user=user).values_list("pk", flat=True)))
    book = list(user.addresses.values_list("pk", flat=True))
    user.delete()
    delete_strays(address_pks=book)
