"""Putting lines into a basket: all of them or none, added up, and nothing of what is hidden."""

from __future__ import annotations

from typing import Any
from unittest import mock

import graphene
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.product.models import Product, ProductVariant
from saleor.warehouse.models import Stock

from backend.saleor_port import without
from tests.backend.saleor_port.small_shop import Ask, Rendezvous, Shop, race

MEET = 30
"""Seconds that two racers wait for each other where nothing keeps them apart: a slow machine gets there, too."""

NEVER_MEET = 1
"""Where a lock keeps one of them back, the other waits this long in vain."""

# ---- lines_at_once ----

CHANGE_LINES = """
mutation($checkout: ID!, $lines: [CheckoutLineInput]!) { answer: %s(checkoutId: $checkout, lines: $lines) {
  checkout { quantity lines { quantity variant { sku } } } checkoutErrors { field code message } } }
"""


def change(ask: Ask, checkout: Checkout, mutation: str, *lines: tuple[ProductVariant, int]) -> Any:
    return ask(
        CHANGE_LINES % mutation,
        checkout=graphene.Node.to_global_id("Checkout", checkout.pk),
        lines=[
            {"variantId": graphene.Node.to_global_id("ProductVariant", good.pk), "quantity": quantity}
            for good, quantity in lines
        ],
    ).data["answer"]


def held(checkout: Checkout) -> dict[str, int]:
    return dict(checkout.lines.values_list("variant__sku", "quantity"))


def test_lines_are_added_replaced_and_taken_out_at_once(shop: Shop, ask: Ask) -> None:
    goods = [shop.good(9) for _ in range(4)]
    checkout = shop.basket(*goods[:3])

    added = change(ask, checkout, "checkoutLinesAdd", (goods[3], 2), (goods[0], 4))
    assert (added["checkoutErrors"], added["checkout"]["quantity"]) == ([], 9)
    assert held(checkout) == {"XY-0001": 5, "XY-0002": 1, "XY-0003": 1, "XY-0004": 2}

    put = change(ask, checkout, "checkoutLinesUpdate", (goods[0], 3), (goods[1], 0), (goods[2], 7))
    assert (put["checkoutErrors"], put["checkout"]["quantity"]) == ([], 12)
    assert held(checkout) == {"XY-0001": 3, "XY-0003": 7, "XY-0004": 2}


def test_what_stands_in_the_basket_counts_when_more_is_added(shop: Shop, ask: Ask) -> None:
    good, other = shop.good(3, 2), shop.good(9)
    checkout = shop.basket(good)

    answer = change(ask, checkout, "checkoutLinesAdd", (other, 1), (good, 5))

    [error] = answer["checkoutErrors"]
    assert (error["field"], error["code"]) == (None, "INSUFFICIENT_STOCK")
    assert held(checkout) == {"XY-0001": 1}
    assert change(ask, checkout, "checkoutLinesAdd", (good, 4))["checkoutErrors"] == []


def test_the_first_line_that_is_wrong_is_named_as_saleor_names_it(shop: Shop, ask: Ask) -> None:
    few, checkout = shop.good(2), shop.basket()
    wrong = [(few, 3), (few, -1), (few, 51), (shop.good(), 1)]

    ours = [change(ask, checkout, "checkoutLinesAdd", each)["checkoutErrors"] for each in wrong]
    with without("lines_at_once"):
        saleors = [change(ask, checkout, "checkoutLinesAdd", each)["checkoutErrors"] for each in wrong]

    assert ours == saleors
    assert [[error["code"] for error in each] for each in ours] == [
        ["INSUFFICIENT_STOCK"],
        ["ZERO_QUANTITY"],
        ["QUANTITY_GREATER_THAN_LIMIT"],
        ["INSUFFICIENT_STOCK"],
    ]


def take_out_what_is_no_longer_sold(shop: Shop, ask: Ask) -> dict[str, int]:
    gone = shop.good(9)
    checkout = shop.basket(gone, shop.good(9))
    Product.objects.filter(pk=gone.product_id).update(is_published=False)
    Stock.objects.filter(product_variant=gone).delete()
    change(ask, checkout, "checkoutLinesUpdate", (gone, 0))
    return held(checkout)


def test_saleor_keeps_in_the_basket_what_is_no_longer_sold(shop: Shop, ask: Ask) -> None:
    with without("lines_at_once"):
        assert take_out_what_is_no_longer_sold(shop, ask) == {"XY-0001": 1, "XY-0002": 1}


def test_what_is_no_longer_sold_is_taken_out(shop: Shop, ask: Ask) -> None:
    assert take_out_what_is_no_longer_sold(shop, ask) == {"XY-0002": 1}


