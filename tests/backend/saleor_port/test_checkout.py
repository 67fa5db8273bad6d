"""checkoutComplete: how much, how often, and where the money goes when it fails."""

from __future__ import annotations

from typing import Any
from unittest import mock

import graphene
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation
from saleor.account.models import User
from saleor.checkout.models import Checkout
from saleor.discount.models import Voucher
from saleor.giftcard.models import GiftCard
from saleor.order.models import Order
from saleor.payment import ChargeStatus, PaymentError
from saleor.payment.models import Payment, Transaction
from saleor.warehouse.models import Allocation, Stock

from backend.saleor_port import without
from tests.backend.saleor_port.small_shop import GATEWAY, Ask, GatewayOfTests, Rendezvous, Shop, race

COMPLETE = """
mutation CheckoutComplete($id: ID!, $redirectUrl: String) {
  checkoutComplete(checkoutId: $id, redirectUrl: $redirectUrl) {
    order { id }
    checkoutErrors { field code message }
  }
}
"""


MEET = 30
"""Seconds that two racers wait for each other where nothing keeps them apart: a slow machine gets there, too."""

NEVER_MEET = 1
"""Where a lock keeps one of them back, the other waits this long in vain."""


def complete(ask: Ask, checkout: Checkout, **variables: Any) -> Any:
    return ask(COMPLETE, id=graphene.Node.to_global_id("Checkout", checkout.pk), **variables)


def captured() -> int:
    """What was taken from buyers' accounts, in yuan, refunds not taken off."""
    return sum(Transaction.objects.filter(kind="capture", is_success=True).values_list("amount", flat=True))


# ---- sound_checkout: how much ----


def pay_fifty_with_forty_and_ten(shop: Shop, ask: Ask) -> Any:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "40", token="forty")
    shop.payment(checkout, "10", token="ten")
    return complete(ask, checkout).data["checkoutComplete"]


def test_saleor_hands_out_an_order_of_fifty_for_ten(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("sound_checkout"):
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


# ---- sound_checkout: how often ----


def complete_twice_at_once(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests], *, seconds: float
) -> list[Any]:
    checkout = shop.basket(shop.good(9, price="50"))
    shop.payment(checkout, "50")
    gateway.before_answer = staticmethod(Rendezvous(seconds=seconds).wait)
    return race(*[lambda: complete(ask, checkout)] * 2)


