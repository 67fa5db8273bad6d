"""CSV as it comes out of a bookkeeper's program."""

from __future__ import annotations

import codecs

import pytest

from backend.stock.feeds.document import Row
from tests.backend.stock.feeds.reading import Told, as_csv, first, read, refusal, told

ROWS = [["XY-0001", "青二荆条", "72.5", "斤"], ["XY-0003", "莴笋", "一百二", "斤"]]
TABLE = as_csv(ROWS)
READ = [Told(2, "XY-0001", "accepted", 36_250), Told(3, "XY-0003", "accepted", 60_000)]


@pytest.mark.parametrize(
    "raw",
    [
        TABLE.encode(),
        codecs.BOM_UTF8 + TABLE.encode(),
        TABLE.encode("gb18030"),
        codecs.BOM_UTF16_LE + TABLE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"),
        TABLE.replace("\r\n", "\n").encode(),
        TABLE.replace("\r\n", "\r").encode(),
        TABLE.rstrip().encode(),
        ("\ufeff" + TABLE).encode("gb18030"),
    ],
    ids=["utf-8", "utf-8 bom", "gb18030", "utf-16-le", "utf-16-be", "lf", "cr", "no end", "gb18030 bom"],
)
def test_every_encoding_that_is_met_reads_the_same(raw: bytes) -> None:
    assert told(read(raw)) == READ


def test_gb18030_has_letters_that_gbk_lacks() -> None:
    document = read(as_csv([["XY-0001", "䶮二荆条", "5", "斤"]]).encode("gb18030"))
    assert first(document).name == "䶮二荆条"


def test_a_mark_inside_a_heading_makes_no_difference() -> None:
    table = TABLE.replace("编码", "\ufeff编码").replace("品名", "\ufeff品名\u200b")
    assert told(read(codecs.BOM_UTF8 + table.encode())) == READ


@pytest.mark.parametrize(
    "raw",
    [
        TABLE.encode("gb18030") + "XY-0004,儿菜,5,斤\r\n".encode(),
        TABLE.encode() + "XY-0004,儿菜,5,斤\r\n".encode("gb18030"),
        "编码,品名,库存\r\nXY-0001,".encode("gb18030") + "青二荆条,5\r\n".encode(),
    ],
)
def test_two_encodings_in_one_file_are_refused(raw: bytes) -> None:
    assert "encodings" in refusal(raw) or "编码" in refusal(raw)


def test_text_in_no_encoding_that_is_known_is_refused() -> None:
    assert refusal("编码,品名,库存\r\n".encode("gb18030") + b"XY-1,\xff\xff\xff,5\r\n")
    assert refusal("编码,库存".encode("utf-16-le"))


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
def test_whatever_stands_between_the_cells(delimiter: str) -> None:
    assert told(read(as_csv(ROWS, delimiter=delimiter).encode())) == READ
    assert told(read(("福星村合作社,每日库存\r\n\r\n" + as_csv(ROWS, delimiter=delimiter)).encode())) == [
        each._replace(line=each.line + 2) for each in READ
    ]


def test_a_stated_separator_is_taken() -> None:
    assert told(read(("sep=;\r\n" + as_csv(ROWS, delimiter=";")).encode())) == [
        each._replace(line=each.line + 1) for each in READ
    ]


def test_quotation_marks_hold_cells_together() -> None:
    raw = '编码,品名,库存,单位\n"XY-0001","青二荆条, 新到\n第二批","1,200","斤"\n'.encode()
    (row,) = read(raw).rows
    assert (row.name, row.value) == ("青二荆条, 新到\n第二批", "1,200")


def test_a_quotation_mark_that_never_closes_swallows_no_row() -> None:
    table = as_csv([["XY-0001", '"青二荆条', "72.5", "斤"], ["XY-0003", "莴笋", "一百二", "斤"]])
    assert told(read(table.encode())) == READ
    two = as_csv(
        [
            ["XY-0001", '"青二荆条', "72.5", "斤"],
            ["XY-0003", "莴笋", "一百二", "斤"],
            ["XY-0004", '儿菜"', "5", "斤"],
        ]
    )
    assert told(read(two.encode())) == [*READ, Told(4, "XY-0004", "accepted", 2500)]


def test_text_that_a_program_kept_from_being_a_number_is_unwrapped_and_nothing_is_evaluated() -> None:
    rows = read('编码,品名,库存\n="00123",土鸡蛋,="30"\nXY-0001,=cmd|\' /C calc\'!A0,=1+1\n'.encode()).rows
    assert [(row.code, row.name, row.value) for row in rows] == [
        ("00123", "土鸡蛋", "30"),
        ("XY-0001", "=cmd|' /C calc'!A0", "=1+1"),
    ]


def test_a_nul_or_a_mark_of_direction_in_a_cell_harms_nothing() -> None:
    raw = "编码,库存,单位\nXY-0001\u200f,\u202a30\u202c,斤\nXY-00\x0003,5,斤\n".encode()
    document = read(raw)
    assert [row.code for row in document.rows] == ["XY-0001", "XY-00?03"]
    assert [each.outcome for each in told(document)] == ["accepted", "waiting"]


def test_rows_and_columns_are_counted_as_a_person_counts_them() -> None:
    (row,) = read("王会计,,,\n\n品名,编码,单位,库存\n莴笋,XY-0003,斤,5\n".encode()).rows
    assert (row.line, row.letter, str(row.place)) == (4, "D", str(Row(4, "库存", "", None, letter="D").place))


def test_a_file_of_too_many_lines_or_columns_is_refused() -> None:
    assert refusal(b"code,quantity\n" + b"XY-1,5\n" * 100_001)
    assert refusal(("编码,库存\nXY-0001,5" + ",x" * 300).encode())
    assert len(read(("编码,库存\nXY-0001,5" + "," * 300).encode()).rows) == 1
    assert refusal(b"\n" * 3_000_000)
    assert refusal(b'code,quantity\n"' + b"x" * 2_000_000)


def test_the_last_row_that_is_allowed_is_read() -> None:
    assert len(read(b"code,quantity\n" + b"XY-1,5\n" * 100_000).rows) == 100_000
