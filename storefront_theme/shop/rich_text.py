"""Draft.js content, as plain blocks. Nothing of it is ever trusted: templates escape every text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_KINDS = {
    "header-one": "heading",
    "header-two": "heading",
    "header-three": "heading",
    "unordered-list-item": "item",
    "ordered-list-item": "item",
    "blockquote": "quote",
}


@dataclass(frozen=True)
class Block:
    """kind: heading, paragraph, quote or list. texts: one, or a list's items."""

    kind: str
    texts: tuple[str, ...]


def read_blocks(content: str | Mapping[str, Any] | None) -> list[Block]:
    """Blocks of a raw Draft.js document, given as JSON or already read; [] for what is none."""
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except ValueError:
            return []
    if not isinstance(content, Mapping):
        return []
    blocks: list[Block] = []
    for kind, text in _texts(content):
        if kind == "item" and blocks and blocks[-1].kind == "list":
            blocks[-1] = Block("list", (*blocks[-1].texts, text))
        else:
            blocks.append(Block("list" if kind == "item" else kind, (text,)))
    return blocks


def _texts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for block in content.get("blocks") or ():
        text = str(block.get("text") or "").strip()
        if text:
            yield _KINDS.get(str(block.get("type")), "paragraph"), text
