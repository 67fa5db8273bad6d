"""Reads the workbook in which a bookkeeper keeps the day's stock, as it is: titles above, a total below.

python-calamine reads the cells. What it cannot tell is read from the sheet's XML: hidden rows, cells with an error,
formulas that were never computed, and how large the sheet claims to be. Nothing in the file is ever evaluated.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from backend.common.clock import end_of_day, in_shop_zone, parse_written
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import Document, Row, as_text

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Cell = object

CODE = ("编码", "商品编码", "产品编码", "货号", "代码", "编号", "code")
NAME = ("品名", "名称", "商品", "商品名称", "产品", "产品名称", "货品", "菜名", "name")
QUANTITY = (
    "库存",
    "库存数量",
    "库存量",
    "现有库存",
    "实际库存",
    "数量",
    "结存",
    "盘点数",
    "盘点数量",
    "实盘",
    "余量",
    "quantity",
)
UNIT = ("单位", "计量单位", "unit")
LOT = ("批次", "批号", "lot")
COUNTED_AT = ("盘点时间", "盘点日期", "统计时间", "制表时间", "日期", "时间")
TOTAL = ("合计", "总计", "小计", "总数", "共计")

MOST_ABOVE_HEADER = 20
MOST_UNPACKED_BYTES = 64 * 1024 * 1024
MOST_CELLS = 2_000_000

_NOT_XLSX = _("This is not an .xlsx workbook. Save it as an Excel workbook (.xlsx) and send that.")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
# Naive, as every date in a workbook is.
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (it has no zone until its wall clock is known to be Shanghai's)
_ERROR_TEXT = "#N/A"


def read_workbook(raw: bytes) -> Document:
    """Raises FeedUnreadable when the file, or the table in it, cannot be made out."""
    entries = _unpacked(raw)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as workbook:
            index, remarks = _first_sheet(workbook)
            marks = _read_marks(_sheet_xml(entries, index=index))
            cells = _cells(workbook.get_sheet_by_index(index), marks=marks)
    except PasswordError as error:
        raise FeedUnreadable(_("The workbook has a password. Save it without one.")) from error
    except (CalamineError, OSError, ValueError) as error:
        raise FeedUnreadable(_NOT_XLSX) from error
    header = _find_header(cells)
    rows, more = _rows(cells, header=header, marks=marks)
    counted = _find_counted_at(cells[: header.index])
    is_day_only = counted is not None and not isinstance(counted, datetime)
    return Document(
        rows=rows,
        counted_at=counted if counted is None or isinstance(counted, datetime) else end_of_day(counted),
        is_day_only=is_day_only,
        remarks=[*remarks, *more],
    )


# ---- The file -------------------------------------------------------------------------------------------------------


def _unpacked(raw: bytes) -> dict[str, bytes]:
    """The XML files within, unpacked under a cap. The sizes that the archive states are not believed."""
    if raw.startswith(_OLD_EXCEL):
        raise FeedUnreadable(
            _("This is an old .xls workbook, or one with a password. Save it as .xlsx without a password.")
        )
    entries: dict[str, bytes] = {}
    left = MOST_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for entry in archive.infolist():
                content = _inflate(raw, entry=entry, most=left)
                left -= len(content)
                if entry.filename.endswith((".xml", ".rels")):
                    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
                        raise FeedUnreadable(_NOT_XLSX)
                    entries[entry.filename] = content
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError) as error:
        raise FeedUnreadable(_NOT_XLSX) from error
    if "xl/workbook.xml" not in entries:
        raise FeedUnreadable(_NOT_XLSX)
    return entries


def _inflate(raw: bytes, *, entry: zipfile.ZipInfo, most: int) -> bytes:
    """What the entry's bytes really hold: `zipfile` would stop at the size that a forged header states."""
    names, extra = struct.unpack_from("<HH", raw, entry.header_offset + 26)
    start = entry.header_offset + 30 + names + extra
    packed = memoryview(raw)[start : start + entry.compress_size]
    if entry.flag_bits & 0x1:
        raise FeedUnreadable(_("The workbook has a password. Save it without one."))
    if entry.compress_type == zipfile.ZIP_STORED:
        content = bytes(packed)
        is_whole = True
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflater.decompress(packed, most + 1)
        is_whole = inflater.eof
    else:
        raise FeedUnreadable(_NOT_XLSX)
    if len(content) > most:
        raise FeedUnreadable(_("The workbook is too large once unpacked. Send the stock sheet alone."))
    if not is_whole or len(content) != entry.file_size:
        raise FeedUnreadable(_NOT_XLSX)
    return content