def test_saleor_charges_a_double_click_twice(
    committed_shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("sound_checkout"):
        complete_twice_at_once(committed_shop, ask, gateway, seconds=MEET)

    assert captured() == 100


def test_a_double_click_is_charged_once_and_shown_the_same_order(
    committed_shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answers = [
        each.data["checkoutComplete"]
        for each in complete_twice_at_once(committed_shop, ask, gateway, seconds=NEVER_MEET)
    ]

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


# ---- sound_checkout: where the money goes when it fails ----


def buy_what_is_sold_out_meanwhile(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> Any:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")
    gateway.before_answer = staticmethod(lambda: Stock.objects.update(quantity=0))
    return complete(ask, checkout)


def test_saleor_keeps_the_money_for_what_is_sold_out(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("sound_checkout"):
        answer = buy_what_is_sold_out_meanwhile(shop, ask, gateway)

    assert "Insufficient stock" in str(answer.errors[0])
    assert Order.objects.count() == 0
    assert Payment.objects.get().captured_amount == 50


def test_the_stock_is_promised_before_the_gateway_is_asked(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    promised: list[int] = []
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")
    gateway.before_answer = staticmethod(lambda: promised.append(Allocation.objects.get().quantity_allocated))

    answer = complete(ask, checkout).data["checkoutComplete"]

    assert answer["checkoutErrors"] == []
    assert promised == [1]


def test_nothing_is_charged_for_what_is_sold_out_and_the_buyer_is_told_what_it_is(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    checkout = shop.basket(shop.good(9), shop.good(0), shop.good(0))
    shop.payment(checkout, "150")

    with translation.override("en"):
        answer = complete(ask, checkout).data["checkoutComplete"]

    assert [(error["code"], error["message"]) for error in answer["checkoutErrors"]] == [
        ("INSUFFICIENT_STOCK", f"二荆条 {number} has just sold out: somebody was a moment quicker.")
        for number in (2, 3)
    ]
    assert (Order.objects.count(), Transaction.objects.count(), Allocation.objects.count()) == (0, 0, 0)


def fail_after_the_gateway() -> Any:
    return mock.patch(
        "saleor.plugins.manager.PluginsManager.order_created", side_effect=RuntimeError("a hook failed")
    )


def test_the_money_goes_back_when_anything_fails_after_it_was_taken(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")

    with fail_after_the_gateway():
        answer = complete(ask, checkout)

    assert "a hook failed" in str(answer.errors[0])
    payment = Payment.objects.get()
    assert (payment.captured_amount, payment.charge_status) == (0, ChargeStatus.FULLY_REFUNDED)
    assert list(Transaction.objects.order_by("pk").values_list("kind", flat=True)) == ["capture", "refund"]
    assert (Order.objects.count(), Allocation.objects.count()) == (0, 0)
    assert Checkout.objects.filter(pk=checkout.pk).exists()


def test_a_promise_to_pay_is_taken_back_when_anything_fails_after_it(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    gateway.kind = "auth"
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")

    with fail_after_the_gateway():
        complete(ask, checkout)

    assert list(Transaction.objects.order_by("pk").values_list("kind", flat=True)) == ["auth", "void"]
    assert Payment.objects.get().is_active is False


def test_a_refund_that_the_gateway_refuses_is_not_called_done_and_is_not_charged_again(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")

    with (
        translation.override("en"),
        fail_after_the_gateway(),
        mock.patch("saleor.payment.gateway.refund", side_effect=PaymentError("no")),
    ):
        answer = complete(ask, checkout).data["checkoutComplete"]

    [error] = answer["checkoutErrors"]
    assert error["code"] == "PAYMENT_ERROR"
    assert error["message"] == "The order could not be made. Your payment could not be returned yet: we will."
    assert Payment.objects.get().captured_amount == 50

    assert complete(ask, checkout).data["checkoutComplete"]["checkoutErrors"] == []
    assert (Order.objects.count(), captured()) == (1, 50)


def test_who_completes_a_basket_without_an_address_for_mail_is_told_at_his_own(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")
    Checkout.objects.update(email="")
    lishen = User.objects.create_user("li@buyer.example", "password")

    refused = complete(ask, checkout).data["checkoutComplete"]["checkoutErrors"]
    assert [error["field"] for error in refused] == ["email"]
    assert complete(ask, checkout, user=lishen).data["checkoutComplete"]["checkoutErrors"] == []

    order = Order.objects.get()
    assert (order.user, order.user_email) == (lishen, "li@buyer.example")


# ---- sound_checkout: 3-D Secure, vouchers, gift cards, nothing to pay ----


def make_voucher(**changes: Any) -> Voucher:
    return Voucher.objects.create(
        **{"code": "AUTUMN", "discount_value": 10, "start_date": timezone.now(), **changes}
    )


def with_voucher(checkout: Checkout, voucher: Voucher) -> Checkout:
    Checkout.objects.filter(pk=checkout.pk).update(voucher_code=voucher.code, discount_amount=10)
    checkout.refresh_from_db()
    return checkout


def begin_3ds(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> tuple[Checkout, Any]:
    gateway.needs_confirmation = True
    checkout = with_voucher(shop.basket(shop.good(1, price="50")), make_voucher())
    shop.payment(checkout, "40")
    return checkout, complete(ask, checkout).data["checkoutComplete"]


def test_saleor_uses_a_voucher_up_before_the_buyer_has_confirmed(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("sound_checkout"):
        begin_3ds(shop, ask, gateway)

    assert Voucher.objects.get().used == 1


def test_a_confirmation_that_is_needed_uses_nothing_up_and_makes_no_order(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    checkout, answer = begin_3ds(shop, ask, gateway)

    assert answer == {"order": None, "checkoutErrors": []}
    assert (Voucher.objects.get().used, Order.objects.count(), Allocation.objects.count()) == (0, 0, 0)
    assert Payment.objects.get().to_confirm is True
    assert Transaction.objects.get().action_required is True

    confirmed = complete(ask, checkout).data["checkoutComplete"]

    assert confirmed["checkoutErrors"] == []
    assert (Voucher.objects.get().used, Order.objects.count()) == (1, 1)
    assert Payment.objects.get().order == Order.objects.get()


def two_at_once(ask: Ask, *checkouts: Checkout) -> list[Any]:
    return race(*[lambda checkout=each: complete(ask, checkout) for each in checkouts])


def spend_one_card_twice(shop: Shop, ask: Ask, gateway: type[GatewayOfTests], *, seconds: float) -> list[Any]:
    card = GiftCard.objects.create(code="CARD", initial_balance_amount=50, current_balance_amount=50)
    checkouts = [shop.basket(shop.good(9, price="60")) for _ in range(2)]
    for checkout in checkouts:
        checkout.gift_cards.add(card)
        shop.payment(checkout, "10")
    gateway.before_answer = staticmethod(Rendezvous(seconds=seconds).wait)
    return two_at_once(ask, *checkouts)


def test_saleor_takes_one_gift_card_for_two_orders(
    committed_shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("sound_checkout"):
        spend_one_card_twice(committed_shop, ask, gateway, seconds=MEET)

    assert Order.objects.count() == 2


def test_a_gift_card_is_spent_once(committed_shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> None:
    answers = [
        each.data["checkoutComplete"]
        for each in spend_one_card_twice(committed_shop, ask, gateway, seconds=NEVER_MEET)
    ]

    assert sorted(error["code"] for each in answers for error in each["checkoutErrors"]) == [
        "CHECKOUT_NOT_FULLY_PAID"
    ]
    assert (Order.objects.count(), captured()) == (1, 10)
    assert GiftCard.objects.get().current_balance_amount == 0


def test_a_voucher_for_one_is_used_by_one(
    committed_shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    voucher = make_voucher(usage_limit=1)
    checkouts = [with_voucher(committed_shop.basket(committed_shop.good(9)), voucher) for _ in range(2)]
    for checkout in checkouts:
        committed_shop.payment(checkout, "40")
    gateway.before_answer = staticmethod(Rendezvous(seconds=NEVER_MEET).wait)

    answers = [each.data["checkoutComplete"] for each in two_at_once(ask, *checkouts)]

    codes = [error["code"] for each in answers for error in each["checkoutErrors"]]
    assert codes == ["VOUCHER_NOT_APPLICABLE"]
    assert (Voucher.objects.get().used, Order.objects.count(), captured()) == (1, 1, 40)


def get_for_nothing(shop: Shop, ask: Ask) -> Any:
    return complete(ask, with_voucher(shop.basket(shop.good(1, price="10")), make_voucher()))


def test_saleor_fails_when_there_is_nothing_to_pay_and_keeps_the_voucher(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("sound_checkout"):
        answer = get_for_nothing(shop, ask)

    assert "NoneType" in str(answer.errors[0])
    assert (Voucher.objects.get().used, Order.objects.count()) == (1, 0)


def test_nothing_to_pay_is_an_order_without_a_payment(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answer = get_for_nothing(shop, ask).data["checkoutComplete"]

    assert answer["checkoutErrors"] == []
    assert Order.objects.get().total.gross.amount == 0
    assert (Transaction.objects.count(), Voucher.objects.get().used) == (0, 1)


def test_a_good_that_costs_nothing_can_be_ordered(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answer = complete(ask, shop.basket(shop.good(1, price="0"))).data["checkoutComplete"]

    assert answer["checkoutErrors"] == []
    assert Order.objects.count() == 1


def pay_and_hear_of_it(shop: Shop, ask: Ask, commits: Any) -> int:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")
    with (
        mock.patch("saleor.plugins.manager.PluginsManager.order_fully_paid") as heard,
        commits(execute=True),
    ):
        complete(ask, checkout)
    return int(heard.call_count)


def test_saleor_tells_nobody_that_an_order_was_paid(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests], django_capture_on_commit_callbacks: Any
) -> None:
    with without("sound_checkout"):
        assert pay_and_hear_of_it(shop, ask, django_capture_on_commit_callbacks) == 0


def test_whoever_listens_hears_once_that_an_order_was_paid(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests], django_capture_on_commit_callbacks: Any
) -> None:
    assert pay_and_hear_of_it(shop, ask, django_capture_on_commit_callbacks) == 1


# ---- sound_checkout: where the buyer is sent ----


def complete_towards_a_strange_site(shop: Shop, ask: Ask) -> Any:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50")
    return complete(ask, checkout, redirectUrl="https://elsewhere.example/").data["checkoutComplete"]


def test_saleor_charges_before_it_dislikes_the_redirect_url(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    with without("sound_checkout"):
        answer = complete_towards_a_strange_site(shop, ask)

    assert [error["field"] for error in answer["checkoutErrors"]] == ["redirectUrl"]
    assert captured() == 50


def test_a_strange_redirect_url_is_refused_before_anything_is_charged(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answer = complete_towards_a_strange_site(shop, ask)

    assert [error["field"] for error in answer["checkoutErrors"]] == ["redirectUrl"]
    assert captured() == 0


# ---- stale_payment and offered_gateways ----

PAY = """
mutation CheckoutPaymentCreate($id: ID!, $gateway: String!) {
  checkoutPaymentCreate(checkoutId: $id, input: {gateway: $gateway, token: "a token"}) {
    payment { isActive total { amount } }
    paymentErrors { field code message }
  }
}
"""


def pay(ask: Ask, checkout: Checkout, gateway: str = GATEWAY) -> Any:
    answer = ask(PAY, id=graphene.Node.to_global_id("Checkout", checkout.pk), gateway=gateway)
    return answer.data["checkoutPaymentCreate"]


def pay_begin_with_fifty_and_keep_ten(shop: Shop, ask: Ask) -> Any:
    checkout = shop.basket(shop.good(9, price="40"), shop.good(9, price="10"))
    pay(ask, checkout)
    checkout.lines.first().delete()
    return pay(ask, checkout)


def test_saleor_charges_what_the_basket_once_was(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> None:
    with without("stale_payment"):
        answer = pay_begin_with_fifty_and_keep_ten(shop, ask)

    assert answer["payment"]["total"] == {"amount": 50}


def test_a_new_payment_is_of_what_the_basket_is_now_and_the_only_active_one(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answer = pay_begin_with_fifty_and_keep_ten(shop, ask)

    assert answer == {"payment": {"isActive": True, "total": {"amount": 10}}, "paymentErrors": []}
    assert [each.total for each in Payment.objects.filter(is_active=True)] == [10]


def test_a_payment_that_holds_money_is_not_put_aside(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    checkout = shop.basket(shop.good(9, price="40"))
    payment = shop.payment(checkout, "40")
    Payment.objects.filter(pk=payment.pk).update(captured_amount=40)

    answer = pay(ask, checkout)

    assert [error["code"] for error in answer["paymentErrors"]] == ["PAYMENT_ERROR"]
    assert Payment.objects.get().is_active is True


def test_a_payment_for_no_checkout_is_refused_in_words(shop: Shop, ask: Ask) -> None:
    nobodys = Checkout(currency="CNY")

    with mock.patch(
        "saleor.plugins.manager.PluginsManager.list_payment_plugin_names", return_value=[(GATEWAY, "")]
    ):
        answer = pay(ask, nobodys)

    assert [error["code"] for error in answer["paymentErrors"]] == ["NOT_FOUND"]


def test_saleor_takes_the_name_of_any_gateway(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> None:
    with without("offered_gateways"):
        answer = pay(ask, shop.basket(shop.good(9)), gateway="mirumee.payments.dummy")

    assert answer["payment"] is not None


def test_only_gateways_that_are_offered_are_taken(
    shop: Shop, ask: Ask, gateway: type[GatewayOfTests]
) -> None:
    answer = pay(ask, shop.basket(shop.good(9)), gateway="mirumee.payments.dummy")

    assert [error["field"] for error in answer["paymentErrors"]] == ["gateway"]
    assert Payment.objects.count() == 0


def test_several_active_payments_are_refused(shop: Shop, ask: Ask, gateway: type[GatewayOfTests]) -> None:
    checkout = shop.basket(shop.good(1, price="50"))
    shop.payment(checkout, "50", token="one")
    shop.payment(checkout, "50", token="two")

    answer = complete(ask, checkout).data["checkoutComplete"]

    assert [error["code"] for error in answer["checkoutErrors"]] == ["CHECKOUT_NOT_FULLY_PAID"]
