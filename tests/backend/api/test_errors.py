from __future__ import annotations

import binascii
import logging
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.http import Http404
from graphql.error import GraphQLError, GraphQLLocatedError

from backend.api.errors import format_error
from backend.brand import selectors
from tests.backend.api.conftest import Ask

pytestmark = pytest.mark.django_db


def test_an_unexpected_error_tells_a_reference_and_nothing_else(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_kwargs: Any) -> None:
        raise RuntimeError("password=hunter2 at 10.0.0.1")

    monkeypatch.setattr("backend.api.queries.board", broken)
    with caplog.at_level(logging.ERROR):
        answer = ask("{ board { asOf } }")
    (error,) = answer["errors"]
    assert "hunter2" not in str(answer)
    assert error["extensions"] == {"exception": {"code": "INTERNAL_ERROR"}}
    reference = error["message"].rsplit(" ", 1)[1]
    assert any(reference in record.getMessage() for record in caplog.records)
    assert selectors.board is not broken


def test_a_query_that_cannot_be_read_is_answered_plainly(ask: Ask, client: Any) -> None:
    assert "Syntax Error" in ask("{ products(")["errors"][0]["message"]
    assert 'Cannot query field "prodcuts"' in ask("{ prodcuts }")["errors"][0]["message"]
    response = client.post("/graphql/", data="{not json", content_type="application/json")
    assert response.status_code == 400
    assert response.json()["errors"][0]["message"]


class RowRefused(GraphQLError):
    """What some library might make of the database's words."""


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("Key (email)=(li@buyer.example) already exists."),
        OperationalError("could not connect to 10.0.0.1 as shop"),
        RowRefused("Key (email)=(li@buyer.example) already exists."),
        GraphQLLocatedError([], original_error=IntegrityError("li@buyer.example")),
        GraphQLLocatedError([], original_error=RowRefused("li@buyer.example")),
        GraphQLError('Expected a value of type "OrderStatus" but received: li@buyer.example'),
        GraphQLError('Expected value of type "User" but got: li@buyer.example.'),
        UnicodeDecodeError("utf-8", b"li@buyer.example 10.0.0.1", 0, 1, "invalid start byte"),
        binascii.Error("li@buyer.example"),
        ValueError("invalid literal for int() with base 10: 'li@buyer.example'"),
        ValidationError("li@buyer.example"),
        Http404("li@buyer.example at 10.0.0.1"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:60],
)
def test_no_error_brings_words_that_were_not_meant_for_clients(error: Exception) -> None:
    formatted = format_error(error)
    assert "li@buyer.example" not in str(formatted)
    assert "10.0.0.1" not in str(formatted)
    assert formatted["extensions"]["exception"]["code"] in (
        "INTERNAL_ERROR",
        "UNREADABLE_ID",
        "UNREADABLE_VALUE",
    )


@pytest.mark.parametrize(
    "query, variables",
    [
        ('{ checkout(token: "no-uuid") { id } }', {}),
        ("query($x: UUID) { checkout(token: $x) { id } }", {"x": "no-uuid"}),
        ("query($x: UUID) { checkout(token: $x) { id } }", {"x": 7}),
        ("query($x: UUID) { checkout(token: $x) { id } }", {"x": {"a": []}}),
        ('{ product(id: "秀英") { name } }', {}),
        ('{ product(id: "AAAA") { name } }', {}),
        ('{ product(id: "gICA") { name } }', {}),
        ('{ products(first: 1, after: "gICA") { totalCount } }', {}),
        ("{ products(first: 99999999999999999999) { totalCount } }", {}),
        ("{ checkout { id } }", {}),
        ("query A { shop { name } } query B { shop { name } }", {}),
    ],
)
def test_what_a_client_mistook_is_not_our_error(
    ask: Ask, caplog: pytest.LogCaptureFixture, query: str, variables: dict[str, Any]
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = ask(query, **variables)
    codes = [error["extensions"]["exception"]["code"] for error in answer.get("errors", ())]
    assert "INTERNAL_ERROR" not in codes
    assert not [record for record in caplog.records if record.name.startswith("backend.")]


def test_a_long_value_is_not_sent_back(ask: Ask) -> None:
    query = "query($x: LanguageCodeEnum) { shop { countries(languageCode: $x) { code } } }"
    (error,) = ask(query, x="x" * 100_000)["errors"]
    assert error["message"].startswith('Variable "$x" got invalid value "xxx')
    assert len(error["message"]) < 600


def test_a_fault_before_anything_runs_is_still_graphql_s_shape(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_kwargs: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("backend.api.limits.check_batch", broken)
    response = client.post("/graphql/", {"query": "{ shop { name } }"}, content_type="application/json")
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"exception": {"code": "INTERNAL_ERROR"}}
    assert error["message"].endswith(response.headers["X-Request-Id"])
    assert "hunter2" not in response.content.decode()
