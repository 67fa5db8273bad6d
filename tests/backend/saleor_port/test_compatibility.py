"""What newer releases of Django and of Saleor's libraries broke: broken without the patch, whole with it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from saleor.account.models import User
from saleor.product.models import Attribute, AttributeValue

from backend.saleor_port import vendor_stand_ins, without
from tests.backend.saleor_port.small_shop import Shop


def imported(module: str, name: str) -> bool:
    return hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    "module, name",
    [
        ("django.utils.encoding", "smart_text"),
        ("django.utils.encoding", "force_text"),
        ("django.utils.translation", "ugettext"),
        ("django.utils.translation", "ugettext_lazy"),
        ("django.utils.translation", "ungettext"),
        ("django.conf.urls", "url"),
        ("django.utils.http", "urlquote"),
        ("django.utils.http", "is_safe_url"),
    ],
)
def test_text_functions_that_django_removed_are_there(module: str, name: str) -> None:
    with without("removed_text_functions"):
        assert not imported(module, name)
    assert imported(module, name)


def test_bound_field_is_where_saleor_looks_for_it() -> None:
    with without("moved_bound_field"):
        assert not imported("django.forms.forms", "BoundField")
    assert imported("django.forms.forms", "BoundField")


def test_the_json_field_of_contrib_postgres_is_no_stub() -> None:
    def is_stub() -> bool:
        field = importlib.import_module("django.contrib.postgres.fields").JSONField
        return field.system_check_removed_details is not None

    with without("postgres_json_field"):
        assert is_stub()
    assert not is_stub()


def test_signals_may_name_their_arguments() -> None:
    from django.dispatch import Signal

    with without("signal_arguments"), pytest.raises(TypeError, match="providing_args"):
        Signal(providing_args=["user"])  # type: ignore[call-arg]  # that is what is tested
    Signal(providing_args=["user"])  # type: ignore[call-arg]  # that is what is tested


@pytest.mark.parametrize(
    "patch, module",
    [
        ("google_measurement_protocol", "google_measurement_protocol"),
        ("geolite2", "geolite2"),
        ("faker", "faker.providers"),
    ],
)
def test_a_vendors_package_that_nobody_installed_can_be_imported(patch: str, module: str) -> None:
    with without(patch), pytest.raises(ModuleNotFoundError):
        importlib.import_module(module)
    assert importlib.import_module(module) is not None


def test_a_call_to_a_vendor_is_an_error_that_says_so() -> None:
    import google_measurement_protocol

    with pytest.raises(NotImplementedError, match="does not use that vendor"):
        google_measurement_protocol.report("UA-1", "client", [])


def test_the_country_of_an_address_is_unknown() -> None:
    from saleor.core.utils import get_country_by_ip

    assert get_country_by_ip("8.8.8.8") is None


def test_weights_convert_without_sympy() -> None:
    from measurement.measures import Temperature, Weight

    def stands_in() -> bool:
        return "sympy" in sys.modules and sys.modules["sympy"].__doc__ == vendor_stand_ins.DOC

    with without("symbolic_algebra"):
        assert not stands_in()
    assert stands_in()
    assert (Weight(kg=1.5).g, Weight(g=500).kg, round(Weight(lb=1).g, 2)) == (1500, 0.5, 453.59)
    with pytest.raises(NotImplementedError):
        Temperature(c=20)


# ---- jwt_library ----


def test_tokens_go_out_and_come_back(settings: Any) -> None:
    from graphql_jwt.utils import jwt_decode, jwt_encode
    from saleor.account.utils import create_jwt_token, decode_jwt_token

    with without("jwt_library"):
        with pytest.raises(AttributeError, match="decode"):
            jwt_encode({"email": "lishen@example.com"})
        with pytest.raises(AttributeError, match="decode"):
            create_jwt_token({"email": "lishen@example.com"})

    assert jwt_decode(jwt_encode({"email": "lishen@example.com"}))["email"] == "lishen@example.com"
    assert (
        decode_jwt_token(create_jwt_token({"email": "lishen@example.com"}))["email"] == "lishen@example.com"
    )


def test_a_token_of_yesterday_is_expired() -> None:
    from graphql_jwt.exceptions import JSONWebTokenExpired
    from graphql_jwt.utils import get_payload, jwt_encode

    token = jwt_encode({"exp": datetime.now(UTC) - timedelta(days=1)})

    with pytest.raises(JSONWebTokenExpired):
        get_payload(token)


def test_a_token_of_another_shop_is_refused() -> None:
    from graphql_jwt.exceptions import JSONWebTokenError
    from graphql_jwt.utils import get_payload

    token = jwt.encode({"email": "lishen@example.com"}, "some other shop's key, long enough", "HS256")

    with pytest.raises(JSONWebTokenError):
        get_payload(token)


def test_a_token_is_never_decoded_unverified() -> None:
    from backend.saleor_port.jwt_library import pyjwt_1_face

    with pytest.raises(ValueError, match="always verified"):
        pyjwt_1_face.decode("a.b.c", "key", False)


# ---- account forms ----


def address_form(**changes: str) -> Any:
    from saleor.account.forms import get_address_form

    data = {
        "first_name": "婶",
        "last_name": "李",
        "street_address_1": "白马村1组",
        "city": "绵阳市",
        "city_area": "游仙区",
        "country_area": "四川省",
        "postal_code": "621000",
        "country": "CN",
        "phone": "+8613800138000",
        **changes,
    }
    form, _ = get_address_form(data=data, country_code="CN")
    return form


def test_a_phone_number_reaches_the_address_form_as_text() -> None:
    from saleor.account.widgets import PhonePrefixWidget

    def read() -> Any:
        data = {"phone_0": "+86", "phone_1": "13800138000"}
        return PhonePrefixWidget().value_from_datadict(data, {}, "phone")

    with without("phone_widget"):
        assert read() == ["+86", "13800138000"]
    assert read() == "+86.13800138000"
    assert (
        PhonePrefixWidget().value_from_datadict({"phone": "+8613800138000"}, {}, "phone") == "+8613800138000"
    )


def test_an_incomplete_address_is_a_form_error() -> None:
    with without("address_library"), pytest.raises(AttributeError, match="InvalidAddress"):
        address_form(city="").is_valid()

    form = address_form(city="")
    assert not form.is_valid()
    assert "city" in form.errors


def test_a_chinese_address_is_valid() -> None:
    form = address_form()
    assert form.is_valid(), form.errors


# ---- staff ----


@pytest.fixture
def attribute(db: None) -> Attribute:
    attribute = Attribute.objects.create(name="产地", slug="origin")
    for number, village in enumerate(("福星村", "李花村", "白马村")):
        attribute.values.create(name=village, slug=f"v{number}", sort_order=number)
    return attribute


def test_values_of_an_attribute_can_be_reordered(attribute: Attribute) -> None:
    from saleor.graphql.core.utils.reordering import perform_reordering

    last = attribute.values.last()
    values = AttributeValue.objects.filter(attribute=attribute)

    with without("sort_order"), pytest.raises(AttributeError), transaction.atomic():
        perform_reordering(values, {last.pk: -2})

    with transaction.atomic():
        perform_reordering(values, {last.pk: -2})
    names = list(values.order_by("sort_order").values_list("name", flat=True))
    assert names == ["白马村", "福星村", "李花村"]


def test_a_group_without_members_is_a_group_without_members(db: None) -> None:
    from saleor.graphql.account.utils import get_group_to_permissions_and_users_mapping

    group = Group.objects.create(name="nobody yet")

    with without("empty_arrays"), pytest.raises(TypeError):
        get_group_to_permissions_and_users_mapping()

    assert get_group_to_permissions_and_users_mapping()[group.pk] == {"permissions": set(), "users": set()}


def test_a_new_attribute_may_come_with_values(db: None) -> None:
    from saleor.graphql.product.mutations.attributes import AttributeCreate

    def check(names: list[str]) -> None:
        AttributeCreate.check_values_are_unique([{"name": name} for name in names], Attribute(name="产地"))

    with without("unsaved_relations"), pytest.raises(ValueError, match="primary key"):
        check(["one", "two"])

    check(["one", "two"])
    with pytest.raises(ValidationError, match="not unique"):
        check(["one", "one"])


def test_the_sample_of_a_checkout_has_its_lines_and_no_buyer(shop: Shop) -> None:
    from saleor.webhook.event_types import WebhookEventType
    from saleor.webhook.payloads import generate_sample_payload

    good = shop.good(1)
    shop.basket(good)

    def sample() -> Any:
        return generate_sample_payload(WebhookEventType.CHECKOUT_QUANTITY_CHANGED)

    with without("sample_checkout"), pytest.raises(ValidationError, match="UUID"):
        sample()

    [payload] = sample()
    assert [line["sku"] for line in payload["lines"]] == [good.sku]
    assert payload["email"] != "lishen@example.com"


# ---- metadata ----

UPDATE_METADATA = """
mutation UpdateMetadata($id: ID!) {
  updateMetadata(id: $id, input: [{key: "note", value: "mine now"}]) {
    item { ... on Order { userEmail } metadata { key value } }
  }
}
"""


@pytest.fixture
def order_id(shop: Shop) -> str:
    import graphene

    return graphene.Node.to_global_id("Order", shop.order(shop.good(1)).pk)


def test_saleor_lets_anybody_write_an_order_and_read_it(order_id: str, ask: Callable[..., Any]) -> None:
    with without("metadata_permissions"):
        answer = ask(UPDATE_METADATA, id=order_id)

    item = answer.data["updateMetadata"]["item"]
    assert item == {"userEmail": "lishen@example.com", "metadata": [{"key": "note", "value": "mine now"}]}


def test_an_orders_metadata_is_for_those_who_manage_orders(order_id: str, ask: Callable[..., Any]) -> None:
    from saleor.core.permissions import OrderPermissions
    from saleor.order.models import Order

    stranger = User.objects.create_user("chenkuaiji@example.com", "password")
    officer = User.objects.create_superuser("zhaoganshi@example.com", "password")

    for user in (None, stranger):
        [error] = ask(UPDATE_METADATA, user=user, id=order_id).errors
        assert "permission" in str(error)
    assert Order.objects.get().metadata == {}

    assert officer.has_perm(OrderPermissions.MANAGE_ORDERS)
    answer = ask(UPDATE_METADATA, user=officer, id=order_id)
    assert answer.errors is None
    assert Order.objects.get().metadata == {"note": "mine now"}


def test_a_checkouts_metadata_is_for_those_who_manage_checkouts(shop: Shop, ask: Callable[..., Any]) -> None:
    import graphene

    checkout = shop.basket(shop.good(1))
    variables = {"id": graphene.Node.to_global_id("Checkout", checkout.pk)}
    document = UPDATE_METADATA.replace("... on Order { userEmail } ", "")

    with without("metadata_permissions"):
        assert ask(document, **variables).errors is None
    [error] = ask(document, **variables).errors
    assert "permission" in str(error)


# ---- minimal variant prices ----


def test_the_nightly_task_brings_every_products_lowest_price_up_to_date(shop: Shop) -> None:
    from saleor.product.models import Product

    from backend.saleor_port.tasks import update_all_minimal_variant_prices

    shop.good(1, price="50")
    Product.objects.update(minimal_variant_price_amount=9)

    update_all_minimal_variant_prices()

    assert Product.objects.get().minimal_variant_price_amount == 50
