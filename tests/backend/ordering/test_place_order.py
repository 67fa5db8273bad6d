from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone
from saleor.account.models import Address
from saleor.checkout.models import Checkout
from saleor.order import OrderStatus
from saleor.order.models import Order
from saleor.payment import ChargeStatus
from saleor.product.models import ProductVariant

from backend.ordering.errors import OrderRefused, ShortStock
from backend.ordering.models import Placement
from backend.ordering.services import OrderRequest, expire_unpaid_orders, place_order
from backend.stock.models import Movement
from tests import produce

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def a_request(shed: produce.Shed, *, basket: Checkout | None = None, **changes: Any) -> OrderRequest:
    basket = basket or produce.a_basket({shed.variant: 2})
    given: dict[str, Any] = {
        "checkout_token": basket.token,
        "idempotency_key": f"key-{uuid4()}",
        "email": "li@buyer.example",
        "address": produce.an_address(),
        "shipping_method_pk": shed.delivery.pk,
        "payment_gateway": "pay_on_collection",
        "accepts_fresh_rule": True,
    }
    return OrderRequest(**{**given, **changes})


def test_an_order_holds_its_stock_before_anybody_pays() -> None:
    shed = produce.a_shed(on_hand=10_000)
    order = place_order(request=a_request(shed), user=None, now=NOW)

    shed.supply.refresh_from_db()
    assert (shed.supply.on_hand, shed.supply.allocated) == (10_000, 2_000)
    assert order.status == OrderStatus.UNFULFILLED
    assert order.total.gross.amount == Decimal("14.00")
    payment = order.payments.get()
    assert payment.gateway == "pay_on_collection"
    assert payment.charge_status == ChargeStatus.NOT_CHARGED
    assert not order.is_fully_paid()
    assert order.placement.pays_on_collection and order.placement.pay_by is None
    assert not Checkout.objects.exists()


def test_freight_is_part_of_the_total() -> None:
    shed = produce.a_shed()
    van = produce.a_delivery(name="自有车", price="6", kind="own_van")
    order = place_order(request=a_request(shed, shipping_method_pk=van.pk), user=None, now=NOW)
    assert order.shipping_price.gross.amount == Decimal("6.00")
    assert order.total.gross.amount == Decimal("20.00")


def test_a_double_tap_is_one_order() -> None:
    shed = produce.a_shed()
    request = a_request(shed)
    first = place_order(request=request, user=None, now=NOW)
    again = place_order(request=request, user=None, now=NOW)
    assert again.pk == first.pk
    assert Order.objects.count() == 1


def test_the_same_key_with_other_details_is_refused() -> None:
    shed = produce.a_shed()
    request = a_request(shed)
    place_order(request=request, user=None, now=NOW)
    changed = a_request(shed, idempotency_key=request.idempotency_key, note="放门口")
    with pytest.raises(OrderRefused) as refusal:
        place_order(request=changed, user=None, now=NOW)
    assert refusal.value.code == "already_placed_differently"
    assert Order.objects.count() == 1


def test_nobody_orders_another_persons_basket() -> None:
    shed = produce.a_shed()
    li, chen = (
        produce.a_person(email="li@buyer.example"),
        produce.a_person(email="chen@fuxing.example"),
    )
    basket = produce.a_basket({shed.variant: 1}, user=li)
    for stranger in (chen, None):
        with pytest.raises(OrderRefused) as refusal:
            place_order(request=a_request(shed, basket=basket), user=stranger, now=NOW)
        assert refusal.value.code == "basket_empty"
    assert place_order(request=a_request(shed, basket=basket), user=li, now=NOW).user == li


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"accepts_fresh_rule": False}, "fresh_rule_not_accepted", "acceptFreshRule"),
        (
            {"payment_gateway": "mirumee.payments.dummy"},
            "payment_unknown",
            "paymentGateway",
        ),
        ({"shipping_method_pk": 987654}, "delivery_unavailable", "shippingMethod"),
        ({"checkout_token": UUID(int=1)}, "basket_empty", None),
        ({"expected_total": Decimal("13.99")}, "basket_changed", "expectedTotal"),
    ],
)
def test_what_cannot_be_ordered_is_refused_and_leaves_no_trace(
    changes: dict[str, Any], code: str, field: str | None
) -> None:
    shed = produce.a_shed()
    with pytest.raises(OrderRefused) as refusal:
        place_order(request=a_request(shed, **changes), user=None, now=NOW)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Order.objects.exists() and not Movement.objects.filter(kind="allocate").exists()
    assert Checkout.objects.count() == 1


def test_a_van_that_does_not_go_there_takes_no_order() -> None:
    shed = produce.a_shed()
    van = produce.a_delivery(name="自有货车", kind="own_van")
    far = Address(**{**produce.ADDRESS, "city": "成都市", "city_area": "武侯区"})
    with pytest.raises(OrderRefused) as refusal:
        place_order(request=a_request(shed, shipping_method_pk=van.pk, address=far), user=None, now=NOW)
    assert (refusal.value.code, refusal.value.field) == ("delivery_out_of_reach", "shippingMethod")
    near = Address(**produce.ADDRESS)
    assert (
        place_order(
            request=a_request(shed, shipping_method_pk=van.pk, address=near), user=None, now=NOW
        ).shipping_method_id
        == van.pk
    )


