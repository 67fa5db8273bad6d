"""From a sheet's cells to rows: where the table begins, what is a total, what is hidden, what stands twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import end_of_day
from backend.common.units import parse_number
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.columns import (
    STARTS_A_TABLE,
    Columns,
    find_header,
    letter_of,
    read_headings,
    unknown,
)
from backend.stock.feeds.dates import Written, read_date
from backend.stock.feeds.document import TABLES_APART, Document, Row, as_text

MOST_ROWS = 100_000
MOST_REMARKS = 20
MOST_TABLES = 100
MOST_ROWS_MERGED = 200
CERTAIN_WITHOUT_YEAR = timedelta(days=7)
"""How near today a day without a year must be for the year to be certain."""

SUBTOTAL = ("小计", "分计", "subtotal")
COUNTED_AT = (
    "盘点时间",
    "盘点日期",
    "统计时间",
    "统计日期",
    "制表时间",
    "制表日期",
    "填报日期",
    "日期",
    "时间",
)


class Uncomputed:
    """The value of a formula that nobody ever computed."""

    def __str__(self) -> str:
        return "="


UNCOMPUTED = Uncomputed()


@dataclass
class Grid:
    """The cells of one sheet, from its first row and column on; rows and columns count from 0.

    merged: first and last row and column of cells that were made one.
    """

    rows: Sequence[Sequence[object]]
    name: str = ""
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()


@dataclass
class _Found:
    """What the tables of a file say, as they are read."""

    rows: list[Row] = field(default_factory=list)
    days: dict[int, object] = field(default_factory=dict)
    remarks: list[str | Promise] = field(default_factory=list)
    tables: int = 0


def read_grids(
    grids: Sequence[Grid],
    *,
    mapping: Mapping[str, str] | None,
    today: date,
    remarks: Sequence[str | Promise] = (),
) -> Document:
    """The rows of every sheet that has a table. Raises FeedUnreadable, ColumnsUnknown where none has one."""
    found = _Found(remarks=list(remarks))
    counted: Written | None = None
    without: list[str] = []
    headers = [find_header(grid.rows, mapping=mapping, hidden=grid.hidden_columns) for grid in grids]
    with_table = sum(1 for header in headers if header is not None)
    for grid, header in zip(grids, headers, strict=True):
        if header is None:
            if any(cell not in (None, "") for row in grid.rows[:50] for cell in row):
                without.append(grid.name)
            continue
        said = _find_counted_at(grid.rows[: max(header.index, 0)], today=today)
        if said is not None and (counted is None or said.day > counted.day):
            counted = said
        _remark_on_hidden(grid, header.tables, found)
        sheet = grid.name if with_table > 1 else ""
        for place, columns in enumerate(header.tables):
            _read_table(grid, columns, index=header.index, sheet=sheet, is_leftmost=not place, found=found)
    if not with_table:
        raise unknown(max((grid.rows for grid in grids), key=_filled, default=[]))
    if without and with_table:
        found.remarks += [
            format_lazy(_("The sheet “{name}” has no table of stock and was not read."), name=name)
            for name in without[:MOST_REMARKS]
        ]
    return _dated(found, counted=counted, today=today)


def _filled(rows: Sequence[Sequence[object]]) -> int:
    return sum(1 for row in rows[:100] for cell in row if cell not in (None, ""))


def _remark_on_hidden(grid: Grid, tables: Sequence[Columns], found: _Found) -> None:
    first, last = tables[0], tables[-1]
    used = range(max(last.quantity, first.quantity) + 1)
    hidden = [letter_of(column) for column in sorted(grid.hidden_columns) if column in used]
    if hidden:
        found.remarks.append(
            format_lazy(_("Hidden columns were not read: {columns}."), columns=", ".join(hidden[:10]))
        )


# ---- The rows -------------------------------------------------------------------------------------------------------


def _read_table(
    grid: Grid,
    columns: Columns,
    *,
    index: int,
    sheet: str,
    is_leftmost: bool,
    found: _Found,
) -> None:
    """Append the rows of one table. A header that comes again, as on every printed page, is no row."""
    # One place for all that a hundred thousand rows need: a local name is found faster than an attribute.
    code_at, name_at, quantity_at = columns.code, columns.name, columns.quantity
    unit_at, lot_at, date_at = columns.unit_column, columns.lot, columns.date
    heading, unit_said, letter = columns.heading, columns.unit, letter_of(quantity_at)
    hidden_rows, apart = grid.hidden_rows, found.tables * TABLES_APART
    merged = _merged(grid, columns)
    rows, make = found.rows, tuple.__new__
    units: dict[str, str] = {}
    totals = _Totals(found, until=len(rows))
    is_first_column_free = 0 not in (code_at, name_at, quantity_at)
    found.tables += 1
    number = index + 1
    for cells in grid.rows[index + 1 :]:
        number += 1
        width = len(cells)
        value = cells[quantity_at] if quantity_at < width else None
        code = cells[code_at] if code_at is not None and code_at < width else ""
        name = cells[name_at] if name_at is not None and name_at < width else ""
        if type(code) is not str or not code.isprintable():
            code = code_text(code)
        if type(name) is not str or not name.isprintable():
            name = as_text(name)
        code, name = code.strip(), name.strip()
        doubt: str | Promise = ""
        if merged and number - 1 in merged:
            code_there, name_there, doubt = merged[number - 1]
            code, name = code or code_text(code_there), name or as_text(name_there)
        if type(value) is str:
            value = value.strip() if value.isprintable() else as_text(value)
        if value is None or value == "":
            value = None
            if not code and not name:
                continue
        unit = cells[unit_at] if unit_at is not None and unit_at < width else ""
        unit = unit.strip() if type(unit) is str and unit.isprintable() else as_text(unit)
        # One 斤 for all rows, and not a copy of it in each.
        unit = units.setdefault(unit, unit)
        first = cells[0] if is_first_column_free and type(cells[0]) is str else ""
        if "计" in code or "计" in name or "计" in first or "总" in name or "总" in code or "otal" in name:
            said = _total_in(first, code, name)
            if said is not None:
                label = code if "计" in code or "总" in code else name or first or code
                told = totals.compare(said, value=value, number=number)
                rows.append(
                    Row(
                        number + apart,
                        heading,
                        "",
                        value,
                        label,
                        "",
                        letter=letter,
                        sheet=sheet,
                        skipped=told,
                    )
                )
                continue
        if code in STARTS_A_TABLE or name in STARTS_A_TABLE or first in STARTS_A_TABLE:
            again = read_headings(cells, hidden=grid.hidden_columns)
            if any(
                (each.quantity, each.code, each.name) == (quantity_at, code_at, name_at) for each in again
            ):
                continue
            if again:
                # Another table, with other columns, stands below the first.
                if found.tables > MOST_TABLES:
                    raise FeedUnreadable(
                        _("The file has too many tables. Send one list of what is in the shed.")
                    )
                if is_leftmost:
                    for place, each in enumerate(again):
                        _read_table(
                            grid, each, index=number - 1, sheet=sheet, is_leftmost=not place, found=found
                        )
                break
        problem: str | Promise = ""
        if value is UNCOMPUTED:
            value = "="
            problem = _("The formula was never computed. Open the workbook, save it, and send it again.")
        elif not code and not name:
            problem = _("There is a quantity, but neither a code nor a name. Write which good it is.")
        lot = cells[lot_at] if lot_at is not None and lot_at < width else ""
        if lot != "":
            lot = as_text(lot)
        if date_at is not None and date_at < width and cells[date_at] not in (None, ""):
            found.days[number + apart] = cells[date_at]
        rows.append(
            make(
                Row,
                (
                    number + apart,
                    heading,
                    code,
                    value,
                    name,
                    unit or unit_said,
                    lot,
                    problem,
                    number - 1 in hidden_rows if hidden_rows else False,
                    letter,
                    sheet,
                    doubt,
                    "",
                ),
            )
        )
    if len(rows) > MOST_ROWS:
        raise FeedUnreadable(
            format_lazy(_("The table has more than {most} rows. Send the stock sheet alone."), most=MOST_ROWS)
        )


def code_text(cell: object) -> str:
    """A code as text; the cell 00123 arrives as the number 123.0, and as ="00123" from who wanted it as text."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return as_text(cell)


