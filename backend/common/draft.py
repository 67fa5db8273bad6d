"""Draft.js content, in which Saleor keeps descriptions and pages."""

from __future__ import annotations

import re
from typing import Any


def draft_js(*paragraphs: str) -> dict[str, Any]:
    """Plain paragraphs as Draft.js content."""
    return {
        "blocks": [
            {
                "key": f"p{number:04d}",
                "text": text,
                "type": "unstyled",
                "depth": 0,
                "inlineStyleRanges": [],
                "entityRanges": [],
                "data": {},
            }
            for number, text in enumerate(paragraphs)
        ],
        "entityMap": {},
    }


def split_paragraphs(text: str) -> list[str]:
    """The paragraphs of a text as a person types it, an empty line between them."""
    return [part for part in (part.strip() for part in re.split(r"\r?\n\s*\r?\n", text)) if part]
