"""Reads the workbook in which a bookkeeper keeps the day's stock (.xlsx, .xlsm), as it is: titles above, a total below.

python-calamine reads the cells. What it cannot tell is read from the sheet's XML: hidden rows and columns, cells with
an error, formulas that were never computed, percentages and units that only a format shows, what is crossed out, and
how much the sheet would take up. Nothing in the file is
ever evaluated, and nothing is unpacked that was not measured before.
"""

from __future__ import annotations

import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.columns import MOST_COLUMNS
from backend.stock.feeds.document import Document
from backend.stock.feeds.formats import PERCENT, as_shown, unit_of_format
from backend.stock.feeds.table import MOST_ROWS, UNCOMPUTED, Grid, read_grids

MEGABYTE = 1024 * 1024
MOST_UNPACKED_BYTES = 48 * MEGABYTE
MOST_CELLS = 2_000_000
MOST_TEXT_BYTES = 32 * MEGABYTE
MOST_MEMBERS = 2_000
MOST_SHEETS = 60
MOST_LINES = MOST_ROWS + 5_000

NOT_XLSX = _("This is not an .xlsx workbook. Save it as an Excel workbook (.xlsx) and send that.")
TOO_LARGE = _("The sheet is too large. Delete the cells far below and to the right of the table.")
PASSWORD = _("The workbook has a password. Save it without one.")
_ERROR_TEXT = "#N/A"


def read_workbook(raw: bytes, *, mapping: Mapping[str, str] | None, today: date) -> Document:
    """Raises FeedUnreadable when the file, or the table in it, cannot be made out."""
    entries = unpack(raw, wanted=_is_needed)
    if "xl/workbook.xml" not in entries:
        raise FeedUnreadable(NOT_XLSX)
    remarks: list[str | Promise] = []
    if "xl/vbaProject.bin" in entries:
        remarks.append(_("The workbook's macros were not run."))
    grids: list[Grid] = []
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as workbook:
            shown: list[tuple[int, str]] = []
            for index, sheet in enumerate(workbook.sheets_metadata[: MOST_SHEETS * 4]):
                if sheet.typ is not SheetTypeEnum.WorkSheet:
                    continue
                if sheet.visible is SheetVisibleEnum.Visible:
                    shown.append((index, sheet.name))
                else:
                    remarks.append(format_lazy(_("The hidden sheet “{name}” was not read."), name=sheet.name))
            if not shown:
                raise FeedUnreadable(_("The workbook shows no sheet."))
            marks = _marks_of_sheets(entries, indexes=[index for index, _name in shown[:MOST_SHEETS]])
            entries.clear()
            for (index, name), mark in zip(shown, marks, strict=False):
                grids.append(_grid(workbook.get_sheet_by_index(index), name=name, marks=mark))
    except PasswordError as error:
        raise FeedUnreadable(PASSWORD) from error
    except (CalamineError, OSError, ValueError, OverflowError) as error:
        raise FeedUnreadable(NOT_XLSX) from error
    except BaseException as error:
        # What calamine did not foresee reaches Python as an exception of its own kind, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise FeedUnreadable(NOT_XLSX) from error
    return read_grids(grids, mapping=mapping, today=today, remarks=remarks)


# ---- The file -------------------------------------------------------------------------------------------------------


def _is_needed(name: str) -> bool:
    return name.endswith(
        (".rels", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "vbaProject.bin")
    ) or (name.startswith("xl/worksheets/") and name.endswith(".xml"))


