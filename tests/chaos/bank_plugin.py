"""The simulated bank as a gateway of Saleor. BANK_URL, an environment variable, is where it answers."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

from saleor.payment import TransactionKind
from saleor.payment.interface import GatewayResponse, PaymentData
from saleor.plugins.base_plugin import BasePlugin

from tests.chaos.simulated_bank import GATEWAY, Bank

KINDS = {"captured": TransactionKind.CAPTURE, "refunded": TransactionKind.REFUND}


class BankPlugin(BasePlugin):
    PLUGIN_ID = GATEWAY
    PLUGIN_NAME = "Simulated bank"
    DEFAULT_ACTIVE = True

    def process_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._ask("capture", payment_information)

    def refund_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._ask("refund", payment_information)

    def look_up_payment(self, payment_information: PaymentData) -> GatewayResponse:
        """Closes a number that the bank has not heard of, so that a late request takes nothing."""
        return self._ask("close", payment_information)

    def _ask(self, what: str, data: PaymentData) -> GatewayResponse:
        answer = Bank(os.environ["BANK_URL"]).ask(what, number=str(data.order_id), amount=str(data.amount))
        return GatewayResponse(
            is_success=answer["stands"] in KINDS,
            action_required=False,
            kind=KINDS.get(answer["stands"], TransactionKind.CAPTURE),
            amount=Decimal(answer.get("amount", "0")),
            currency=data.currency,
            transaction_id=f"bank-{data.order_id}",
            error=None,
        )
