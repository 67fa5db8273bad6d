"""From a file's bytes to what becomes of each row, without a database: what the tests of the readers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import pytest
from django.utils.functional import Promise

from backend.common.units import Counting
from backend.stock.decide import Books, Count, decide
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import FILE, Document, Row, read_document
from backend.stock.matching import Catalogue, Known, Matches
from backend.stock.words import Basis
from tests.backend.stock.shed import MORNING

TODAY = date(2026, 11, 23)
GOODS = [
    Known(1, "XY-0001", "青二荆条"),
    Known(2, "XY-0002", "红二荆条"),
    Known(3, "XY-0003", "莴笋"),
    Known(4, "XY-0004", "儿菜"),
    Known(5, "XY-0005", "豌豆尖"),
    Known(6, "00123", "土鸡蛋"),
]
COUNTINGS = {
    **{known.pk: Counting("g", "筐", None) for known in GOODS},
    3: Counting("g", "筐", 20_000),
    6: Counting("piece", "箱", 30),
}
COUNT = Count(key=(MORNING, 1, "b"), basis=Basis.SHELF, counts_from=MORNING)


class Told(NamedTuple):
    """What became of a row."""

    line: int
    code: str
    outcome: str
    base_units: int | None


def read(raw: bytes, *, filename: str = "", mapping: Mapping[str, str] | None = None) -> Document:
    return read_document(format=FILE, raw=raw, filename=filename, mapping=mapping, today=TODAY)


def first(document: Document) -> Row:
    return next(iter(document.rows))


def told(document: Document, *, on_hand: int = 0) -> list[Told]:
    """on_hand: what the books have of each good, counted yesterday; 0: it was never counted."""
    counted = (MORNING - timedelta(days=1), 1, "a") if on_hand else None
    books = {
        pk: Books(pk, counting, on_hand, 0, counted, on_hand or None, "斤" if on_hand else "")
        for pk, counting in COUNTINGS.items()
    }
    matches = Matches(rows=document.rows, catalogue=Catalogue(GOODS))
    return [
        Told(each.row.line, each.row.code or each.row.name, each.outcome.value, each.base_units)
        for each in decide(matches=matches, books=books, count=COUNT)
    ]


def as_read(row: Row) -> list[object]:
    """The row with its sentences in words: two promises of the same sentence are not equal."""
    return [str(said) if isinstance(said, Promise) else said for said in row]


def assert_the_rows_come_again(document: Document) -> None:
    """The same rows in the same order, as many as it says, also while somebody else is going through them."""
    rows = [as_read(row) for row in document.rows]
    assert rows
    assert len(document.rows) == len(rows)
    for one, other in zip(document.rows, document.rows, strict=True):
        assert as_read(one) == as_read(other) == rows.pop(0)
    assert rows == []


def refusal(raw: bytes, *, filename: str = "") -> str:
    with pytest.raises(FeedUnreadable) as refused:
        read(raw, filename=filename)
    return str(refused.value)


def as_csv(
    rows: Sequence[Sequence[object]], *, delimiter: str = ",", header: str = "编码,品名,库存,单位"
) -> str:
    lines = [header.replace(",", delimiter), *(delimiter.join(map(str, row)) for row in rows)]
    return "\r\n".join(lines) + "\r\n"
