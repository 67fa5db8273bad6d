"""Files that no cooperative meant to send: real ones mutated, and ones made to hurt."""

from __future__ import annotations

import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime

import xlwt
from openpyxl import Workbook

CELLS = [
    *(
        "XY-0001",
        "XY-0002",
        "XY-0003",
        "00123",
        "123.0",
        "1.23E+11",
        "",
        " ",
        "莴笋",
        "莴苣",
        "合计",
        "小计:",
        "总计:99斤",
    ),
    *(
        "编码",
        "品名",
        "库存",
        "库存(斤)",
        "单位",
        "日期",
        "盘点时间",
        "斤",
        "公斤",
        "筐",
        "箱",
        "卖完",
        "无",
        "约30斤",
        "三十多",
        "一百二",
    ),
    *(
        "半筐",
        "2筐5斤",
        "11月3日",
        "2026/11/3",
        "46329",
        "-5",
        "−5",
        "1,200",
        "1..5",
        "#N/A",
        "=1+1",
        '="00123"',
        "50%",
        "NaN",
    ),
    *(
        "1e400",
        "9" * 400,
        "\u200b30\u200f",
        "\ufeff编码",
        "３０",
        '"',
        '"a',
        "a\nb",
        "a\tb",
        "\x00",
        "😀" * 9,
        "(",
        "亿万千",
        "点",
        "半半",
    ),
]
VALUES = [0, -0.0, 1, 72.5, -5, 1e308, 0.1 + 0.2, True, None, datetime(2026, 11, 23, 6, 10), 46349.25]


def table(dice: random.Random) -> list[list[object]]:
    """A sheet that begins well and is then written by whoever."""
    width = dice.randint(1, 9)
    header: list[object] = ["编码", "品名", "库存", "单位", *dice.choices(CELLS, k=width)][: max(2, width)]
    rows: list[list[object]] = [dice.choices(CELLS, k=2) for _line in range(dice.randint(0, 3))]
    rows.append(header if dice.random() < 0.8 else dice.sample(header, len(header)))
    for number in range(dice.randint(0, 30)):
        row: list[object] = [f"XY-{number % 9:04d}", "莴笋", dice.choice(VALUES), "斤"]
        for _change in range(dice.randint(0, 3)):
            row[dice.randrange(len(row))] = dice.choice(CELLS) if dice.random() < 0.7 else dice.choice(VALUES)
        rows.append(row + dice.choices(CELLS, k=dice.randint(0, 3)))
    return rows


