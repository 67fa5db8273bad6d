"""From a sheet's cells to rows: where the table begins, what is a total, what is hidden, what stands twice."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache, partial
from typing import Protocol

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import end_of_day
from backend.common.units import are_one_unit, is_unit, parse_number
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.columns import (
    HEADINGS,
    MOST_COLUMNS,
    STARTS_A_TABLE,
    Columns,
    Header,
    find_header,
    heading_of,
    letter_of,
    read_headings,
    unknown,
)
from backend.stock.feeds.dates import Written, read_date
from backend.stock.feeds.document import TABLES_APART, Document, Row, as_text

MOST_ROWS = 100_000
MOST_REMARKS = 20
MOST_TABLES = 100
MOST_NUMBERED = 2_000
"""Of tables side by side and of all sheets: the numbers of the rows of more would not fit into 32 bits."""

MOST_ROWS_MERGED = 200
MOST_OF_TOP = 100
MOST_MADE_ANEW = 3
"""Of tables: the text of a file is gone through once for each; of a file that has more, the cells are kept."""

CERTAIN_WITHOUT_YEAR = timedelta(days=7)
"""How near today a day without a year must be for the year to be certain."""

RECENT = timedelta(days=31)
"""How far back the days may be that a workbook's sheets are named after."""

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


class Cells(Protocol):
    """The cells of a sheet's rows; each iteration may make them anew."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sequence[object]]: ...


@dataclass
class Grid:
    """The cells of one sheet, from its first row and column on; rows and columns count from 0.

    merged: first and last row and column of cells that were made one. struck: cells that are crossed out.
    delimiter: what stands between the cells of a file of text, "" for a sheet.
    """

    rows: Cells
    name: str = ""
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    struck: Set[tuple[int, int]] = frozenset()
    delimiter: str = ""

    @cached_property
    def top(self) -> Sequence[Sequence[object]]:
        """The first rows, which say what kind of sheet this is."""
        return list(itertools.islice(self.rows, MOST_OF_TOP))

    def keep(self) -> None:
        """Hold the cells from now on, rather than have them made once more for each table."""
        if not isinstance(self.rows, list):
            self.rows = list(self.rows)


@dataclass
class _Table:
    """One table of a sheet, below the row `index`. number: how many tables of the file are before it.

    day: on which the sheet says that it was counted. unit: what stands above the tables for all of them.
    doubt: why its rows may be no stock at all.
    below: once its rows were read, the row and the columns of another table that ends it, where one does.
    """

    grid: Grid
    columns: Columns
    index: int
    sheet: str
    is_leftmost: bool
    day: date | None = None
    unit: str | None = None
    doubt: str | Promise = ""
    number: int = 0
    below: tuple[int, Sequence[Columns]] | None = None


@dataclass
class _Found:
    """What the tables of a file say, as they are read. told: of each row with a total, by its number."""

    days: _Days
    tables: list[_Table] = field(default_factory=list)
    count: int = 0
    told: dict[int, str | Promise] = field(default_factory=dict)
    remarks: list[str | Promise] = field(default_factory=list)


@dataclass(frozen=True)
class _Rows:
    """The rows of all tables, made anew from the cells each time. doubt: what holds for each of them."""

    found: _Found
    doubt: str | Promise
    until: date
    newest: date | None = None

    def __len__(self) -> int:
        return self.found.count

    def __iter__(self) -> Iterator[Row]:
        days, told = partial(self.found.days.tell, until=self.until), self.found.told
        for table in self.found.tables:
            yield from _read_table(
                table,
                total=lambda _said, _value, number: told[number],
                day=days,
                doubt=table.doubt or _older(table.day, self.newest) or self.doubt,
            )


def _older(day: date | None, newest: date | None) -> str | Promise:
    """What to ask of a day's rows beside rows of a newer one; "" where there is nothing to ask."""
    if day is None or newest is None or day >= newest:
        return ""
    return format_lazy(
        _("Counted on {day}, and other rows on {newest}. Is it still right?"),
        day=day.isoformat(),
        newest=newest.isoformat(),
    )


