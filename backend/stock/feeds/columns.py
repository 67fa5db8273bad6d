"""Which column of a cooperative's table holds what: told by its headings, or once by a person.

A heading is compared without spaces, brackets and dates: 库存(斤), "11月23日 库存" and 库 存 are 库存.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import as_text

CODE = (
    "编码", "商品编码", "产品编码", "货品编码", "物料编码", "货号", "商品货号", "代码", "商品代码", "产品代码", "编号", "商品编号",
    "产品编号", "品号", "sku", "code", "itemcode", "productcode",
)  # fmt: skip
NAME = (
    "品名", "名称", "商品", "商品名称", "商品名", "产品", "产品名称", "产品名", "货品", "货品名称", "货名", "菜名", "菜品", "菜品名称",
    "蔬菜名称", "农产品名称", "品种", "品类名称", "name", "productname", "product",
)  # fmt: skip
COUNTED = (
    "实盘", "实盘数", "实盘数量", "盘点数", "盘点数量", "实存", "实存数", "实际库存", "盘点", "盘存", "盘存数",
)  # fmt: skip
LEFT = (
    "期末库存", "期末结存", "现存", "现存量", "结存", "结存数量", "结余", "结余数量", "余量", "剩余", "剩余数量", "剩余库存", "剩余量",
)  # fmt: skip
WEIGHT = ("重量", "斤数", "公斤数")
OTHER_WEIGHT = ("总重", "总重量", "总斤数", "净重", "毛重")
"""Of all that is there, or of one pack: beside another number only a person can say."""

# In order of preference: what somebody counted goes before what the books say, and what is there before what a sheet may
# call its numbers otherwise.
QUANTITY = (
    *COUNTED,
    "库存", "库存数量", "库存量", "现有库存", "当前库存", "今日库存", "当日库存", "现库存", "实时库存", "可售库存", "可卖数量", "可售数量",
    "库存数", "存货", "存货数量", "存量",
    *LEFT,
    "数量", "今日数量", *WEIGHT, "quantity", "qty", "stock", "onhand", "count",
)  # fmt: skip
UNIT = ("单位", "计量单位", "库存单位", "规格单位", "unit", "uom")
LOT = ("批次", "批号", "批次号", "lot", "batch")
DATE = ("日期", "盘点日期", "统计日期", "盘点时间", "统计时间", "date")
NOTE = ("备注", "说明", "note", "remark", "remarks")

ROLES: Mapping[str, Sequence[str]] = {
    "code": CODE,
    "name": NAME,
    "quantity": QUANTITY,
    "unit": UNIT,
    "lot": LOT,
    "date": DATE,
    "note": NOTE,
}
"""What a column can be, and the headings that say so."""

MOST_ABOVE_HEADER = 30
MOST_COLUMNS = 200
MOST_OF_EXAMPLE = 20

STARTS_A_TABLE = frozenset([*CODE, *NAME])
"""A row with one of these, as it stands, may be a header further down."""


@dataclass(frozen=True)
class UnknownColumn:
    """A column that a person is to explain.

    header: its heading, by which it is explained. role: one of ROLES that it probably has, "" where that is open.
    examples: the first cells below, "" for an empty one.
    """

    header: str
    role: str
    examples: Sequence[str]


class ColumnsUnknown(FeedUnreadable):
    """The table's headings say too little: a person who knows them is asked, once.

    headers: the headings as they stand, or "A 列", "B 列" … for a table without any; examples: the rows below them.
    A mapping from these to roles (code, name, quantity, unit, lot, date, note) is what `read_document` then takes.
    """

    code = "columns_unknown"

    def __init__(
        self, message: str | Promise, *, headers: Sequence[str] = (), examples: Sequence[Sequence[str]] = ()
    ) -> None:
        super().__init__(message)
        self.headers = tuple(headers)
        self.examples = tuple(tuple(row) for row in examples)

    @property
    def columns(self) -> tuple[UnknownColumn, ...]:
        """The headings one by one, with what is known of them all the same."""
        roles = _probable_roles(self.headers)
        return tuple(
            UnknownColumn(
                header, role, [row[place][:MOST_OF_EXAMPLE] for row in self.examples if place < len(row)]
            )
            for place, (header, role) in enumerate(zip(self.headers, roles, strict=True))
        )


@dataclass(frozen=True)
class Columns:
    """Which column of one table holds what, from 0; heading: the quantity's, as it stands; unit: what that says."""

    quantity: int
    heading: str
    code: int | None = None
    name: int | None = None
    unit_column: int | None = None
    lot: int | None = None
    date: int | None = None
    note: int | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Header:
    """The row with the headings, from 0 (-1: there is none), and the tables that stand side by side below it."""

    index: int
    tables: Sequence[Columns]