def _merged(grid: Grid, columns: Columns) -> Mapping[int, tuple[object, object, str | Promise]]:
    """What cells that were made one say of the rows that they reach over: code, name, and a doubt."""
    found: dict[int, tuple[object, object, str | Promise]] = {}
    for (top, left), (bottom, right) in grid.merged:
        bottom = min(bottom, len(grid.rows) - 1)
        if top >= bottom or bottom - top > MOST_ROWS_MERGED:
            continue
        for row in range(top, bottom + 1):
            code, name, doubt = found.get(row, ("", "", ""))
            if columns.code is not None and left <= columns.code <= right:
                code = _cell(grid.rows[top], left)
            if columns.name is not None and left <= columns.name <= right:
                name = _cell(grid.rows[top], left)
            if left <= columns.quantity <= right:
                doubt = format_lazy(
                    _("One cell holds the quantity of rows {first} to {last}. Write one for each good."),
                    first=top + 1,
                    last=bottom + 1,
                )
            found[row] = (code, name, doubt)
    return found


def _cell(row: Sequence[object], column: int) -> object:
    return row[column] if column < len(row) else None


# ---- Totals ---------------------------------------------------------------------------------------------------------

_TOTAL = re.compile(
    r"\w{0,8}?(?P<word>合计|总计|共计|总数|总和|小计|分计|subtotal|total)数?(?:\(\w{1,4}\))?:?"
    r"(?P<said>[\d,]+(?:\.\d+)?)?\w{0,2}",
    re.IGNORECASE,
)