def read_grids(
    grids: Sequence[Grid],
    *,
    mapping: Mapping[str, str] | None,
    today: date,
    remarks: Sequence[str | Promise] = (),
) -> Document:
    """The rows of every sheet that has a table. Raises FeedUnreadable, ColumnsUnknown where none has one."""
    found = _Found(days=_Days(today), remarks=list(remarks))
    counted: Written | None = None
    without: list[str] = []
    headers = [find_header(grid.top, mapping=mapping, hidden=grid.hidden_columns) for grid in grids]
    with_table = sum(1 for header in headers if header is not None)
    by_name = _days_by_name(
        [grid.name for grid, header in zip(grids, headers, strict=True) if header is not None], today=today
    )
    for grid, header in zip(grids, headers, strict=True):
        if header is None:
            if any(cell not in (None, "") for row in grid.top[:50] for cell in row):
                without.append(grid.name)
            continue
        above = grid.top[: max(header.index, 0)]
        said = (
            _find_counted_at(above, today=today)
            or _find_in_titles(above, header.tables, today=today)
            or by_name.get(grid.name)
        )
        doubt = _no_stock([grid.name, *(as_text(cell)[:60] for row in above for cell in row)], header.tables)
        if doubt:
            # When that was is not when the stock was counted.
            said = None
        elif said is not None and (counted is None or said.day > counted.day):
            counted = said
        _remark_on_hidden(grid, header.tables, found)
        _read_tables(
            grid,
            header,
            sheet=grid.name if with_table > 1 else "",
            found=found,
            day=said.day if said is not None else None,
            unit=_find_unit(above),
            doubt=doubt,
        )
    if not with_table:
        raise unknown(max((grid.top for grid in grids), key=_filled, default=[]))
    if not found.count:
        found.remarks.append(_("There is no row below the headings."))
    if without and with_table:
        found.remarks += [
            format_lazy(_("The sheet “{name}” has no table of stock and was not read."), name=name)
            for name in without[:MOST_REMARKS]
        ]
    return _dated(found, counted=counted, today=today)


def _filled(rows: Sequence[Sequence[object]]) -> int:
    return sum(1 for row in rows for cell in row if cell not in (None, ""))


def _remark_on_hidden(grid: Grid, tables: Sequence[Columns], found: _Found) -> None:
    first, last = tables[0], tables[-1]
    used = range(max(last.quantity, first.quantity) + 1)
    hidden = [letter_of(column) for column in sorted(grid.hidden_columns) if column in used]
    if hidden:
        found.remarks.append(
            format_lazy(_("Hidden columns were not read: {columns}."), columns=", ".join(hidden[:10]))
        )


# ---- The rows -------------------------------------------------------------------------------------------------------


def _read_tables(
    grid: Grid,
    header: Header,
    *,
    sheet: str,
    found: _Found,
    day: date | None,
    unit: str | None,
    doubt: str | Promise,
) -> None:
    """Go through the tables of one sheet for all that their rows say together; the rows themselves are let go."""
    collect = found.days.collect if not doubt else lambda _cell: ("", "")
    waiting = [
        _Table(grid, columns, header.index, sheet, is_leftmost=not place, day=day, unit=unit, doubt=doubt)
        for place, columns in enumerate(header.tables)
    ][::-1]
    while waiting:
        table = waiting.pop()
        table.number = len(found.tables)
        found.tables.append(table)
        if len(found.tables) > MOST_MADE_ANEW:
            grid.keep()
        totals = _Totals(table, found)
        found.count += sum(1 for _row in _read_table(table, total=totals.compare, day=collect))
        # Another table, with other columns, may stand below the first.
        if len(found.tables) > (MOST_NUMBERED if table.below is None else MOST_TABLES):
            raise FeedUnreadable(_("The file has too many tables. Send one list of what is in the shed."))
        if table.below is not None and table.is_leftmost:
            index, again = table.below
            waiting += [
                _Table(grid, columns, index, sheet, is_leftmost=not place, day=day, unit=unit, doubt=doubt)
                for place, columns in enumerate(again)
            ][::-1]
        if found.count > MOST_ROWS:
            raise FeedUnreadable(
                format_lazy(
                    _("The table has more than {most} rows. Send the stock sheet alone."), most=MOST_ROWS
                )
            )


