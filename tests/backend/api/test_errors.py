from __future__ import annotations

import logging
from typing import Any

import pytest

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
