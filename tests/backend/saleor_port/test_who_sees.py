"""What an order's token, a slug, or an id of the wrong kind gives away, and to whom."""

from __future__ import annotations

from typing import Any

import graphene
import pytest
from django.contrib.auth.models import Permission
from graphql.error import GraphQLLocatedError
from saleor.account.models import User
from saleor.checkout.models import Checkout
from saleor.discount.models import Voucher
from saleor.graphql.views import GraphQLView
from saleor.order.models import Order
from saleor.payment import TransactionKind
from saleor.product.models import Attribute, Collection, Product

from backend.api.errors import format_error
from backend.saleor_port import without
from tests.backend.saleor_port.small_shop import GATEWAY, Ask, Shop, ask_anew, make_address

# ---- private_fields ----

BY_TOKEN = """
query($token: UUID!) { orderByToken(token: $token) { number payments {
  token extraData customerIpAddress transactions { gatewayResponse } } } }
"""


@pytest.fixture
def order(shop: Shop) -> Order:
    """李婶's order, paid; the gateway answered with more than anybody should see."""
    order = shop.order(shop.good(1))
    order.user = User.objects.create_user("lishen@example.com", "password")
    order.save()
    payment = order.payments.create(
        gateway=GATEWAY, token="tok_secret", total=50, currency="CNY", extra_data="secret", is_active=True
    )
    payment.transactions.create(
        kind=TransactionKind.CAPTURE,
        is_success=True,
        amount=50,
        currency="CNY",
        token="tok_secret",
        gateway_response={"card": "secret"},
    )
    return order


