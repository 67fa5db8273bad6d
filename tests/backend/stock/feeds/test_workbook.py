"""A bookkeeper keeps the day's stock in a workbook."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from openpyxl import Workbook

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import Document, read_document
from tests.backend.stock.shed import MORNING, SHANGHAI, as_bytes, as_workbook

ROWS: Sequence[Sequence[object]] = [
    ["XY-0001", "青二荆条", 72.5, "斤", None],
    ["XY-0002", "红二荆条", "1,200", "斤", "新到"],
    ["XY-0003", "小米辣", "卖完", "斤", None],
    ["XY-0004", "青菜头", None, "斤", "没盘"],
    ["XY-0005", "儿菜", "约30", "斤", None],
]


def read(workbook: Workbook) -> Document:
    return read_document(format="xlsx", raw=as_bytes(workbook))


def test_a_table_below_its_titles_with_a_total_below_it() -> None:
    document = read(as_workbook([*ROWS, [None, None, None, None, None], ["合计", None, 72.5, None, None]]))

    assert document.counted_at == MORNING
    assert (document.basis, document.sequence, document.is_complete) == (None, None, None)
    assert [(row.number, row.column, row.code, row.name, row.value, row.unit) for row in document.rows] == [
        (5, "库存", "XY-0001", "青二荆条", 72.5, "斤"),
        (6, "库存", "XY-0002", "红二荆条", "1,200", "斤"),
        (7, "库存", "XY-0003", "小米辣", "卖完", "斤"),
        (8, "库存", "XY-0004", "青菜头", None, "斤"),
        (9, "库存", "XY-0005", "儿菜", "约30", "斤"),
    ]
    assert list(document.remarks) == []


def test_a_total_that_does_not_add_up_is_remarked_on() -> None:
    (remark,) = read(as_workbook([*ROWS, ["合 计:", None, 99, None, None]])).remarks
    assert "10" in str(remark)
    assert "99" in str(remark)
    assert "72.5" in str(remark)


@pytest.mark.parametrize(
    "header,code,unit",
    [
        (("编 码", "品名", "库存（公斤）"), "XY-1", "公斤"),
        (("序号", "货号", "数量/斤"), "菜", "斤"),
        (("商品编码", "单位", "盘点数量"), "XY-1", "菜"),
        (("Code", "Name", "Quantity"), "XY-1", None),
    ],
)
def test_headings_are_found_by_the_names_they_go_by(
    header: tuple[str, ...], code: str, unit: str | None
) -> None:
    (row,) = read(as_workbook([["XY-1", "菜", 5]], header=header)).rows
    assert (row.code, row.value, row.unit) == (code, 5, unit)


def test_hidden_rows_are_marked_and_hidden_sheets_are_not_read() -> None:
    workbook = as_workbook(ROWS[:2])
    workbook.active.row_dimensions[6].hidden = True
    secret = workbook.create_sheet("去年", 0)
    secret.sheet_state = "hidden"
    secret["A1"] = "编码"
    document = read(workbook)
    assert [row.is_hidden for row in document.rows] == [False, True]
    assert "去年" in str(document.remarks[0])


def test_errors_and_formulas_without_a_value_are_not_taken_for_blanks() -> None:
    workbook = as_workbook([["XY-0001", "青二荆条", "=1+1", "斤"], ["XY-0002", "红二荆条", "#N/A", "斤"]])
    workbook.active["C6"].data_type = "e"
    formula, error = read(workbook).rows
    assert (formula.value, bool(formula.problem)) == ("=", True)
    assert error.value == "#N/A"


def test_a_code_that_the_workbook_took_for_a_number_is_text_again() -> None:
    (row,) = read(as_workbook([[123, "豌豆尖", 5, "斤"]])).rows
    assert row.code == "123"


@pytest.mark.parametrize(
    "written,expected",
    [
        (datetime(2026, 11, 23, 6, 10), MORNING),
        ("2026/11/23 06:10", MORNING),
        ("2026年11月23日 6点10分", MORNING),
        (46349.25694444445, MORNING),
        (date(2026, 11, 23), datetime(2026, 11, 23, 23, 59, 59, tzinfo=SHANGHAI)),
        ("2026-11-23", datetime(2026, 11, 23, 23, 59, 59, tzinfo=SHANGHAI)),
        ("王会计", None),
        ("2026/13/45", None),
    ],
)
def test_when_it_was_counted_stands_above_the_table(written: object, expected: datetime | None) -> None:
    document = read(as_workbook(ROWS[:1], counted_at=written))
    assert document.counted_at == expected
    assert document.is_day_only is (expected is not None and expected != MORNING)


def test_the_time_may_stand_in_the_cell_of_its_label() -> None:
    workbook = as_workbook(ROWS[:1], counted_at=None)
    workbook.active["A2"] = "盘点时间:2026/11/23 06:10"
    assert read(workbook).counted_at == MORNING


def test_a_note_below_the_table_is_a_row_without_a_quantity() -> None:
    document = read(as_workbook([*ROWS[:1], ["制表:王会计"]]))
    assert [row.value for row in document.rows] == [72.5, None]


# ---- Files that are not what they seem ------------------------------------------------------------------------------


def refusal(raw: bytes) -> str:
    with pytest.raises(FeedUnreadable) as refused:
        read_document(format="xlsx", raw=raw)
    return str(refused.value)


def repacked(raw: bytes, **changed: bytes) -> bytes:
    """The same archive with some members replaced; the keys are file names."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for name in source.namelist():
            copy.writestr(name, changed.get(name, source.read(name)))
        for name in changed.keys() - set(source.namelist()):
            copy.writestr(name, changed[name])
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_what_is_no_workbook_is_refused() -> None:
    for raw in (b"", b"PK\x03\x04", b"<html>", b"\x89PNG", as_bytes(as_workbook(ROWS))[:-400]):
        assert refusal(raw)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "no workbook")
    assert refusal(archive.getvalue())