def letter_of(column: int) -> str:
    """0 -> A, 26 -> AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def find_header(
    rows: Sequence[Sequence[object]],
    *,
    mapping: Mapping[str, str] | None = None,
    hidden: Collection[int] = (),
) -> Header | None:
    """The first row whose headings are understood: by the mapping, else by the names that headings go by."""
    top = rows[:MOST_ABOVE_HEADER]
    if mapping:
        found = _mapped(top, mapping=mapping)
        if found is not None:
            return found
    for index, row in enumerate(top):
        tables = read_headings(row, hidden=hidden)
        if tables:
            both = _of_two_rows(top, index)
            if both is None:
                return Header(index, _without_serials(tables, row, top[index + 1 :]))
            # 库存 above 筐 and 斤: where they do not tell which, a person must.
            tables = read_headings(both, hidden=hidden)
            return Header(index + 1, _without_serials(tables, row, top[index + 2 :])) if tables else None
    return None


def _without_serials(
    tables: Sequence[Columns], row: Sequence[object], below: Sequence[Sequence[object]]
) -> list[Columns]:
    """The tables, in which a column 编号 that only counts the rows, 1, 2, 3, is no code: the names tell the goods."""
    found = []
    for columns in tables:
        at = columns.code
        if at is not None and columns.name is not None and heading_of(as_text(row[at]))[0] == "编号":
            texts = [as_text(cells[at]) for cells in below if at < len(cells)]
            said = list(itertools.takewhile(str.isdigit, filter(None, texts)))
            if len(said) > 1 and said == [str(number) for number in range(1, len(said) + 1)]:
                columns = replace(columns, code=None)
        found.append(columns)
    return found


def _of_two_rows(rows: Sequence[Sequence[object]], index: int) -> list[str] | None:
    """The headings of this row with those of a second row below it, 库存/斤; None where that is no second row."""
    if index + 1 >= len(rows):
        return None
    above = [as_text(cell) for cell in rows[index][:MOST_COLUMNS]]
    below = [as_text(cell) for cell in rows[index + 1][:MOST_COLUMNS]]
    said = [column for column, text in enumerate(below) if text]
    if not said or any(len(below[column]) > 8 or re.search(r"\d", below[column]) for column in said):
        return None
    names = [heading_of(text)[0] for text in above]
    keys = [column for column, name in enumerate(names) if name in STARTS_A_TABLE]
    if not keys or any(column < len(below) and below[column] not in ("", above[column]) for column in keys):
        return None
    above += [""] * (len(below) - len(above))
    names += [""] * (len(below) - len(names))
    # Under 库存, or under what its merged cell reaches over; a single word elsewhere is a note.
    if not any(names[column] in QUANTITY for column in said) and (
        len(said) < 2 or all(above[column] for column in said)
    ):
        return None
    both, heading = [], ""
    for column, text in enumerate(above):
        heading = text or heading
        low = below[column].strip("()（）") if column < len(below) else ""
        both.append(f"{heading}/{low}" if low and heading and low != heading else text)
    return both


def read_headings(row: Sequence[object], *, hidden: Collection[int] = ()) -> list[Columns]:
    """The tables that this row heads, from left to right; none when it is no header."""
    headings = [
        heading_of(cell) if isinstance(cell, str) else ("", None)
        for column, cell in enumerate(row[:MOST_COLUMNS])
    ]
    # A column of units holds, even where nobody wants to see it.
    headings = [
        ("", None) if column in hidden and heading[0] not in UNIT else heading
        for column, heading in enumerate(headings)
    ]
    names = [name for name, _unit in headings]
    key = next((role for role in (CODE, NAME) if any(name in role for name in names)), None)
    if key is None or not any(name in QUANTITY for name in names):
        return []
    preferred = next(alias for alias in key if alias in names)
    starts = [column for column, name in enumerate(names) if name == preferred]
    # 品名, 编码, 库存, 品名, 编码, 库存: what stands before a table's code belongs to it, as in the first.
    for ahead in dict.fromkeys((starts[0], 0)):
        edges = [0, *(start - ahead for start in starts[1:]), len(names)]
        tables = [
            columns
            for first, last in itertools.pairwise(edges)
            if (columns := _columns(row, headings[first:last], first=first)) is not None
        ]
        if len(tables) == len(starts):
            break
    return tables


def _columns(
    row: Sequence[object], headings: Sequence[tuple[str, str | None]], *, first: int
) -> Columns | None:
    names = [name for name, _unit in headings]

    def place(aliases: Sequence[str]) -> int | None:
        """The column of the first alias that there is: the aliases stand in order of preference."""
        return next((first + names.index(alias) for alias in aliases if alias in names), None)

    quantity = place(QUANTITY)
    if quantity is None:
        return None
    name, unit = headings[quantity - first]
    is_sure = names.count(name) == 1
    if name not in COUNTED and name not in LEFT:
        is_sure = is_sure and not any(other in LEFT for other in names)
    if name not in WEIGHT and unit is None:
        is_sure = is_sure and not any(other in WEIGHT or other in OTHER_WEIGHT for other in names)
    if not is_sure:
        # 11月22日库存 and 11月23日库存 beside each other, 库存 and 剩余, 数量 and 重量: which it is, a person must say.
        return None
    if unit is None:
        unit = {"斤数": "斤", "公斤数": "公斤"}.get(name)
    return Columns(
        quantity=quantity,
        heading=as_text(row[quantity]),
        code=place(CODE),
        name=place(NAME),
        unit_column=place(UNIT),
        lot=place(LOT),
        date=place(DATE),
        note=place(NOTE),
        unit=unit,
    )


def _mapped(rows: Sequence[Sequence[object]], *, mapping: Mapping[str, str]) -> Header | None:
    """The row that has all headings that somebody explained."""
    wanted = {_heading(header)[0]: role for header, role in mapping.items() if role in ROLES}
    if "quantity" not in wanted.values() or not {"code", "name"} & set(wanted.values()):
        return None
    lettered = [re.fullmatch(r"([a-z]{1,3})列", name) for name in wanted]
    if all(lettered):
        return Header(
            -1, [_by_role({_number(found[1]): wanted[found[0]] for found in lettered if found}, row=())]
        )
    in_full = {plain_heading(header): role for header, role in mapping.items() if role in ROLES}
    for index, row in enumerate(rows):
        for cells, last in ((_of_two_rows(rows, index) or (), index + 1), (row, index)):
            texts = _told_apart(cells)
            # 库存(筐) beside 库存(斤) is told apart in full; where nothing is as it was, the name has to do.
            for roles, names in (
                (in_full, [plain_heading(text) for text in texts]),
                (wanted, [_heading(text)[0] for text in texts]),
            ):
                if roles.keys() <= set(names) and all(names.count(name) == 1 for name in roles):
                    at = {names.index(name): role for name, role in roles.items()}
                    return Header(last, [_by_role(at, row=cells)])
    return None


def _told_apart(row: Sequence[object]) -> list[str]:
    """The headings as they stand; of two that are the same, the second with its column: 库存 D列."""
    texts: list[str] = []
    for column, cell in enumerate(row[:MOST_COLUMNS]):
        text = as_text(cell)[:60]
        texts.append(f"{text} {letter_of(column)}列" if text and text in texts else text)
    return texts


def _by_role(roles: Mapping[int, str], *, row: Sequence[object]) -> Columns:
    at: dict[str, int] = {}
    for column, role in sorted(roles.items()):
        at.setdefault(role, column)
    quantity = at["quantity"]
    heading = as_text(row[quantity]) if row else ""
    name, unit = heading_of(heading)
    return Columns(
        quantity=quantity,
        heading=heading or f"{letter_of(quantity)} 列",
        code=at.get("code"),
        name=at.get("name"),
        unit_column=at.get("unit"),
        lot=at.get("lot"),
        date=at.get("date"),
        note=at.get("note"),
        unit=unit or {"斤数": "斤", "公斤数": "公斤"}.get(name),
    )


def _number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


@lru_cache(maxsize=4096)
def heading_of(text: str) -> tuple[str, str | None]:
    """库存(斤) -> (库存, 斤); 11月23日 库存 -> (库存, None)."""
    name, unit = _heading(text)
    if name in HEADINGS:
        return name, unit
    undated = _DATED.sub("", name).strip("-/_:,.")
    return (undated, unit) if undated in HEADINGS else (name, unit)


def plain_heading(text: str) -> str:
    """A heading without spaces and in signs of one width, so that it is the same tomorrow."""
    return re.sub(r"[\s*_]", "", unicodedata.normalize("NFKC", as_text(text))).lower().rstrip(":;,")


@lru_cache(maxsize=4096)
def _heading(text: str) -> tuple[str, str | None]:
    name = plain_heading(text)
    found = re.fullmatch(r"(.+?)[(\[/【](?:单位:?)?(\w+)[)\]】]?", name)
    if found is None:
        return name, None
    # 库存(实盘), 库存(11月23日): a remark, and no unit.
    return found[1], None if _REMARK.fullmatch(found[2]) else found[2]


_DATED = re.compile(r"(?:\d{2,4}[-/年.])?\d{1,2}(?:月|[-/.])\d{1,2}[日号]?|\d{1,2}[日号]")
_REMARK = re.compile(
    rf"今[日天早晚]|当[日天]|现有|实[盘际存时]|盘点|早上|上午|中午|下午|晚上|必填|数量|{_DATED.pattern}"
)
HEADINGS = frozenset(alias for aliases in ROLES.values() for alias in aliases)
"""All words that say what a column holds."""


def _probable_roles(headers: Sequence[str]) -> list[str]:
    """What each heading says that its column is; "" where it says nothing, or several say the same."""
    found = [
        next((role for role, names in ROLES.items() if heading_of(header)[0] in names), "")
        for header in headers
    ]
    if any(heading_of(header)[0] in OTHER_WEIGHT for header in headers):
        found = ["" if role == "quantity" else role for role in found]
    return [role if found.count(role) == 1 else "" for role in found]


def unknown(rows: Sequence[Sequence[object]]) -> ColumnsUnknown:
    """What to ask when no header was understood: the row that looks most like one, and what stands below it."""
    top = [[as_text(cell)[:60] for cell in row[:MOST_COLUMNS]] for row in rows[:MOST_ABOVE_HEADER]]
    filled = [sum(1 for text in row if text) for row in top]
    most = max(filled, default=0)
    headers: list[str] = []
    examples: list[list[str]] = []
    if most >= 2:
        index = next(index for index, count in enumerate(filled) if count >= max(2, most - 1))
        headers = list(top[index])
        examples = top[index + 1 : index + 4]
        if any(re.fullmatch(r"[\d.,]+", text) for text in headers):
            examples = top[index : index + 3]
            headers = [f"{letter_of(column)} 列" for column in range(len(headers))]
        else:
            both = _of_two_rows(rows[:MOST_ABOVE_HEADER], index)
            if both is not None:
                examples = top[index + 2 : index + 5]
            headers = _told_apart(both or rows[index])
        while headers and not headers[-1]:
            headers.pop()
    several = [header for header in headers if heading_of(header)[0] in (*QUANTITY, *OTHER_WEIGHT)]
    if len(several) > 1:
        message = format_lazy(
            _("Several columns may say what is there: {columns}. Say once which one it is."),
            columns=", ".join(several[:6]),
        )
    else:
        message = format_lazy(
            _("No table was found. One row must have the headings {code} and {quantity}."),
            code=CODE[0],
            quantity="库存",
        )
    return ColumnsUnknown(
        message,
        headers=headers,
        examples=[row[: len(headers)] for row in examples],
    )
