"""Spreadsheets of LibreOffice."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.backend.stock.feeds.reading import Told, first, read, refusal, told
from tests.backend.stock.shed import MORNING

NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


def cell(text: str, **attributes: str) -> str:
    said = "".join(
        f' {name.replace("_", ":", 1).replace("_", "-")}="{value}"' for name, value in attributes.items()
    )
    return (
        f"<table:table-cell{said}><text:p>{text}</text:p></table:table-cell>"
        if text
        else f"<table:table-cell{said}/>"
    )


def number(value: float) -> str:
    return cell(f"{value:.1f}", office_value_type="float", office_value=str(value))


def row(*cells: str, said: str = "") -> str:
    return f"<table:table-row{said}>{''.join(each if each.startswith('<') else cell(each) for each in cells)}</table:table-row>"


HEADER = row("编码", "品名", "库存", "单位")
CELTUCE = row("XY-0003", "莴笋", number(30), "斤")


def a_spreadsheet(
    *rows: str, columns: str = "", more: str = "", styles: str = "", manifest: str = ""
) -> bytes:
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
        f'{more}<table:table table:name="库存">{columns}{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        target.writestr("content.xml", content)
        target.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
    return file.getvalue()


def test_a_spreadsheet_is_read_like_a_workbook() -> None:
    counted = cell("23.11.26", office_value_type="date", office_date_value="2026-11-23T06:10:00")
    document = read(
        a_spreadsheet(
            row("盘点时间", counted),
            HEADER,
            row("XY-0001", "", cell("1.200", office_value_type="float", office_value="1200"), "斤"),
            row("XY-0002", "", cell("#N/A", office_value_type="string"), "斤"),
            row("XY-0003", "", cell("", table_formula="of:=1+1"), "斤"),
            row("XY-0004", "", cell("50 %", office_value_type="percentage", office_value="0.5"), "斤"),
            row("XY-0005", "", cell("卖<text:s/>完", office_value_type="string"), "斤"),
            row("00123", "", cell("是", office_value_type="boolean", office_boolean_value="true"), "个"),
        )
    )
    assert document.counted_at == MORNING
    assert told(document) == [
        Told(3, "XY-0001", "accepted", 600_000),
        Told(4, "XY-0002", "refused", None),
        Told(5, "XY-0003", "refused", None),
        Told(6, "XY-0004", "refused", None),
        Told(7, "XY-0005", "refused", None),
        Told(8, "00123", "refused", None),
    ]


def test_a_million_empty_rows_below_the_table_weigh_nothing() -> None:
    empty = row(cell("", table_number_columns_repeated="16384"), said=' table:number-rows-repeated="1048570"')
    wide = row("XY-0004", "儿菜", number(5), "斤", cell("", table_number_columns_repeated="16380"))
    document = read(a_spreadsheet(HEADER, row(said=' table:number-rows-repeated="2"'), CELTUCE, wide, empty))
    assert told(document) == [
        Told(4, "XY-0003", "accepted", 15_000),
        Told(5, "XY-0004", "accepted", 2500),
    ]


def test_what_is_hidden_is_seen_to_be() -> None:
    document = read(
        a_spreadsheet(
            row("编码", "旧", "库存", "单位"),
            row("XY-0003", "1", number(30), "斤", said=' table:visibility="filter"'),
            row("XY-0004", "1", number(5), "斤"),
            columns='<table:table-column/><table:table-column table:visibility="collapse"/>',
            styles='<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>',
            more='<table:table table:name="去年" table:style-name="ta2"><table:table-row/></table:table>',
        )
    )
    assert [each.outcome for each in told(document)] == ["waiting", "accepted"]
    assert any("去年" in str(remark) for remark in document.remarks)
    assert any("B" in str(remark) for remark in document.remarks)


def test_a_unit_that_only_the_format_shows_is_the_numbers() -> None:
    shown = cell("1,230.0 公斤", office_value_type="float", office_value="1230")
    assert first(read(a_spreadsheet(HEADER, row("XY-0003", "莴笋", shown, "")))).value == "1230公斤"
    money = cell("30 元", office_value_type="float", office_value="30")
    assert first(read(a_spreadsheet(HEADER, row("XY-0003", "莴笋", money, "")))).value == 30


def test_what_is_crossed_out_waits() -> None:
    styles = (
        '<style:style style:name="ce1"><style:text-properties style:text-line-through-style="solid"/></style:style>'
        '<style:style style:name="ce2"><style:text-properties style:text-line-through-style="none"/></style:style>'
    )
    part = '<table:table-cell><text:p><text:span text:style-name="ce1">30</text:span>20</text:p></table:table-cell>'
    document = read(
        a_spreadsheet(
            HEADER,
            row(cell("XY-0001", table_style_name="ce1"), "", number(30), "斤"),
            row(),
            row("XY-0003", "", part, "斤"),
            row(cell("XY-0004", table_style_name="ce2"), "", number(30), "斤"),
            styles=styles,
        )
    )
    assert [each.outcome for each in told(document)] == ["waiting", "waiting", "accepted"]


def test_a_comment_on_a_cell_is_not_its_text() -> None:
    noted = "<table:table-cell><office:annotation><text:p>王会计</text:p></office:annotation><text:p>30</text:p></table:table-cell>"
    assert first(read(a_spreadsheet(HEADER, row("XY-0003", "莴笋", noted, "斤")))).value == "30"


@pytest.mark.parametrize(
    "bomb",
    [
        row(cell("x", table_number_columns_repeated="999999999")),
        row("x", said=' table:number-rows-repeated="999999999"'),
        "".join(
            row(cell("x", table_number_columns_repeated="300"), said=' table:number-rows-repeated="90000"')
            for _ in "ab"
        ),
        row(cell("x" * 100_000), said=' table:number-rows-repeated="100000"') * 3
        + "".join(row(cell("y" * 100_000, table_number_columns_repeated="300")) for _ in range(4)),
    ],
    ids=["columns", "rows", "both", "texts"],
)
def test_a_repetition_that_would_fill_the_memory_is_refused(bomb: str) -> None:
    assert refusal(a_spreadsheet(HEADER, CELTUCE, bomb))


def test_a_password_broken_xml_and_entities_are_refused() -> None:
    assert "密码" in refusal(a_spreadsheet(HEADER, manifest="<encryption-data/>")) or "password" in refusal(
        a_spreadsheet(HEADER, manifest="<encryption-data/>")
    )
    assert refusal(a_spreadsheet(HEADER, "<table:table-row>"))
    assert refusal(a_spreadsheet(HEADER, "<!DOCTYPE x [<!ENTITY a 'b'>]>"))