def add_two_and_three_at_once(shop: Shop, ask: Ask, *, seconds: float) -> dict[str, int]:
    good = shop.good(9)
    checkout = shop.basket(good)
    meeting = Rendezvous(seconds=seconds)
    plain = CheckoutLine.__init__

    def read(self: CheckoutLine, *given: Any, **data: Any) -> None:
        # Both have read the line before either of them writes it.
        plain(self, *given, **data)
        meeting.wait()

    with mock.patch.object(CheckoutLine, "__init__", read):
        race(
            lambda: change(ask, checkout, "checkoutLinesAdd", (good, 2)),
            lambda: change(ask, checkout, "checkoutLinesAdd", (good, 3)),
        )
    return held(checkout)


def test_saleor_forgets_one_of_two_changes_at_once(committed_shop: Shop, ask: Ask) -> None:
    with without("lines_at_once"):
        assert add_two_and_three_at_once(committed_shop, ask, seconds=MEET)["XY-0001"] in (3, 4)


def test_of_two_changes_at_once_both_count(committed_shop: Shop, ask: Ask) -> None:
    assert add_two_and_three_at_once(committed_shop, ask, seconds=NEVER_MEET) == {"XY-0001": 6}


# ---- duplicate_lines ----

BASKET = """
mutation($lines: [CheckoutLineInput]!) { checkoutCreate(input: {email: "li@buyer.example", lines: $lines}) {
  checkout { lines { quantity variant { sku } } } checkoutErrors { field code message } } }
"""


def two_and_three_of_one_and_four_of_another(shop: Shop, ask: Ask) -> list[tuple[str, int]]:
    one, other = shop.good(99), shop.good(99)
    lines = [
        {"variantId": graphene.Node.to_global_id("ProductVariant", good.pk), "quantity": quantity}
        for good, quantity in ((one, 2), (one, 3), (other, 4))
    ]
    created = ask(BASKET, lines=lines).data["checkoutCreate"]["checkout"]
    return [(line["variant"]["sku"], line["quantity"]) for line in created["lines"]]


def test_saleor_pairs_repeated_variants_with_the_wrong_quantities(shop: Shop, ask: Ask) -> None:
    with without("duplicate_lines"):
        assert two_and_three_of_one_and_four_of_another(shop, ask) == [("XY-0001", 2), ("XY-0002", 3)]


def test_repeated_variants_are_added_up(shop: Shop, ask: Ask) -> None:
    assert two_and_three_of_one_and_four_of_another(shop, ask) == [("XY-0001", 5), ("XY-0002", 4)]


# ---- hidden_lines ----


def put_what_is_hidden_in_a_basket(shop: Shop, ask: Ask) -> str:
    good = shop.good(0)
    good.product.is_published = False
    good.product.save()
    line = {"variantId": graphene.Node.to_global_id("ProductVariant", good.pk), "quantity": 1}
    return str(ask(BASKET, lines=[line]).data["checkoutCreate"]["checkoutErrors"])


def test_saleor_names_what_is_not_published(shop: Shop, ask: Ask) -> None:
    with without("hidden_lines"):
        assert "二荆条" in put_what_is_hidden_in_a_basket(shop, ask)


ADD_LINES = """
mutation($checkout: ID!, $lines: [CheckoutLineInput]!) {
  checkoutLinesAdd(checkoutId: $checkout, lines: $lines) { checkoutErrors { code message } } }
"""


def test_a_line_that_is_refused_keeps_those_before_it_out_of_the_basket(shop: Shop, ask: Ask) -> None:
    good, hidden, checkout = shop.good(1), shop.good(1), shop.basket()
    Product.objects.filter(pk=hidden.product_id).update(is_published=False)

    answer = ask(
        ADD_LINES,
        checkout=graphene.Node.to_global_id("Checkout", checkout.pk),
        lines=[
            {"variantId": graphene.Node.to_global_id("ProductVariant", each.pk), "quantity": 1}
            for each in (good, hidden)
        ],
    )

    [error] = answer.data["checkoutLinesAdd"]["checkoutErrors"]
    assert error == {"code": "PRODUCT_NOT_PUBLISHED", "message": "Can't add unpublished product."}
    assert not checkout.lines.exists()


def test_what_is_not_published_has_no_name_for_a_basket(shop: Shop, ask: Ask) -> None:
    said = put_what_is_hidden_in_a_basket(shop, ask)

    assert "PRODUCT_NOT_PUBLISHED" in said
    assert "二荆条" not in said
