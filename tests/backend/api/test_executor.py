from __future__ import annotations

import pytest
from graphql import GraphQLError

from backend.api.executor import execute
from tests import produce

pytestmark = pytest.mark.django_db

VILLAGES = "query Villages { villages { slug name cooperatives { name } } }"


def test_names_come_in_the_language_that_was_asked_for() -> None:
    village = produce.a_cooperative().village
    village.name, village.name_en = "白马村", "Baima village"
    village.save()
    chinese = execute(query=VILLAGES, operation_name="Villages", language="zh-hans")
    english = execute(query=VILLAGES, operation_name="Villages", language="en")
    assert chinese.data is not None and english.data is not None
    assert chinese.data["villages"][0]["name"] == "白马村"
    assert english.data["villages"][0]["name"] == "Baima village"


def test_an_error_is_an_answer() -> None:
    answer = execute(
        query="query Mine { myCooperatives { slug } }",
        operation_name="Mine",
        language="en",
    )
    assert answer.data is None
    assert answer.errors[0]["message"] == "Please sign in."


def test_a_document_with_a_mistake_is_the_developer_s_error() -> None:
    with pytest.raises(GraphQLError, match="Cannot query field"):
        execute(query="query Wrong { nonsense }", operation_name="Wrong")
