"""A bookkeeper keeps the day's stock in a workbook."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from backend.common.units import Counting, parse_quantity
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import Document, read_document
from tests.backend.stock.feeds.reading import first
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
        (11, "库存", "", "合计", 72.5, ""),
    ]
    assert [bool(row.skipped) for row in document.rows] == [False] * 5 + [True]
    assert list(document.remarks) == []


def test_a_total_that_does_not_add_up_is_remarked_on() -> None:
    (remark,) = read(as_workbook([*ROWS, ["合 计:", None, 99, None, None]])).remarks
    assert "10" in str(remark)
    assert "99" in str(remark)
    assert "1272.5" in str(remark)


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


# ---- More of what bookkeepers do ------------------------------------------------------------------------------------


def test_every_sheet_that_has_a_table_is_read_and_the_others_are_named() -> None:
    workbook = as_workbook(ROWS[:1])
    for title, rows in (
        ("干货", [["编码", "库存", "单位"], ["XY-0009", 5, "斤"]]),
        ("说明", [["每天六点前填好"]]),
        ("空", []),
    ):
        sheet = workbook.create_sheet(title)
        for line in rows:
            sheet.append(line)
    document = read(workbook)
    assert [(row.code, row.line, row.sheet) for row in document.rows] == [
        ("XY-0001", 5, "Sheet"),
        ("XY-0009", 2, "干货"),
    ]
    assert len({row.number for row in document.rows}) == 2
    assert "干货" in str(list(document.rows)[1].place)
    (remark,) = document.remarks
    assert "说明" in str(remark)


def test_a_table_that_begins_on_the_second_sheet_or_off_the_corner_is_found() -> None:
    workbook = Workbook()
    workbook.active["A1"] = "封面"
    sheet = workbook.create_sheet("库存")
    for column, value in enumerate(["编码", "库存", "单位"]):
        sheet.cell(row=12, column=4 + column, value=value)
        sheet.cell(row=14, column=4 + column, value=["XY-0001", 5, "斤"][column])
    (row,) = read(workbook).rows
    assert (row.line, row.letter, row.sheet) == (14, "E", "")


def test_a_column_that_is_hidden_is_no_heading() -> None:
    workbook = as_workbook([["XY-0001", 10, 20, "斤"]], header=("编码", "库存", "数量", "单位"))
    workbook.active.column_dimensions["B"].hidden = True
    document = read(workbook)
    assert [row.value for row in document.rows] == [20.0]
    assert "B" in str(document.remarks[0])


def test_a_percentage_is_not_the_number_behind_it() -> None:
    workbook = as_workbook([["XY-0001", "青二荆条", 0.5, "斤"], ["XY-0002", "红二荆条", 0.25, "斤"]])
    workbook.active["C5"].number_format = "0.0%"
    assert [row.value for row in read(workbook).rows] == ["50%", 0.25]


@pytest.mark.parametrize(
    "format, value",
    [
        ('0"公斤"', "30公斤"),
        ('#,##0.0\\ "kg"', "30kg"),
        ('0"筐";[Red]-0"筐"', "30筐"),
        ('0"元"', 30),
        ('"￥"#,##0.00', 30),
        ("#,##0.00_);(#,##0.00)", 30),
        ('yyyy"年"', None),
    ],
)
def test_a_unit_that_only_the_format_shows_is_the_numbers(format: str, value: object) -> None:
    workbook = as_workbook([["XY-0001", "青二荆条", 30, None], ["合计", None, 30, None]])
    workbook.active["C5"].number_format = format
    document = read(workbook)
    if value is not None:
        assert first(document).value == value
        assert document.remarks == []


def test_a_row_that_is_crossed_out_waits() -> None:
    workbook = as_workbook([[f"XY-000{number}", "菜", 30, "斤", "新到"] for number in range(1, 5)])
    sheet = workbook.active
    sheet["C5"].font = Font(strike=True)
    sheet["B6"].font = Font(strike=True)
    # 30, crossed out, and 20 beside it are no 3020.
    sheet["C7"] = CellRichText(TextBlock(InlineFont(strike=True), "30"), TextBlock(InlineFont(), "20"))
    sheet["E8"].font = Font(strike=True)
    sheet["C8"].font = Font(strike=False, b=True)
    assert [bool(row.doubt) for row in read(workbook).rows] == [True, True, True, False]


@pytest.mark.parametrize("is_stale, is_refused", [(True, True), (False, False)])
def test_a_nought_that_stands_for_a_formula_nobody_computed_is_none(is_stale: bool, is_refused: bool) -> None:
    workbook = as_workbook([["XY-0001", "青二荆条", "=10+20", "斤"]])
    workbook.calculation.fullCalcOnLoad = is_stale
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(as_bytes(workbook))) as source, zipfile.ZipFile(written, "w") as target:
        for name in source.namelist():
            target.writestr(
                name, source.read(name).replace(b"<v></v>", b"<v>0</v>").replace(b"<v/>", b"<v>0</v>")
            )
    (row,) = read_document(format="xlsx", raw=written.getvalue()).rows
    assert bool(row.problem) is is_refused


def test_a_code_that_is_shown_with_noughts_keeps_them_apart_from_its_number() -> None:
    workbook = as_workbook([[123, "豌豆尖", 5, "斤"]])
    workbook.active["A5"].number_format = "00000"
    assert first(read(workbook)).code == "123"


def test_one_cell_over_two_goods_waits_and_one_over_two_lots_names_both() -> None:
    workbook = as_workbook(
        [
            ["XY-0001", "甲", 30, "斤"],
            ["XY-0002", "乙", None, "斤"],
            ["XY-0003", "丙", 5, "斤"],
            [None, None, 6, "斤"],
        ]
    )
    workbook.active.merge_cells("C5:C6")
    workbook.active.merge_cells("A7:A8")
    workbook.active.merge_cells("B7:B8")
    rows = list(read(workbook).rows)
    assert [bool(row.doubt) for row in rows] == [True, True, False, False]
    assert [(row.code, row.name) for row in rows[2:]] == [("XY-0003", "丙"), ("XY-0003", "丙")]


def test_times_dates_and_truths_are_values_that_are_no_quantities() -> None:
    written = [time(6, 30), datetime(2026, 11, 3), date(2026, 11, 3), True, timedelta(hours=30)]
    rows = read(as_workbook([[f"XY-{place}", "菜", value, "斤"] for place, value in enumerate(written)])).rows
    assert [
        type(parse_quantity(row.value, unit="斤", counting=Counting("g")).base_units) for row in rows
    ] == [type(None)] * 5


def test_macros_are_left_alone_and_said_to_be() -> None:
    raw = repacked(
        as_bytes(as_workbook(ROWS[:1])), **{"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 Sub Auto_Open()"}
    )
    document = read_document(format="file", raw=raw, filename="库存.xlsm")
    assert [row.value for row in document.rows] == [72.5]
    assert len(document.remarks) == 1


def test_thousands_of_empty_rows_that_were_once_formatted_weigh_nothing() -> None:
    workbook = as_workbook(ROWS[:1])
    for line in range(6, 5000):
        workbook.active.cell(row=line, column=3).number_format = "0.00"
    workbook.active.row_dimensions[1_048_576].height = 20
    workbook.active.cell(row=1_048_576, column=3).number_format = "0.00"
    assert [row.line for row in read(workbook).rows] == [5]


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


def sheet_of(*rows: str) -> bytes:
    start = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return (start + "".join(rows) + "</sheetData></worksheet>").encode()


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("mark, is_doubted", [("<strike/>", True), ('<strike val="0"/>', False)])
def test_a_text_of_which_a_part_is_crossed_out_waits(is_shared: bool, mark: str, is_doubted: bool) -> None:
    text = f"<r><rPr>{mark}</rPr><t>30</t></r><r><t>20</t></r>"
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>编码</t></is></c><c r="B1" t="inlineStr"><is><t>库存</t></is></c></row>'
    cell = '<c r="B2" t="s"><v>1</v></c>' if is_shared else f'<c r="B2" t="inlineStr"><is>{text}</is></c>'
    row = f'<row r="2"><c r="A2" t="s"><v>0</v></c>{cell}</row>'
    texts = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<si><t>XY-0003</t></si><si>{text}</si></sst>"
    )
    raw = repacked(
        as_bytes(as_workbook(ROWS[:1])),
        **{SHEET: sheet_of(header, row), "xl/sharedStrings.xml": texts.encode()},
    )
    (found,) = read_document(format="xlsx", raw=raw).rows
    assert (found.code, found.value, bool(found.doubt)) == ("XY-0003", "3020", is_doubted)


def test_one_long_text_in_a_hundred_thousand_cells_is_refused() -> None:
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>编码</t></is></c><c r="B1" t="inlineStr"><is><t>库存</t></is></c></row>'
    cells = "".join(
        f'<row r="{line}"><c r="A{line}" t="s"><v>0</v></c><c r="B{line}"><v>1</v></c></row>'
        for line in range(2, 50_000)
    )
    texts = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>'
        + b"x" * 30_000
        + b"</t></si></sst>"
    )
    raw = as_bytes(as_workbook(ROWS[:1]))
    changed = {SHEET: sheet_of(header, cells), "xl/sharedStrings.xml": texts}
    assert refusal(repacked(raw, **changed))
    short = {**changed, "xl/sharedStrings.xml": texts.replace(b"x" * 30_000, b"XY-0001")}
    assert len(read_document(format="xlsx", raw=repacked(raw, **short)).rows) == 49_998


@pytest.mark.parametrize(
    "cell",
    [
        "<c r='XFD1048576'><v>1</v></c>",
        '<c r = "XFD1048576"><v>1</v></c>',
        '<c\tr="XFD1048576"><v>1</v></c>',
        '<c r="X&#70;D1048576"><v>1</v></c>',
        '<c s="0"r="XFD1048576"><v>1</v></c>',
        '<c r="A1048576"><v>1</v></c>',
        '<c r="ZZ90000"><v>1</v></c>',
    ],
)
def test_a_far_cell_is_found_however_it_is_written(cell: str) -> None:
    raw = as_bytes(as_workbook(ROWS[:1]))
    assert refusal(
        repacked(
            raw, **{SHEET: sheet_of('<row r="1"><c r="A1"><v>1</v></c></row>', f'<row r="2">{cell}</row>')}
        )
    )
    assert refusal(repacked(raw, **{SHEET: sheet_of('<row r="1048576"><c><v>1</v></c></row>')}))


def test_a_member_that_is_there_twice_is_refused() -> None:
    file = io.BytesIO(as_bytes(as_workbook(ROWS[:1])))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, sheet_of())
    assert refusal(file.getvalue())
