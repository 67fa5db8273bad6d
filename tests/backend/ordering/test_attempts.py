"""What becomes of an attempt to pay whose gateway gives no answer, a wrong one, or not yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import graphene
import psycopg
import pytest
from django.conf import settings as settings_of_the_shop
from django.db import OperationalError, connection
from django.utils import timezone
from django.utils.module_loading import import_string
from saleor.account.models import User
from saleor.checkout.models import Checkout
from saleor.discount.models import Voucher, VoucherCustomer
from saleor.giftcard.models import GiftCard
from saleor.order.models import Order
from saleor.payment import ChargeStatus, TransactionKind
from saleor.payment.interface import GatewayResponse, PaymentData
from saleor.payment.models import Payment, Transaction
from saleor.plugins.base_plugin import BasePlugin

from backend.ordering import attempts
from backend.ordering.attempts import recover_attempts
from backend.ordering.completion import CheckoutRefused, CheckoutRequest, complete_checkout
from backend.ordering.errors import OrderRefused
from backend.ordering.models import CheckoutAttempt
from backend.ordering.services import place_order
from backend.stock.audit import find_drift
from tests import produce
from tests.backend.ordering.test_place_order import a_request
from tests.backend.saleor_port.small_shop import ask

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + timedelta(minutes=2)
State = CheckoutAttempt.State

PLUGINS = list(settings_of_the_shop.PLUGINS)

ASKED: list[tuple[str, PaymentData]] = []
"""What the bank below was asked, in order."""


class Bank(BasePlugin):
    """A gateway that does what a test wants; what it answers is_success to, it has done."""

    PLUGIN_ID = "tests.a_bank"
    PLUGIN_NAME = "A bank"
    DEFAULT_ACTIVE = True

    def process_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._answer("take", payment_information, kind=TransactionKind.CAPTURE)

    def refund_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._answer("give back", payment_information, kind=TransactionKind.REFUND)

    def look_up_payment(self, payment_information: PaymentData) -> GatewayResponse:
        return self._answer("look up", payment_information, kind=TransactionKind.CAPTURE)

    def _answer(self, what: str, data: PaymentData, *, kind: str) -> GatewayResponse:
        ASKED.append((what, data))
        return GatewayResponse(
            is_success=True,
            action_required=False,
            kind=kind,
            amount=data.amount,
            currency=data.currency,
            transaction_id=f"{what} {data.order_id}",
            error=None,
        )


@pytest.fixture(autouse=True)
def bank(settings: Any) -> None:
    ASKED.clear()
    settings.PLUGINS = [f"{Bank.__module__}.{Bank.__name__}"]


def bank_that(what: str, does: Callable[[Bank, PaymentData], GatewayResponse]) -> Any:
    def answer(self: Bank, payment_information: PaymentData, previous_value: Any = None) -> GatewayResponse:
        ASKED.append((what, payment_information))
        return does(self, payment_information)

    return mock.patch.object(Bank, what, answer)


def takes(plugin: Bank, data: PaymentData) -> GatewayResponse:
    return Bank._answer(plugin, "take", data, kind=TransactionKind.CAPTURE)


def declines(plugin: Bank, data: PaymentData) -> GatewayResponse:
    return dataclasses.replace(takes(plugin, data), is_success=False, error="no")


def breaks_off(plugin: Bank, data: PaymentData) -> GatewayResponse:
    raise TimeoutError("no answer")


def pay(checkout: Checkout, *, user: User | None = None, now: datetime = NOW) -> Order | None:
    return complete_checkout(request=CheckoutRequest(checkout_token=checkout.token), user=user, now=now)


def a_checkout_to_pay(shed: produce.Shed, **changes: Any) -> tuple[Checkout, Payment]:
    checkout = produce.a_checkout(shed, **changes)
    return checkout, produce.a_payment(checkout, gateway=Bank.PLUGIN_ID)


def promised(shed: produce.Shed) -> int:
    shed.supply.refresh_from_db()
    return shed.supply.allocated


def states() -> list[str]:
    return list(CheckoutAttempt.objects.order_by("pk").values_list("state", flat=True))


# ---- The gateway says no, or nothing ----


@pytest.mark.django_db(transaction=True)
def test_the_gateway_is_asked_in_no_transaction_and_each_time_for_another_number() -> None:
    shed = produce.a_shed()
    checkout, _payment = a_checkout_to_pay(shed)
    in_transaction: list[bool] = []

    def declines_and_looks(plugin: Bank, data: PaymentData) -> GatewayResponse:
        in_transaction.append(connection.in_atomic_block)
        return declines(plugin, data)

    with bank_that("process_payment", declines_and_looks), pytest.raises(CheckoutRefused, match="no"):
        pay(checkout)
    order = pay(checkout)

    assert order is not None
    assert in_transaction == [False]
    numbers = [data.order_id for what, data in ASKED if what == "take"]
    assert numbers == list(CheckoutAttempt.objects.order_by("pk").values_list("order_number", flat=True))
    assert (len(set(numbers)), numbers[1]) == (2, order.pk)


def test_a_refusal_leaves_everything_as_it_was() -> None:
    shed = produce.a_shed()
    voucher = Voucher.objects.create(
        code="AUTUMN", discount_value=1, start_date=NOW, apply_once_per_customer=True, usage_limit=1
    )
    card = GiftCard.objects.create(code="CARD", initial_balance_amount=5, current_balance_amount=5)
    checkout = produce.a_checkout(shed, voucher_code="AUTUMN", discount_amount=Decimal(1))
    checkout.gift_cards.add(card)
    produce.a_payment(checkout, gateway=Bank.PLUGIN_ID, total="8")
    addresses = set(type(checkout.shipping_address).objects.values_list("pk", flat=True))

    with bank_that("process_payment", declines), pytest.raises(CheckoutRefused) as refusal:
        pay(checkout)

    assert refusal.value.code == "payment_error"
    voucher.refresh_from_db()
    card.refresh_from_db()
    assert (voucher.used, VoucherCustomer.objects.count(), card.current_balance_amount) == (0, 0, 5)
    assert (Order.objects.count(), promised(shed), states()) == (0, 0, ["undone"])
    assert set(type(checkout.shipping_address).objects.values_list("pk", flat=True)) == addresses
    assert find_drift() == []

    assert pay(checkout) is not None
    voucher.refresh_from_db()
    card.refresh_from_db()
    assert (voucher.used, VoucherCustomer.objects.count(), card.current_balance_amount) == (1, 1, 0)


def test_no_answer_is_not_taken_for_a_no() -> None:
    shed = produce.a_shed()
    checkout, payment = a_checkout_to_pay(shed)

    with bank_that("process_payment", breaks_off), pytest.raises(CheckoutRefused) as refusal:
        pay(checkout)
    assert refusal.value.code == "payment_error"
    assert promised(shed) == 2_000

    # The buyer is impatient: nothing is asked for twice.
    with pytest.raises(CheckoutRefused):
        pay(checkout, now=NOW + timedelta(seconds=30))
    assert [what for what, _data in ASKED] == ["process_payment"]

    assert recover_attempts(now=LATER) == 1
    payment.refresh_from_db()
    assert (Order.objects.get().is_fully_paid(), payment.captured_amount, states()) == (True, 14, ["made"])
    assert pay(checkout, now=LATER) == Order.objects.get()


def test_who_comes_back_after_a_while_finds_the_order_without_waiting_for_the_task() -> None:
    checkout, _payment = a_checkout_to_pay(produce.a_shed())
    with bank_that("process_payment", breaks_off), pytest.raises(CheckoutRefused):
        pay(checkout)

    order = pay(checkout, now=LATER)

    assert order is not None and order.is_fully_paid()


def test_a_gateway_that_cannot_say_yet_is_asked_again_and_the_goods_are_kept() -> None:
    shed = produce.a_shed()
    checkout, _payment = a_checkout_to_pay(shed)
    with bank_that("process_payment", breaks_off), pytest.raises(CheckoutRefused):
        pay(checkout)

    with bank_that("look_up_payment", breaks_off):
        assert recover_attempts(now=LATER) == 0
        with pytest.raises(CheckoutRefused):
            pay(checkout, now=LATER)
    assert (promised(shed), states()) == (2_000, ["asking"])

    with bank_that("look_up_payment", declines):
        assert recover_attempts(now=LATER) == 1
    assert (promised(shed), states(), Order.objects.count()) == (0, ["undone"], 0)


def test_money_that_somebody_gave_back_in_the_banks_own_pages_makes_no_order() -> None:
    shed = produce.a_shed()
    checkout, payment = a_checkout_to_pay(shed)
    with bank_that("process_payment", breaks_off), pytest.raises(CheckoutRefused):
        pay(checkout)

    def was_given_back(plugin: Bank, data: PaymentData) -> GatewayResponse:
        return dataclasses.replace(takes(plugin, data), kind=TransactionKind.REFUND)

    with bank_that("look_up_payment", was_given_back):
        assert recover_attempts(now=LATER) == 1

    payment.refresh_from_db()
    assert (payment.captured_amount, payment.charge_status) == (0, ChargeStatus.FULLY_REFUNDED)
    assert (Order.objects.count(), promised(shed), states()) == (0, 0, ["undone"])


# ---- The order cannot be made ----


def a_hook_fails() -> Any:
    return mock.patch(
        "saleor.plugins.manager.PluginsManager.order_created", side_effect=RuntimeError("a hook failed")
    )


def test_a_refund_that_was_refused_is_asked_for_again_until_it_is_done() -> None:
    shed = produce.a_shed()
    checkout, payment = a_checkout_to_pay(shed)
    with a_hook_fails(), bank_that("refund_payment", declines), pytest.raises(CheckoutRefused):
        pay(checkout)
    assert (promised(shed), states()) == (0, ["owed"])

    with bank_that("refund_payment", declines):
        assert recover_attempts(now=LATER) == 0
    assert recover_attempts(now=LATER) == 1

    payment.refresh_from_db()
    assert (payment.captured_amount, payment.is_active, states()) == (0, False, ["undone"])
    assert {data.order_id for _what, data in ASKED} == {CheckoutAttempt.objects.get().order_number}


def test_a_refund_without_an_answer_is_looked_up_before_it_is_asked_for_again() -> None:
    checkout, payment = a_checkout_to_pay(produce.a_shed())
    with a_hook_fails(), bank_that("refund_payment", breaks_off), pytest.raises(CheckoutRefused):
        pay(checkout)
    assert states() == ["returning"]
    # It may be on its way: that money pays for nothing else.
    with pytest.raises(CheckoutRefused):
        pay(checkout)
    ASKED.clear()

    def was_given_back(plugin: Bank, data: PaymentData) -> GatewayResponse:
        return dataclasses.replace(takes(plugin, data), kind=TransactionKind.REFUND)

    with bank_that("look_up_payment", was_given_back):
        assert recover_attempts(now=LATER) == 1

    payment.refresh_from_db()
    assert (payment.captured_amount, payment.is_active, states()) == (0, False, ["undone"])
    assert "give back" not in [what for what, _data in ASKED]


def test_a_database_that_fails_for_a_moment_costs_nobody_his_order() -> None:
    checkout, payment = a_checkout_to_pay(produce.a_shed())
    with (
        mock.patch.object(attempts, "finish", side_effect=OperationalError("terminating connection")),
        pytest.raises(OperationalError),
    ):
        pay(checkout)
    assert states() == ["asking"]

    assert recover_attempts(now=LATER) == 1

    payment.refresh_from_db()
    assert (Order.objects.get().is_fully_paid(), payment.captured_amount) == (True, 14)
    assert [what for what, _data in ASKED] == ["take"]


def test_an_attempt_that_was_undone_behind_its_back_gives_the_money_back() -> None:
    checkout, payment = a_checkout_to_pay(produce.a_shed())

    def takes_its_time(plugin: Bank, data: PaymentData) -> GatewayResponse:
        # Its connection was lost, and with it its turn; and the bank's word was wrong.
        with bank_that("look_up_payment", declines):
            assert recover_attempts(now=LATER) == 1
        return takes(plugin, data)

    with bank_that("process_payment", takes_its_time), pytest.raises(attempts.Overtaken):
        pay(checkout)

    payment.refresh_from_db()
    assert (payment.captured_amount, Order.objects.count(), states()) == (0, 0, ["undone"])


# ---- While it is asked ----


@pytest.mark.django_db(transaction=True)
def test_an_attempt_whose_process_lives_is_left_alone() -> None:
    checkout, _payment = a_checkout_to_pay(produce.a_shed())
    with bank_that("process_payment", breaks_off), pytest.raises(CheckoutRefused):
        pay(checkout)
    of_database = connection.get_connection_params()

    with psycopg.connect(
        **{
            name: of_database[name]
            for name in ("dbname", "user", "password", "host", "port")
            if name in of_database
        }
    ) as living:
        living.execute(
            "SELECT pg_advisory_lock(%s, %s)", [attempts._ADVISORY_LOCK, checkout.token.int & 0x7FFFFFFF]
        )
        assert recover_attempts(now=LATER) == 0
    assert recover_attempts(now=LATER) == 1


def meanwhile(checkout: Checkout, happens: Callable[[], Any]) -> Any:
    """What `happens` answers while the gateway is asked about the checkout."""
    seen: list[Any] = []

    def takes_while_it_happens(plugin: Bank, data: PaymentData) -> GatewayResponse:
        seen.append(happens())
        return takes(plugin, data)

    with bank_that("process_payment", takes_while_it_happens):
        pay(checkout)
    [answer] = seen
    return answer


def test_a_basket_that_is_being_paid_gets_no_second_payment_and_no_second_order() -> None:
    shed = produce.a_shed()
    checkout, payment = a_checkout_to_pay(shed)
    create = """
    mutation($id: ID!) { checkoutPaymentCreate(checkoutId: $id, input: {gateway: "tests.a_bank", token: "another"}) {
      paymentErrors { code message } } }
    """

    def place() -> str:
        with pytest.raises(OrderRefused) as refusal:
            place_order(request=a_request(shed, basket=checkout), user=None, now=NOW)
        return str(refusal.value.code)

    def pay_again() -> str:
        answer = ask(create, id=graphene.Node.to_global_id("Checkout", checkout.pk))
        return str(answer.data["checkoutPaymentCreate"]["paymentErrors"][0]["code"])

    assert meanwhile(checkout, lambda: (place(), pay_again())) == ("basket_being_paid", "PAYMENT_ERROR")
    payment.refresh_from_db()
    assert (payment.is_active, payment.order) == (True, Order.objects.get())


def test_every_gateway_of_this_shop_can_be_asked_what_became_of_an_attempt() -> None:
    plugins = [import_string(path) for path in PLUGINS]
    gateways = [each for each in plugins if "process_payment" in vars(each)]

    assert [each.PLUGIN_ID for each in gateways] == ["pay_on_collection"]
    assert all("look_up_payment" in vars(each) for each in gateways)


def test_who_pays_on_collection_and_dies_on_the_way_owes_nothing(settings: Any) -> None:
    settings.PLUGINS = PLUGINS
    shed = produce.a_shed()
    checkout = produce.a_checkout(shed)
    produce.a_payment(checkout, gateway="pay_on_collection")
    with (
        mock.patch("saleor.payment.gateway.process_payment", side_effect=OperationalError("gone")),
        pytest.raises(OperationalError),
    ):
        pay(checkout)

    assert recover_attempts(now=LATER) == 1

    assert (promised(shed), states(), Transaction.objects.filter(is_success=True).count()) == (
        0,
        ["undone"],
        0,
    )
    assert pay(checkout) is not None
