"""checkoutComplete, for Saleor's own clients: the order stands as a draft, with its stock, before the gateway is asked.

Three steps. A first transaction locks the checkout, makes a draft of its order that nobody sees, promises the stock,
counts the voucher, takes what the gift cards cover, and writes down the attempt. Then the gateway is asked, outside
any transaction. Its answer is settled in another one: the draft becomes the order and the checkout goes; or, when it
declines, wants the buyer's confirmation first, or something later fails, the draft and all that it held are undone,
money that was taken goes back, and the checkout is as it was (backend.ordering.attempts). An attempt whose process
died is ended by recover_attempts.

Where nothing is due no gateway is asked, and all of it is one transaction.

Locks, always in this order: the checkout row; its payments; its gift cards; the rows of a voucher; then what
backend.stock.allocation locks. None is held while the gateway answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
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
from saleor.order import OrderStatus
from saleor.order.models import Order
from saleor.order.utils import add_gift_card_to_order
from saleor.payment import PaymentError
from saleor.payment.models import Payment
from saleor.payment.utils import store_customer_id
from saleor.plugins.manager import get_plugins_manager

from backend.ordering.attempts import (
    PATIENCE,
    OutcomeUnknown,
    ask_gateway,
    finish,
    give_back,
    make_order,
    recover,
    turn,
    undo,
)
from backend.ordering.errors import OrderRefused
from backend.ordering.models import CheckoutAttempt
from backend.ordering.services import (
    OUT_OF_REACH,
    basket_lines,
    create_order,
    is_in_reach,
    order_line,
    short_stock,
)
from backend.ordering.vouchers import use_voucher
from backend.stock.allocation import allocate

Code = CheckoutErrorCode
State = CheckoutAttempt.State


@dataclass(frozen=True)
class CheckoutRequest:
    """redirect_url: where the mail's link leads, checked already; store_source: keep the card for next time.

    manages_checkouts: it is asked by staff or an app that may complete other people's, too.
    """

    checkout_token: UUID
    manages_checkouts: bool = False
    redirect_url: str = ""
    store_source: bool = False
    tracking_client_id: str = ""


class CheckoutRefused(OrderRefused):
    """The checkout cannot be completed; code is one of Saleor's CheckoutErrorCode."""

    def __init__(self, message: Any, *, code: CheckoutErrorCode, field: str | None = None) -> None:
        super().__init__(message, code=code.value, field=field)


def complete_checkout(*, request: CheckoutRequest, user: User | None, now: datetime) -> Order | None:
    """Turn a paid-for checkout into its order; None when the gateway wants the buyer's confirmation first.

    A checkout that has become an order is answered with that order, also when two such requests race.

    Raises CheckoutRefused or ShortStock. Then there is no order, nothing is promised or used up, and what the gateway
    had taken was given back, or the message says that it could not be yet, or is not known yet.
    """
    with turn(request.checkout_token, wait=True):
        _end_what_was_left(request=request, now=now)
        try:
            begun = _begin(request=request, user=user, now=now)
        except InsufficientStock as error:
            checkout = Checkout.objects.get(token=request.checkout_token)
            raise short_stock(
                error=error, checkout_token=request.checkout_token, country_code=checkout.get_country()
            ) from error
        except NotApplicable as error:
            raise CheckoutRefused(
                _("The voucher can no longer be used. Take it out and order again."),
                code=Code.VOUCHER_NOT_APPLICABLE,
            ) from error
        except TaxError as error:
            raise CheckoutRefused(_("The taxes could not be computed."), code=Code.TAX_ERROR) from error
        if isinstance(begun, Order):
            return begun
        return _pay(attempt=begun, request=request, user=user, now=now)


def _is_anothers(owner_pk: int | None, *, request: CheckoutRequest, user: User | None) -> bool:
    """Somebody else's basket, and the order that it became, is answered like one that does not exist."""
    return owner_pk not in {None, user.pk if user else None} and not request.manages_checkouts


def _no_such_checkout() -> CheckoutRefused:
    return CheckoutRefused(_("There is no such checkout."), code=Code.NOT_FOUND, field="checkout_id")


