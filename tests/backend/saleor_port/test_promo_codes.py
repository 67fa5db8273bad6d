"""Codes that take something off: why one is refused, how often one may guess, and that each can be taken out again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import graphene
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from saleor.checkout.models import Checkout
from saleor.discount import VoucherType
from saleor.discount.models import Voucher, VoucherCustomer
from saleor.giftcard.models import GiftCard

from backend.saleor_port import without
from tests.backend.saleor_port.small_shop import Ask, Shop

CHANGE_CODE = """
mutation($id: ID!, $code: String!) { answer: %s(checkoutId: $id, promoCode: $code) {
  checkout { voucherCode discount { amount } giftCards { id } } checkoutErrors { field code message } } }
"""


def change(ask: Ask, mutation: str, checkout: Checkout, code: str) -> Any:
    with translation.override("en"):
        answer = ask(
            CHANGE_CODE % mutation, id=graphene.Node.to_global_id("Checkout", checkout.pk), code=code
        )
    return answer.data["answer"]


def add(ask: Ask, checkout: Checkout, code: str = "FIVE") -> Any:
    return change(ask, "checkoutAddPromoCode", checkout, code)


def five_off(**changes: Any) -> Voucher:
    return Voucher.objects.create(code="FIVE", discount_value=5, currency="CNY", **changes)


def kept(checkout: Checkout) -> str | None:
    return Checkout.objects.get(pk=checkout.pk).voucher_code


NOW = timezone.now()


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"start_date": NOW + timedelta(days=2)}, "INVALID", "from "),
        ({"end_date": NOW - timedelta(days=1)}, "INVALID", "expired"),
        ({"usage_limit": 3, "used": 3}, "INVALID", "used up"),
        ({"min_spent_amount": Decimal(80)}, "VOUCHER_NOT_APPLICABLE", "¥80.00 or more; ¥30.00 are lacking"),
        ({"min_checkout_items_quantity": 4}, "VOUCHER_NOT_APPLICABLE", "4 packs or more"),
        ({"type": VoucherType.SPECIFIC_PRODUCT}, "VOUCHER_NOT_APPLICABLE", "other goods"),
        ({"apply_once_per_customer": True}, "VOUCHER_NOT_APPLICABLE", "used this code before"),
    ],
)
def test_a_code_that_cannot_be_used_says_why(
    shop: Shop, ask: Ask, changes: dict[str, Any], code: str, said: str
) -> None:
    voucher = five_off(**changes)
    checkout = shop.basket(shop.good(9, price="50"))
    Checkout.objects.update(quantity=1)
    if voucher.type == VoucherType.SPECIFIC_PRODUCT:
        voucher.products.add(shop.good(9).product)
    if voucher.apply_once_per_customer:
        VoucherCustomer.objects.create(voucher=voucher, customer_email=checkout.email)

    [error] = add(ask, checkout)["checkoutErrors"]

    assert (error["field"], error["code"]) == ("promoCode", code)
    assert said in error["message"]
    assert kept(checkout) is None


def test_a_code_for_the_delivery_needs_one(shop: Shop, ask: Ask) -> None:
    five_off(type=VoucherType.SHIPPING)
    checkout = shop.basket(shop.good(9))
    Checkout.objects.update(shipping_method=None)
    [error] = add(ask, checkout)["checkoutErrors"]
    assert (error["code"], "delivery only" in error["message"]) == ("VOUCHER_NOT_APPLICABLE", True)


@pytest.mark.parametrize("written", ["FIVE", "five", "  Five "])
def test_a_code_is_found_however_it_is_typed(shop: Shop, ask: Ask, written: str) -> None:
    five_off()
    answer = add(ask, shop.basket(shop.good(9, price="50")), written)
    assert answer["checkoutErrors"] == []
    assert answer["checkout"] == {"voucherCode": "FIVE", "discount": {"amount": 5}, "giftCards": []}


def test_a_gift_card_is_taken_as_saleor_takes_it(shop: Shop, ask: Ask) -> None:
    GiftCard.objects.create(code="Card", initial_balance_amount=50, current_balance_amount=50)
    answer = add(ask, shop.basket(shop.good(9)), "Card")
    assert (answer["checkoutErrors"], len(answer["checkout"]["giftCards"])) == ([], 1)


def guess(shop: Shop, ask: Ask, settings: Any) -> list[str]:
    settings.ATTEMPTS = {**settings.ATTEMPTS, "promo_code_from_address": (3, 3_600)}
    checkout = shop.basket(shop.good(9, price="50"))
    five_off()
    said = []
    for code in ("A", "FIVE", "FIVE", "B", "FIVE", "C", "D", "FIVE"):
        errors = add(ask, checkout, code)["checkoutErrors"]
        said.append(errors[0]["code"] if errors else "")
    return said


def test_saleor_lets_anybody_guess_without_end(shop: Shop, ask: Ask, settings: Any) -> None:
    with without("promo_codes"):
        assert guess(shop, ask, settings) == ["INVALID", "", "", "INVALID", "", "INVALID", "INVALID", ""]


def test_three_wrong_guesses_are_enough_and_right_codes_do_not_count(
    shop: Shop, ask: Ask, settings: Any
) -> None:
    assert guess(shop, ask, settings) == [
        "INVALID",
        "",
        "",
        "INVALID",
        "",
        "INVALID",
        "TOO_MANY_ATTEMPTS",
        "TOO_MANY_ATTEMPTS",
    ]


def expire_in_the_basket_and_take_out(shop: Shop, ask: Ask) -> str | None:
    voucher = five_off()
    checkout = shop.basket(shop.good(9, price="50"))
    add(ask, checkout)
    Voucher.objects.filter(pk=voucher.pk).update(end_date=NOW - timedelta(days=1))
    change(ask, "checkoutRemovePromoCode", checkout, "FIVE")
    return kept(checkout)


def test_saleor_keeps_an_expired_code_in_the_basket(shop: Shop, ask: Ask) -> None:
    with without("promo_codes"):
        assert expire_in_the_basket_and_take_out(shop, ask) == "FIVE"


def test_an_expired_code_is_taken_out_of_the_basket(shop: Shop, ask: Ask) -> None:
    assert expire_in_the_basket_and_take_out(shop, ask) is None


def queries_of(shop: Shop, ask: Ask, *, goods: int) -> int:
    voucher = Voucher.objects.create(
        code=f"OFF{goods}", discount_value=1, currency="CNY", type=VoucherType.SPECIFIC_PRODUCT
    )
    checkout = shop.basket(*[shop.good(9) for _ in range(goods)])
    voucher.products.set([line.variant.product for line in checkout.lines.all()])
    with CaptureQueriesContext(connection) as queries:
        answer = add(ask, checkout, voucher.code)
    assert answer["checkout"]["discount"] == {"amount": goods}
    return len(queries)


def test_a_code_for_some_goods_asks_as_often_for_nine_lines_as_for_two(shop: Shop, ask: Ask) -> None:
    # The first of all fills what a process keeps.
    queries_of(shop, ask, goods=1)
    assert queries_of(shop, ask, goods=2) == queries_of(shop, ask, goods=9)
