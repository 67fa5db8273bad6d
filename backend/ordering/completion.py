"""checkoutComplete, for Saleor's own clients: the order is made and its stock promised before the gateway is asked.

All of it is one transaction in which the checkout's row is locked. The order is made inside a savepoint: what was
promised and used up for an order that then is not made (the gateway declines, wants the buyer's confirmation first,
or something later fails) is undone with it. What the gateway answered is not: it is written down again after the
savepoint is gone, and money that it has taken goes back.

Locks, always in this order: the checkout row; its payments; its gift cards; the rows of a voucher; then what
backend.stock.allocation locks. The price of this: the stock rows of the basket are locked while the gateway answers.
The shop's own page does not pay it: it places the order first (services.place_order).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from prices import Money, TaxedMoney
from saleor.account.models import Address, User
from saleor.checkout.error_codes import CheckoutErrorCode
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.checkout.utils import is_valid_shipping_method
from saleor.core.exceptions import InsufficientStock
from saleor.core.taxes import TaxError, zero_taxed_money
from saleor.discount import DiscountInfo
from saleor.discount.models import NotApplicable
from saleor.discount.utils import fetch_active_discounts
from saleor.giftcard.models import GiftCard
from saleor.order.actions import handle_fully_paid_order
from saleor.order.events import order_created_event
from saleor.order.models import Order
from saleor.order.utils import add_gift_card_to_order
from saleor.payment import PaymentError, TransactionKind, gateway
from saleor.payment.models import Payment, Transaction
from saleor.payment.utils import store_customer_id
from saleor.plugins.manager import PluginsManager, get_plugins_manager

from backend.common.errors import ShopError
from backend.ordering.errors import OrderRefused
from backend.ordering.services import (
    NOBODY,
    announce,
    basket_lines,
    create_order,
    order_line,
    short_stock,
)
from backend.ordering.vouchers import use_voucher
from backend.stock.allocation import allocate

logger = structlog.get_logger(__name__)

Code = CheckoutErrorCode


@dataclass(frozen=True)
class CheckoutRequest:
    """redirect_url: where the mail's link leads, checked already; store_source: keep the card for next time."""

    checkout_token: UUID
    redirect_url: str = ""
    store_source: bool = False
    tracking_client_id: str = ""


class CheckoutRefused(OrderRefused):
    """The checkout cannot be completed; code is one of Saleor's CheckoutErrorCode."""

    def __init__(self, message: Any, *, code: CheckoutErrorCode, field: str | None = None) -> None:
        super().__init__(message, code=code.value, field=field)


class _ConfirmationNeeded(Exception):
    """The gateway wants the buyer's word first (3-D Secure); no order is made yet."""


@dataclass
class _Asked:
    """What was asked of the gateway: outlives the savepoint in which it was asked."""

    payment: Payment | None = None
    answers: list[Transaction] = field(default_factory=list)


def complete_checkout(*, request: CheckoutRequest, user: User | None, now: datetime) -> Order | None:
    """Turn a paid-for checkout into its order; None when the gateway wants the buyer's confirmation first.

    A checkout that has become an order is answered with that order, also when two such requests race.

    Raises CheckoutRefused or ShortStock. Then there is no order, nothing is promised or used up, and what the gateway
    had taken was given back, or the message says that it could not be yet.
    """
    refusal: Exception | None = None
    order: Order | None = None
    with transaction.atomic():
        checkout = (
            Checkout.objects.select_for_update(of=("self",)).filter(token=request.checkout_token).first()
        )
        if checkout is None:
            return _order_of(request)
        asked = _Asked()
        try:
            with transaction.atomic():
                order = _complete(checkout=checkout, request=request, user=user, asked=asked, now=now)
        except _ConfirmationNeeded:
            _write_down(asked)
        except Exception as error:
            # Whatever it is, money must not stay without an order; the error itself goes on below.
            _write_down(asked)
            refusal = _refusal(error=error, request=request, checkout=checkout, is_returned=_give_back(asked))
    if refusal is not None:
        raise refusal
    return order


def _order_of(request: CheckoutRequest) -> Order:
    order = Order.objects.filter(checkout_token=str(request.checkout_token)).first()
    if order is None:
        raise CheckoutRefused(_("There is no such checkout."), code=Code.NOT_FOUND, field="checkout_id")
    return order