def _end_what_was_left(*, request: CheckoutRequest, now: datetime) -> None:
    """An earlier attempt whose process died: it is ended before there is another one. Raises CheckoutRefused."""
    left = CheckoutAttempt.objects.filter(
        checkout_token=request.checkout_token, state__in=(State.ASKING, State.RETURNING)
    ).first()
    if left is None:
        return
    if left.begun_at > now - PATIENCE or not recover(attempt_pk=left.pk, now=now):
        raise _not_known_yet()


def _not_known_yet() -> CheckoutRefused:
    return CheckoutRefused(
        _(
            "We do not know yet whether your payment went through. Try again in a minute; nothing is taken twice."
        ),
        code=Code.PAYMENT_ERROR,
    )


@transaction.atomic(durable=True)
def _begin(*, request: CheckoutRequest, user: User | None, now: datetime) -> CheckoutAttempt | Order:
    """An attempt with its draft; or the order, when it was made before or nothing is due."""
    checkout = Checkout.objects.select_for_update(of=("self",)).filter(token=request.checkout_token).first()
    if checkout is None:
        return _order_of(request, user=user)
    if _is_anothers(checkout.user_id, request=request, user=user):
        raise _no_such_checkout()
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
        status=OrderStatus.UNFULFILLED if payment is None else OrderStatus.DRAFT,
    )
    order.tracking_client_id = request.tracking_client_id
    order.save(update_fields=["tracking_client_id"])
    allocate(lines=order_lines, country_code=checkout.get_country(), now=now)
    spent = _spend(cards=cards, order=order, whole=whole.gross)
    if payment is None:
        # A payment of another amount is left over: nobody must capture it later.
        Payment.objects.filter(pk__in=[each.pk for each in payments]).update(order=order, is_active=False)
        finish(order=order, checkout=checkout, user=user, redirect_url=request.redirect_url)
        return order
    # The gateway refused to give that money back: it is still there, and pays for this attempt.
    CheckoutAttempt.objects.filter(checkout_token=checkout.token, state=State.OWED).update(
        state=State.UNDONE, ended_at=now
    )
    return CheckoutAttempt.objects.create(
        checkout_token=checkout.token,
        order=order,
        order_number=order.pk,
        payment=payment,
        redirect_url=request.redirect_url,
        spent_on_cards=spent,
        begun_at=now,
    )


def _order_of(request: CheckoutRequest, *, user: User | None) -> Order:
    order = Order.objects.confirmed().filter(checkout_token=str(request.checkout_token)).first()
    if order is None or _is_anothers(order.user_id, request=request, user=user):
        raise _no_such_checkout()
    return order


def _spend(*, cards: Sequence[GiftCard], order: Order, whole: Money) -> dict[str, str]:
    """Take from the cards what they cover of the whole price; answers how much from which."""
    spent: dict[str, str] = {}
    left = whole
    for card in cards:
        before = left
        left = add_gift_card_to_order(order, card, left)
        spent[str(card.pk)] = str((before - left).amount)
    return spent


def _pay(
    *, attempt: CheckoutAttempt, request: CheckoutRequest, user: User | None, now: datetime
) -> Order | None:
    payment = attempt.payment
    # Captured before, by an attempt that could not give it back: it is not taken twice.
    if payment.captured_amount != payment.total:
        try:
            answer = ask_gateway(attempt=attempt, store_source=request.store_source)
        except OutcomeUnknown as error:
            raise _not_known_yet() from error
        except PaymentError as error:
            undo(attempt=attempt, to=State.UNDONE, now=now)
            raise CheckoutRefused(str(error), code=Code.PAYMENT_ERROR) from error
        if answer.action_required:
            undo(attempt=attempt, to=State.UNDONE, now=now)
            return None
        if answer.customer_id and user is not None:
            store_customer_id(user, payment.gateway, answer.customer_id)
    try:
        return make_order(attempt=attempt, user=user, now=now)
    except OperationalError:
        # The database is at fault, not the order: the attempt stays open, and recover_attempts makes it.
        raise
    except Exception as error:
        # Whatever it is, money must not stay without an order; the error itself goes on.
        if not give_back(attempt=attempt, now=now):
            raise CheckoutRefused(
                _("The order could not be made. Your payment could not be returned yet: we will."),
                code=Code.PAYMENT_ERROR,
            ) from error
        raise


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
        if not is_in_reach(method=checkout.shipping_method, address=checkout.shipping_address):
            raise CheckoutRefused(OUT_OF_REACH, code=Code.INVALID_SHIPPING_METHOD, field="shipping_method")
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
