"""What becomes of an attempt to pay for a checkout: its order is made, or all is undone and the money goes back.

The attempt, its draft of the order and the stock that this holds are committed before the gateway is asked, and the
gateway is asked outside any transaction. So a process may die at any line: the attempt that it leaves open says what
it was about, and recover_attempts ends it by what is on record or, failing that, by what the gateway says.

    asking -> made                        the gateway holds the money, or a promise of it, and the order stands
    asking -> undone                      it holds nothing
    asking -> returning -> undone         it holds money for an order that could not be made
              returning <-> owed          it refused to give that back; it is asked again each minute

A gateway that can be asked has look_up_payment(payment_information) -> GatewayResponse beside process_payment: what
became of the attempt named by order_id. A CAPTURE, CONFIRM or AUTH is what it holds; a REFUND or VOID went back;
is_success=False says that it holds nothing, and will take nothing for that number any more: a gateway whose own
request may still be on its way closes the number first. It raises when it cannot tell.

Locks, always in this order: the checkout row; the attempt's; the rows of gift cards and a voucher; then what
backend.stock.allocation locks. Whoever works on the attempts of a checkout has its turn (`turn`) meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import F
from saleor.account.models import User
from saleor.checkout.models import Checkout
from saleor.giftcard.models import GiftCard
from saleor.order import OrderStatus
from saleor.order.actions import handle_fully_paid_order
from saleor.order.events import order_created_event
from saleor.order.models import Order
from saleor.payment import PaymentError, TransactionKind, gateway
from saleor.payment.interface import GatewayResponse
from saleor.payment.models import Payment, Transaction
from saleor.payment.utils import (
    create_payment_information,
    create_transaction,
    gateway_postprocess,
    validate_gateway_response,
)
from saleor.plugins.manager import get_plugins_manager
from saleor.warehouse.management import deallocate_stock_for_order

from backend.ordering.models import CheckoutAttempt
from backend.ordering.services import NOBODY, announce, remember_address
from backend.ordering.vouchers import return_voucher

logger = structlog.get_logger(__name__)

State = CheckoutAttempt.State

PATIENCE = timedelta(minutes=1)
"""How long an open attempt is left alone: no gateway is waited for as long as that."""

# The first half of an advisory lock's key: "paid" in ASCII. The second is of the checkout's token.
_ADVISORY_LOCK = 0x70616964

TAKEN = (TransactionKind.CAPTURE, TransactionKind.CONFIRM)
GIVEN_BACK = (TransactionKind.REFUND, TransactionKind.VOID)


class OutcomeUnknown(Exception):
    """The gateway gave no answer that could be read: it may hold the money, or not."""


class Overtaken(Exception):
    """Somebody else has ended the attempt meanwhile."""


@contextmanager
def turn(checkout_token: UUID, *, wait: bool) -> Iterator[bool]:
    """Whether nobody else is at this checkout's attempts; with wait, once nobody is.

    Of a session, not of a transaction, so that it holds while a gateway is asked, and ends with a killed process.
    """
    key = [_ADVISORY_LOCK, checkout_token.int & 0x7FFFFFFF]
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
            mine = True
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
            (mine,) = cursor.fetchone()
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


# ---- Asking the gateway ---------------------------------------------------------------------------------------------


def ask_gateway(*, attempt: CheckoutAttempt, store_source: bool) -> Transaction:
    """Let the gateway take the money; its answer is on record afterwards.

    Raises PaymentError when it declines, OutcomeUnknown when it cannot be told whether it does.
    """
    payment = attempt.payment
    with _numbered(attempt):
        try:
            if payment.to_confirm:
                return gateway.confirm(payment)
            return gateway.process_payment(payment=payment, token=payment.token, store_source=store_source)
        except PaymentError as error:
            # Saleor calls it a no when the gateway's code failed; of a gateway that cannot be asked it is taken for one.
            if _is_unknown(payment) and _look_up_of(payment) is not None:
                raise OutcomeUnknown from error
            raise


@contextmanager
def _numbered(attempt: CheckoutAttempt) -> Iterator[None]:
    """Saleor tells the gateway the number of payment.order. It is not saved: until the order is made it has no payment."""
    payment = attempt.payment
    payment.order = attempt.order or Order(pk=attempt.order_number)
    try:
        yield
    finally:
        payment.order = None


def _is_unknown(payment: Payment) -> bool:
    last = payment.transactions.order_by("pk").last()
    return last is not None and not last.is_success and last.error == gateway.ERROR_MSG


def _look_up_of(payment: Payment) -> object | None:
    return getattr(get_plugins_manager().get_plugin(payment.gateway), "look_up_payment", None)


def _look_up(attempt: CheckoutAttempt) -> GatewayResponse:
    """What the gateway says of an attempt. Raises OutcomeUnknown."""
    payment = attempt.payment
    look_up = _look_up_of(payment)
    if not callable(look_up):
        raise OutcomeUnknown(f"{payment.gateway} cannot be asked")
    with _numbered(attempt):
        asked = create_payment_information(payment=payment, payment_token=payment.token)
    try:
        response: GatewayResponse = look_up(asked)
        validate_gateway_response(response)
    except Exception as error:
        # A gateway's own code: whatever it stumbles over, the money is where it was.
        raise OutcomeUnknown from error
    return response


def _write_down(*, attempt: CheckoutAttempt, response: GatewayResponse) -> None:
    """Record what the gateway did for an attempt and nobody lived to write down."""
    payment = attempt.payment
    if response.kind == TransactionKind.REFUND and response.is_success and not payment.captured_amount:
        # It was captured before it was refunded, and neither was recorded.
        payment.captured_amount = response.amount
    with transaction.atomic():
        answer = create_transaction(
            payment=payment,
            kind=response.kind,
            action_required=response.action_required,
            payment_information=create_payment_information(payment=payment, payment_token=payment.token),
            gateway_response=response,
        )
        gateway_postprocess(answer, payment)


def _holding(payment: Payment) -> str:
    """By our own records: CAPTURE or AUTH, which the gateway holds, or ""."""
    last = payment.transactions.filter(is_success=True, action_required=False).order_by("pk").last()
    if payment.captured_amount > 0:
        return TransactionKind.CAPTURE
    if last is None or last.kind in GIVEN_BACK:
        return ""
    if last.kind in TAKEN:
        # The process died between the two halves of Saleor's own record.
        gateway_postprocess(last, payment)
        return TransactionKind.CAPTURE
    return TransactionKind.AUTH if last.kind == TransactionKind.AUTH else ""


# ---- Ending an attempt ----------------------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def make_order(*, attempt: CheckoutAttempt, user: User | None, now: datetime) -> Order:
    """The draft becomes the order, the checkout goes. Raises Overtaken when the attempt was undone meanwhile."""
    checkout, locked = _lock(attempt)
    if locked.state == State.MADE and locked.order is not None:
        return locked.order
    if locked.state != State.ASKING or locked.order is None:
        raise Overtaken
    order = locked.order
    order.status = OrderStatus.UNFULFILLED
    order.save(update_fields=["status"])
    Payment.objects.filter(pk=locked.payment_id).update(order=order)
    finish(order=order, checkout=checkout, user=user, redirect_url=locked.redirect_url)
    locked.state, locked.ended_at = State.MADE, now
    locked.save(update_fields=["state", "ended_at"])
    return order


def finish(*, order: Order, checkout: Checkout | None, user: User | None, redirect_url: str) -> None:
    """An order stands from now on: the basket goes, and whoever listens is told. user: who completed it."""
    remember_address(order)
    if checkout is not None:
        checkout.delete()
    order_created_event(order=order, user=user or NOBODY)
    get_plugins_manager().order_created(order)
    announce(order=order, user=user, redirect_url=redirect_url)
    if order.is_fully_paid():
        # Saleor fires this when a payment of an order is captured; here it was captured before it had an order.
        transaction.on_commit(lambda: handle_fully_paid_order(order), robust=True)


@transaction.atomic(durable=True)
def undo(*, attempt: CheckoutAttempt, to: CheckoutAttempt.State, now: datetime) -> None:
    """Give back what the draft holds: stock, voucher, gift cards. The checkout stays as it is. Twice is once."""
    _checkout, locked = _lock(attempt)
    if locked.state != State.ASKING or locked.order is None:
        return
    order = locked.order
    for card_pk, amount in sorted(locked.spent_on_cards.items(), key=lambda each: int(each[0])):
        GiftCard.objects.filter(pk=card_pk).update(
            current_balance_amount=F("current_balance_amount") + Decimal(amount)
        )
    return_voucher(order=order)
    deallocate_stock_for_order(order)
    locked.state, locked.order = to, None
    locked.ended_at = now if to == State.UNDONE else None
    locked.save(update_fields=["state", "order", "ended_at"])
    addresses = [each for each in (order.shipping_address, order.billing_address) if each is not None]
    order.delete()
    for address in addresses:
        address.delete()


def give_back(*, attempt: CheckoutAttempt, now: datetime) -> bool:
    """Undo an attempt whose money the gateway holds, and return that; False when it could not be yet."""
    undo(attempt=attempt, to=State.RETURNING, now=now)
    return _return_money(attempt=attempt, now=now)


def _return_money(*, attempt: CheckoutAttempt, now: datetime) -> bool:
    payment = attempt.payment
    payment.refresh_from_db()
    attempt.order = None
    holding = _holding(payment)
    rows = CheckoutAttempt.objects.filter(pk=attempt.pk, state__in=(State.RETURNING, State.OWED))
    # Written before it is asked: from here on nobody takes that money for another attempt.
    rows.update(state=State.RETURNING)
    try:
        with _numbered(attempt):
            if holding == TransactionKind.CAPTURE:
                gateway.refund(payment)
            elif holding == TransactionKind.AUTH:
                gateway.void(payment)
    except PaymentError as error:
        logger.error("payment not returned", payment=payment.pk, gateway=payment.gateway, reason=str(error))
        if not _is_unknown(payment):
            rows.update(state=State.OWED)
        return False
    rows.update(state=State.UNDONE, ended_at=now)
    return True


def _lock(attempt: CheckoutAttempt) -> tuple[Checkout | None, CheckoutAttempt]:
    checkout = Checkout.objects.select_for_update(of=("self",)).filter(token=attempt.checkout_token).first()
    locked = CheckoutAttempt.objects.select_for_update(of=("self",)).get(pk=attempt.pk)
    return checkout, locked


# ---- Attempts whose process died ------------------------------------------------------------------------------------


def recover_attempts(*, now: datetime, limit: int = 100) -> int:
    """End what was left open; returns how many attempts were ended.

    Safe to run twice and side by side: of each checkout only who has its turn goes on, and a living process has it.
    """
    waiting = (
        CheckoutAttempt.objects.filter(state__in=CheckoutAttempt.OPEN, begun_at__lt=now - PATIENCE)
        .order_by("begun_at")
        .values_list("pk", "checkout_token")[:limit]
    )
    ended = 0
    for pk, token in list(waiting):
        with turn(token, wait=False) as mine:
            if mine:
                ended += recover(attempt_pk=pk, now=now)
    return ended


def recover(*, attempt_pk: int, now: datetime) -> bool:
    """End one attempt, by whoever has its checkout's turn; False when it has to wait."""
    attempt = CheckoutAttempt.objects.select_related("payment", "order").get(pk=attempt_pk)
    try:
        if attempt.state == State.ASKING:
            return _settle(attempt=attempt, now=now)
        if attempt.state in (State.RETURNING, State.OWED):
            return _settle_return(attempt=attempt, now=now)
    except (OutcomeUnknown, OperationalError) as error:
        logger.error(
            "attempt to pay left open",
            attempt=attempt.pk,
            gateway=attempt.payment.gateway,
            reason=str(error.__cause__ or error),
        )
        return False
    return True


def _settle(*, attempt: CheckoutAttempt, now: datetime) -> bool:
    payment = attempt.payment
    if not _holding(payment):
        response = _look_up(attempt)
        _write_down(attempt=attempt, response=response)
        if not _holding(payment):
            undo(attempt=attempt, to=State.UNDONE, now=now)
            return True
    try:
        make_order(attempt=attempt, user=attempt.order.user if attempt.order else None, now=now)
    except OperationalError:
        # The database is at fault, not the order: the next time will do.
        raise
    except Exception:
        # Whatever it is, money must not stay without an order.
        logger.exception("order not made", attempt=attempt.pk)
        return give_back(attempt=attempt, now=now)
    return True


def _settle_return(*, attempt: CheckoutAttempt, now: datetime) -> bool:
    payment = attempt.payment
    if attempt.state == State.RETURNING and _holding(payment) and _look_up_of(payment) is not None:
        # Whoever asked for it died, or could not read the answer: the money may be back already.
        response = _look_up(attempt)
        if response.is_success and response.kind in GIVEN_BACK:
            _write_down(attempt=attempt, response=response)
    return _return_money(attempt=attempt, now=now)
