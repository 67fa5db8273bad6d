"""The named documents: one operation a file, each valid against the schema."""

import pytest
from graphql import parse, validate

from storefront_theme.client import DOCUMENTS, document

NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.graphql"))


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_valid_and_named_as_its_file(name: str) -> None:
    from backend.api.schema import schema

    assert [str(problem) for problem in validate(schema, parse(document(name)))] == []


def test_every_document_is_used_by_a_page() -> None:
    sources = "".join(path.read_text("utf-8") for path in DOCUMENTS.parent.rglob("*.py"))
    assert [name for name in NAMES if f'"{name}"' not in sources] == []