def test_an_old_or_protected_workbook_is_told_how_to_be_saved() -> None:
    assert ".xlsx" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)


def test_a_workbook_without_a_table_is_refused() -> None:
    assert "库存" in refusal(as_bytes(as_workbook([], header=("甲", "乙"))))


def test_a_zip_bomb_is_refused_before_it_unfolds() -> None:
    raw = repacked(as_bytes(as_workbook(ROWS)), **{"xl/media/big.xml": b"0" * (65 * 1024 * 1024)})
    assert len(raw) < 200_000
    assert refusal(raw)


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    raw = bytearray(repacked(as_bytes(as_workbook(ROWS)), **{"xl/media/big.xml": b"0" * 1_000_000}))
    # Both headers state one byte, with the checksum of one byte: `zipfile` would stop there, content.
    with zipfile.ZipFile(io.BytesIO(bytes(raw))) as archive:
        entry = archive.getinfo("xl/media/big.xml")
    struct.pack_into("<I", raw, entry.header_offset + 14, zlib.crc32(b"0"))
    struct.pack_into("<I", raw, entry.header_offset + 22, 1)
    central = raw.rindex(b"xl/media/big.xml") - 46
    struct.pack_into("<I", raw, central + 16, zlib.crc32(b"0"))
    struct.pack_into("<I", raw, central + 24, 1)
    with zipfile.ZipFile(io.BytesIO(bytes(raw))) as archive:
        assert archive.read("xl/media/big.xml") == b"0"
    assert refusal(bytes(raw))


def test_a_sheet_that_claims_millions_of_cells_is_refused() -> None:
    workbook = as_workbook(ROWS)
    workbook.active["XFD1048576"] = 1
    assert refusal(as_bytes(workbook))


def test_a_document_type_is_refused() -> None:
    raw = as_bytes(as_workbook(ROWS))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        sheet = archive.read(SHEET)
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + sheet
    assert refusal(repacked(raw, **{SHEET: bomb}))


def test_broken_xml_within_is_refused() -> None:
    raw = as_bytes(as_workbook(ROWS))
    for content in (b"", b"<worksheet><sheetData><row", b"\x00\xff\xfe"):
        assert refusal(repacked(raw, **{SHEET: content}))


def test_seconds_that_excel_cannot_keep_are_rounded() -> None:
    moment = datetime(2026, 11, 23, 6, 10, 7)
    assert read(as_workbook(ROWS[:1], counted_at=moment)).counted_at == MORNING + timedelta(seconds=7)