def _first_sheet(workbook: CalamineWorkbook) -> tuple[int, list[Promise]]:
    """The first sheet that is shown, and a remark when one before it is not."""
    remarks: list[Promise] = []
    for index, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        if sheet.visible is SheetVisibleEnum.Visible:
            return index, remarks
        remarks.append(format_lazy(_("The hidden sheet “{name}” was not read."), name=sheet.name))
    raise FeedUnreadable(_("The workbook shows no sheet."))


def _sheet_xml(entries: dict[str, bytes], *, index: int) -> bytes:
    """The XML of the sheet at that place in the workbook's order."""
    sheets = re.findall(rb"<(?:\w+:)?sheet\b([^>]*)>", entries["xl/workbook.xml"])
    relation = re.search(rb'\b\w+:id="([^"]+)"', sheets[index]) if index < len(sheets) else None
    if relation is not None:
        for tag in re.findall(rb"<Relationship\b[^>]*>", entries.get("xl/_rels/workbook.xml.rels", b"")):
            target = re.search(rb'\bTarget="([^"]+)"', tag)
            if re.search(rb'\bId="' + re.escape(relation[1]) + rb'"', tag) and target is not None:
                path = target[1].decode("utf-8", "replace")
                found = entries.get(path.lstrip("/") if path.startswith("/") else f"xl/{path}")
                if found is not None:
                    return found
    raise FeedUnreadable(_NOT_XLSX)


# ---- The sheet ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Marks:
    """What the sheet's XML says beyond its values; rows and columns count from 0."""

    hidden_rows: frozenset[int]
    errors: frozenset[tuple[int, int]]
    uncomputed: frozenset[tuple[int, int]]


