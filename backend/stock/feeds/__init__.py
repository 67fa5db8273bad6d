"""From a cooperative's document to rows: one reader a format, one interface for all.

A new format is a module with a function from bytes to Document, and one line below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import Document, Row
from backend.stock.feeds.http_json import read_json
from backend.stock.feeds.workbook import read_workbook

__all__ = ["JSON", "XLSX", "Document", "Row", "read_document"]

JSON = "json"
XLSX = "xlsx"

READERS: Mapping[str, Callable[[bytes], Document]] = {JSON: read_json, XLSX: read_workbook}


def read_document(*, format: str, raw: bytes, mapping: Mapping[str, str] | None = None) -> Document:
    """Raises FeedUnreadable, with a sentence for whoever sent it. mapping: heading -> what stands below it."""
    reader = READERS.get(format)
    if reader is None:
        raise FeedUnreadable(format_lazy(_("“{format}” is not a format that can be read."), format=format))
    return reader(raw)