def as_csv(dice: random.Random) -> bytes:
    delimiter = dice.choice(",,,\t;|，")
    text = dice.choice(["\n", "\r\n", "\r"]).join(
        delimiter.join("" if cell is None else str(cell) for cell in row) for row in table(dice)
    )
    encoding = dice.choice(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
    return text.encode(encoding, "replace")


def as_json(dice: random.Random) -> bytes:
    items = [
        {
            "code": dice.choice(CELLS),
            "quantity": dice.choice([*CELLS, *VALUES[:-2], [1], {"kg": 1}]),
            "unit": dice.choice(CELLS),
        }
        for _item in range(dice.randint(0, 30))
    ]
    header = {
        "counted_at": dice.choice(["2026-11-23T06:10:00+08:00", "", None, 5, "9999-12-31T23:59:59-23:59"])
    }
    return json.dumps({**header, "items": items}, default=str, ensure_ascii=dice.random() < 0.5).encode()


def as_xlsx(dice: random.Random) -> bytes:
    workbook = Workbook()
    for place in range(dice.randint(1, 3)):
        sheet = workbook.active if place == 0 else workbook.create_sheet(f"表{place}")
        for line, row in enumerate(table(dice), start=1):
            for column, value in enumerate(row, start=1):
                text = "".join(char for char in value if char >= " ") if isinstance(value, str) else value
                sheet.cell(row=line, column=column, value=text)
            sheet.row_dimensions[line].hidden = dice.random() < 0.05
        if dice.random() < 0.3:
            sheet.column_dimensions[dice.choice("ABCD")].hidden = True
        if dice.random() < 0.3:
            sheet.merge_cells(
                start_row=2, end_row=dice.randint(2, 9), start_column=1, end_column=dice.randint(1, 3)
            )
        if place and dice.random() < 0.3:
            sheet.sheet_state = "hidden"
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def as_xls(dice: random.Random) -> bytes:
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet("库存")
    for line, row in enumerate(table(dice)):
        for column, value in enumerate(row):
            sheet.write(line, column, value)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def as_ods(dice: random.Random) -> bytes:
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell table:number-columns-repeated="{dice.choice([1, 1, 1, 2, 9999])}">'
            f"<text:p>{''.join(char for char in str(cell) if char >= ' ' and char not in '<&')}</text:p></table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in table(dice)
    )
    content = f'<a xmlns:table="t" xmlns:text="x"><table:table table:name="库存">{rows}</table:table></a>'
    return archive(
        {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": content.encode()}
    )


def archive(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return file.getvalue()


# ---- What may happen to a file on its way ---------------------------------------------------------------------------


def damaged(raw: bytes, dice: random.Random) -> bytes:
    """Bits turned, a piece cut off, doubled, moved, or overwritten."""
    found = bytearray(raw)
    for _time in range(dice.randint(1, 4)):
        if not found:
            break
        place, length = dice.randrange(len(found)), dice.randint(1, max(1, len(found) // 4))
        match dice.randrange(6):
            case 0:
                for _bit in range(dice.randint(1, 40)):
                    found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
            case 1:
                del found[place:]
            case 2:
                del found[place : place + length]
            case 3:
                found[place:place] = found[place : place + length]
            case 4:
                found[place : place + 8] = dice.randbytes(8)
            case 5:
                found[place:place] = dice.choice(CELLS).encode(
                    "utf-8" if dice.random() < 0.5 else "gb18030", "replace"
                )
    return bytes(found)


def repacked(raw: bytes, dice: random.Random) -> bytes:
    """The same archive with what is within changed: damaged, dropped, doubled, under another name or size."""
    members: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as source:
        for name in source.namelist():
            members[name] = source.read(name)
    name = dice.choice(sorted(members))
    match dice.randrange(6):
        case 0 | 1:
            members[name] = damaged(members[name], dice)
        case 2:
            del members[name]
        case 3:
            members[
                dice.choice(["../../etc/passwd", "xl/worksheets/sheet9.xml", "xl/vbaProject.bin", "\\"])
            ] = members[name]
        case 4:
            members[name] = members[name].replace(*dice.choice(SWAPS))
        case 5:
            lying = bytearray(archive(members))
            place = lying.rfind(b"PK\x01\x02")
            lying[place + 16 : place + 28] = zlib.crc32(b"0").to_bytes(4, "little") + bytes(8)
            return bytes(lying)
    return archive(members)


SWAPS = [
    (b' r="', b" r='"),
    (b' t="', b' u="'),
    (b"<v>", b"<v>9"),
    (b"<row", b'<row hidden="1"'),
    (b'r="A', b'r="XFD104857'),
    (b"<c ", b"<x:c "),
    (b"<?xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><?xml"),
    (b'Target="', b'Target="../../../'),
    (b"UTF-8", b"UTF-16"),
    (b'rId1"', b'rId9"'),
    (b"</", b"<"),
    (b"</row>", b"</row><row><c><f>1/0</f></c></row>"),
    (b"<t>", b"<t>&#0;"),
]

KINDS: Mapping[str, Callable[[random.Random], bytes]] = {
    "库存.csv": as_csv,
    "库存.json": as_json,
    "库存.xlsx": as_xlsx,
    "库存.ods": as_ods,
    "库存.xls": as_xls,
}


def strange_file(dice: random.Random) -> tuple[str, bytes]:
    """(name, bytes) of a file, whole or not."""
    name = dice.choices(list(KINDS), weights=[8, 4, 8, 4, 1])[0]
    raw = KINDS[name](dice)
    if raw.startswith(b"PK") and dice.random() < 0.5:
        raw = repacked(raw, dice)
    elif dice.random() < 0.5:
        raw = damaged(raw, dice)
    return (name if dice.random() < 0.7 else dice.choice(["", "a.xlsx", "库存.csv", "x.et", "y.json"])), raw


# ---- Files that are made to hurt ------------------------------------------------------------------------------------

MEGABYTE = 1024 * 1024
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>编码</t></is></c><c r="B1" t="inlineStr"><is><t>库存</t></is></c></row>'


def workbook_of(*rows: str, more: Mapping[str, bytes] | None = None, behind: str = "") -> bytes:
    """A workbook whose one sheet has these rows of XML below a header."""
    file = io.BytesIO()
    Workbook().save(file)
    with zipfile.ZipFile(file) as source:
        members = {name: source.read(name) for name in source.namelist()}
    sheet = f'<?xml version="1.0"?><worksheet {_MAIN}><sheetData>{_HEADER}{"".join(rows)}</sheetData>{behind}</worksheet>'
    return archive({**members, "xl/worksheets/sheet1.xml": sheet.encode(), **(more or {})})


def _texts(length: int) -> bytes:
    return f"<sst {_MAIN}><si><t>{'x' * length}</t></si></sst>".encode()


def _shared_text_workbook() -> bytes:
    """A text of 32 KB in a hundred thousand cells: three gigabytes, once each cell has its own."""
    rows = (
        f'<row r="{line}"><c r="A{line}" t="s"><v>0</v></c><c r="B{line}"><v>1</v></c></row>'
        for line in range(2, 99_000)
    )
    return workbook_of(*rows, more={"xl/sharedStrings.xml": _texts(32_000)})


def _wide_workbook() -> bytes:
    letters = [chr(65 + place) for place in range(20)]
    return workbook_of(
        *(
            f'<row r="{line}">'
            + "".join(f'<c r="{letter}{line}"><v>{line}</v></c>' for letter in letters)
            + "</row>"
            for line in range(2, 60_000)
        )
    )


def _lines(header: str, line: Callable[[int], str], *, count: int = 100_000) -> bytes:
    text = header + "\n" + "\n".join(map(line, range(count)))
    return text.encode()[: 10 * MEGABYTE - 10].rsplit(b"\n", 1)[0]


HEAVY: Mapping[str, Callable[[], bytes]] = {
    "a zip bomb": lambda: workbook_of(more={"xl/media/a.xml": b"0" * (64 * MEGABYTE)}),
    "brackets": lambda: b'{"items":[' + b"[]," * 3_300_000 + b"[]]}",
    "cells of nobody": lambda: workbook_of('<row r="2">' + "<c><v>1</v></c>" * 3_000_000 + "</row>"),
    "one text everywhere": _shared_text_workbook,
    "a bomb of members": lambda: workbook_of(
        more={f"xl/media/{place}.bin": b"0" * (15 * MEGABYTE) for place in range(5)}
    ),
    "rows of nobody": lambda: workbook_of("<row><c><v>1</v></c></row>" * 1_500_000),
    "empty cells": lambda: workbook_of("<row>" + "<c/>" * 20 + "</row>" * 300_000),
    "half a tag": lambda: workbook_of("<c r=" * 8_000_000),
    "half a comment": lambda: workbook_of("<!--" + "<c " * 10_000_000),
    "spaces": lambda: workbook_of('<c t="s">' + " " * 30_000_000),
    "a wide workbook": _wide_workbook,
    "commas": lambda: "编码,库存\n".encode() + b"," * (10 * MEGABYTE - 50),
    "quotation marks": lambda: "编码,库存\n".encode() + b'"' * (10 * MEGABYTE - 50),
    "new lines": lambda: "编码,库存\n".encode() + b"\n" * (10 * MEGABYTE - 50),
    "nothing but NUL": lambda: "编码,库存\n".encode() + b"\x00" * (10 * MEGABYTE - 50),
    "a large list": lambda: _lines(
        "编码,品名,库存,单位", lambda n: f"XY-{n:06d},{'莴笋' * 8}{n},{n / 10},斤"
    ),
    "nobody's words": lambda: _lines("品名,库存", lambda n: f"{'莴' * 25}{n},约{n}斤({n})"),
    "totals": lambda: _lines("编码,库存", lambda n: f"XY-{n},5\n合计,{n}", count=50_000),
    "headers": lambda: _lines("编码,品名,库存", lambda n: f"XY-{n},莴笋,5\n品名,编码,库存", count=50_000),
    "days": lambda: _lines("日期,编码,库存", lambda n: f"{1 + n % 12}月{1 + n % 28}日 {n},XY-{n},5"),
    "numbers": lambda: b'{"items":[{"a":[' + b"1.55," * 1_400_000 + b"1]}]}",
    "one wide letter": lambda: ('{"items":[{"code":"' + "x" * 9_000_000 + '😀"}]}').encode(),
}
