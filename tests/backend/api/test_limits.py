"""What exceeds a limit is refused before anything runs: not one query reaches the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from graphql import parse
from graphql.type.definition import GraphQLInterfaceType, GraphQLObjectType, get_named_type
from graphql.utils.introspection_query import introspection_query

from backend.api import costs, limits
from backend.api.schema import schema
from tests import produce

pytestmark = pytest.mark.django_db

SIGN_IN = 'tokenCreate(email: "li@buyer.example", password: "guess") { token }'


def refusal_of(client: Client, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    """(status, the one error) of a request that must not touch the database."""
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    with CaptureQueriesContext(connection) as queries:
        response = client.post(
            "/graphql/",
            data=text,
            content_type="application/json",
            headers={"Accept-Language": "en", **headers},
        )
    assert len(queries) == 0, queries.captured_queries
    answer = response.json()
    assert "data" not in answer
    (error,) = answer["errors"]
    return response.status_code, error


def code_of(error: dict[str, Any]) -> str:
    return str(error["extensions"]["exception"]["code"])


def cost_of(text: str, **variables: Any) -> int:
    asked = limits.Asked()
    limits.add_operation(asked, schema=schema, document=parse(text), operation_name=None, variables=variables)
    asked.check()
    return asked.cost


# ---- What the issue names ----------------------------------------------------------------------------------


def test_two_hundred_aliased_sign_ins_are_refused(client: Client) -> None:
    guesses = " ".join(f"a{number}: {SIGN_IN}" for number in range(200))
    status, error = refusal_of(client, {"query": f"mutation {{ {guesses} }}"})
    assert (status, code_of(error)) == (400, "TOO_MUCH_TOKENS")


def test_sixteen_aliased_sign_ins_are_refused_with_what_they_would_cost(client: Client) -> None:
    guesses = " ".join(f"a{number}: {SIGN_IN}" for number in range(16))
    status, error = refusal_of(client, {"query": f"mutation {{ {guesses} }}"})
    assert (status, code_of(error)) == (400, "TOO_MUCH_ALIASES_OF_A_FIELD")
    assert error["extensions"]["limit"] == {"of": "aliases_of_a_field", "found": 16, "most": 15}
    assert error["extensions"]["cost"]["requested"] > 16 * 3_000
    assert error["message"] == "One field is asked for 16 times, where 15 are allowed."


def test_without_the_limits_each_alias_is_a_guess(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.Asked, "check", lambda self: None)
    guesses = " ".join(f"a{number}: {SIGN_IN}" for number in range(16))
    response = client.post(
        "/graphql/", {"query": f"mutation {{ {guesses} }}"}, content_type="application/json"
    )
    assert len(response.json()["data"]) == 16


def test_sign_ins_spread_over_a_batch_are_refused(client: Client) -> None:
    status, error = refusal_of(client, [{"query": f"mutation {{ {SIGN_IN} }}"}] * 6)
    assert (status, code_of(error)) == (400, "TOO_MUCH_MUTATIONS")
    assert error["extensions"]["limit"]["found"] == 6


def test_a_batch_of_five_hundred_is_refused(client: Client) -> None:
    status, error = refusal_of(client, [{"query": "{ shop { name } }"}] * 500)
    assert (status, code_of(error)) == (400, "TOO_MUCH_BATCH")
    assert error["extensions"]["limit"] == {"of": "batch", "found": 500, "most": 10}


def test_sixty_levels_are_refused_before_they_are_parsed(client: Client) -> None:
    query = '{ category(id: "x") ' + "{ parent " * 58 + "{ name }" + "}" * 59
    status, error = refusal_of(client, {"query": query})
    assert (status, code_of(error)) == (400, "TOO_MUCH_NESTING")


def test_sixty_levels_hidden_in_fragments_are_refused(client: Client) -> None:
    fragments = [
        f"fragment F{number} on Category {{ parent {{ ...F{number + 1} }} }}" for number in range(58)
    ]
    query = '{ category(id: "x") { ...F0 } } ' + " ".join(fragments) + " fragment F58 on Category { name }"
    status, error = refusal_of(client, {"query": query})
    assert (status, code_of(error)) == (400, "TOO_MUCH_DEPTH")


def test_twenty_megabytes_are_refused_unread(client: Client) -> None:
    status, error = refusal_of(client, b'{"query": "' + b" " * 20 * 1024 * 1024 + b'"}')
    assert (status, code_of(error)) == (413, "TOO_MUCH_BODY")


@pytest.mark.parametrize(
    "query, variables",
    [
        (
            "query($ids: [ID]) { products(first: 1, filter: {ids: $ids}) { totalCount } }",
            {"ids": ["x"] * 10_000},
        ),
        (
            "query($f: ProductFilterInput) { products(first: 1, filter: $f) { totalCount } }",
            {"f": {"ids": ["x"] * 10_000}},
        ),
        ("{ products(first: 1, filter: {ids: [" + '"x" ' * 101 + "]}) { totalCount } }", {}),
    ],
    ids=["list", "object", "literal"],
)
def test_ten_thousand_ids_in_a_filter_are_refused(client: Client, query: str, variables: Any) -> None:
    status, error = refusal_of(client, {"query": query, "variables": variables})
    assert (status, code_of(error)) == (400, "TOO_MUCH_LIST_ITEMS")


# ---- Other ways to ask for too much ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query, code",
    [
        ("{ categories(first: 100) { edges { node { products(first: 100) { totalCount edges { node { name } } } } } } }", "COST"),
        ("{ shop { " + "name " * 16 + "} }", "REPETITIONS"),
        ("{ " + " ".join(f"a{n}: shop {{ b{n}: name c{n}: description d{n}: domain {{ host }} }}" for n in range(15)) + " }", "ALIASES"),
        ('{ category(id: "x") { ...F } } fragment F on Category { parent { ...F } }', "DEPTH"),
        (
            '{ category(id: "x") { ...F0 } } '
            + " ".join(
                f"fragment F{n} on Category {{ a: parent {{ ...F{n + 1} }} b: parent {{ ...F{n + 1} }} c: parent {{ ...F{n + 1} }} }}"
                for n in range(9)
            )
            + " fragment F9 on Category { name }",
            "SELECTIONS",
        ),
        ("{ shop { name } } " + " ".join(f"fragment F{n} on Shop {{ name }}" for n in range(60)), "DEFINITIONS"),
        ("{ " + "a" * 65 + " }", "NAME_CHARACTERS"),
        ("{ shop { name } } " + "{" * 3_000, "NESTING"),
        ("{ products(first: 1, filter: " + "[" * 3_000 + ") { totalCount } }", "NESTING"),
        ("{ __schema { types { fields { type { fields { name } } } } } }", "INTROSPECTION"),
    ],
)  # fmt: skip
def test_is_refused(client: Client, query: str, code: str) -> None:
    status, error = refusal_of(client, {"query": query})
    assert (status, code_of(error)) == (400, f"TOO_MUCH_{code}")


def test_a_batch_has_no_more_tokens_than_two_documents(client: Client) -> None:
    query = "{ shop { name } } " + " ".join(f"fragment F{n} on Shop {{ name }}" for n in range(58))
    status, error = refusal_of(client, [{"query": query}] * 10)
    assert (status, code_of(error)) == (400, "TOO_MUCH_TOKENS")


@pytest.mark.parametrize(
    "body",
    ["{not json", "[" * 100_000, "3", "null", '"x"', "[3]", '{"query": 3}', "{}", '{"query": "{ shop { name } }", "variables": [1]}', b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_request_is_refused(client: Client, body: Any) -> None:
    status, error = refusal_of(client, body)
    assert (status, code_of(error)) == (400, "UNREADABLE_REQUEST")


def test_a_string_with_brackets_and_a_comment_are_no_nesting() -> None:
    assert limits.count_tokens('{ shop(a: "{{{{\\"{{{{") { name } } # {{{{{{{{' + "{" * 100) == 11


def test_validation_stops_at_the_second_mistake(client: Client) -> None:
    response = client.post(
        "/graphql/",
        {"query": "{ " + " ".join(f"x{n}" for n in range(50)) + " }"},
        content_type="application/json",
    )
    assert response.status_code == 400
    assert len(response.json()["errors"]) == 2


def test_no_similar_type_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*_args: Any) -> None:
        raise AssertionError("searched all types for a similar name")

    monkeypatch.setattr("graphql.validation.rules.known_type_names.suggestion_list", search)
    (mistake,) = limits.validate(schema=schema, document=parse("{ shop { ... on Shopp { name } } }"))
    assert str(mistake).startswith('Unknown type "Shopp".')


# ---- What must go through ----------------------------------------------------------------------------------


def test_the_introspection_of_every_graphql_client_goes_through(client: Client) -> None:
    response = client.post("/graphql/", {"query": introspection_query}, content_type="application/json")
    assert response.status_code == 200
    assert "errors" not in response.json()


# As Saleor's own dashboard asks for an order: fragments in fragments, some 300 fields once written out.
ORDER_DETAILS = """
fragment Address on Address { city cityArea companyName country { code country } countryArea firstName id lastName
  phone postalCode streetAddress1 streetAddress2 }