def staff(*codenames: str) -> User:
    user = User.objects.create_user("zhao@town.example", "password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def test_saleor_shows_the_gateways_answers_to_who_has_the_token(order: Order) -> None:
    with without("private_fields"):
        answer = ask_anew(BY_TOKEN, token=order.token)

    assert "secret" in str(answer.data["orderByToken"]["payments"][0]["transactions"])


def test_the_token_shows_the_order_and_nothing_of_its_payments(order: Order, ask: Ask) -> None:
    answer = ask(BY_TOKEN, token=order.token)

    assert answer.data["orderByToken"] == {"number": str(order.pk), "payments": None}
    assert "secret" not in str(answer.data)


def test_the_buyer_sees_that_there_is_a_payment_and_not_what_the_gateway_said(order: Order, ask: Ask) -> None:
    document = (
        "query($token: UUID!) { orderByToken(token: $token) { payments { gateway transactions { token } } } }"
    )
    answer = ask(document, user=order.user, token=order.token)

    assert answer.data["orderByToken"]["payments"] == [{"gateway": GATEWAY, "transactions": None}]


def test_staff_who_manage_orders_see_payments(order: Order, ask: Ask) -> None:
    answer = ask(BY_TOKEN, user=staff("manage_orders"), token=order.token)

    assert answer.errors is None
    assert "secret" in str(answer.data["orderByToken"]["payments"])


ADDRESSES = "query($id: ID!) { user(id: $id) { email addresses { city } orders(first: 1) { totalCount } } }"


def test_staff_without_a_reason_see_no_addresses(order: Order, ask: Ask) -> None:
    order.user.addresses.add(make_address())
    someone = graphene.Node.to_global_id("User", order.user.pk)

    seen_by_users_manager = ask(ADDRESSES, user=staff("manage_users"), id=someone).data["user"]
    assert seen_by_users_manager["addresses"] == [{"city": "绵阳"}]
    User.objects.filter(email="zhao@town.example").delete()
    answer = ask(ADDRESSES, user=staff("manage_staff"), id=someone)
    assert not answer.data["user"] or answer.data["user"]["addresses"] is None


MINE = "{ me { metadata { key value } meta { namespace } } }"
THEIRS = "query($id: ID!) { user(id: $id) { metadata { key } addresses { city } permissions { code } } }"


def test_the_account_itself_reads_what_is_noted_about_it(order: Order, ask: Ask) -> None:
    order.user.store_value_in_metadata({"milk": "none"})
    order.user.save()

    answer = ask(MINE, user=order.user)

    assert answer.errors is None
    assert answer.data["me"]["metadata"] == [{"key": "milk", "value": "none"}]


def test_who_manages_staff_sees_staff_and_who_manages_customers_sees_customers(
    order: Order, ask: Ask
) -> None:
    colleague = User.objects.create_user("qian@town.example", "password", is_staff=True)
    for person in (colleague, order.user):
        person.addresses.add(make_address())
        person.store_value_in_metadata({"milk": "none"})
        person.save()
    seen = {"metadata": [{"key": "milk"}], "addresses": [{"city": "绵阳"}], "permissions": []}

    for codename, person in (("manage_staff", colleague), ("manage_users", order.user)):
        answer = ask(THEIRS, user=staff(codename), id=graphene.Node.to_global_id("User", person.pk))
        assert (answer.errors, answer.data["user"]) == (None, seen)
        User.objects.filter(email="zhao@town.example").delete()


# ---- nobodys_addresses ----

DELETE_ADDRESS = "mutation($id: ID!) { accountAddressDelete(id: $id) { accountErrors { code } } }"


def delete_an_address_as_nobody(ask: Ask) -> str:
    address = graphene.Node.to_global_id("Address", make_address().pk)
    return type(ask(DELETE_ADDRESS, id=address).errors[0].original_error).__name__


def test_saleor_looks_for_the_address_book_of_nobody(db: None, ask: Ask) -> None:
    with without("nobodys_addresses"):
        assert delete_an_address_as_nobody(ask) == "AttributeError"


def test_nobody_has_no_addresses_to_delete(db: None, ask: Ask) -> None:
    assert delete_an_address_as_nobody(ask) == "PermissionDenied"


# ---- unpublished_by_slug ----

BY_SLUG = "query($slug: String) { product(slug: $slug) { name } collection(slug: $slug) { name } }"


def hide_everything(shop: Shop) -> str:
    product = shop.good(1).product
    Product.objects.update(is_published=False)
    Collection.objects.create(name="秘密", slug=product.slug, is_published=False)
    return str(product.slug)


def test_saleor_shows_what_is_not_published_to_who_knows_its_slug(shop: Shop) -> None:
    with without("unpublished_by_slug"):
        answer = ask_anew(BY_SLUG, slug=hide_everything(shop))

    assert answer.data == {"product": {"name": "二荆条 1"}, "collection": {"name": "秘密"}}


def test_what_is_not_published_has_no_slug(shop: Shop, ask: Ask) -> None:
    slug = hide_everything(shop)

    assert ask(BY_SLUG, slug=slug).data == {"product": None, "collection": None}
    seen = ask(BY_SLUG, user=staff("manage_products"), slug=slug).data
    assert seen["product"] == {"name": "二荆条 1"}


def test_what_is_published_has_a_slug(shop: Shop, ask: Ask) -> None:
    slug = shop.good(1).product.slug

    assert ask(BY_SLUG, slug=slug).data["product"] == {"name": "二荆条 1"}


# ---- translations_permission ----

TRANSLATIONS = "{ translations(kind: VOUCHER, first: 9) { edges { node { __typename } } } }"


def test_saleor_lists_vouchers_to_anybody(db: None) -> None:
    Voucher.objects.create(code="SECRET", discount_value=10)
    with without("translations_permission"):
        answer = ask_anew(TRANSLATIONS)

    assert len(answer.data["translations"]["edges"]) == 1


def test_vouchers_are_listed_to_translators_only(db: None, ask: Ask) -> None:
    Voucher.objects.create(code="SECRET", discount_value=10)

    assert ask(TRANSLATIONS).data["translations"] is None
    assert len(ask(TRANSLATIONS, user=staff("manage_translations")).data["translations"]["edges"]) == 1


# ---- typed_ids ----

UPDATE = """
mutation($id: ID!, $category: ID) { productUpdate(id: $id, input: {category: $category}) {
  product { category { name } } productErrors { field code message } } }
"""


def put_a_good_into_a_user(shop: Shop, ask: Ask) -> Any:
    user = staff("manage_products")
    return ask(
        UPDATE,
        user=user,
        id=graphene.Node.to_global_id("Product", shop.good(1).product.pk),
        category=graphene.Node.to_global_id("User", user.pk),
    )


def test_saleor_fails_on_an_id_of_another_kind(shop: Shop, ask: Ask) -> None:
    with without("typed_ids"):
        assert put_a_good_into_a_user(shop, ask).errors


def test_an_id_of_another_kind_is_refused_in_words(shop: Shop, ask: Ask) -> None:
    answer = put_a_good_into_a_user(shop, ask)

    assert answer.errors is None
    assert answer.data["productUpdate"]["productErrors"] == [
        {"field": "category", "code": "GRAPHQL_ERROR", "message": "Must receive a Category id."}
    ]


PRICES = """
mutation($variant: ID!, $product: ID!, $attribute: ID!, $zone: ID!) {
  productVariantUpdate(id: $variant, input: {priceOverride: "3.50", costPrice: "2"}) {
    productVariant { priceOverride { amount } } productErrors { field } }
  productVariantBulkCreate(product: $product, variants: [
    {sku: "NEW", priceOverride: "4.50", attributes: [{id: $attribute, values: ["大"]}]}]) {
    productVariants { sku } bulkProductErrors { field message } }
  shippingPriceCreate(input: {
    name: "自提", type: PRICE, shippingZone: $zone, price: "0", minimumOrderPrice: "0"}) {
    shippingMethod { name } shippingErrors { field } }
}
"""


def test_prices_are_not_taken_for_ids(shop: Shop, ask: Ask) -> None:
    """A price is a field of two columns; and a bulk mutation has no model of its own."""
    variant = shop.good(1)
    attribute = Attribute.objects.create(slug="size", name="大小")
    shop.product_type.variant_attributes.add(attribute)

    answer = ask(
        PRICES,
        user=staff("manage_products", "manage_shipping"),
        variant=graphene.Node.to_global_id("ProductVariant", variant.pk),
        product=graphene.Node.to_global_id("Product", variant.product_id),
        attribute=graphene.Node.to_global_id("Attribute", attribute.pk),
        zone=graphene.Node.to_global_id("ShippingZone", shop.zone.pk),
    )

    assert answer.errors is None, answer.errors
    assert answer.data == {
        "productVariantUpdate": {"productVariant": {"priceOverride": {"amount": 3.5}}, "productErrors": []},
        "productVariantBulkCreate": {"productVariants": [{"sku": "NEW"}], "bulkProductErrors": []},
        "shippingPriceCreate": {"shippingMethod": {"name": "自提"}, "shippingErrors": []},
    }


# ---- unreadable_requests ----

UNREADABLE = {
    "an id of another kind": ('{ menu(id: "VXNlcjox") { name } }', "AssertionError"),
    "an id that is no key": ('{ menu(id: "TWVudTp4") { name } }', "ValueError"),
    "no id": (
        'mutation { checkoutRemovePromoCode(checkoutId: "%", promoCode: "") { checkoutErrors { field } } }',
        "ValueError",
    ),
    "a cursor of no list": ('{ products(first: 1, after: "VXNlcjox") { totalCount } }', "JSONDecodeError"),
    "a cursor of lists": (
        '{ menuItems(first: 1, after: "W1sieCJdXQ==") { totalCount } }',
        "TypeError",
    ),
    "an empty id": (
        'mutation { checkoutBillingAddressUpdate(checkoutId: "", billingAddress: {}) { checkoutErrors { field } } }',
        "AttributeError",
    ),
    "an empty id that need not be given": (
        'mutation { checkoutEmailUpdate(checkoutId: "", email: "li@buyer.example") { checkoutErrors { field } } }',
        "AttributeError",
    ),
    "an address with a NUL": (
        'mutation { checkoutCreate(input: {lines: [], shippingAddress: {streetAddress2: "\\u0000", country: CN}}) '
        "{ checkoutErrors { field } } }",
        "KeyError",
    ),
    "a missing argument": (
        'mutation { checkoutEmailUpdate(email: "li@buyer.example") { checkoutErrors { field } } }',
        "TypeError",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_saleor_fails_on_what_it_cannot_read(db: None, case: str) -> None:
    document, failure = UNREADABLE[case]
    with without("unreadable_requests"):
        answer = ask_anew(document)

    assert type(answer.errors[0].original_error).__name__ == failure


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_refused_in_words(db: None, case: str) -> None:
    answer = ask_anew(UNREADABLE[case][0])

    told = {type(getattr(error, "original_error", error)).__name__ for error in answer.errors or ()}
    assert told <= {"GraphQLError", "Error"}  # or null, or an error of the field


# ---- what an exception says ----


def test_saleor_hands_out_what_an_exception_says_and_our_api_a_reference(settings: Any) -> None:
    """No patch: our endpoint is no view of Saleor's, so the two stand side by side."""
    settings.DEBUG = False
    fault = GraphQLLocatedError([], original_error=RuntimeError("password=hunter2 at 10.0.0.1"))

    assert "hunter2" in str(GraphQLView.format_error(fault))
    assert "hunter2" not in str(format_error(fault))


# ---- own_baskets ----

TAKE_OVER = """
mutation($id: ID!) {
  checkoutEmailUpdate(checkoutId: $id, email: "chen@buyer.example") { checkout { email shippingAddress { phone } } }
  checkoutCustomerAttach(checkoutId: $id) { checkout { email } }
  checkoutLinesAdd(checkoutId: $id, lines: []) { checkout { email } }
  checkoutShippingAddressUpdate(checkoutId: $id, shippingAddress: {}) { checkout { email } }
  checkoutShippingMethodUpdate(checkoutId: $id, shippingMethodId: "x") { checkout { email } }
  checkoutAddPromoCode(checkoutId: $id, promoCode: "x") { checkout { email } }
}
"""
BEGIN_PAYMENT = """
mutation($id: ID!) { checkoutPaymentCreate(checkoutId: $id, input: {gateway: "tests.gateway", token: "x"}) {
  paymentErrors { field code } } }
"""
COMPLETE = (
    "mutation($id: ID!) { checkoutComplete(checkoutId: $id) { order { id } checkoutErrors { field code } } }"
)


@pytest.fixture
def li(db: None) -> User:
    return User.objects.create_user("li@buyer.example", "password")


def take_over(shop: Shop, ask: Ask, li: User) -> tuple[Any, Checkout]:
    basket = shop.basket(shop.good(1))
    Checkout.objects.filter(pk=basket.pk).update(user=li)
    chen = User.objects.create_user("chen@buyer.example", "password")
    answer = ask(TAKE_OVER, user=chen, id=graphene.Node.to_global_id("Checkout", basket.pk))
    basket.refresh_from_db()
    return answer, basket


def test_saleor_hands_an_accounts_basket_to_who_knows_its_id(shop: Shop, ask: Ask, li: User) -> None:
    with without("own_baskets"):
        answer, basket = take_over(shop, ask, li)

    assert answer.data["checkoutEmailUpdate"]["checkout"]["shippingAddress"] == {"phone": "+8613800138000"}
    assert basket.user != li


def test_an_accounts_basket_is_not_there_for_others(shop: Shop, ask: Ask, li: User) -> None:
    answer, basket = take_over(shop, ask, li)

    assert [each["checkout"] for each in answer.data.values()] == [None] * 6
    assert (basket.user, basket.email) == (li, "lishen@example.com")


def test_an_account_and_a_guest_change_baskets_of_their_own(shop: Shop, ask: Ask, li: User) -> None:
    good = shop.good(9)
    of_li, of_a_guest = shop.basket(good), shop.basket(good)
    Checkout.objects.filter(pk=of_li.pk).update(user=li)
    update = """
    mutation($id: ID!, $variant: ID!) { checkoutLinesUpdate(checkoutId: $id, lines: [{variantId: $variant, quantity: 3}]) {
      checkout { lines { quantity } } checkoutErrors { field code } } }
    """

    for basket, user in ((of_li, li), (of_a_guest, None), (of_a_guest, li)):
        answer = ask(
            update,
            user=user,
            id=graphene.Node.to_global_id("Checkout", basket.pk),
            variant=graphene.Node.to_global_id("ProductVariant", good.pk),
        )
        changed = {"checkout": {"lines": [{"quantity": 3}]}, "checkoutErrors": []}
        assert answer.data["checkoutLinesUpdate"] == changed


def test_an_accounts_basket_is_completed_by_it_alone_or_by_staff_who_may(
    shop: Shop, ask: Ask, li: User
) -> None:
    basket = shop.basket(shop.good(9, price="0"))
    Checkout.objects.filter(pk=basket.pk).update(user=li)
    ids = {"id": graphene.Node.to_global_id("Checkout", basket.pk)}
    chen = User.objects.create_user("chen@buyer.example", "password")
    not_there = [{"field": "checkoutId", "code": "NOT_FOUND"}]

    for stranger in (None, chen):
        begun = ask(BEGIN_PAYMENT, user=stranger, **ids).data["checkoutPaymentCreate"]
        assert begun["paymentErrors"] == not_there
        assert ask(COMPLETE, user=stranger, **ids).data["checkoutComplete"]["checkoutErrors"] == not_there
    completed = ask(COMPLETE, user=staff("manage_checkouts"), **ids).data["checkoutComplete"]

    assert completed["checkoutErrors"] == []
    assert Order.objects.get().user == li
    # Nor is the order that it became.
    assert ask(COMPLETE, **ids).data["checkoutComplete"]["checkoutErrors"] == not_there
    assert ask(COMPLETE, user=li, **ids).data["checkoutComplete"] == completed
