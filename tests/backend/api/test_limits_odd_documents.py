"""Documents that no client writes by mistake: each is the sender's error, and none is ours."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.backend.api.conftest import Ask

pytestmark = pytest.mark.django_db

ODD: list[tuple[str, dict[str, Any]]] = [
    ("#", {}),
    ("subscription { products }", {}),
    ("subscription S { products(first: 1) { totalCount } }", {}),
    ("type A { b: Int }", {}),
    ("schema { query: Query }", {}),
    ("extend type Product { x: Int } { shop { name } }", {}),
    ("fragment F on Shop { name }", {}),
    ("fragment F on Shop { ...F } { shop { ...F } }", {}),
    ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F shop { name } }", {}),
    ("{ shop { ...Nothing } }", {}),
    ("{ shop { ... on Nothing { name } } }", {}),
    ("{ shop { ... on Money { amount } } }", {}),
    ("{ shop { ... on AddressInput { city } } }", {}),
    ("{ shop }", {}),
    ("{ shop { name { name } } }", {}),
    ("{ shop { name @include } }", {}),
    ('{ shop { name @include(if: "yes") } }', {}),
    ("{ shop { name @nothing(a: 1) } }", {}),
    ("query($x: Product) { shop { name } }", {"x": 1}),
    ("query($x: [[[[ID]]]]) { products(first: 1, filter: {ids: $x}) { totalCount } }", {"x": [[[["x"]]]]}),
    ("query($x: Int!) { products(first: $x) { totalCount } }", {}),
    ("query($x: Int = $x) { products(first: $x) { totalCount } }", {}),
    ("query($x: Int = {a: [1]}) { products(first: $x) { totalCount } }", {}),
    ("query($x: Int, $x: Int) { products(first: $x) { totalCount } }", {"x": 1}),
    ("{ products(first: $x) { totalCount } }", {}),
    ("{ products(first: 1, first: 2) { totalCount } }", {}),
    ("{ products(first: -1) { totalCount } }", {}),
    ("{ products(first: 0) { edges { node { name } } } }", {}),
    ("{ products(first: 1, last: 1) { totalCount } }", {}),
    ("{ products(first: 1e400) { totalCount } }", {}),
    ("query($x: Int) { products(first: $x) { totalCount } }", {"x": 1e308}),
    ("query($x: ProductFilterInput) { products(first: 1, filter: $x) { totalCount } }", {"x": [[]]}),
    (
        "query($x: ProductFilterInput) { products(first: 1, filter: $x) { totalCount } }",
        {"x": {"nothing": 1}},
    ),
    ("query($x: DateTime) { __typename }", {"x": "yesterday"}),
    ("query($x: WeightScalar) { __typename }", {"x": {}}),
    ('{ __type(name: "Nothing") { name } }', {}),
    ("{ __type { name } }", {}),
    ("mutation { __typename }", {}),
    ("mutation { __schema { types { name } } }", {}),
    ('{ shop(a: "\\uD800") { name } }', {}),
    ('{ shop(a: "\ud800") { name } }', {}),
    ("{ shop { 秀英 } }", {}),
    ('"""{ shop { name } }"""', {}),
    ("{ shop { name } } }", {}),
    ("{ a: shop { name } a: villages { slug } }", {}),
    ("{ products(first: 1, after: {a: 1}) { totalCount } }", {}),
]


@pytest.mark.parametrize("query, variables", ODD, ids=[query[:60] for query, _variables in ODD])
def test_an_odd_document_is_no_fault_of_ours(
    ask: Ask, caplog: pytest.LogCaptureFixture, query: str, variables: dict[str, Any]
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = ask(query, **variables)
    assert answer.keys() <= {"data", "errors"}
    codes = [error["extensions"]["exception"]["code"] for error in answer.get("errors", ())]
    assert "INTERNAL_ERROR" not in codes, answer
    assert not [record for record in caplog.records if record.name.startswith("backend.")]
