"""Rows are made anew each time: the same ones, whatever the kind of file, and nobody holds them all."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from collections.abc import Callable

import pytest

from backend.stock.feeds import JSON, read_document
from tests.backend.stock.feeds import test_old_workbook, test_opendocument
from tests.backend.stock.feeds.reading import as_csv, assert_the_rows_come_again, read, refusal
from tests.backend.stock.shed import as_bytes, as_json, as_workbook
from tests.bench.great_sheds import a_csv, a_document, a_workbook

ITEMS: list[dict[str, object]] = [
    {"code": "XY-0001", "quantity": 128.5},
    {"code": 7},
    {"code": "XY-0003", "quantity": {}},
]
LAID_OUT = """盘点日期:11月3日
编码,品名,库存,日期,编码,库存
XY-0001,青二荆条,10,2026/11/22,XY-0003,30
XY-0002,"红二荆条
新到",="20",11月21日,XY-0004,5
合计,,31,,合计,35
品名,编码,库存,,品名,库存
儿菜,XY-0004,5,,豌豆尖,7
"""


def a_marked_workbook() -> bytes:
    workbook = as_workbook(
        [["XY-0001", "青二荆条", 0.5, "斤"], ["XY-0003", None, "=1+1"], ["合计", None, 30]]
    )
    sheet = workbook.active
    sheet["C5"].number_format = "0%"
    sheet.row_dimensions[6].hidden = True
    sheet.merge_cells("B5:B6")
    return as_bytes(workbook)


@pytest.mark.parametrize(
    "raw",
    [
        as_json(ITEMS),
        b'\xef\xbb\xbf{"items": [NaN, {"code": "\\ud800", "quantity": Infinity}]}',
        LAID_OUT.encode(),
        LAID_OUT.encode("gb18030"),
        LAID_OUT.encode("utf-16"),
        ("sep=,\n" + LAID_OUT).encode(),
        LAID_OUT.replace('"', "", 1).encode(),
        a_marked_workbook(),
        test_old_workbook.as_bytes(test_old_workbook.an_old_workbook()[0]),
        test_opendocument.a_spreadsheet(test_opendocument.HEADER, test_opendocument.CELTUCE),
    ],
    ids=range(10),
)
def test_the_rows_can_be_gone_through_again(raw: bytes) -> None:
    assert_the_rows_come_again(read(raw))


def test_the_tables_of_a_file_that_has_many_are_read_as_those_of_one_that_has_few() -> None:
    """Beyond a few, the cells are kept: going through the text for each table would be dear."""
    for tables in (2, 3, 4, 9):
        beside = ["编码,库存(斤)"] * tables, [f"XY-{n},{n}" for n in range(tables)]
        document = read("\n".join(map(",".join, beside)).encode())
        assert [row.code for row in document.rows] == [f"XY-{n}" for n in range(tables)]
        assert_the_rows_come_again(document)
        below = "".join(
            f"编码,品名,库存\nXY-{n},菜,5\n" if n % 2 else f"品名,编码,库存\n菜,XY-{n},5\n"
            for n in range(tables)
        )
        document = read(below.encode())
        assert [(row.code, row.line) for row in document.rows] == [
            (f"XY-{n}", 2 * n + 2) for n in range(tables)
        ]
        assert_the_rows_come_again(document)
    assert refusal((below * 13).encode())


def test_a_total_far_below_is_compared_with_what_stands_above_it() -> None:
    rows: list[list[object]] = [[f"XY-{n}", "菜", n, "斤"] for n in range(300)]
    right, wrong = [["合计", "", 299 * 150, ""]], [["合计", "", 1, ""]]
    assert read(as_csv(rows + right).encode()).remarks == []
    (remark,) = read(as_csv(rows + wrong + rows).encode()).remarks
    assert "302" in str(remark) and "44850" in str(remark)


@pytest.mark.parametrize(
    "format, make, most_a_line",
    [
        (JSON, lambda goods: a_document(goods=goods, round_number=0), 90),
        ("csv", lambda goods: a_csv(goods=goods), 20),
    ],
)
def test_a_long_file_takes_up_little_more_than_its_bytes(
    format: str, make: Callable[[int], bytes], most_a_line: int
) -> None:
    """What grows with the file, a line: a kilobyte where its rows were kept."""

    def most(goods: int) -> int:
        raw = make(goods)
        gc.collect()
        tracemalloc.start()
        try:
            document = read_document(format=format, raw=raw)
            for _time in range(2):
                deque(document.rows, maxlen=0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most(10)
    assert (most(12_000) - most(4_000)) / 8_000 < most_a_line


def test_the_cells_of_a_workbook_are_no_objects_before_they_are_asked_for() -> None:
    raw = a_workbook(goods=2_000)
    read_document(format="xlsx", raw=raw)
    gc.collect()
    before = len(gc.get_objects())
    document = read_document(format="xlsx", raw=raw)
    deque(document.rows, maxlen=0)
    # A list a row would be two thousand; the first hundred rows are kept.
    assert len(gc.get_objects()) - before < 500
    assert len(document.rows) == 2_000


def test_no_long_number_outlives_its_document() -> None:
    def read_one(digit: int) -> None:
        raw = b'{"items": [{"code": "A", "quantity": 1.%b}]}' % (str(digit).encode() * 500_000)
        assert [row.code for row in read_document(format=JSON, raw=raw).rows] == ["A"]

    read_one(1)
    gc.collect()
    tracemalloc.start()
    try:
        for digit in range(2, 10):
            read_one(digit)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()