def test_a_good_taken_off_the_shelf_is_named() -> None:
    shed = produce.a_shed()
    request = a_request(shed)
    shed.product.is_published = False
    shed.product.save()
    with pytest.raises(OrderRefused, match="莴笋"):
        place_order(request=request, user=None, now=NOW)


def test_every_short_line_is_named_and_nothing_is_taken() -> None:
    shed = produce.a_shed(on_hand=3_000, packs={1000: "7.00", 2500: "15.00"})
    tomato = produce.a_product(name="番茄", slug="fanqie")
    produce.a_supply(cooperative=shed.cooperative, product=tomato, on_hand=1_000, code="XY-0002")
    small, large = shed.product.variants.order_by("weight")
    basket = produce.a_basket({small: 4, tomato.variants.get(): 2, large: 1})
    with pytest.raises(ShortStock) as short:
        place_order(request=a_request(shed, basket=basket), user=None, now=NOW)
    # Beside the large pack, 500 g are left for small ones.
    assert {(item.name, item.asked, item.left) for item in short.value.items} == {
        ("莴笋", 4, 0),
        ("番茄", 2, 1),
    }
    shed.supply.refresh_from_db()
    assert shed.supply.allocated == 0
    assert Checkout.objects.filter(token=basket.token).exists()


def test_two_packs_of_one_supply_are_summed() -> None:
    shed = produce.a_shed(on_hand=3_000, packs={1000: "7.00", 2500: "15.00"})
    small, large = shed.product.variants.order_by("weight")
    basket = produce.a_basket({small: 1, large: 1})
    with pytest.raises(ShortStock) as short:
        place_order(request=a_request(shed, basket=basket), user=None, now=NOW)
    # Each line alone would fit; a buyer must still be told something true.
    assert short.value.items
    assert not Order.objects.exists()


def test_an_unpaid_order_expires_and_releases_its_stock() -> None:
    shed = produce.a_shed()
    order = place_order(request=a_request(shed), user=None, now=NOW)
    Placement.objects.filter(order=order).update(pays_on_collection=False, pay_by=NOW + timedelta(minutes=15))
    assert expire_unpaid_orders(now=NOW + timedelta(minutes=14)) == 0
    assert expire_unpaid_orders(now=NOW + timedelta(minutes=16)) == 1
    assert expire_unpaid_orders(now=NOW + timedelta(minutes=16)) == 0
    order.refresh_from_db()
    shed.supply.refresh_from_db()
    assert order.status == OrderStatus.CANCELED
    assert shed.supply.allocated == 0


def test_a_paid_order_does_not_expire() -> None:
    shed = produce.a_shed()
    order = place_order(request=a_request(shed), user=None, now=NOW)
    Placement.objects.filter(order=order).update(pays_on_collection=False, pay_by=NOW)
    order.payments.update(captured_amount=Decimal("14.00"), charge_status=ChargeStatus.FULLY_CHARGED)
    assert expire_unpaid_orders(now=NOW + timedelta(hours=1)) == 0
    order.refresh_from_db()
    assert order.status == OrderStatus.UNFULFILLED


@pytest.mark.parametrize("lines", [1, 5])
def test_placing_an_order_takes_at_most_forty_queries(
    lines: int,
    django_assert_max_num_queries: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    shed = produce.a_shed()
    variants: list[ProductVariant] = [shed.variant]
    for number in range(1, lines):
        product = produce.a_product(name=f"菜{number}", slug=f"cai-{number}")
        produce.a_supply(
            cooperative=shed.cooperative,
            product=product,
            on_hand=9_000,
            code=f"XY-1{number:03}",
        )
        variants.append(product.variants.get())
    request = a_request(shed, basket=produce.a_basket(dict.fromkeys(variants, 1)))
    with django_assert_max_num_queries(40):
        place_order(request=request, user=None, now=NOW)


def test_an_address_that_reads_like_a_known_one_is_not_kept_twice() -> None:
    li = produce.a_person(email="li@buyer.example")
    li.addresses.create(**{**produce.ADDRESS, "postal_code": "621022"})
    shed = produce.a_shed()
    whole_name = Address(**{**produce.ADDRESS, "first_name": "李秀英", "last_name": ""})
    for street, known in (("信义镇白马路 1 号", 1), ("刘家场 2 号", 2)):
        whole_name.street_address_1 = street
        basket = produce.a_basket({shed.variant: 1}, user=li)
        place_order(request=a_request(shed, basket=basket, address=whole_name), user=li, now=NOW)
        assert li.addresses.count() == known


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_the_same_moment_are_one_order() -> None:
    shed = produce.a_shed()
    request = a_request(shed)
    answers: list[int | Exception] = []
    together = threading.Barrier(4)

    def tap() -> None:
        together.wait()
        try:
            answers.append(place_order(request=request, user=None, now=NOW).pk)
        except Exception as error:  # Whatever it was, the assertion below shows it.
            answers.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tap) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.close()
    assert Order.objects.count() == 1
    assert answers == [Order.objects.get().pk] * 4
