"""Codes that take something off a basket: why one cannot be used, and how often somebody may guess."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.saleor_port.attempts import Bucket, give_back, take_from_address
from backend.saleor_port.checkout_lines import read_lines
from backend.saleor_port.registry import Replace, everywhere, patch


@dataclass(frozen=True)
class Problem:
    """Why a voucher cannot be used with a basket. is_invalid: with no basket at all."""

    message: str
    is_invalid: bool = False


def problem_of(
    voucher: Any, *, checkout: Any, lines: Sequence[Any], discounts: Sequence[Any], now: datetime
) -> Problem | None:
    """What stands against a voucher for this basket at this moment; None where it can be used."""
    from saleor.checkout.calculations import checkout_subtotal
    from saleor.checkout.utils import get_voucher_discount_for_checkout
    from saleor.discount import VoucherType
    from saleor.discount.models import NotApplicable

    if now < voucher.start_date:
        day = timezone.localdate(voucher.start_date).isoformat()
        return Problem(_("This code can be used from %(day)s on.") % {"day": day}, is_invalid=True)
    if voucher.end_date is not None and now > voucher.end_date:
        return Problem(_("This code has expired."), is_invalid=True)
    if voucher.usage_limit is not None and voucher.used >= voucher.usage_limit:
        return Problem(_("This code has been used up."), is_invalid=True)
    if voucher.type == VoucherType.SHIPPING and checkout.shipping_method is None:
        return Problem(_("This code takes something off the delivery only; it cannot be used here."))
    try:
        get_voucher_discount_for_checkout(voucher, checkout, lines, discounts)
    except NotApplicable as error:
        if error.min_spent is not None:
            spent = checkout_subtotal(checkout=checkout, lines=lines, discounts=discounts).gross
            return Problem(
                _("This code is for goods of ¥%(least).2f or more; ¥%(lacking).2f are lacking.")
                % {"least": error.min_spent.amount, "lacking": (error.min_spent - spent).amount}
            )
        if error.min_checkout_items_quantity is not None:
            return Problem(
                _("This code is for %(least)d packs or more.") % {"least": error.min_checkout_items_quantity}
            )
        if voucher.apply_once_per_customer and _has_used(voucher, checkout.get_customer_email()):
            return Problem(_("You have used this code before; it is for one order of each customer."))
        if voucher.type == VoucherType.SPECIFIC_PRODUCT:
            return Problem(_("This code is for other goods than those in the basket."))
        return Problem(_("This code cannot be used with this basket."))
    return None


def _as_kept(written: str) -> str:
    """The code of a voucher in its own capitals: few people type them. Anything else as it is."""
    from saleor.discount.models import Voucher

    found = list(Voucher.objects.filter(code__iexact=written).values_list("code", flat=True)[:2])
    return found[0] if len(found) == 1 else written


def _has_used(voucher: Any, email: str) -> bool:
    return bool(voucher.customers.filter(customer_email=email).exists())


@patch(
    name="promo_codes",
    reason=(
        "checkoutAddPromoCode may be asked without end and does not say why a code is refused; "
        "checkoutRemovePromoCode leaves a voucher that has expired meanwhile; prices are asked for line by line"
    ),
)
def promo_codes() -> Iterator[Replace]:
    from saleor.checkout import utils
    from saleor.checkout.error_codes import CheckoutErrorCode
    from saleor.checkout.models import Checkout
    from saleor.core.taxes import quantize_price
    from saleor.core.utils.promo_code import InvalidPromoCode
    from saleor.discount.models import Voucher
    from saleor.graphql.checkout import mutations
    from saleor.graphql.checkout.types import Checkout as CheckoutType
    from saleor.plugins.manager import get_plugins_manager

    plain_remove = mutations.CheckoutRemovePromoCode.perform_mutation.__func__

    def refused(message: str, code: CheckoutErrorCode) -> ValidationError:
        return ValidationError({"promo_code": ValidationError(message, code=code.value)})

    def add_voucher_code_to_checkout(
        checkout: Any, lines: Sequence[Any], voucher_code: str, discounts: Sequence[Any] | None = None
    ) -> None:
        voucher = Voucher.objects.filter(code=voucher_code).first()
        if voucher is None:
            raise InvalidPromoCode
        problem = problem_of(
            voucher, checkout=checkout, lines=lines, discounts=discounts or (), now=timezone.now()
        )
        if problem is not None:
            code = (
                CheckoutErrorCode.INVALID if problem.is_invalid else CheckoutErrorCode.VOUCHER_NOT_APPLICABLE
            )
            raise refused(problem.message, code)
        utils.add_voucher_to_checkout(checkout, lines, voucher, discounts)

    def add(cls: Any, _root: Any, info: Any, checkout_id: str, promo_code: str) -> Any:
        taken = take_from_address(bucket=Bucket.PROMO_CODE_FROM_ADDRESS, request=info.context)
        with transaction.atomic():
            checkout = cls.get_node_or_error(
                info,
                checkout_id,
                field="checkout_id",
                only_type=CheckoutType,
                qs=Checkout.objects.select_for_update(of=("self",)),
            )
            try:
                utils.add_promo_code_to_checkout(
                    checkout, read_lines(checkout), _as_kept(promo_code.strip()), info.context.discounts
                )
            except InvalidPromoCode as error:
                raise refused(_("There is no such code."), CheckoutErrorCode.INVALID) from error
        # A right code does not count: only guessing does.
        give_back(taken)
        return mutations.CheckoutAddPromoCode(checkout=checkout)

    def remove(cls: Any, root: Any, info: Any, checkout_id: str, promo_code: str) -> Any:
        checkout = cls.get_node_or_error(info, checkout_id, field="checkout_id", only_type=CheckoutType)
        if promo_code and checkout.voucher_code == promo_code.strip():
            utils.remove_voucher_from_checkout(checkout)
            return mutations.CheckoutRemovePromoCode(checkout=checkout)
        return plain_remove(cls, root, info, checkout_id=checkout_id, promo_code=promo_code)

    def get_prices_of_discounted_specific_product(
        lines: Sequence[Any], voucher: Any, discounts: Sequence[Any] | None = None
    ) -> list[Any]:
        products = set(voucher.products.values_list("pk", flat=True))
        categories = set(voucher.categories.values_list("pk", flat=True))
        collections = set(voucher.collections.values_list("pk", flat=True))
        manager = get_plugins_manager()
        prices: list[Any] = []
        for line in lines:
            product = line.variant.product
            if (products or categories or collections) and not (
                product.pk in products
                or product.category_id in categories
                or collections.intersection(each.pk for each in product.collections.all())
            ):
                continue
            total = manager.calculate_checkout_line_total(line, discounts or []).gross
            prices += [quantize_price(total / line.quantity, total.currency)] * line.quantity
        return prices

    yield from everywhere(utils.add_voucher_code_to_checkout, add_voucher_code_to_checkout)
    yield from everywhere(
        utils.get_prices_of_discounted_specific_product, get_prices_of_discounted_specific_product
    )
    yield Replace(mutations.CheckoutAddPromoCode, "perform_mutation", classmethod(add))
    yield Replace(mutations.CheckoutRemovePromoCode, "perform_mutation", classmethod(remove))
