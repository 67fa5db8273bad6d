"""From a cooperative's document to rows: one reader a kind of file, one interface for all.

A new kind is a module with a function from bytes to Document, a line in kinds.py, and one below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import SHOP_ZONE
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.columns import ROLES, ColumnsUnknown, UnknownColumn, plain_heading
from backend.stock.feeds.delimited import read_delimited
from backend.stock.feeds.document import Document, Row, Rows
from backend.stock.feeds.http_json import read_json
from backend.stock.feeds.kinds import CSV, JSON, ODS, XLS, XLSX, recognise
from backend.stock.feeds.old_workbook import read_old_workbook
from backend.stock.feeds.opendocument import read_opendocument
from backend.stock.feeds.workbook import read_workbook

__all__ = [
    "CSV",
    "FILE",
    "JSON",
    "MOST_BYTES",
    "READERS",
    "ROLES",
    "XLSX",
    "ColumnsUnknown",
    "Document",
    "Row",
    "Rows",
    "UnknownColumn",
    "plain_heading",
    "read_document",
    "recognise",
]

FILE = "file"
"""A file of whatever kind its bytes say."""

MOST_BYTES = 10 * 1024 * 1024

TABLES: Mapping[str, Callable[..., Document]] = {
    XLSX: read_workbook,
    XLS: read_old_workbook,
    ODS: read_opendocument,
    CSV: read_delimited,
}
READERS = frozenset([JSON, FILE, *TABLES])
"""What `read_document` takes for a format."""


def read_document(
    *,
    format: str,
    raw: bytes,
    mapping: Mapping[str, str] | None = None,
    filename: str = "",
    today: date | None = None,
) -> Document:
    """The rows of a document, and what it says of itself.

    format: json for a document of a cooperative's system; for all others (csv, xlsx, file …) the bytes decide, since
    half of the files named .xls are something else. mapping: heading -> role, where a person has said so. filename:
    as it was sent, for its ending. today: by which a day without a year is understood.

    Raises FeedUnreadable, with a sentence for whoever sent it; ColumnsUnknown, which carries the headings, when only
    a person can say which column is which. What goes through the rows of a document meets neither.
    """
    if len(raw) > MOST_BYTES:
        raise FeedUnreadable(
            format_lazy(_("The document is larger than {most} MB."), most=MOST_BYTES // (1024 * 1024))
        )
    if format == JSON:
        return read_json(raw)
    if format not in READERS:
        raise FeedUnreadable(format_lazy(_("“{format}” is not a format that can be read."), format=format))
    kind = recognise(raw, filename=filename)
    if kind == JSON:
        return read_json(raw)
    return TABLES[kind](raw, mapping=mapping, today=today or datetime.now(SHOP_ZONE).date())