_ROW_TAG = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_CELL = re.compile(rb"<(?:\w+:)?c\b(?P<attributes>[^>]*?)(?:/>|>(?P<content>.*?)</(?:\w+:)?c>)", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>[^<]+<")


def _read_marks(xml: bytes) -> _Marks:
    hidden = set()
    for tag in _ROW_TAG.finditer(xml):
        place = re.search(rb'\br="(\d{1,7})"', tag[1])
        if place is not None and _HIDDEN.search(tag[1]):
            hidden.add(int(place[1]) - 1)
    rows = columns = 0
    errors, uncomputed = set(), set()
    for cell in _CELL.finditer(xml):
        place = _PLACE.search(cell["attributes"])
        if place is None:
            continue
        row, column = int(place[2]) - 1, _column_number(place[1])
        rows, columns = max(rows, row + 1), max(columns, column + 1)
        if b't="e"' in cell["attributes"]:
            errors.add((row, column))
        content = cell["content"] or b""
        if b"<f" in content and not _VALUE.search(content):
            uncomputed.add((row, column))
    # calamine makes room for every cell of the rectangle, whether it is there or not.
    if rows * columns > MOST_CELLS:
        raise FeedUnreadable(
            _("The sheet is too large. Delete the cells far below and to the right of the table.")
        )
    return _Marks(frozenset(hidden), frozenset(errors), frozenset(uncomputed))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


@dataclass(frozen=True)
class _Uncomputed:
    """A formula whose value nobody ever computed."""

    def __str__(self) -> str:
        return "="


def _cells(sheet: CalamineSheet, *, marks: _Marks) -> list[list[Cell]]:
    cells: list[list[Cell]] = [
        [None if value == "" else value for value in row] for row in sheet.to_python(skip_empty_area=False)
    ]
    for places, value in ((marks.errors, _ERROR_TEXT), (marks.uncomputed, _Uncomputed())):
        for row, column in places:
            if row < len(cells) and column < len(cells[row]):
                cells[row][column] = value
    return cells


# ---- The table ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    """Where the table begins and which column holds what; unit: what the quantity's heading says, as in 库存(斤)."""

    index: int
    quantity: int
    heading: str
    code: int | None = None
    name: int | None = None
    unit_column: int | None = None
    lot: int | None = None
    unit: str | None = None


def _find_header(cells: Sequence[Sequence[Cell]]) -> _Header:
    for index, row in enumerate(cells[:MOST_ABOVE_HEADER]):
        headings = [_heading(cell) for cell in row]
        quantity = _place(headings, QUANTITY)
        code, name = _place(headings, CODE), _place(headings, NAME)
        if quantity is not None and (code is not None or name is not None):
            return _Header(
                index=index,
                quantity=quantity,
                heading=as_text(row[quantity]),
                code=code,
                name=name,
                unit_column=_place(headings, UNIT),
                lot=_place(headings, LOT),
                unit=headings[quantity][1],
            )
    raise FeedUnreadable(
        format_lazy(
            _("No table was found. One row must have the headings {code} and {quantity}."),
            code=CODE[0],
            quantity=QUANTITY[0],
        )
    )


def _heading(cell: Cell) -> tuple[str, str | None]:
    """库存(斤) -> (库存, 斤)."""
    text = re.sub(r"\s", "", as_text(cell)).replace("（", "(").replace("）", ")").lower()
    found = re.fullmatch(r"(.+?)[(/](\w+)\)?", text)
    return (found[1], found[2]) if found else (text.rstrip(":："), None)


def _place(headings: Sequence[tuple[str, str | None]], aliases: Sequence[str]) -> int | None:
    """The column of the first alias that there is: the aliases stand in order of preference."""
    names = [name for name, _unit in headings]
    return next((names.index(alias) for alias in aliases if alias in names), None)


def _rows(
    cells: Sequence[Sequence[Cell]], *, header: _Header, marks: _Marks
) -> tuple[list[Row], list[Promise]]:
    rows: list[Row] = []
    remarks: list[Promise] = []
    added = Decimal(0)
    for index, row in enumerate(cells[header.index + 1 :], start=header.index + 1):
        value = row[header.quantity]
        code, name = _text_at(row, header.code), _text_at(row, header.name)
        if value is None and not code and not name:
            continue
        if any(_is_total(_text_at(row, column)) for column in range(min(3, len(row)))):
            if isinstance(value, int | float) and _decimal(value) != added:
                remarks.append(
                    format_lazy(
                        _("Row {row}: the total says {total}, the rows above add up to {sum}."),
                        row=index + 1,
                        total=as_text(value),
                        sum=as_text(added),
                    )
                )
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            added += _decimal(value)
        problem: Promise | str = ""
        if isinstance(value, _Uncomputed):
            problem = _("The formula was never computed. Open the workbook, save it, and send it again.")
        unit = _text_at(row, header.unit_column) or header.unit
        rows.append(
            Row(
                number=index + 1,
                column=header.heading,
                code=_code(row[header.code]) if header.code is not None else "",
                name=name,
                value=as_text(value) if isinstance(value, str | _Uncomputed) else value,
                unit=unit,
                lot=_text_at(row, header.lot),
                problem=problem,
                is_hidden=index in marks.hidden_rows,
            )
        )
    return rows, remarks


def _decimal(value: float) -> Decimal:
    return Decimal(f"{value:.12g}")


def _text_at(row: Sequence[Cell], column: int | None) -> str:
    return as_text(row[column]) if column is not None and column < len(row) else ""


def _is_total(text: str) -> bool:
    return re.sub(r"\s", "", text).rstrip(":：") in TOTAL


def _code(cell: Cell) -> str:
    """A code as text; the cell 00123 arrives as the number 123.0."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return as_text(cell)


# ---- When it was counted --------------------------------------------------------------------------------------------


def _find_counted_at(above: Sequence[Sequence[Cell]]) -> datetime | date | None:
    """The date beside 盘点时间, or behind it in the same cell, above the table."""
    for alias in COUNTED_AT:
        for row in above:
            for column, cell in enumerate(row):
                text = re.sub(r"\s", "", as_text(cell))
                if not text.startswith(alias):
                    continue
                # The label's own cell may hold the date, too: 盘点时间:2026/11/23 06:10.
                for candidate in [cell, *row[column + 1 : column + 4]]:
                    moment = _moment(candidate)
                    if moment is not None:
                        return moment
    return None


def _moment(cell: Cell) -> datetime | date | None:
    """With the time of day where the cell has one."""
    found: datetime | date | None = None
    if isinstance(cell, datetime | date):
        found = cell
    elif isinstance(cell, int | float) and not isinstance(cell, bool) and 40_000 <= cell < 80_000:
        # A date that lost its format: days since 1899-12-30.
        found = _EPOCH + timedelta(days=cell)
        if float(cell).is_integer():
            found = found.date()
    elif isinstance(cell, str):
        found = parse_written(cell)
    if isinstance(found, datetime):
        # Excel keeps fractions of days: round to the second that was meant.
        return in_shop_zone((found + timedelta(milliseconds=500)).replace(microsecond=0))
    return found
