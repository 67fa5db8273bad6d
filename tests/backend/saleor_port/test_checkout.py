"""checkoutComplete: how much, how often, and where the money goes when it fails."""

from __future__ import annotations

from typing import Any
from unittest import mock

import graphene
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from saleor.checkout.models import Checkout
from saleor.order.models import Order
from saleor.payment import ChargeStatus, PaymentError
from saleor.payment.models import Payment, Transaction
from saleor.warehouse.models import Stock

from backend.saleor_port import without
from tests.backend.saleor_port.small_shop import Ask, GatewayOfTests, Rendezvous, Shop, race

COMPLETE = """
mutation CheckoutComplete($id: ID!, $redirectUrl: String) {
  checkoutComplete(checkoutId: $id, redirectUrl: $redirectUrl) {
    order { id }
    checkoutErrors { field code message }
  }
}
"""


def complete(ask: Ask, checkout: Checkout, **variables: Any) -> Any:
    return ask(COMPLETE, id=graphene.Node.to_global_id("Checkout", checkout.pk), **variables)


def captured() -> int:
    """What was taken from buyers' accounts, in yuan, refunds not taken off."""
    return sum(Transaction.objects.filter(kind="capture", is_success=True).values_list("amount", flat=True))


# ---- underpayment ----


def pay_fifty_with_forty_and_ten(shop: Shop, ask: Ask) -> Any:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "40", token="forty")
    shop.payment(checkout, "10", token="ten")
    return complete(ask, checkout).data["checkoutComplete"]


def test_saleor_hands_out_an_order_of_fifty_for_ten(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("underpayment"):
        answer = pay_fifty_with_forty_and_ten(shop, ask)

    assert answer["order"] is not None
    assert captured() == 10


def test_the_payment_that_is_processed_must_cover_the_total(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answer = pay_fifty_with_forty_and_ten(shop, ask)

    assert [error["code"] for error in answer["checkoutErrors"]] == ["CHECKOUT_NOT_FULLY_PAID"]
    assert (Order.objects.count(), captured()) == (0, 0)


def test_a_payment_of_the_whole_makes_the_order(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> None:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")

    answer = complete(ask, checkout).data["checkoutComplete"]

    assert answer["checkoutErrors"] == []
    assert (Order.objects.count(), captured()) == (1, 50)


# ---- concurrent_checkout ----


def complete_twice_at_once(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> list[Any]:
    checkout = shop.basket(shop.good(9, price="50"))
    shop.payment(checkout, "50")
    gateway.before_answer = staticmethod(Rendezvous(seconds=2).wait)
    return race(*[lambda: complete(ask, checkout)] * 2)


def test_saleor_charges_a_double_click_twice(
    committed_shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("concurrent_checkout"):
        complete_twice_at_once(committed_shop, ask, gateway)

    assert captured() == 100


def test_a_double_click_is_charged_once_and_shown_the_same_order(
    committed_shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answers = [each.data["checkoutComplete"] for each in complete_twice_at_once(committed_shop, ask, gateway)]

    order = graphene.Node.to_global_id("Order", Order.objects.get().pk)
    assert answers == [{"order": {"id": order}, "checkoutErrors": []}] * 2
    assert captured() == 50


def test_the_database_refuses_a_second_order_of_one_checkout(shop: Shop) -> None:
    first, second = shop.order(), shop.order()
    Order.objects.filter(pk=first.pk).update(checkout_token="one and the same")

    with pytest.raises(IntegrityError, match="saleor_port_one_order_per_checkout"), transaction.atomic():
        Order.objects.filter(pk=second.pk).update(checkout_token="one and the same")


def test_without_that_index_saleor_stores_two_orders_of_one_checkout(shop: Shop) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX saleor_port_one_order_per_checkout")
    shop.order(), shop.order()

    Order.objects.update(checkout_token="one and the same")

    assert Order.objects.filter(checkout_token="one and the same").count() == 2


def test_orders_without_a_checkout_are_as_many_as_one_likes(shop: Shop) -> None:
    shop.order(), shop.order()

    assert Order.objects.filter(checkout_token="").count() == 2


def test_what_the_gateway_answered_stays_on_record_when_the_payment_is_refused(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")

    with mock.patch("saleor.payment.gateways.dummy.dummy_success", return_value=False):
        answer = complete(ask, checkout).data["checkoutComplete"]

    assert [error["code"] for error in answer["checkoutErrors"]] == ["PAYMENT_ERROR"]
    assert Transaction.objects.get().is_success is False
    assert Checkout.objects.filter(pk=checkout.pk).exists()


def test_an_order_that_was_made_is_answered_again(shop: Shop) -> None:
    from saleor.checkout.utils import create_order, prepare_order_data

    checkout = shop.basket(shop.good(1))
    data = prepare_order_data(checkout=checkout, lines=list(checkout), tracking_code="", discounts=[])

    orders = [
        create_order(checkout=checkout, order_data=data, user=AnonymousUser(), redirect_url="")
        for _ in range(2)
    ]

    assert orders == [Order.objects.get()] * 2


# ---- captured_without_stock ----


def buy_what_is_sold_out_meanwhile(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> Any:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")
    gateway.before_answer = staticmethod(lambda: Stock.objects.update(quantity=0))
    return complete(ask, checkout)


def test_saleor_keeps_the_money_for_what_is_sold_out(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("captured_without_stock"):
        answer = buy_what_is_sold_out_meanwhile(shop, ask, gateway)

    assert "Insufficient stock" in str(answer.errors[0])
    assert Order.objects.count() == 0
    assert Payment.objects.get().captured_amount == 50


def test_the_money_for_what_is_sold_out_goes_back_and_the_buyer_is_told(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with translation.override("en"):
        answer = buy_what_is_sold_out_meanwhile(shop, ask, gateway).data["checkoutComplete"]

    [error] = answer["checkoutErrors"]
    assert (error["code"], error["message"]) == (
        "INSUFFICIENT_STOCK",
        "二荆条 1 (500 克) has just been sold out. You have not been charged.",
    )
    payment = Payment.objects.get()
    assert (payment.captured_amount, payment.charge_status) == (0, ChargeStatus.FULLY_REFUNDED)
    assert Order.objects.count() == 0


def test_a_refund_that_the_gateway_refuses_is_not_called_done(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with (
        translation.override("en"),
        mock.patch("saleor.payment.gateway.refund", side_effect=PaymentError("no")),
    ):
        answer = buy_what_is_sold_out_meanwhile(shop, ask, gateway).data["checkoutComplete"]

    [error] = answer["checkoutErrors"]
    assert error["code"] == "INSUFFICIENT_STOCK"
    assert error["message"] == (
        "二荆条 1 (500 克) has just been sold out. Your payment could not be returned yet: we will."
    )
    assert Payment.objects.get().captured_amount == 50


def complete_towards_a_strange_site(shop: Shop, ask: Ask) -> Any:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")
    return complete(ask, checkout, redirectUrl="https://elsewhere.example/").data["checkoutComplete"]


def test_saleor_charges_before_it_dislikes_the_redirect_url(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("captured_without_stock"):
        answer = complete_towards_a_strange_site(shop, ask)

    assert [error["field"] for error in answer["checkoutErrors"]] == ["redirectUrl"]
    assert captured() == 50


def test_a_strange_redirect_url_is_refused_before_anything_is_charged(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answer = complete_towards_a_strange_site(shop, ask)

    assert [error["field"] for error in answer["checkoutErrors"]] == ["redirectUrl"]
    assert captured() == 0
