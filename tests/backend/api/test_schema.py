from pathlib import Path

import pytest
from graphql import print_schema

from backend.api.schema import schema

COMMITTED = Path(__file__).parents[3] / "backend" / "api" / "schema.graphql"


def test_the_committed_schema_is_the_schema() -> None:
    assert COMMITTED.read_text() == print_schema(schema), "run make schema and look at what changed"


@pytest.mark.parametrize("name", ["_entities", "_service"])
def test_federation_hands_nobody_out(name: str) -> None:
    assert name not in schema.get_query_type().fields


def test_nobody_adds_captured_money_to_a_payment() -> None:
    assert "paymentSecureConfirm" not in schema.get_mutation_type().fields


def test_ours_stand_beside_saleors() -> None:
    queries, mutations = (
        schema.get_query_type().fields,
        schema.get_mutation_type().fields,
    )
    assert {
        "products",
        "orderByToken",
        "villages",
        "supplies",
        "board",
    } <= queries.keys()
    assert {
        "checkoutCreate",
        "tokenCreate",
        "orderPlace",
        "stockReportSubmit",
    } <= mutations.keys()
