"""A voucher from the basket to the order: what it takes off, that it is used once, and given back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone, translation
from saleor.discount.models import Voucher, VoucherCustomer, VoucherTranslation
from saleor.order.models import Order

from backend.ordering.cancellation import cancel_own_order
from backend.ordering.errors import OrderRefused
from backend.ordering.models import Placement
from backend.ordering.services import OrderRequest, expire_unpaid_orders, place_order
from backend.ordering.vouchers import voucher_of_basket
from tests import produce

pytestmark = pytest.mark.django_db

NOW = timezone.now()
EMAIL = "li@buyer.example"


@pytest.fixture
def shed() -> produce.Shed:
    return produce.a_shed()


def five_off(**changes: Any) -> Voucher:
    return Voucher.objects.create(
        code="FIVE",
        name="满减",
        discount_value=5,
        currency="CNY",
        start_date=NOW - timedelta(days=9),
        **changes,
    )


def order(shed: produce.Shed, *, packs: int = 2, code: str | None = "FIVE", **changes: Any) -> Order:
    checkout = produce.a_basket({shed.variant: packs})
    checkout.voucher_code = code
    checkout.save()
    asked: dict[str, Any] = {
        "checkout_token": checkout.token,
        "idempotency_key": str(uuid4()),
        "email": EMAIL,
        "address": produce.an_address(),
        "shipping_method_pk": shed.delivery.pk,
        "payment_gateway": "pay_on_collection",
        "accepts_fresh_rule": True,
    }
    return place_order(request=OrderRequest(**{**asked, **changes}), user=None, now=NOW)


def test_the_order_costs_less_and_says_why(shed: produce.Shed) -> None:
    voucher = five_off(usage_limit=1)
    VoucherTranslation.objects.create(voucher=voucher, language_code="en", name="Five off")
    with translation.override("en"):
        placed = order(shed, expected_total=Decimal(9))
    assert (placed.total.gross.amount, placed.discount.amount) == (9, 5)
    assert (placed.discount_name, placed.translated_discount_name) == ("满减", "Five off")
    voucher.refresh_from_db()
    assert voucher.used == 1


def test_it_never_takes_off_more_than_the_goods_cost(shed: produce.Shed) -> None:
    five_off()
    Voucher.objects.update(discount_value=100)
    assert order(shed).total.gross.amount == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"end_date": NOW - timedelta(hours=1)}, "过期"),
        ({"usage_limit": 2, "used": 2}, "用完"),
        ({"min_spent_amount": Decimal(20)}, "还差 ¥6.00"),
    ],
)
def test_what_became_of_it_meanwhile_is_said_and_nothing_is_ordered(
    shed: produce.Shed, changes: dict[str, Any], said: str
) -> None:
    five_off(**changes)
    with translation.override("zh-hans"), pytest.raises(OrderRefused, match=said) as refused:
        order(shed)
    assert (refused.value.code, refused.value.field) == ("voucher_not_applicable", "voucher")
    assert not Order.objects.exists()


def test_a_voucher_that_was_deleted_is_no_voucher(shed: produce.Shed) -> None:
    with pytest.raises(OrderRefused) as refused:
        order(shed)
    assert refused.value.code == "voucher_not_applicable"


def test_once_a_customer_is_once_an_address(shed: produce.Shed) -> None:
    five_off(apply_once_per_customer=True)
    order(shed)
    with translation.override("zh-hans"), pytest.raises(OrderRefused, match="已经用过"):
        order(shed)
    assert order(shed, email="min@buyer.example").discount.amount == 5


def test_an_order_that_is_cancelled_gives_its_voucher_back(shed: produce.Shed) -> None:
    voucher = five_off(usage_limit=1, apply_once_per_customer=True)
    placed = order(shed)
    for _twice in range(2):
        cancel_own_order(token=placed.token, user=None, now=NOW)
    voucher.refresh_from_db()
    assert (voucher.used, VoucherCustomer.objects.count()) == (0, 0)
    assert order(shed).discount.amount == 5


def test_an_order_that_nobody_paid_gives_its_voucher_back(shed: produce.Shed) -> None:
    voucher = five_off(usage_limit=1)
    order(shed)
    Placement.objects.update(pays_on_collection=False, pay_by=NOW)
    assert expire_unpaid_orders(now=NOW + timedelta(minutes=1)) == 1
    voucher.refresh_from_db()
    assert voucher.used == 0


def test_a_free_delivery_stays_free_when_a_voucher_takes_something_off(shed: produce.Shed) -> None:
    five_off()
    free = produce.a_delivery(name="货车", kind="own_van")
    free.minimum_order_price_amount = Decimal(14)
    free.save()
    assert order(shed, shipping_method_pk=free.pk).total.gross.amount == 9


def test_the_basket_reads_it_as_it_is_now(shed: produce.Shed) -> None:
    five_off()
    checkout = produce.a_basket({shed.variant: 2})

    def read() -> tuple[Decimal, str] | None:
        with translation.override("zh-hans"):
            found = voucher_of_basket(
                checkout=checkout, lines=list(checkout.lines.all()), discounts=[], now=NOW
            )
        return (found.discount.amount, found.problem) if found else None

    assert read() is None
    checkout.voucher_code = "FIVE"
    assert read() == (5, "")
    Voucher.objects.update(end_date=NOW - timedelta(days=1))
    assert read() == (0, "这个优惠码已过期。")
    Voucher.objects.all().delete()
    assert read() == (0, "没有这个优惠码，请核对一下。")