def unpack(raw: bytes, *, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The wanted files within, all of it unpacked under a cap. The sizes that the archive states are not believed."""
    entries: dict[str, bytes] = {}
    left = MOST_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise FeedUnreadable(NOT_XLSX)
            for entry in members:
                is_wanted = wanted(entry.filename)
                if is_wanted and entry.filename in entries:
                    # Two members of one name: which of them a program reads is anybody's guess.
                    raise FeedUnreadable(NOT_XLSX)
                size, content = _inflate(raw, entry=entry, most=left, is_wanted=is_wanted)
                left -= size
                if is_wanted:
                    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or _has_nul(entry, content):
                        raise FeedUnreadable(NOT_XLSX)
                    entries[entry.filename] = content
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError, OSError) as error:
        raise FeedUnreadable(NOT_XLSX) from error
    return entries


def _has_nul(entry: zipfile.ZipInfo, content: bytes) -> bool:
    """Whether XML is in UTF-16, which what looks through it below would not see."""
    return entry.filename.endswith((".xml", ".rels")) and b"\x00" in content


def _inflate(raw: bytes, *, entry: zipfile.ZipInfo, most: int, is_wanted: bool) -> tuple[int, bytes]:
    """How much the entry's bytes really hold, and what if it is wanted: `zipfile` would stop at the size that a
    forged header states. A megabyte at a time, so that a bomb never takes more room than is allowed."""
    names, extra = struct.unpack_from("<HH", raw, entry.header_offset + 26)
    start = entry.header_offset + 30 + names + extra
    packed = memoryview(raw)[start : start + entry.compress_size]
    if entry.flag_bits & 0x1:
        raise FeedUnreadable(PASSWORD)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FeedUnreadable(NOT_XLSX)
    size, content = 0, io.BytesIO()
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    piece: bytes | memoryview = packed
    while True:
        block = piece if inflater is None else inflater.decompress(piece, MEGABYTE)
        size += len(block)
        if size > most:
            raise FeedUnreadable(_("The workbook is too large once unpacked. Send the stock sheet alone."))
        if is_wanted:
            content.write(block)
        if inflater is None or inflater.eof or not (block or inflater.unconsumed_tail):
            break
        piece = inflater.unconsumed_tail
    if (inflater is not None and not inflater.eof) or size != entry.file_size:
        raise FeedUnreadable(NOT_XLSX)
    return size, content.getvalue()


def _marks_of_sheets(entries: dict[str, bytes], *, indexes: list[int]) -> Iterator[_Marks]:
    """What the XML of each sheet says beyond its values."""
    texts = entries.pop("xl/sharedStrings.xml", b"")
    looks = _looks(entries.pop("xl/styles.xml", b""), texts=texts)
    # Programs that write formulas and compute none leave 0 there, and say that all is to be computed on opening.
    is_stale = re.search(rb'<(?:\w+:)?calcPr\b[^>]*\bfullCalcOnLoad="(?:1|true)"', entries["xl/workbook.xml"])
    lengths = _text_lengths(texts)
    marks = [
        _read_marks(
            _sheet_xml(entries, index=index), lengths=lengths, looks=looks, is_stale=is_stale is not None
        )
        for index in indexes
    ]
    return iter(marks)


def _sheet_xml(entries: dict[str, bytes], *, index: int) -> bytes:
    """The XML of the sheet at that place in the workbook's order."""
    sheets = re.findall(rb"<(?:\w+:)?sheet\b([^>]*)>", entries["xl/workbook.xml"])
    relation = re.search(rb'\b\w+:id="([^"]+)"', sheets[index]) if index < len(sheets) else None
    if relation is not None:
        for tag in re.findall(
            rb"<(?:\w+:)?Relationship\b[^>]*>", entries.get("xl/_rels/workbook.xml.rels", b"")
        ):
            target = re.search(rb'\bTarget="([^"]+)"', tag)
            if re.search(rb'\bId="' + re.escape(relation[1]) + rb'"', tag) and target is not None:
                path = target[1].decode("utf-8", "replace")
                found = entries.get(path.lstrip("/") if path.startswith("/") else f"xl/{path}")
                if found is not None:
                    return found
    raise FeedUnreadable(NOT_XLSX)


def _text_lengths(xml: bytes) -> list[int]:
    """The bytes of each shared text: a cell names one by its place."""
    return [len(part) for part in re.split(rb"<(?:\w+:)?si\b", xml)[1:]]


@dataclass(frozen=True)
class _Looks:
    """How cells may look. units: what a style shows behind a number, by the number that a cell names it with; struck:
    the styles that cross a cell out; struck_texts: the places of shared texts of which a part is crossed out."""

    units: Mapping[bytes, str]
    struck: frozenset[bytes]
    struck_texts: frozenset[bytes]


_STRUCK = re.compile(rb'<(?:\w+:)?strike(?!\s+val="(?:0|false)")[\s/>]')


def _looks(xml: bytes, *, texts: bytes) -> _Looks:
    codes = {b"9": PERCENT, b"10": PERCENT}
    for tag in re.findall(rb"<(?:\w+:)?numFmt\b[^>]*>", xml):
        number, code = re.search(rb'\bnumFmtId="(\d+)"', tag), re.search(rb'\bformatCode="([^"]*)"', tag)
        if number is not None and code is not None:
            codes[number[1]] = html.unescape(code[1].decode("utf-8", "replace"))
    shown = {number: unit_of_format(code) for number, code in codes.items()}
    fonts = re.search(rb"<(?:\w+:)?fonts\b.*?</(?:\w+:)?fonts>", xml, re.DOTALL)
    struck_fonts = {
        str(place).encode()
        for place, font in enumerate(re.split(rb"<(?:\w+:)?font\b", fonts[0])[1:] if fonts else [])
        if _STRUCK.search(font)
    }
    cells = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", xml, re.DOTALL)
    units, struck = {}, set()
    for place, style in enumerate(re.findall(rb"<(?:\w+:)?xf\b([^>]*)>", cells[0]) if cells else []):
        number, font = re.search(rb'\bnumFmtId="(\d+)"', style), re.search(rb'\bfontId="(\d+)"', style)
        if number is not None and shown.get(number[1]):
            units[str(place).encode()] = shown[number[1]]
        if font is not None and font[1] in struck_fonts:
            struck.add(str(place).encode())
    struck_texts = frozenset(
        str(place).encode()
        for place, text in enumerate(re.split(rb"<(?:\w+:)?si\b", texts)[1:] if b"strike" in texts else [])
        if _STRUCK.search(text)
    )
    return _Looks(units, frozenset(struck), struck_texts)


# ---- The sheet ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Marks:
    """What the sheet's XML says beyond its values; rows and columns count from 0."""

    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    errors: frozenset[tuple[int, int]]
    uncomputed: frozenset[tuple[int, int]]
    units: Mapping[tuple[int, int], str]
    struck: frozenset[tuple[int, int]]


_ROW_TAG = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_COLUMN_TAG = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_CELL = re.compile(rb"<(?:\w+:)?c\b(?P<attributes>[^>]*?)(?:/>|>(?P<content>.*?)</(?:\w+:)?c>)", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
# Each begins with plain text, which is found ten times faster than a pattern.
_FAR = re.compile(rb' r="([A-Z]{2,3}|[A-Z](?=\d{6}))(\d{1,7})"[^>]*>')
_EMPTY = re.compile(rb"\s*(?:<(?:\w+:)?v(?:/>|></(?:\w+:)?v>))?</(?:\w+:)?c>")
_WITHOUT_PLACE = re.compile(rb"<(?:\w+:)?row(?:>|/>|\s(?![^>]*\br=))")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>[^<]+<")
_TEXT = re.compile(
    rb'\bt="s"[^>]*>\s*(?:<(?:\w+:)?f\b[^>]*?/?>(?:[^<]*</(?:\w+:)?f>)?)?\s*<(?:\w+:)?v\b[^>]*>\s*(\d{1,9})'
)
_ZERO = re.compile(rb"<(?:\w+:)?v\b[^>]*>0(?:\.0+)?<")
_STYLE = re.compile(rb'\bs="(\d+)"')
_SHARED = re.compile(rb"<(?:\w+:)?v\b[^>]*>\s*(\d{1,9})")
_OPENED = re.compile(rb"<(?:\w+:)?(?:c|row)[\s/>]")
_PROPER = re.compile(rb'<(?:\w+:)?(?:c|row)(?: [\w:.-]+="[^"<>&]*")* ?/?>')


def _read_marks(xml: bytes, *, lengths: list[int], looks: _Looks, is_stale: bool) -> _Marks:
    # What follows reads tags as every office program writes them: others could hide a cell from the measuring.
    if _is_odd(xml) and sum(1 for _tag in _OPENED.finditer(xml)) != sum(1 for _tag in _PROPER.finditer(xml)):
        raise FeedUnreadable(NOT_XLSX)
    _measure(xml, lengths=lengths)
    hidden_rows: set[int] = set()
    hidden_columns: set[int] = set()
    if b"hidden=" in xml:
        for tag in _ROW_TAG.finditer(xml):
            place = re.search(rb'\br="(\d{1,7})"', tag[1])
            if place is not None and _HIDDEN.search(tag[1]):
                hidden_rows.add(int(place[1]) - 1)
        for tag in _COLUMN_TAG.finditer(xml):
            first, last = re.search(rb'\bmin="(\d{1,5})"', tag[1]), re.search(rb'\bmax="(\d{1,5})"', tag[1])
            if first is not None and last is not None and _HIDDEN.search(tag[1]):
                hidden_columns.update(range(int(first[1]) - 1, min(int(last[1]), MOST_COLUMNS)))
    errors, uncomputed, struck = set(), set(), set()
    units: dict[tuple[int, int], str] = {}
    odd_styles = re.compile(rb'\bs="(?:' + b"|".join(sorted({*looks.units, *looks.struck})) + rb')"')
    has_looks = bool(looks.units or looks.struck) and odd_styles.search(xml) is not None
    has_struck_parts = b"strike" in xml
    has_looks = has_looks or bool(looks.struck_texts) or has_struck_parts
    if b't="e"' in xml or b"<f" in xml or b":f" in xml or has_looks:
        for cell in _CELL.finditer(xml):
            attributes, content = cell["attributes"], cell["content"] or b""
            is_error = b't="e"' in attributes
            is_uncomputed = (b"<f" in content or b":f" in content) and (
                not _VALUE.search(content) or (is_stale and _ZERO.search(content) is not None)
            )
            unit, is_struck = "", False
            if has_looks:
                style = _STYLE.search(attributes)
                if style is not None:
                    unit, is_struck = looks.units.get(style[1], ""), style[1] in looks.struck
                text = _SHARED.search(content) if looks.struck_texts and b't="s"' in attributes else None
                is_struck = is_struck or (text is not None and text[1] in looks.struck_texts)
                is_struck = is_struck or (has_struck_parts and _STRUCK.search(content) is not None)
            if not (is_error or is_uncomputed or unit or is_struck):
                continue
            place = _PLACE.search(attributes)
            if place is None:
                continue
            at = (int(place[2]) - 1, _column_number(place[1]))
            if is_error:
                errors.add(at)
            elif is_uncomputed:
                uncomputed.add(at)
            elif unit:
                units[at] = unit
            if is_struck:
                struck.add(at)
    return _Marks(
        frozenset(hidden_rows),
        frozenset(hidden_columns),
        frozenset(errors),
        frozenset(uncomputed),
        units,
        frozenset(struck),
    )


def _is_odd(xml: bytes) -> bool:
    """Whether tags may be written in another way than one space before each attribute, and its value as it is."""
    signs = (b"='", b"\t", b"\r", b" =", b"= ", b'"r="', b"<!")
    return (
        any(sign in xml for sign in signs) or xml.find(b"\n", 400) > 0 or bool(re.search(rb' r="[^"]*&', xml))
    )


def _measure(xml: bytes, *, lengths: list[int]) -> None:
    """Refuse a sheet that would take up more than a stock sheet can.

    calamine makes room for every cell of the rectangle that has values, whether it is there or not, and for every
    cell's text a copy.
    """
    cells = sum(xml.count(sign) for sign in (b"<c ", b"<c>", b"<c/", b":c ", b":c>", b":c/"))
    lines = xml.count(b"<row") + xml.count(b":row")
    if cells > MOST_CELLS or (lines > MOST_LINES and _WITHOUT_PLACE.search(xml)):
        raise FeedUnreadable(TOO_LARGE)
    rows = columns = 0
    for found in _FAR.finditer(xml):
        if found[0].endswith(b"/>") or _EMPTY.match(xml, found.end()):
            continue
        rows, columns = max(rows, int(found[2])), max(columns, _column_number(found[1]) + 1)
    for tag in re.finditer(rb'row (?:[^>]*? )?r="(\d{6,7})"[^>]*?>', xml):
        # Cells may leave out where they stand.
        if int(tag[1]) > MOST_LINES and re.match(
            rb"\s*<(?:\w+:)?c\b(?![^>]*\br=)", xml[tag.end() : tag.end() + 400]
        ):
            raise FeedUnreadable(TOO_LARGE)
    if columns > 26:
        rows = max((int(place[2]) for place in _PLACE.finditer(xml)), default=0)
    if rows > MOST_LINES or rows * columns > MOST_CELLS or columns > 2 * MOST_COLUMNS:
        raise FeedUnreadable(TOO_LARGE)
    texts = xml.count(b't="s"')
    if lengths and texts * max(lengths) > MOST_TEXT_BYTES:
        most = len(lengths)
        places = [int(found) for found in _TEXT.findall(xml)]
        copied = sum(lengths[place] for place in places if place < most)
        # A cell whose text was not found is taken for the longest.
        if copied + (texts - len(places)) * max(lengths) > MOST_TEXT_BYTES * 2:
            raise FeedUnreadable(TOO_LARGE)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


class _Cells:
    """The cells of a sheet's rows, taken anew each time from what calamine keeps, which is less than half as large."""

    def __init__(self, sheet: CalamineSheet, *, marks: _Marks) -> None:
        """Raises what calamine raises of a cell that it cannot tell."""
        self._sheet, self._marks = sheet, marks
        self._odd_rows = {row for row, _column in marks.errors | marks.uncomputed | marks.units.keys()}
        rows = width = 0
        for cells in sheet.iter_rows():
            rows, width = rows + 1, len(cells)
        # calamine leaves out what is empty to the left, and releases of it differ on what is empty above.
        below, right = sheet.end if sheet.end is not None and rows else (rows - 1, width - 1)
        self._above, self._left = below + 1 - rows, [""] * (right + 1 - width)
        self._count = max(below + 1, rows)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[Any]]:
        yield from ([] for _row in range(self._above))
        left, odd_rows = self._left, self._odd_rows
        for number, row in enumerate(self._sheet.iter_rows(), start=max(self._above, 0)):
            cells = left + row if left else row
            yield self._marked(number, cells) if number in odd_rows else cells

    def _marked(self, number: int, cells: list[Any]) -> list[Any]:
        marks = self._marks
        for column, cell in enumerate(cells):
            at = (number, column)
            if at in marks.uncomputed:
                cells[column] = UNCOMPUTED
            elif at in marks.errors:
                cells[column] = _ERROR_TEXT
            elif at in marks.units and isinstance(cell, float | int) and not isinstance(cell, bool):
                cells[column] = as_shown(cell, marks.units[at])
        return cells


def _grid(sheet: CalamineSheet, *, name: str, marks: _Marks) -> Grid:
    rows = _Cells(sheet, marks=marks)
    if len(rows) > MOST_LINES:
        raise FeedUnreadable(TOO_LARGE)
    return Grid(
        rows=rows,
        name=name,
        hidden_rows=marks.hidden_rows,
        hidden_columns=marks.hidden_columns,
        merged=(sheet.merged_cell_ranges or [])[:10_000],
        struck=marks.struck,
    )