def _total_in(*texts: str) -> re.Match[str] | None:
    """合计, 小 计:, 本页合计(斤), 总计:1272.5斤."""
    for text in texts:
        if text and len(text) <= 30:
            found = _TOTAL.fullmatch(
                re.sub(r"\s", "", text).replace("（", "(").replace("）", ")").replace("：", ":")
            )
            if found is not None:
                return found
    return None


@dataclass
class _Totals:
    """Compares what a sheet says it adds up to with what its rows say.

    until: the first row that was not yet added. sums: of all rows of the table before it; and, as a workbook's SUM has
    it, of those that are no text.
    """

    found: _Found
    until: int
    sums: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))

    def compare(self, said: re.Match[str], *, value: object, number: int) -> str | Promise:
        """What to tell of the row with the total; a remark for the whole, too, when it does not add up."""
        total = _plain_number(value if value not in (None, "") else said["said"] or "")
        of_group = _sums(self.found.rows, first=self.until)
        self.until = len(self.found.rows)
        self.sums = (self.sums[0] + of_group[0], self.sums[1] + of_group[1])
        if total is None:
            return _("A total, not a good.")
        if total in of_group or total in self.sums:
            return _("A total, not a good; it adds up.")
        is_part = said["word"].lower() in SUBTOTAL
        told = format_lazy(
            _("Row {row}: the total says {total}, the rows above add up to {sum}."),
            row=number,
            total=as_text(total),
            sum=as_text((of_group if is_part else self.sums)[0]),
        )
        if len(self.found.remarks) < MOST_REMARKS:
            self.found.remarks.append(told)
        return told


def _sums(rows: Sequence[Row], *, first: int) -> tuple[Decimal, Decimal]:
    whole = without_text = Decimal(0)
    for place in range(first, len(rows)):
        value = rows[place].value
        number = None if rows[place].skipped else _plain_number(value)
        if number is not None:
            whole += number
            if not isinstance(value, str):
                without_text += number
    return whole, without_text


