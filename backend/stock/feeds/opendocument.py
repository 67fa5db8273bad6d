"""Reads the spreadsheets of LibreOffice and of WPS (.ods), under the same caps as a workbook.

Its XML says a cell once and how often it is repeated, so a file of a kilobyte can mean a billion cells: read here,
where every repetition is counted before it is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from xml.parsers import expat

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.units import is_unit
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.columns import MOST_COLUMNS
from backend.stock.feeds.document import Document
from backend.stock.feeds.formats import as_shown
from backend.stock.feeds.table import UNCOMPUTED, Grid, read_grids
from backend.stock.feeds.workbook import MOST_CELLS, MOST_LINES, MOST_TEXT_BYTES, PASSWORD, TOO_LARGE, unpack

_NOT_ODS = _(
    "This is not a spreadsheet that can be read. Save it as an Excel workbook (.xlsx) and send that."
)
_HIDING = frozenset(["collapse", "filter"])


def read_opendocument(raw: bytes, *, mapping: Mapping[str, str] | None, today: date) -> Document:
    """Raises FeedUnreadable when the file, or the table in it, cannot be made out."""
    entries = unpack(raw, wanted=lambda name: name in ("content.xml", "META-INF/manifest.xml"))
    if "content.xml" not in entries:
        raise FeedUnreadable(_NOT_ODS)
    if b"encryption-data" in entries.get("META-INF/manifest.xml", b""):
        raise FeedUnreadable(PASSWORD)
    reader = _Reader()
    try:
        reader.parse(entries.pop("content.xml"))
    except expat.ExpatError as error:
        raise FeedUnreadable(_NOT_ODS) from error
    if not reader.grids:
        raise FeedUnreadable(_("The workbook shows no sheet."))
    return read_grids(reader.grids, mapping=mapping, today=today, remarks=reader.remarks)


class _Reader:
    """Collects the sheets of one content.xml as expat tells of it."""

    def __init__(self) -> None:
        self.grids: list[Grid] = []
        self.remarks: list[str | Promise] = []
        self._hidden_styles: set[str] = set()
        self._struck_styles: set[str] = set()
        self._struck: set[tuple[int, int]] = set()
        self._is_struck = False
        self._style = ""
        self._cells_left = MOST_CELLS
        self._text_left = MOST_TEXT_BYTES * 2
        self._rows: list[list[object]] = []
        self._row: list[object] = []
        self._name = ""
        self._is_shown = True
        self._hidden_rows: set[int] = set()
        self._hidden_columns: set[int] = set()
        self._column = 0
        self._merged: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self._row_times = 1
        self._empty_rows = 0
        self._is_row_hidden = False
        self._cell: dict[str, str] | None = None
        self._text: list[str] = []
        self._paragraphs = 0
        self._in_note = 0

    def parse(self, xml: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(xml, True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table-cell" or tag == "table:covered-table-cell":
            self._cell, self._text, self._paragraphs = attributes, [], 0
            self._is_struck = attributes.get("table:style-name") in self._struck_styles
        elif tag == "text:p" and self._cell is not None:
            self._paragraphs += 1
            if self._paragraphs > 1:
                self._text.append("\n")
        elif tag == "text:s" and self._cell is not None:
            self._text.append(" " * min(_count(attributes.get("text:c")), 100))
        elif tag == "text:span" and self._cell is not None and not self._in_note:
            self._is_struck |= attributes.get("text:style-name") in self._struck_styles
        elif tag == "office:annotation":
            self._in_note += 1
        elif tag == "table:table-row":
            self._row = []
            self._row_times = _count(attributes.get("table:number-rows-repeated"))
            self._is_row_hidden = attributes.get("table:visibility") in _HIDING
        elif tag == "table:table-column":
            times = min(_count(attributes.get("table:number-columns-repeated")), 20_000)
            if attributes.get("table:visibility") in _HIDING:
                self._hidden_columns.update(range(self._column, min(self._column + times, MOST_COLUMNS)))
            self._column += times
        elif tag == "table:table":
            self._rows, self._merged, self._hidden_rows, self._hidden_columns = [], [], set(), set()
            self._struck = set()
            self._column = self._empty_rows = 0
            self._name = attributes.get("table:name", "")
            self._is_shown = attributes.get("table:style-name") not in self._hidden_styles
        elif tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self._hidden_styles.add(self._style)
        elif tag == "style:text-properties" and _is_struck(attributes):
            self._struck_styles.add(self._style)

    def _characters(self, text: str) -> None:
        if self._cell is not None and self._paragraphs and not self._in_note:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        if tag in ("table:table-cell", "table:covered-table-cell"):
            self._end_cell()
        elif tag == "office:annotation":
            self._in_note -= 1
        elif tag == "table:table-row":
            self._end_row()
        elif tag == "table:table":
            self._end_sheet()

    def _end_cell(self) -> None:
        attributes = self._cell or {}
        self._cell = None
        text = "".join(self._text)
        value = _value(attributes, text=text)
        times = _count(attributes.get("table:number-columns-repeated"))
        if value == "":
            # Rows are filled up to the sheet's edge with one cell that is empty many times.
            times = min(times, max(0, MOST_COLUMNS - len(self._row)))
        across = _count(attributes.get("table:number-columns-spanned"))
        down = _count(attributes.get("table:number-rows-spanned"))
        if (across > 1 or down > 1) and len(self._merged) < 10_000:
            top, left = len(self._rows) + self._empty_rows, len(self._row)
            self._merged.append(((top, left), (top + down - 1, left + across - 1)))
        if self._is_struck and value != "":
            self._struck.add((len(self._rows) + self._empty_rows, len(self._row)))
        self._take(times, text=len(text) * times)
        self._row.extend([value] * times)
        if len(self._row) > 2 * MOST_COLUMNS:
            raise FeedUnreadable(TOO_LARGE)

    def _end_row(self) -> None:
        while self._row and self._row[-1] == "":
            self._row.pop()
        if not self._row:
            # Only counted: a sheet has a million empty rows below its table.
            self._empty_rows += self._row_times
            return
        if len(self._rows) + self._empty_rows + self._row_times > MOST_LINES:
            raise FeedUnreadable(TOO_LARGE)
        self._rows.extend([] for _row in range(self._empty_rows))
        self._empty_rows = 0
        self._take(len(self._row) * (self._row_times - 1), text=0)
        if self._is_row_hidden:
            self._hidden_rows.update(range(len(self._rows), len(self._rows) + self._row_times))
        self._rows.extend(list(self._row) for _row in range(self._row_times))

    def _end_sheet(self) -> None:
        if not self._is_shown:
            self.remarks.append(format_lazy(_("The hidden sheet “{name}” was not read."), name=self._name))
            return
        self.grids.append(
            Grid(
                rows=self._rows,
                name=self._name,
                hidden_rows=frozenset(self._hidden_rows),
                hidden_columns=frozenset(self._hidden_columns),
                merged=self._merged,
                struck=self._struck,
            )
        )

    def _take(self, cells: int, *, text: int) -> None:
        self._cells_left -= cells
        self._text_left -= text
        if self._cells_left < 0 or self._text_left < 0:
            raise FeedUnreadable(TOO_LARGE)


_WITH_UNIT = re.compile(r"[\d.,\s]+([^\d.,\s]{1,4})\s*")


def _is_struck(attributes: Mapping[str, str]) -> bool:
    said = (attributes.get(f"style:text-line-through-{what}", "none") for what in ("style", "type"))
    return any(each != "none" for each in said)


def _count(said: str | None) -> int:
    return int(said) if said and said.isascii() and said.isdigit() and len(said) < 10 else 1


def _value(attributes: Mapping[str, str], *, text: str) -> object:
    kind = attributes.get("office:value-type", "")
    formula = attributes.get("table:formula")
    if text.startswith(("#", "Err:")):
        # LibreOffice shows Err:502, which no other program knows.
        return text if text.startswith("#") else "#VALUE!"
    if kind in ("float", "currency"):
        try:
            number = float(attributes["office:value"])
        except (KeyError, ValueError):
            return text
        shown = _WITH_UNIT.fullmatch(text)
        return as_shown(number, shown[1]) if shown is not None and is_unit(shown[1]) else number
    if kind == "percentage":
        return text or "%"
    if kind == "boolean":
        return attributes.get("office:boolean-value") == "true"
    if kind == "date":
        try:
            return _date(attributes["office:date-value"])
        except (KeyError, ValueError):
            return text
    if not kind and formula is not None and not text:
        return UNCOMPUTED
    return text


def _date(said: str) -> date | datetime:
    return datetime.fromisoformat(said) if "T" in said else date.fromisoformat(said)
