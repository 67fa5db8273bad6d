"""The voucher of a basket: what it takes off at this moment, its use by an order, and its return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext as _
from prices import Money
from saleor.checkout.calculations import checkout_subtotal
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.checkout.utils import get_voucher_discount_for_checkout
from saleor.core.taxes import zero_money
from saleor.discount import DiscountInfo, VoucherType
from saleor.discount.models import NotApplicable, Voucher
from saleor.discount.utils import (
    add_voucher_usage_by_customer,
    increase_voucher_usage,
    remove_voucher_usage_by_customer,
)
from saleor.order.models import Order

from backend.saleor_port.promo_codes import problem_of


@dataclass(frozen=True)
class BasketVoucher:
    """discount: what it takes off now. problem: why it takes nothing off, in words; "" where it does."""

    code: str
    name: str
    discount: Money
    problem: str = ""


def voucher_of_basket(
    *, checkout: Checkout, lines: Sequence[CheckoutLine], discounts: Sequence[DiscountInfo], now: datetime
) -> BasketVoucher | None:
    """What Saleor keeps on the checkout is of the last change; prices and the voucher may have changed since."""
    if not checkout.voucher_code:
        return None
    nothing = zero_money(checkout.currency)
    voucher = Voucher.objects.filter(code=checkout.voucher_code).first()
    if voucher is None:
        return BasketVoucher(
            code=checkout.voucher_code, name="", discount=nothing, problem=_("There is no such code.")
        )
    name = str(voucher.translated.name or "")
    problem = problem_of(voucher, checkout=checkout, lines=lines, discounts=discounts, now=now)
    if problem is not None:
        return BasketVoucher(code=voucher.code, name=name, discount=nothing, problem=problem.message)
    return BasketVoucher(
        code=voucher.code,
        name=name,
        discount=_discount(voucher, checkout=checkout, lines=lines, discounts=discounts),
    )


def _discount(
    voucher: Voucher,
    *,
    checkout: Checkout,
    lines: Sequence[CheckoutLine],
    discounts: Sequence[DiscountInfo],
) -> Money:
    discount: Money = get_voucher_discount_for_checkout(voucher, checkout, lines, discounts)
    if voucher.type == VoucherType.SHIPPING:
        return discount
    return min(discount, checkout_subtotal(checkout=checkout, lines=lines, discounts=discounts).gross)


def use_voucher(
    *, checkout: Checkout, lines: Sequence[CheckoutLine], discounts: Sequence[DiscountInfo], now: datetime
) -> dict[str, object]:
    """Count a voucher as used, its row locked, and return what the order keeps of it.

    Raises NotApplicable, which says why in words.
    """
    if not checkout.voucher_code:
        return {}
    voucher = Voucher.objects.select_for_update().filter(code=checkout.voucher_code).first()
    if voucher is None:
        raise NotApplicable(_("There is no such code."))
    problem = problem_of(voucher, checkout=checkout, lines=lines, discounts=discounts, now=now)
    if problem is not None:
        raise NotApplicable(problem.message)
    # On the checkout as it is here, for whoever adds up; it is not saved: the order takes its place.
    checkout.discount = _discount(voucher, checkout=checkout, lines=lines, discounts=discounts)
    increase_voucher_usage(voucher)
    if voucher.apply_once_per_customer:
        add_voucher_usage_by_customer(voucher, checkout.get_customer_email())
    name, translated = str(voucher), voucher.translated.name or ""
    return {
        "voucher": voucher,
        "discount": checkout.discount,
        "discount_name": name,
        "translated_discount_name": translated if translated != name else "",
    }


def return_voucher(*, order: Order) -> None:
    """The order came to nothing, so its voucher may be used again. Called in the transaction that cancels it."""
    voucher = order.voucher
    if voucher is None:
        return
    Voucher.objects.filter(pk=voucher.pk, used__gt=0).update(used=F("used") - 1)
    remove_voucher_usage_by_customer(voucher, order.get_customer_email())