def _plain_number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(f"{value:.12g}") if isinstance(value, float) else Decimal(value)
        return number.normalize() if number.is_finite() and abs(number.adjusted()) < 15 else None
    try:
        return parse_number(value) if isinstance(value, str) and 0 < len(value) <= 20 else None
    except (ValueError, InvalidOperation):
        return None


# ---- When it was counted --------------------------------------------------------------------------------------------


def _find_counted_at(above: Sequence[Sequence[object]], *, today: date) -> Written | None:
    """The date beside 盘点时间, or behind it in the same cell, above the table."""
    for alias in COUNTED_AT:
        for row in above:
            for column, cell in enumerate(row):
                text = re.sub(r"\s", "", as_text(cell)[:100])
                if not text.startswith(alias):
                    continue
                # The label's own cell may hold the date, too: 盘点时间:2026/11/23 06:10.
                for candidate in [as_text(cell)[:100], *row[column + 1 : column + 4]]:
                    written = read_date(candidate, today=today)
                    if written is not None:
                        return written
    return None


def _dated(found: _Found, *, counted: Written | None, today: date) -> Document:
    """The document, its moment taken from above the table, else from the newest day in the column of dates."""
    rows = found.rows
    if counted is not None and counted.is_guess:
        found.remarks.append(
            format_lazy(_("The date has no year; it was taken as {day}."), day=counted.day.isoformat())
        )
        if abs(counted.day - today) > CERTAIN_WITHOUT_YEAR:
            doubt = format_lazy(_("Counted on {day}? The year is not written."), day=counted.day.isoformat())
            rows = [row._replace(doubt=row.doubt or doubt) for row in rows]
    if found.days:
        rows, newest = _by_day(rows, days=found.days, today=today, until=counted.day if counted else today)
        counted = counted or newest
    when = None if counted is None else counted.when
    is_day_only = when is not None and not isinstance(when, datetime)
    return Document(
        rows=rows,
        counted_at=when if when is None or isinstance(when, datetime) else end_of_day(when),
        is_day_only=is_day_only,
        remarks=found.remarks[: MOST_REMARKS * 2],
    )


def _by_day(
    rows: Sequence[Row], *, days: Mapping[int, object], today: date, until: date
) -> tuple[list[Row], Written | None]:
    """The rows with what is odd about their days, and the newest of these."""
    read: dict[object, Written | None] = {cell: read_date(cell, today=today) for cell in set(days.values())}
    certain = {
        written for cell in days.values() if (written := read[cell]) is not None and written.day <= today
    }
    last = max((written.day for written in certain), default=None)
    dated: list[Row] = []
    for row in rows:
        cell = days.get(row.number)
        if cell is None:
            dated.append(row)
            continue
        written = read[cell]
        if written is None:
            problem = format_lazy(
                _("“{value}” is not a date. Write it as 2026-11-23."), value=as_text(cell)[:40]
            )
            dated.append(row._replace(problem=row.problem or problem))
        elif written.day > max(today, until):
            problem = format_lazy(
                _("The day {day} is still to come. Look at the date."), day=written.day.isoformat()
            )
            dated.append(row._replace(problem=row.problem or problem))
        elif written.is_guess:
            doubt = format_lazy(
                _("“{value}” has no year; {day} is meant, probably."),
                value=as_text(cell)[:40],
                day=written.day.isoformat(),
            )
            dated.append(row._replace(doubt=row.doubt or doubt))
        elif last is not None and written.day < last:
            doubt = format_lazy(
                _("Counted on {day}, and other rows on {newest}. Is it still right?"),
                day=written.day.isoformat(),
                newest=last.isoformat(),
            )
            dated.append(row._replace(doubt=row.doubt or doubt))
        else:
            dated.append(row)
    # The earliest moment of the newest day: what left the shed between two rows' counts is not sold twice.
    moments = [each.when for each in certain if each.day == last and isinstance(each.when, datetime)]
    if last is None:
        return dated, None
    return dated, Written(min(moments) if moments else last)
