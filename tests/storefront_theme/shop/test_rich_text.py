"""Draft.js as staff write it in Saleor's admin, and as nobody should."""

import json

import pytest
from django.template.loader import render_to_string

from storefront_theme.shop.rich_text import Block, read_blocks


def draft(*blocks: tuple[str, str]) -> str:
    return json.dumps({"blocks": [{"type": kind, "text": text} for kind, text in blocks], "entityMap": {}})


def test_items_that_follow_each_other_are_one_list() -> None:
    content = draft(
        ("header-two", "配送"),
        ("unstyled", "清晨采收。"),
        ("unordered-list-item", "一"),
        ("unordered-list-item", "二"),
    )
    assert read_blocks(content) == [
        Block("heading", ("配送",)),
        Block("paragraph", ("清晨采收。",)),
        Block("list", ("一", "二")),
    ]


def test_markup_in_a_text_is_text() -> None:
    blocks = read_blocks(
        draft(("unstyled", "<script>alert(1)</script>"), ("unordered-list-item", "<b>x</b>"))
    )
    page = render_to_string("components/blocks.html", {"blocks": blocks})
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    "content", [None, "", "{}", "[]", "not json", {"blocks": None}, draft(("unstyled", "  "))]
)
def test_what_holds_no_text_holds_no_block(content: object) -> None:
    assert read_blocks(content) == []  # type: ignore[arg-type] # what a database may hold
