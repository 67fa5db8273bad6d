"""A process is killed by SIGKILL in the middle of checkoutComplete: the buyer has the order, or his money back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from saleor.checkout.models import Checkout
from saleor.order import OrderStatus
from saleor.order.models import Order

from backend.ordering.attempts import recover_attempts
from backend.ordering.models import CheckoutAttempt
from backend.stock.audit import find_drift
from tests import produce
from tests.chaos.simulated_bank import GATEWAY, Bank, open_bank

pytestmark = pytest.mark.django_db(transaction=True)

PAID = "paid"
NOT_PAID = "not paid"

OUTCOME = {
    "before the gateway is asked": NOT_PAID,
    "once the gateway has taken the money": PAID,
    "between the halves of the record": PAID,
    "once the answer is on record": PAID,
    "before the order is committed": PAID,
    "once the order is committed": PAID,
    "as the money goes back": NOT_PAID,
    "once the money went back": NOT_PAID,
}

RETURNED = ("as the money goes back", "once the money went back")

Complete = Callable[..., int]


@pytest.fixture
def bank() -> Iterator[Bank]:
    with open_bank() as opened, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANK_URL", opened.url)
        yield opened


@pytest.fixture
def complete(bank: Bank) -> Iterator[Complete]:
    """Completes a checkout in a process of its own; the signal that ended it, 0 when none did."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.dying_buyer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None

        def complete(checkout: Checkout, *, dies: str) -> int:
            print(json.dumps({"checkout": str(checkout.token), "dies": dies}), file=stdin, flush=True)
            ended_by = -int(stdout.readline())
            wait_until_nobody_else_is_connected()
            return ended_by

        yield complete
        stdin.close()
        process.wait(timeout=60)


@pytest.fixture(autouse=True)
def bank_is_offered(settings: Any) -> None:
    settings.PLUGINS = ["tests.chaos.bank_plugin.BankPlugin"]


def promised(shed: produce.Shed) -> int:
    shed.supply.refresh_from_db()
    return shed.supply.allocated


def wait_until_nobody_else_is_connected() -> None:
    """PostgreSQL takes a moment to see that a process has died; until then its locks stand."""
    deadline = time.monotonic() + 60
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            if cursor.fetchone() is None:
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def order_of(checkout: Checkout) -> Order | None:
    return Order.objects.filter(checkout_token=str(checkout.token)).first()


def test_a_checkout_whose_process_was_killed_is_paid_or_undone_and_nothing_between(
    bank: Bank, complete: Complete
) -> None:
    shed = produce.a_shed(on_hand=100_000)
    for moment, outcome in OUTCOME.items():
        checkout = produce.a_checkout(shed)
        payment = produce.a_payment(checkout, gateway=GATEWAY)
        held, before = bank.holds(), promised(shed)

        assert complete(checkout, dies=moment) == signal.SIGKILL, moment
        # Until it is known what became of the money, nobody else gets the goods; and who may be alive is left alone.
        assert promised(shed) - before == (0 if moment in RETURNED else 2_000), moment
        assert recover_attempts(now=timezone.now()) == 0, moment

        later = timezone.now() + timedelta(minutes=2)
        assert recover_attempts(now=later) == (0 if moment == "once the order is committed" else 1), moment
        assert recover_attempts(now=later) == 0, moment

        order = order_of(checkout)
        payment.refresh_from_db()
        if outcome == PAID:
            assert order is not None and order.is_fully_paid(), moment
            assert order.status == OrderStatus.UNFULFILLED, moment
            assert bank.book()[str(order.pk)] == "captured", moment
            assert bank.holds() - held == payment.captured_amount == order.total.gross.amount == 14, moment
            assert promised(shed) - before == 2_000, moment
            assert not Checkout.objects.filter(pk=checkout.pk).exists(), moment
        else:
            assert order is None, moment
            assert (bank.holds() - held, payment.captured_amount) == (0, 0), moment
            assert promised(shed) == before, moment
            assert Checkout.objects.filter(pk=checkout.pk).exists(), moment

            # The buyer tries again, and pays once.
            if not payment.is_active:
                produce.a_payment(checkout, gateway=GATEWAY)
            assert complete(checkout, dies="never") == 0, moment
            again = order_of(checkout)
            assert again is not None and again.is_fully_paid(), moment
            assert bank.holds() - held == 14, moment
    assert not CheckoutAttempt.objects.filter(state__in=CheckoutAttempt.OPEN).exists()
    assert find_drift() == []
