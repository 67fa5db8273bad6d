"""Workbooks of before 2007, which many a bookkeeper's computer still writes."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime

import pytest
import xlwt

from backend.stock.feeds import old_workbook
from tests.backend.stock.feeds.reading import Told, read, refusal, told
from tests.backend.stock.shed import MORNING

ROWS: Sequence[Sequence[object]] = [
    ["编码", "品名", "库存", "单位"],
    ["XY-0001", "青二荆条", 72.5, "斤"],
    [123, "土鸡蛋", 30, "个"],
    ["XY-0003", "莴笋", "一百二", "斤"],
]


def an_old_workbook(
    rows: Sequence[Sequence[object]] = ROWS, *, top: int = 0
) -> tuple[xlwt.Workbook, xlwt.Worksheet]:
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet("库存")
    for number, row in enumerate(rows, start=top):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    # Short ones are kept elsewhere in the file; a real one never is.
    filler = workbook.add_sheet("说明")
    for number in range(200):
        filler.write(number, 0, f"没有表 {number}")
    return workbook, sheet


def as_bytes(workbook: xlwt.Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def test_an_old_workbook_is_read_like_a_new_one() -> None:
    workbook, sheet = an_old_workbook(top=3)
    sheet.write_merge(0, 0, 0, 3, "白马合作社每日库存")
    sheet.write(1, 0, "盘点时间")
    sheet.write(1, 1, datetime(2026, 11, 23, 6, 10), xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm"))
    document = read(as_bytes(workbook), filename="库存.xls")
    assert document.counted_at == MORNING
    assert told(document) == [
        Told(5, "XY-0001", "accepted", 36_250),
        Told(6, "123", "accepted", 30),
        Told(7, "XY-0003", "accepted", 60_000),
    ]
    assert "说明" in str(document.remarks[0])


def test_hidden_sheets_rows_and_columns_and_errors_are_seen() -> None:
    workbook, sheet = an_old_workbook(
        [[*row[:2], "旧" if not number else 1, *row[2:]] for number, row in enumerate(ROWS)]
    )
    sheet.row(2).hidden = True
    sheet.col(2).hidden = True
    sheet.row(4).set_cell_text(0, "XY-0004")
    sheet.row(4).set_cell_error(3, 0x2A)
    secret = workbook.add_sheet("去年")
    secret.visibility = 1
    document = read(as_bytes(workbook))
    assert [(each.code, each.outcome) for each in told(document)] == [
        ("XY-0001", "accepted"),
        ("123", "waiting"),
        ("XY-0003", "accepted"),
        ("XY-0004", "refused"),
    ]
    assert any("去年" in str(remark) for remark in document.remarks)
    assert any("C" in str(remark) for remark in document.remarks)


def test_what_only_the_look_of_a_cell_says_is_seen() -> None:
    workbook, sheet = an_old_workbook([["编码", "品名", "库存"]])
    for number, (value, format, look) in enumerate(
        [
            (30, '0"公斤"', ""),
            (0.5, "0%", ""),
            ("30斤", "General", "font: struck_out on"),
            (30.25, '0.00"kg"', "font: bold on"),
            ("30斤", "General", "font: bold on, height 400"),
        ],
        start=1,
    ):
        sheet.write(number, 0, f"XY-000{number}")
        sheet.write(number, 2, value, xlwt.easyxf(look, num_format_str=format))
    rows = list(read(as_bytes(workbook)).rows)
    assert [(row.value, bool(row.doubt)) for row in rows] == [
        ("30公斤", False),
        ("50%", False),
        ("30斤", True),
        ("30.25kg", False),
        ("30斤", False),
    ]


@pytest.mark.parametrize("result", [b"\x03\x00\x00\x00\x00\x00\xff\xff", bytes(8)])
@pytest.mark.parametrize("flags, is_refused", [(2, True), (0, False)])
def test_a_formula_that_was_never_computed_is_refused(result: bytes, flags: int, is_refused: bool) -> None:
    workbook, sheet = an_old_workbook([["编码", "品名", "库存"], ["XY-0001", "青二荆条"]])
    sheet.row(1).set_cell_formula(2, xlwt.Formula("10+20"))
    written = b"\x03\x00\x00\x00\x00\x00\xff\xff" + bytes(2)
    raw = as_bytes(workbook)
    assert raw.count(written) == 1
    (row,) = read(raw.replace(written, result + bytes([flags, 0]))).rows
    assert bool(row.problem) is is_refused


def test_a_broken_old_workbook_is_refused() -> None:
    raw = as_bytes(an_old_workbook()[0])
    for broken in (
        raw[: len(raw) // 2],
        raw[:600],
        raw[:512] + bytes(len(raw) - 512),
        raw[:1000] + raw[3000:],
    ):
        assert ".xlsx" in refusal(broken)


def test_a_reader_that_hangs_or_dies_refuses_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = as_bytes(an_old_workbook()[0])
    run = subprocess.run
    monkeypatch.setattr(old_workbook, "MOST_SECONDS", 0.01)
    monkeypatch.setattr(
        subprocess, "run", lambda args, **how: run([sys.executable, "-c", "while True: pass"], **how)
    )
    assert refusal(raw)
    monkeypatch.setattr(old_workbook, "MOST_SECONDS", 20)
    monkeypatch.setattr(
        subprocess, "run", lambda args, **how: run([sys.executable, "-c", "import os; os.abort()"], **how)
    )
    assert refusal(raw)
