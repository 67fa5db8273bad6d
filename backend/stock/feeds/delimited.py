"""Reads CSV and its kin: whatever stands between the cells, in whatever encoding a bookkeeper's program wrote it.

Nothing guesses an encoding by its letters' frequency: a byte order mark, else strict UTF-8, else strict GB18030 (GBK
lacks 䶮), else a person is asked. A file of two encodings, which happens where files are put together, is refused:
half of it would be read as other words.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.columns import MOST_COLUMNS, find_header
from backend.stock.feeds.document import Document
from backend.stock.feeds.encoded import Encoded
from backend.stock.feeds.table import MOST_ROWS, Grid, read_grids

DELIMITERS = (",", "\t", ";", "|", "，")
MOST_LINES = MOST_ROWS + 5_000

_MIXED = _(
    "The file mixes two encodings. Open it, look whether all names are readable, and save it as “CSV UTF-8”."
)
_LITERAL = re.compile(r'="([^"]*)"')


def read_delimited(raw: bytes, *, mapping: Mapping[str, str] | None, today: date) -> Document:
    """Raises FeedUnreadable when it is no text, no table, or too large."""
    lines = _lines_of(_find_text(raw), mapping=mapping)
    return read_grids([Grid(lines, delimiter=lines.delimiter)], mapping=mapping, today=today)


# ---- The text -------------------------------------------------------------------------------------------------------


def _find_text(raw: bytes) -> Encoded:
    """How to read a file that says nothing of its encoding. Raises FeedUnreadable rather than guess."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if raw.startswith(mark):
            text = Encoded(raw, encoding, start=len(mark))
            if not text.is_whole():
                raise FeedUnreadable(_MIXED)
            return text
    text = Encoded(raw)
    if text.is_whole():
        return text
    if b"\x00" in raw:
        raise FeedUnreadable(
            _("This is not a text file. Save the stock sheet as an Excel workbook (.xlsx), and send that.")
        )
    if _has_utf8_within(raw):
        raise FeedUnreadable(_MIXED)
    text = Encoded(raw, "gb18030")
    if not text.is_whole():
        raise FeedUnreadable(
            _("The file's encoding is neither UTF-8 nor GB18030. Save it as “CSV UTF-8”, and send that.")
        )
    return text


# A whole run of bytes beyond ASCII that may be UTF-8.
_RUN = re.compile(
    rb"(?<![\x80-\xff])(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})++(?![\x80-\xff])"
)
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff01-\uff5e]")


def _has_utf8_within(raw: bytes) -> bool:
    """Whether a file that is not UTF-8 as a whole has Chinese words in UTF-8.

    Words in GB18030 are hardly ever valid UTF-8 of three bytes a character, so one such word is enough.
    """
    for run in _RUN.finditer(raw):
        try:
            if _HAN.search(run[0].decode("utf-8")):
                return True
        except UnicodeDecodeError:
            continue
    return False


# ---- The lines ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lines:
    """The cells of each line, taken from the text anew each time. is_quoted: quotation marks hold cells together.

    Where they do not, has_marks says that there are some all the same, which are then taken off.
    """

    text: Encoded
    delimiter: str
    is_quoted: bool
    has_marks: bool
    is_separator_stated: bool
    is_wide: bool = False
    count: int = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[list[str]]:
        rows: Iterator[list[str]] = csv.reader(
            self.text.open(),
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.is_quoted else csv.QUOTE_NONE,
        )
        if self.is_wide:
            # Nothing stands there.
            rows = (row[:MOST_COLUMNS] for row in rows)
        if self.is_separator_stated:
            next(rows)
            yield []
        if self.has_marks:
            rows = map(_without_marks if self.is_quoted else _unquoted, rows)
        yield from rows


def _lines_of(text: Encoded, *, mapping: Mapping[str, str] | None) -> _Lines:
    """The lines of the text, once it is known that each can be read. Raises FeedUnreadable."""
    lines = marks = 0
    for piece in text.pieces():
        lines += piece.count("\n") + piece.count("\r")
        marks += piece.count('"')
    if lines > 2 * MOST_LINES:
        raise FeedUnreadable(_("The file has too many lines. Send the stock sheet alone."))
    top = text.open().read(20_000)
    stated = re.match(r"sep=(.)\r?\n", top[:8], re.IGNORECASE)
    delimiter = stated[1] if stated else _delimiter(top, mapping=mapping)
    found = _Lines(
        text,
        delimiter,
        is_quoted=marks > 0 and marks % 2 == 0 and _is_balanced(text, delimiter=delimiter),
        has_marks=marks > 0,
        is_separator_stated=stated is not None,
    )
    count, is_wide, is_too_wide = 0, False, False
    try:
        for row in found:
            count += 1
            if len(row) > MOST_COLUMNS:
                is_wide = True
                is_too_wide = is_too_wide or any(
                    row[column].strip() for column in range(MOST_COLUMNS, len(row))
                )
    except csv.Error as error:
        raise FeedUnreadable(
            _("A line of the file is too long to be a row. Look for a missing quotation mark.")
        ) from error
    if is_too_wide:
        raise FeedUnreadable(_("The table has too many columns. Send the stock sheet alone."))
    return replace(found, is_wide=is_wide, count=count)


def _delimiter(top: str, *, mapping: Mapping[str, str] | None) -> str:
    """The sign that makes a table of the first lines; the comma when none does."""
    top = "\n".join(top.splitlines()[:40])
    best, most = ",", 0
    for delimiter in DELIMITERS:
        rows = [[cell.strip(' "') for cell in line.split(delimiter)] for line in top.split("\n")]
        header = find_header(rows, mapping=mapping)
        if header is not None:
            columns = len(rows[header.index]) + 1000
        else:
            columns = max((len(row) for row in rows), default=0)
        if columns > most and (header is not None or columns > 1):
            best, most = delimiter, columns
    return best


def _is_balanced(text: Encoded, *, delimiter: str) -> bool:
    """Whether quotation marks stand where cells begin and end, so that no mark swallows the rows behind it."""
    try:
        for row in csv.reader(text.open(), delimiter=delimiter, strict=True):
            for cell in row:
                # Whole rows within a cell have as many signs between their cells as others have.
                lines = cell.count("\n") or cell.count("\r")
                if lines > 20 or (lines and cell.count(delimiter) >= lines * max(1, len(row) - 1)):
                    return False
    except csv.Error:
        return False
    return True


def _without_marks(row: list[str]) -> list[str]:
    """="00123" is how programs write text that Excel must not take for a number; nothing is evaluated."""
    return [_literal(cell) if cell.startswith('="') else cell for cell in row]


def _unquoted(row: list[str]) -> list[str]:
    return _without_marks([_unquoted_cell(cell) for cell in row])


def _unquoted_cell(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell.strip('"')


def _literal(cell: str) -> str:
    found = _LITERAL.fullmatch(cell)
    return found[1] if found else cell