def _complete(
    *, checkout: Checkout, request: CheckoutRequest, user: User | None, asked: _Asked, now: datetime
) -> Order:
    manager = get_plugins_manager()
    discounts = fetch_active_discounts()
    payments = list(
        Payment.objects.select_for_update(of=("self",))
        .filter(checkout=checkout, is_active=True)
        .order_by("pk")
    )
    cards = list(GiftCard.objects.select_for_update(of=("self",)).filter(checkouts=checkout).order_by("pk"))
    lines = basket_lines(checkout)
    if user is not None and not checkout.get_customer_email():
        # A basket that was begun by nobody in particular: who completes it is the customer.
        checkout.email = user.email
    billing_address = _check(checkout=checkout, lines=lines, cards=cards, discounts=discounts, now=now)
    manager.preprocess_order_creation(checkout, discounts)

    voucher = use_voucher(checkout=checkout, lines=lines, discounts=discounts, now=now)
    whole = manager.calculate_checkout_total(checkout, lines, discounts)
    due = _due(whole=whole, cards=cards, currency=checkout.currency)
    payment = _payment_for(due=due.gross, payments=payments)
    order_lines = [order_line(line=line, manager=manager, discounts=discounts) for line in lines]
    order = create_order(
        checkout=checkout,
        user=checkout.user or user,
        email=checkout.get_customer_email(),
        shipping_address=checkout.shipping_address if checkout.is_shipping_required() else None,
        billing_address=billing_address,
        note=checkout.note,
        lines=lines,
        order_lines=order_lines,
        total=due,
        shipping_price=manager.calculate_checkout_shipping(checkout, lines, discounts),
        voucher=voucher,
        now=now,
    )
    allocate(lines=order_lines, country_code=checkout.get_country(), now=now)
    left = whole.gross
    for card in cards:
        left = add_gift_card_to_order(order, card, left)
    if payment is not None:
        _ask_gateway(payment=payment, request=request, user=user, asked=asked)
    _finish(
        order=order,
        checkout=checkout,
        payments=payments,
        payment=payment,
        manager=manager,
        user=user,
        request=request,
    )
    return order


def _check(
    *,
    checkout: Checkout,
    lines: Sequence[CheckoutLine],
    cards: Sequence[GiftCard],
    discounts: Sequence[DiscountInfo],
    now: datetime,
) -> Address:
    """The billing address, when nothing stands against the order. Raises CheckoutRefused or NotApplicable."""
    if not lines:
        raise CheckoutRefused(_("The basket is empty, or was ordered already."), code=Code.INVALID)
    for line in lines:
        if not line.variant.product.is_visible:
            raise CheckoutRefused(
                _("%(name)s is no longer sold. Take it out and order again.")
                % {"name": line.variant.product},
                code=Code.PRODUCT_NOT_PUBLISHED,
            )
    if checkout.is_shipping_required():
        if checkout.shipping_method is None:
            raise CheckoutRefused(
                _("Please choose a delivery."), code=Code.SHIPPING_METHOD_NOT_SET, field="shipping_method"
            )
        if checkout.shipping_address is None:
            raise CheckoutRefused(
                _("Please give an address."), code=Code.SHIPPING_ADDRESS_NOT_SET, field="shipping_address"
            )
        if not is_valid_shipping_method(checkout, lines, discounts):
            raise CheckoutRefused(
                _("This delivery is not offered for this basket. Choose another."),
                code=Code.INVALID_SHIPPING_METHOD,
                field="shipping_method",
            )
    if checkout.billing_address is None:
        raise CheckoutRefused(
            _("Please give an address."), code=Code.BILLING_ADDRESS_NOT_SET, field="billing_address"
        )
    if not checkout.get_customer_email():
        raise CheckoutRefused(
            _("Please give an e-mail address such as li@example.com."), code=Code.REQUIRED, field="email"
        )
    active = set(
        GiftCard.objects.active(date=timezone.localdate(now)).filter(pk__in=[card.pk for card in cards])
    )
    if active != set(cards):
        raise NotApplicable("A gift card has expired.")
    return checkout.billing_address


def _due(*, whole: TaxedMoney, cards: Sequence[GiftCard], currency: str) -> TaxedMoney:
    """What is left to pay once the gift cards are used up; read from the cards' locked rows."""
    balance = sum((card.current_balance for card in cards), Money(0, currency))
    return max(TaxedMoney(net=whole.net - balance, gross=whole.gross - balance), zero_taxed_money(currency))