fragment Paid on Money { amount currency }
fragment Line on OrderLine { id isShippingRequired variant { id quantityAvailable product { id isPublished } }
  productName productSku quantity quantityFulfilled unitPrice { gross { ...Paid } net { ...Paid } }
  thumbnail { url } }
fragment Event on OrderEvent { id amount date email emailType invoiceNumber: orderNumber message quantity type
  user { id email } lines { quantity orderLine { id productName variantName } } }
fragment Fulfilled on Fulfillment { id status fulfillmentOrder trackingNumber
  lines { id quantity orderLine { ...Line } } }
query OrderDetails($id: ID!) {
  order(id: $id) {
    id metadata { key value } privateMetadata { key value } number status created paymentStatus canFinalize
    billingAddress { ...Address } shippingAddress { ...Address }
    customerNote events { ...Event } fulfillments { ...Fulfilled } lines { ...Line }
    shippingMethod { id } shippingMethodName shippingPrice { gross { ...Paid } }
    subtotal { gross { ...Paid } } total { gross { ...Paid } tax { ...Paid } }
    totalAuthorized { ...Paid } totalCaptured { ...Paid } actions user { id email } userEmail
    availableShippingMethods { id name price { ...Paid } }
    discount { ...Paid } discountName
  }
  shop { countries { code country } defaultWeightUnit }
}
"""


def test_what_saleor_s_dashboard_asks_goes_through() -> None:
    assert limits.validate(schema=schema, document=parse(ORDER_DETAILS)) == []
    assert limits.count_tokens(ORDER_DETAILS) < limits.LIMITS.tokens / 2
    assert cost_of(ORDER_DETAILS, id="T3JkZXI6MQ==") < limits.LIMITS.cost


@pytest.mark.parametrize(
    "path", sorted(settings.TRUSTED_DOCUMENTS[0].glob("*.graphql")), ids=lambda path: path.stem
)
def test_the_theme_s_documents_are_within_the_limits(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert limits.count_tokens(text) > 0
    assert 0 < cost_of(text, first=24, month=11) <= limits.LIMITS.cost * 2 // 3


def test_a_whole_shed_may_be_reported_at_once() -> None:
    text = "mutation($input: StockReportInput!) { stockReportSubmit(input: $input) { report { id } } }"
    assert cost_of(text, input={"lines": [{"code": "XY-0001", "quantity": 1}] * 2_000}) > 3_000
    with pytest.raises(limits.RequestRefused, match="6000"):
        cost_of(text, input={"lines": [{}] * 6_000})


def test_a_batch_is_answered_one_by_one(client: Client) -> None:
    batch = [{"query": "{ shop { name } }"}, {"query": "{ nonsense }"}, {"query": "{ villages { slug } }"}]
    response = client.post("/graphql/", batch, content_type="application/json")
    first, second, third = response.json()
    assert response.status_code == 400
    assert "errors" not in first and "errors" not in third
    assert third["data"] == {"villages": []}
    assert second["errors"][0]["message"].startswith('Cannot query field "nonsense"')


# ---- What a query costs ------------------------------------------------------------------------------------

PAGE = "query($n: Int) { products(first: $n) { totalCount edges { node { name } } } }"


def test_a_list_costs_its_length_times_what_is_asked_of_an_item() -> None:
    assert cost_of(PAGE, n=1) == costs.CONNECTION + costs.LEAF + costs.OBJECT + costs.LEAF
    assert cost_of(PAGE, n=24) - cost_of(PAGE, n=23) == costs.OBJECT + costs.LEAF


def test_a_list_that_is_read_forwards_or_back_counts_by_the_one_that_is_given() -> None:
    both = "query($f: Int, $l: Int) { goods(first: $f, last: $l) { edges { node { name } } } }"
    assert cost_of(both, f=24) == cost_of(both, l=24) == cost_of(both, f=24, l=None)
    assert cost_of(both, f=24) < cost_of(both, f=24, l=50) < cost_of(both)


@pytest.mark.parametrize("n", [None, -1, 101, 2**31, "24", True, [24]])
def test_a_length_that_is_none_counts_as_the_longest_page(n: Any) -> None:
    assert cost_of(PAGE, n=n) == cost_of(PAGE, n=100)


def test_a_variable_s_default_counts() -> None:
    assert cost_of(PAGE.replace("$n: Int", "$n: Int = 7")) == cost_of(PAGE, n=7)


def test_a_fragment_costs_what_it_holds_and_merged_fields_cost_once() -> None:
    plain = "{ products(first: 9) { edges { node { name slug } } } }"
    apart = (
        "{ products(first: 9) { edges { node { ...A ...A ... on Product { slug name } } } } } "
        "fragment A on Product { name }"
    )
    assert cost_of(apart) == cost_of(plain)
    aliased = "{ products(first: 9) { edges { node { name slug again: slug } } } }"
    assert cost_of(aliased) == cost_of(plain) + 9 * costs.LEAF


def test_every_list_of_objects_has_a_declared_length() -> None:
    undeclared = [
        f"{kind.name}.{name}"
        for kind in schema.get_type_map().values()
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType))
        for name, field in kind.fields.items()
        if costs.is_list(field)
        and costs.is_composite(field)
        and "first" not in field.args
        and name != "edges"
        and not get_named_type(field.type).name.endswith("Error")
        and f"{kind.name}.{name}" not in costs.LIST_SIZES
        and name not in costs.LIST_SIZES
    ]
    assert undeclared == [], "say in backend/api/costs.py how long each usually is"


# ---- Files -------------------------------------------------------------------------------------------------

AVATAR = "mutation($image: Upload!) { userAvatarUpdate(image: $image) { user { id } errors { field } } }"


def upload(client: Client, *, size: int = 100, token: str = "", path: str = "variables.image") -> Any:
    return client.post(
        "/graphql/",
        {
            "operations": json.dumps({"query": AVATAR, "variables": {"image": None}}),
            "map": json.dumps({"0": [path]}),
            "0": SimpleUploadedFile("a.txt", b"x" * size, "text/plain"),
        },
        headers={"Authorization": f"JWT {token}"} if token else {},
    )


def test_files_are_taken_from_staff_only(client: Client, sign_in: Callable[..., str]) -> None:
    produce.a_person(email="li@buyer.example")
    produce.a_person(email="zhao@town.example", is_staff=True)
    assert upload(client).status_code == 403
    assert upload(client, token=sign_in("li@buyer.example")).status_code == 403
    answer = upload(client, token=sign_in("zhao@town.example"))
    assert answer.status_code == 200
    assert answer.json()["data"]["userAvatarUpdate"]["errors"] == [{"field": "image"}]


@pytest.mark.parametrize("path", ["variables.other.0", "x", "", "variables.image.0", "query.0.0"])
def test_a_file_goes_only_where_a_place_was_left(
    client: Client, sign_in: Callable[..., str], path: str
) -> None:
    produce.a_person(email="zhao@town.example", is_staff=True)
    answer = upload(client, token=sign_in("zhao@town.example"), path=path)
    assert (answer.status_code, code_of(answer.json()["errors"][0])) == (400, "UNREADABLE_REQUEST")


def test_nobody_uploads_twenty_megabytes(client: Client) -> None:
    answer = upload(client, size=20 * 1024 * 1024)
    assert (answer.status_code, code_of(answer.json()["errors"][0])) == (413, "TOO_MUCH_BODY")
