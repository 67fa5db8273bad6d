from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from saleor.payment import TransactionKind
from saleor.payment.interface import GatewayResponse, PaymentData
from saleor.plugins.base_plugin import BasePlugin


class PayOnCollectionPlugin(BasePlugin):
    """Saleor's gateway for cash or a scanned code on hand-over. Saleor runs hooks of inactive plugins too."""

    PLUGIN_ID = "pay_on_collection"
    PLUGIN_NAME = _("Pay on collection")
    PLUGIN_DESCRIPTION = _("The buyer pays when the goods are handed over.")
    DEFAULT_ACTIVE = True
    # Orders paid through this gateway hold their stock until they are handed over: they do not expire.
    PAYS_ON_COLLECTION = True

    def process_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self.authorize_payment(payment_information, previous_value)

    def authorize_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._respond(payment_information, previous_value, kind=TransactionKind.AUTH)

    def capture_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._respond(payment_information, previous_value, kind=TransactionKind.CAPTURE)

    def refund_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._respond(payment_information, previous_value, kind=TransactionKind.REFUND)

    def void_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        return self._respond(payment_information, previous_value, kind=TransactionKind.VOID)

    def look_up_payment(self, payment_information: PaymentData) -> GatewayResponse:
        """What became of an attempt (backend.ordering.attempts): nothing is taken before the goods are handed over."""
        return GatewayResponse(
            is_success=False,
            action_required=False,
            kind=TransactionKind.AUTH,
            amount=payment_information.amount,
            currency=payment_information.currency,
            transaction_id=payment_information.token or "",
            error=None,
        )

    def get_payment_config(self, previous_value: Any) -> list[dict[str, str]]:
        return []

    def _respond(
        self, payment_information: PaymentData, previous_value: Any, *, kind: str
    ) -> GatewayResponse:
        if not self.active:
            return previous_value
        return GatewayResponse(
            is_success=True,
            action_required=False,
            kind=kind,
            amount=payment_information.amount,
            currency=payment_information.currency,
            transaction_id=payment_information.token or "",
            error=None,
        )