def _read_table(
    table: _Table,
    *,
    total: Callable[[re.Match[str], object, int], str | Promise],
    day: Callable[[object], tuple[str | Promise, str | Promise]],
    doubt: str | Promise = "",
) -> Iterator[Row]:
    """The rows of one table. A header that comes again, as on every printed page, is no row.

    total: what to tell of a row with a total, from the words that say so, its value, and the row's number; day: the
    problem and the doubt that a cell of the column of dates gives; doubt: what holds for every row.
    """
    # One place for all that a hundred thousand rows need: a local name is found faster than an attribute.
    grid, columns = table.grid, table.columns
    code_at, name_at, quantity_at = columns.code, columns.name, columns.quantity
    unit_at, lot_at, date_at, note_at = columns.unit_column, columns.lot, columns.date, columns.note
    heading, letter, sheet = columns.heading, letter_of(quantity_at), table.sheet
    unit_said = columns.unit or table.unit
    splits, widest = _splits_of(table)
    hidden_rows, struck, apart = grid.hidden_rows, grid.struck, table.number * TABLES_APART
    merged = _merged(grid, columns)
    make, of_all, of_document = tuple.__new__, doubt, doubt
    is_first_column_free = 0 not in (code_at, name_at, quantity_at)
    number = table.index + 1
    for cells in itertools.islice(grid.rows, table.index + 1, None):
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
        doubt = ""
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
        first = cells[0] if is_first_column_free and type(cells[0]) is str else ""
        if (value is None or (type(value) is str and not value[-1].isdigit())) and (
            ":" in name or "：" in name or ":" in code or "：" in code or ":" in first or "：" in first
        ):
            label = next((text for text in (first, code, name) if _SIGNATURE.match(text)), "")
            if label:
                yield Row(
                    number + apart, heading, "", value, label, "", letter=letter, sheet=sheet, skipped=_SIGNED
                )
                continue
        if "计" in code or "计" in name or "计" in first or "总" in name or "总" in code or "otal" in name:
            said = _total_in(first, code, name)
            if said is not None:
                label = code if "计" in code or "总" in code else name or first or code
                yield Row(
                    number + apart,
                    heading,
                    "",
                    value,
                    label,
                    "",
                    letter=letter,
                    sheet=sheet,
                    doubt=of_all,
                    skipped=total(said, value, number + apart),
                )
                continue
        if code in STARTS_A_TABLE or name in STARTS_A_TABLE or first in STARTS_A_TABLE:
            again = read_headings(cells, hidden=grid.hidden_columns)
            if any(
                # A column that only counts the rows is called a code there.
                replace(each, heading=heading, code=each.code if code_at is not None else None) == columns
                for each in again
            ):
                of_all = of_document
                continue
            if again:
                table.below = (number - 1, again)
                return
            if (value is None or type(value) is str) and _is_heading(cells, at=quantity_at):
                of_all = format_lazy(
                    _("It stands below the heading “{heading}”. Is that what is in the shed?"),
                    heading=as_text(value)[:30],
                )
                continue
        problem: str | Promise = ""
        if value is UNCOMPUTED:
            value = "="
            problem = _("The formula was never computed. Open the workbook, save it, and send it again.")
        elif not code and not name:
            problem = _("There is a quantity, but neither a code nor a name. Write which good it is.")
        elif width > widest and type(value) is str:
            problem = splits(value, cells)
        if struck and any((number - 1, at) in struck for at in (code_at, name_at, quantity_at)):
            doubt = doubt or _("It is crossed out in the workbook. Is it still there?")
        lot = cells[lot_at] if lot_at is not None and lot_at < width else ""
        if lot != "":
            lot = as_text(lot)
        if unit and unit_said and unit != unit_said and not are_one_unit(unit, unit_said):
            doubt = doubt or format_lazy(
                _("Above the column stands {heading}, in the row {unit}. Is it {unit}?"),
                heading=unit_said,
                unit=unit[:20],
            )
        if note_at is not None and note_at < width and cells[note_at] and value is not None:
            note = as_text(cells[note_at])
            if _NOT_THERE.search(note):
                doubt = doubt or format_lazy(
                    _("The remark says “{note}”. Is it what is there?"), note=note[:40]
                )
        doubt = doubt or of_all
        if date_at is not None and date_at < width and cells[date_at] not in (None, ""):
            problem_of_day, doubt_of_day = day(cells[date_at])
            problem, doubt = problem or problem_of_day, doubt or doubt_of_day
        yield make(
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


_EXAMPLE = re.compile(r"示例|样例|范例|例子")
_NO_STOCK = "入库|出库|进货|到货|送货|配送|发货|销售|采购|订货|订单|预订|预定|领料|退货|报损|损耗|调拨|流水"
_NO_STOCK_BY_NAME = re.compile(_NO_STOCK)
# A cooperative may be called 果蔬销售合作社.
_NO_STOCK_BY_TITLE = re.compile(rf"(?:{_NO_STOCK})\w{{0,2}}(?:单|表|明细|记录|台账)|订单|流水账")
_STOCK = re.compile(r"库存|盘点|盘存|结存|结余|存货|剩余|可[售卖]|现存|余量")


def _no_stock(titles: Sequence[str], tables: Sequence[Columns]) -> str | Promise:
    """Why a sheet of such a name or title is probably no list of what is there: 入库单, 送货单, 填写示例."""
    # A form's own name may say that all of it is sample data; a sheet's says it of that sheet.
    if _EXAMPLE.search(titles[0]):
        return format_lazy(_("“{title}” is an example by its name. Is it meant?"), title=titles[0][:30])
    if any(_STOCK.search(text) for text in (*titles, *(columns.heading for columns in tables))):
        return ""
    name, *above = titles
    told = next((text for text in above if _NO_STOCK_BY_TITLE.search(text)), None)
    told = name if _NO_STOCK_BY_NAME.search(name) else told
    if told is None:
        return ""
    return format_lazy(_("“{title}” is no list of stock by its name. Is it what is there?"), title=told[:30])


def _is_heading(cells: Sequence[object], *, at: int) -> bool:
    """Whether the row names columns, and the one that was the stock's by a word."""
    names = [heading_of(cell)[0] for cell in cells[:MOST_COLUMNS] if isinstance(cell, str)]
    word = as_text(cells[at]) if at < len(cells) else ""
    return sum(1 for name in names if name in HEADINGS) > 1 and not any(char.isdigit() for char in word)


_NOT_THERE = re.compile(
    r"作废|取消|不算|删除|预计|未到|没到|在途|(?:明[天早日]|后天|下周)[到来采摘]|未采|没采|待采"
)
_SIGNATURE = re.compile(
    r"(?:盘点|制表|填表|制单|审核|复核|核对|负责|保管|经手|记账|打印|统计|联系|库管|仓管|会计|主管)\w{0,4}\s*[:：]"
)
_SIGNED = _("A note on who made the list, not a good.")


def _splits_of(table: _Table) -> tuple[Callable[[str, Sequence[object]], str | Promise], int]:
    """What is wrong with a number whose comma may be no comma: between cells, or before decimals; and how many cells
    a row may have that need not be looked at."""
    delimiter, after = table.grid.delimiter, table.columns.quantity + 1
    header: Sequence[object] = next(iter(itertools.islice(table.grid.rows, max(table.index, 0), None)), ())

    def find(value: str, cells: Sequence[object]) -> str | Promise:
        if delimiter == ";" and _GROUPED.fullmatch(value):
            return format_lazy(
                _("“{value}”: is the comma a decimal point? Write the number without one."), value=value
            )
        if delimiter == "," and _GROUPED.fullmatch(f"{value},{as_text(cells[after])}"):
            return format_lazy(
                _("The comma in “{value}” has split the cell. Write the number without one."),
                value=f"{value},{as_text(cells[after])}",
            )
        return ""

    if delimiter == ",":
        return find, len(header) if after < len(header) and as_text(header[after]) else after
    return find, 0 if delimiter == ";" else MOST_COLUMNS * 2


_GROUPED = re.compile(r"\d{1,3},\d{3}(?:\.\d+)?")


def code_text(cell: object) -> str:
    """A code as text; the cell 00123 arrives as the number 123.0, and as ="00123" from who wanted it as text."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return as_text(cell)


def _merged(grid: Grid, columns: Columns) -> Mapping[int, tuple[object, object, str | Promise]]:
    """What cells that were made one say of the rows that they reach over: code, name, and a doubt."""
    found: dict[int, tuple[object, object, str | Promise]] = {}
    last = len(grid.rows) - 1
    # A title over all columns, which nearly every sheet has, is one row high.
    spans = [
        (top, left, min(bottom, last), right)
        for (top, left), (bottom, right) in grid.merged
        if 0 < min(bottom, last) - top <= MOST_ROWS_MERGED
    ]
    tops = {span[0] for span in spans}
    rows = {
        row: cells
        for row, cells in enumerate(itertools.islice(grid.rows, max(tops, default=-1) + 1))
        if row in tops
    }
    for top, left, bottom, right in spans:
        for row in range(top, bottom + 1):
            code, name, doubt = found.get(row, ("", "", ""))
            if columns.code is not None and left <= columns.code <= right:
                code = _cell(rows[top], left)
            if columns.name is not None and left <= columns.name <= right:
                name = _cell(rows[top], left)
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

_A_TOTAL = _("A total, not a good.")
_ADDS_UP = _("A total, not a good; it adds up.")
_TOTAL = re.compile(
    r"\w{0,8}?(?P<word>合计|总计|共计|总共|总数|总量|总重|总和|小计|分计|subtotal|total)数?(?:\(\w{1,4}\))?:?"
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


class _Totals:
    """Compares what a table says it adds up to with what its rows say.

    Nobody keeps the rows for it: once a total comes, the table is gone through a second time, up to there.
    """

    def __init__(self, table: _Table, found: _Found) -> None:
        self._found = found
        self._behind = _read_table(table, total=lambda *_said: "", day=lambda _cell: ("", ""))
        # Of all rows of the table so far; and, as a workbook's SUM has it, of those that are no text.
        self._sums = (Decimal(0), Decimal(0))

    def compare(self, said: re.Match[str], value: object, number: int) -> str | Promise:
        """What to tell of the row with the total; a remark for the whole, too, when it does not add up."""
        # The row that ends this is the total itself.
        of_group = _sums(itertools.takewhile(lambda row: row.number < number, self._behind))
        self._sums = (self._sums[0] + of_group[0], self._sums[1] + of_group[1])
        told = self._found.told[number] = self._tell(said, value, number, of_group)
        return told

    def _tell(
        self, said: re.Match[str], value: object, number: int, of_group: tuple[Decimal, Decimal]
    ) -> str | Promise:
        total = _plain_number(value if value not in (None, "") else said["said"] or "")
        if total is None:
            return _A_TOTAL
        if total in of_group or total in self._sums:
            return _ADDS_UP
        is_part = said["word"].lower() in SUBTOTAL
        told = format_lazy(
            _("Row {row}: the total says {total}, the rows above add up to {sum}."),
            row=number % TABLES_APART,
            total=as_text(total),
            sum=as_text((of_group if is_part else self._sums)[0]),
        )
        if len(self._found.remarks) < MOST_REMARKS:
            self._found.remarks.append(told)
        return told


def _sums(rows: Iterable[Row]) -> tuple[Decimal, Decimal]:
    whole = without_text = Decimal(0)
    for row in rows:
        number = _plain_number(row.value)
        if number is not None:
            whole += number
            if not isinstance(row.value, str):
                without_text += number
    return whole, without_text


_WITH_UNIT = re.compile(r"([\d.,]{1,20})\s*(\D{1,4})")


def _plain_number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(f"{value:.12g}") if isinstance(value, float) else Decimal(value)
        return number.normalize() if number.is_finite() and abs(number.adjusted()) < 15 else None
    if isinstance(value, str):
        with_unit = _WITH_UNIT.fullmatch(value)
        value = with_unit[1] if with_unit is not None and is_unit(with_unit[2]) else value
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


_DAY_IN_TITLE = re.compile(
    r"20\d\d\s*(?:[-/.]\s*\d{1,2}\s*[-/.]\s*\d{1,2}(?!\d)|年\s*\d{1,2}\s*月\s*\d{1,2}\s*[日号]?)|\d{1,2}\s*月\s*\d{1,2}\s*[日号]"
)
_DAY_AS_NAME = re.compile(r"(?:20\d\d[-.年])?\d{1,2}[-.月]\d{1,2}[日号]?|20\d{6}")


def _find_in_titles(
    above: Sequence[Sequence[object]], tables: Sequence[Columns], *, today: date
) -> Written | None:
    """The one day that the titles name, or the heading of the quantity: 2026年11月20日库存表. None for one to come."""
    if any(columns.date is not None for columns in tables):
        # Each row says it.
        return None
    said = [as_text(cell)[:100] for row in above for cell in row if isinstance(cell, str)]
    said += [columns.heading[:100] for columns in tables]
    found: dict[date, Written] = {}
    for text in said:
        for match in _DAY_IN_TITLE.finditer(unicodedata.normalize("NFKC", text)):
            written = read_date(match[0], today=today)
            if written is not None:
                found.setdefault(written.day, written)
    (only,) = found.values() if len(found) == 1 else (None,)
    return only if only is not None and only.day <= today else None


def _days_by_name(names: Sequence[str], *, today: date) -> Mapping[str, Written]:
    """For a workbook with a sheet a day: the days, where each name is a recent one; shed 3-1 is none."""
    found: dict[str, Written] = {}
    for name in names:
        text = unicodedata.normalize("NFKC", name).strip().removesuffix("库存")
        written = read_date(text, today=today) if _DAY_AS_NAME.fullmatch(text) else None
        if written is None or not timedelta(0) <= today - written.day <= RECENT:
            return {}
        found[name] = written
    return found if len(found) > 1 else {}


_UNIT_ABOVE = re.compile(r"单\s*位\s*:?\s*\(?([^\s:()]{1,5})?(?=[\s)]|$)")


def _find_unit(above: Sequence[Sequence[object]]) -> str | None:
    """What stands above the table as 单位:公斤; None where it is the name of an office, or two units."""
    units = set()
    for row in above:
        for column, cell in enumerate(row):
            found = _UNIT_ABOVE.search(unicodedata.normalize("NFKC", as_text(cell)[:100]))
            if found is not None:
                unit = found[1] or as_text(row[column + 1] if column + 1 < len(row) else "")[:10]
                units |= {unit} if unit and is_unit(unit) else set()
    return units.pop() if len(units) == 1 else None


def _dated(found: _Found, *, counted: Written | None, today: date) -> Document:
    """The document, its moment taken from above the table, else from the newest day in the column of dates."""
    doubt: str | Promise = ""
    until = counted.day if counted else today
    if counted is not None and counted.is_guess and counted.day != today:
        found.remarks.append(
            format_lazy(_("The date has no year; it was taken as {day}."), day=counted.day.isoformat())
        )
        if abs(counted.day - today) > CERTAIN_WITHOUT_YEAR:
            doubt = format_lazy(_("Counted on {day}? The year is not written."), day=counted.day.isoformat())
    counted = counted or found.days.newest
    when = None if counted is None else counted.when
    is_day_only = when is not None and not isinstance(when, datetime)
    newest = max((table.day for table in found.tables if table.day is not None), default=None)
    return Document(
        rows=_Rows(found, doubt=doubt, until=max(today, until), newest=newest),
        counted_at=when if when is None or isinstance(when, datetime) else end_of_day(when),
        is_day_only=is_day_only,
        remarks=found.remarks[: MOST_REMARKS * 2],
    )


class _Days:
    """What the cells of the columns of dates say: first the newest of them all, then what is odd about each."""

    def __init__(self, today: date) -> None:
        self._today = today
        # A column has few days, each of them many times.
        self._read = lru_cache(maxsize=1024, typed=True)(partial(read_date, today=today))
        self._last: date | None = None
        self._moment: datetime | None = None

    @property
    def newest(self) -> Written | None:
        """The earliest moment of the newest day: what left the shed between two rows' counts is not sold twice."""
        return None if self._last is None else Written(self._moment or self._last)

    def collect(self, cell: object) -> tuple[str, str]:
        written = self._read(cell)
        if written is not None and written.day <= self._today:
            if self._last is None or written.day > self._last:
                self._last, self._moment = written.day, None
            if written.day == self._last and isinstance(written.when, datetime):
                self._moment = min(self._moment or written.when, written.when)
        return "", ""

    def tell(self, cell: object, *, until: date) -> tuple[str | Promise, str | Promise]:
        """The problem and the doubt about a row of that day, once all were collected. until: the last day that may be."""
        written = self._read(cell)
        if written is None:
            return format_lazy(
                _("“{value}” is not a date. Write it as 2026-11-23."), value=as_text(cell)[:40]
            ), ""
        if written.day > until:
            return format_lazy(
                _("The day {day} is still to come. Look at the date."), day=written.day.isoformat()
            ), ""
        if written.is_guess:
            return "", format_lazy(
                _("“{value}” has no year; {day} is meant, probably."),
                value=as_text(cell)[:40],
                day=written.day.isoformat(),
            )
        if self._last is not None and written.day < self._last:
            return "", format_lazy(
                _("Counted on {day}, and other rows on {newest}. Is it still right?"),
                day=written.day.isoformat(),
                newest=self._last.isoformat(),
            )
        return "", ""