def _payment_for(*, due: Money, payments: Sequence[Payment]) -> Payment | None:
    """The one payment that covers what is due to the fen; None when nothing is due."""
    if not due.amount and all(not each.captured_amount and not each.to_confirm for each in payments):
        return None
    if len(payments) == 1:
        (payment,) = payments
        if payment.total == due.amount and payment.currency == due.currency:
            return payment
    raise CheckoutRefused(
        _("There must be exactly one payment, of ¥%(total)s: what this basket costs now.")
        % {"total": due.amount},
        code=Code.CHECKOUT_NOT_FULLY_PAID,
    )


def _ask_gateway(*, payment: Payment, request: CheckoutRequest, user: User | None, asked: _Asked) -> None:
    """Let the gateway take the money. Raises CheckoutRefused, or _ConfirmationNeeded.

    A payment that is captured already, because an earlier attempt could not give it back, is not taken twice.
    """
    asked.payment = payment
    if payment.captured_amount == payment.total:
        return
    known = set(payment.transactions.values_list("pk", flat=True))
    try:
        if payment.to_confirm:
            answer = gateway.confirm(payment)
        else:
            answer = gateway.process_payment(
                payment=payment, token=payment.token, store_source=request.store_source
            )
    except PaymentError as error:
        raise CheckoutRefused(str(error), code=Code.PAYMENT_ERROR) from error
    finally:
        asked.answers = list(payment.transactions.exclude(pk__in=known).order_by("pk"))
    if answer.action_required:
        raise _ConfirmationNeeded
    if answer.customer_id and user is not None:
        store_customer_id(user, payment.gateway, answer.customer_id)


def _finish(
    *,
    order: Order,
    checkout: Checkout,
    payments: Sequence[Payment],
    payment: Payment | None,
    manager: PluginsManager,
    user: User | None,
    request: CheckoutRequest,
) -> None:
    # Where nothing was due, a payment of another amount is left over: nobody must capture it later.
    Payment.objects.filter(pk__in=[each.pk for each in payments]).update(
        order=order, is_active=payment is not None
    )
    order.tracking_client_id = request.tracking_client_id
    order.save(update_fields=["tracking_client_id"])
    checkout.delete()
    order_created_event(order=order, user=user or NOBODY)
    manager.order_created(order)
    announce(order=order, user=user, redirect_url=request.redirect_url)
    if order.is_fully_paid():
        # Saleor fires this when a payment of an order is captured; here it was captured before it had an order.
        transaction.on_commit(lambda: handle_fully_paid_order(order), robust=True)


def _write_down(asked: _Asked) -> None:
    """Store once more what the gateway answered: the savepoint took its records with it."""
    if asked.payment is None:
        return
    for answer in asked.answers:
        answer.pk = None
    Transaction.objects.bulk_create(asked.answers)
    asked.payment.save()


def _give_back(asked: _Asked) -> bool:
    """Refund what was captured, void what was authorized; False when the gateway refused."""
    payment = asked.payment
    if payment is None:
        return True
    try:
        if payment.captured_amount > 0:
            gateway.refund(payment)
        elif any(answer.kind == TransactionKind.AUTH and answer.is_success for answer in asked.answers):
            gateway.void(payment)
    except PaymentError as error:
        logger.error("payment not returned", payment=payment.pk, gateway=payment.gateway, reason=str(error))
        return False
    return True


def _refusal(
    *, error: Exception, request: CheckoutRequest, checkout: Checkout, is_returned: bool
) -> Exception:
    """What the client is told; an error that nobody foresaw stays what it is."""
    told: ShopError
    if not is_returned:
        told = CheckoutRefused(
            _("The order could not be made. Your payment could not be returned yet: we will."),
            code=Code.PAYMENT_ERROR,
        )
    elif isinstance(error, InsufficientStock):
        told = short_stock(
            error=error, checkout_token=request.checkout_token, country_code=checkout.get_country()
        )
    elif isinstance(error, NotApplicable):
        told = CheckoutRefused(
            _("The voucher can no longer be used. Take it out and order again."),
            code=Code.VOUCHER_NOT_APPLICABLE,
        )
    elif isinstance(error, TaxError):
        told = CheckoutRefused(_("The taxes could not be computed."), code=Code.TAX_ERROR)
    else:
        return error
    told.__cause__ = error
    return told
