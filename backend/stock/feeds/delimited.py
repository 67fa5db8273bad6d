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
from datetime import date

from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.columns import MOST_COLUMNS, find_header
from backend.stock.feeds.document import Document
from backend.stock.feeds.table import MOST_ROWS, Grid, read_grids

DELIMITERS = (",", "\t", ";", "|", "，")
MOST_LINES = MOST_ROWS + 5_000

_MIXED = _(
    "The file mixes two encodings. Open it, look whether all names are readable, and save it as “CSV UTF-8”."
)
_LITERAL = re.compile(r'="([^"]*)"')


def read_delimited(raw: bytes, *, mapping: Mapping[str, str] | None, today: date) -> Document:
    """Raises FeedUnreadable when it is no text, no table, or too large."""
    # The text is let go before its rows are read.
    cells = _cells(decode(raw), mapping=mapping)
    return read_grids([Grid(cells)], mapping=mapping, today=today)


def decode(raw: bytes) -> str:
    """The text of a file that says nothing of its encoding. Raises FeedUnreadable rather than guess."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if raw.startswith(mark):
            try:
                return raw[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise FeedUnreadable(_MIXED) from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if b"\x00" in raw:
        raise FeedUnreadable(
            _("This is not a text file. Save the stock sheet as an Excel workbook (.xlsx), and send that.")
        )
    if _has_utf8_within(raw):
        raise FeedUnreadable(_MIXED)
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError as error:
        raise FeedUnreadable(
            _("The file's encoding is neither UTF-8 nor GB18030. Save it as “CSV UTF-8”, and send that.")
        ) from error


_RUN = re.compile(rb"[\x80-\xff]{3,}")
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff01-\uff5e]")


def _has_utf8_within(raw: bytes) -> bool:
    """Whether a file that is not UTF-8 as a whole has Chinese words in UTF-8.

    Words in GB18030 are hardly ever valid UTF-8 of three bytes a character, so one such word is enough.
    """
    for run in set(_RUN.findall(raw)):
        try:
            if _HAN.search(run.decode("utf-8")):
                return True
        except UnicodeDecodeError:
            continue
    return False


def _cells(text: str, *, mapping: Mapping[str, str] | None) -> list[list[str]]:
    """The cells of each line."""
    stated = re.match(r"sep=(.)\r?\n", text[:8], re.IGNORECASE)
    lines = text.count("\n") + text.count("\r")
    if lines > 2 * MOST_LINES:
        raise FeedUnreadable(_("The file has too many lines. Send the stock sheet alone."))
    delimiter = stated[1] if stated else _delimiter(text, mapping=mapping)
    is_quoted = '"' in text
    rows: list[list[str]] = []
    if is_quoted and _is_balanced(text, delimiter=delimiter):
        rows = _parsed(text, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL)
    else:
        rows = _parsed(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        if is_quoted:
            rows = [[_unquoted(cell) for cell in row] for row in rows]
    if is_quoted:
        # ="00123" is how programs write text that Excel must not take for a number; nothing is evaluated.
        rows = [[_literal(cell) if cell.startswith('="') else cell for cell in row] for row in rows]
    if stated:
        rows[0] = []
    if any(len(row) > MOST_COLUMNS for row in rows):
        too_wide = sum(1 for row in rows if any(cell.strip() for cell in row[MOST_COLUMNS:]))
        if too_wide:
            raise FeedUnreadable(_("The table has too many columns. Send the stock sheet alone."))
    return rows


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends, as io.StringIO gives them, which would keep a copy four times as large as the file."""
    return (found[0] for found in _LINE.finditer(text))


def _parsed(text: str, *, delimiter: str, quoting: int) -> list[list[str]]:
    try:
        return list(csv.reader(_lines(text), delimiter=delimiter, quoting=quoting))  # type: ignore[arg-type]  # one of csv's own constants
    except csv.Error as error:
        raise FeedUnreadable(
            _("A line of the file is too long to be a row. Look for a missing quotation mark.")
        ) from error


def _delimiter(text: str, *, mapping: Mapping[str, str] | None) -> str:
    """The sign that makes a table of the first lines; the comma when none does."""
    top = "\n".join(text[:20_000].splitlines()[:40])
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


def _is_balanced(text: str, *, delimiter: str) -> bool:
    """Whether quotation marks stand where cells begin and end, so that no mark swallows the rows behind it."""
    if text.count('"') % 2:
        return False
    try:
        for row in csv.reader(_lines(text), delimiter=delimiter, strict=True):
            for cell in row:
                # Whole rows within a cell have as many signs between their cells as others have.
                lines = cell.count("\n") or cell.count("\r")
                if lines > 20 or (lines and cell.count(delimiter) >= lines * max(1, len(row) - 1)):
                    return False
    except csv.Error:
        return False
    return True


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell.strip('"')


def _literal(cell: str) -> str:
    found = _LITERAL.fullmatch(cell)
    return found[1] if found else cell
