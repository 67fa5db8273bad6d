from __future__ import annotations

from typing import Any
from uuid import uuid4

import graphene
import pytest
from saleor.order.models import Order

from tests import produce
from tests.backend.api.conftest import Ask

pytestmark = pytest.mark.django_db

ORDER_PLACE = """
mutation OrderPlace($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { number token total { gross { amount } } isPaid placement { paysOnCollection payBy }
          lines { productName quantity cooperatives { slug } } }
  errors { field code message variant available }
} }
"""


def an_input(shed: produce.Shed, quantity: int = 2, **changes: Any) -> dict[str, Any]:
    address = {key: value for key, value in produce.ADDRESS.items() if key not in {"country"}}
    camel = {
        "first_name": "firstName",
        "last_name": "lastName",
        "street_address_1": "streetAddress1",
        "city_area": "cityArea",
        "country_area": "countryArea",
        "postal_code": "postalCode",
    }
    return {
        "checkoutToken": str(produce.a_basket({shed.variant: quantity}).token),
        "idempotencyKey": str(uuid4()),
        "email": "li@buyer.example",
        "shippingAddress": {
            **{camel.get(key, key): value for key, value in address.items()},
            "country": "CN",
        },
        "shippingMethod": graphene.Node.to_global_id("ShippingMethod", shed.delivery.pk),
        "paymentGateway": "pay_on_collection",
        "acceptFreshRule": True,
        **changes,
    }


def test_a_guest_places_an_order_and_learns_who_grew_it(ask: Ask) -> None:
    shed = produce.a_shed()
    placed = ask(ORDER_PLACE, input=an_input(shed))["data"]["orderPlace"]
    assert placed["errors"] == []
    assert placed["order"]["isPaid"] is False
    assert placed["order"]["total"] == {"gross": {"amount": 14.0}}
    assert placed["order"]["placement"] == {"paysOnCollection": True, "payBy": None}
    assert placed["order"]["lines"] == [
        {"productName": "莴笋", "quantity": 2, "cooperatives": [{"slug": "baima"}]}
    ]


def test_what_is_short_says_which_and_how_much_is_left(ask: Ask) -> None:
    shed = produce.a_shed(on_hand=1_000)
    answer = ask(ORDER_PLACE, input=an_input(shed, quantity=2))["data"]["orderPlace"]
    assert answer["order"] is None
    (error,) = answer["errors"]
    assert error["code"] == "INSUFFICIENT_STOCK"
    assert error["available"] == 1
    assert error["variant"] == graphene.Node.to_global_id("ProductVariant", shed.variant.pk)
    assert "莴笋" in error["message"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"email": "not an address"}, "EMAIL_INVALID", "email"),
        ({"shippingMethod": "nonsense"}, "DELIVERY_UNAVAILABLE", "shippingMethod"),
        ({"shippingMethod": "\u0000"}, "DELIVERY_UNAVAILABLE", "shippingMethod"),
        ({"idempotencyKey": "short"}, "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        ({"note": "长" * 501}, "NOTE_TOO_LONG", "note"),
        ({"acceptFreshRule": False}, "FRESH_RULE_NOT_ACCEPTED", "acceptFreshRule"),
        ({"checkoutToken": str(uuid4())}, "BASKET_EMPTY", None),
    ],
)
def test_a_bad_field_is_named(ask: Ask, changes: dict[str, Any], code: str, field: str | None) -> None:
    shed = produce.a_shed()
    (error,) = ask(ORDER_PLACE, input=an_input(shed, **changes))["data"]["orderPlace"]["errors"]
    assert (error["code"], error["field"]) == (code, field)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": "12"}, "shippingAddress.phone"),
        ({"streetAddress1": ""}, "shippingAddress.streetAddress1"),
        ({"countryArea": "Atlantis"}, "shippingAddress.countryArea"),
    ],
)
def test_a_bad_address_names_its_line(ask: Ask, changes: dict[str, str], field: str) -> None:
    shed = produce.a_shed()
    given = an_input(shed)
    given["shippingAddress"].update(changes)
    errors = ask(ORDER_PLACE, input=given)["data"]["orderPlace"]["errors"]
    assert {error["code"] for error in errors} == {"ADDRESS_INVALID"}
    assert field in {error["field"] for error in errors}


def test_messages_are_in_the_language_of_the_request(ask: Ask) -> None:
    shed = produce.a_shed()
    given = an_input(shed, email="not an address")
    (english,) = ask(ORDER_PLACE, input=given, language="en")["data"]["orderPlace"]["errors"]
    (chinese,) = ask(ORDER_PLACE, input=given, language="zh-hans")["data"]["orderPlace"]["errors"]
    assert english["message"].isascii()
    assert "邮箱" in chinese["message"]
