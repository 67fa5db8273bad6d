"""Which column of a cooperative's table holds what: told by its headings, or once by a person.

A heading is compared without spaces, brackets and dates: 库存(斤), "11月23日 库存" and 库 存 are 库存.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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
# In order of preference: what is there goes before what a sheet may call its numbers otherwise.
QUANTITY = (
    "库存", "库存数量", "库存量", "现有库存", "实际库存", "当前库存", "今日库存", "当日库存", "现库存", "实时库存", "期末库存", "可售库存",
    "可卖数量", "可售数量", "库存数", "存货", "存货数量", "存量", "现存", "现存量", "结存", "结存数量", "结余", "结余数量", "期末结存", "盘点数",
    "盘点数量", "盘点", "盘存", "盘存数", "实盘", "实盘数", "实盘数量", "实存", "实存数", "余量", "剩余", "剩余数量", "剩余库存", "剩余量",
    "数量", "今日数量", "重量", "斤数", "公斤数", "quantity", "qty", "stock", "onhand", "count",
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

STARTS_A_TABLE = frozenset([*CODE, *NAME])
"""A row with one of these, as it stands, may be a header further down."""


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
    unit: str | None = None


@dataclass(frozen=True)
class Header:
    """The row with the headings, from 0 (-1: there is none), and the tables that stand side by side below it."""

    index: int
    tables: Sequence[Columns]


def fingerprint(headers: Sequence[str]) -> str:
    """sha256 of the headings, by which the meaning that a person gave them is found again tomorrow."""
    return hashlib.sha256("\x1f".join(_heading(header)[0] for header in headers).encode()).hexdigest()


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
            return Header(index, tables)
    return None


def read_headings(row: Sequence[object], *, hidden: Collection[int] = ()) -> list[Columns]:
    """The tables that this row heads, from left to right; none when it is no header."""
    headings = [
        ("", None) if column in hidden or not isinstance(cell, str) else heading_of(cell)
        for column, cell in enumerate(row[:MOST_COLUMNS])
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
    if names.count(name) > 1:
        # 11月22日库存 and 11月23日库存 beside each other: which is today's, a person must say.
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
    for index, row in enumerate(rows):
        names = [_heading(text)[0] for text in _told_apart(row)]
        if wanted.keys() <= set(names):
            return Header(
                index, [_by_role({names.index(name): role for name, role in wanted.items()}, row=row)]
            )
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
    if name in _KNOWN:
        return name, unit
    undated = _DATED.sub("", name).strip("-/_:,.")
    return (undated, unit) if undated in _KNOWN else (name, unit)


@lru_cache(maxsize=4096)
def _heading(text: str) -> tuple[str, str | None]:
    name = unicodedata.normalize("NFKC", as_text(text))
    name = re.sub(r"[\s*_]", "", name).lower().rstrip(":;,")
    found = re.fullmatch(r"(.+?)[(\[/【](?:单位:?)?(\w+)[)\]】]?", name)
    return (found[1], found[2]) if found else (name, None)


_DATED = re.compile(r"(?:\d{2,4}[-/年.])?\d{1,2}(?:月|[-/.])\d{1,2}[日号]?|\d{1,2}[日号]")
_KNOWN = frozenset(alias for aliases in ROLES.values() for alias in aliases)


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
            headers = _told_apart(rows[index])
        while headers and not headers[-1]:
            headers.pop()
    return ColumnsUnknown(
        format_lazy(
            _("No table was found. One row must have the headings {code} and {quantity}."),
            code=CODE[0],
            quantity=QUANTITY[0],
        ),
        headers=headers,
        examples=[row[: len(headers)] for row in examples],
    )
