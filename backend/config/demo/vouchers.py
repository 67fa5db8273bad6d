"""Codes that take something off a basket."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from saleor.discount.models import Voucher, VoucherTranslation

from backend.config.demo.files import read_json
from backend.config.demo.records import ENGLISH, ensure


def load_vouchers() -> list[Voucher]:
    """A fixed sum off from a certain basket on; how often each was used stays as it is."""
    vouchers = []
    for facts in read_json("vouchers"):
        voucher = ensure(
            Voucher,
            code=facts["code"],
            values={
                "name": facts["name"],
                "discount_value": Decimal(facts["value_cny"]),
                "min_spent_amount": Decimal(facts["min_order_cny"]),
                "currency": settings.DEFAULT_CURRENCY,
                "start_date": datetime.fromisoformat(facts["starts"]),
            },
        )
        ensure(VoucherTranslation, voucher=voucher, language_code=ENGLISH, values={"name": facts["name_en"]})
        vouchers.append(voucher)
    return vouchers
