"""A program: an .xls workbook on standard input becomes JSON on standard output. `old_workbook` runs it.

It imports nothing of the shop, and sets its own limits before it reads.
"""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import resource
import struct
import sys
from typing import Any

MOST_BYTES = 300 * 1024 * 1024
MOST_SECONDS = 20
MOST_CELLS = 1_000_000
MOST_TEXT = 32 * 1024 * 1024


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineError, PasswordError

    raw = sys.stdin.buffer.read()
    try:
        said: dict[str, Any] = read(raw)
    except PasswordError:
        said = {"error": "password"}
    except (
        CalamineError,
        MemoryError,
        ValueError,
        OSError,
        IndexError,
        struct.error,
        OverflowError,
    ) as error:
        said = {"error": type(error).__name__}
    sys.stdout.write(json.dumps(said))
    return 0


def read(raw: bytes) -> dict[str, Any]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    marks, formats = read_marks(raw)
    sheets, hidden = [], []
    cells = text = 0
    with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as workbook:
        for index, sheet in enumerate(workbook.sheets_metadata[:200]):
            if sheet.typ is not SheetTypeEnum.WorkSheet:
                continue
            if sheet.visible is not SheetVisibleEnum.Visible:
                hidden.append(sheet.name)
                continue
            table = workbook.get_sheet_by_index(index)
            left = table.start[1] if table.start else 0
            rows: list[list[object]] = []
            for row in table.iter_rows():
                cells += len(row)
                text += sum(len(value) for value in row if isinstance(value, str))
                if cells > MOST_CELLS or text > MOST_TEXT:
                    raise MemoryError
                rows.append([""] * left + [as_json(value) for value in row])
            if table.end is not None:
                # Releases of calamine differ on whether the empty rows above are told of.
                rows = [[] for _row in range(table.end[0] + 1 - len(rows))] + rows
            mark = marks.get(index, Marks())
            for (line, column), said in (
                *((at, "#N/A") for at in mark.errors),
                *((at, ["uncomputed", ""]) for at in mark.uncomputed),
            ):
                if line < len(rows) and column < len(rows[line]):
                    rows[line][column] = said
            sheets.append(
                {
                    "name": sheet.name,
                    "rows": rows,
                    "hidden_rows": mark.hidden_rows,
                    "hidden_columns": mark.hidden_columns,
                    "formatted": mark.formatted,
                    "struck": mark.struck,
                    "merged": (table.merged_cell_ranges or [])[:10_000],
                }
            )
    return {"sheets": sheets, "hidden": hidden, "formats": formats}


def as_json(value: object) -> object:
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return [type(value).__name__, value.isoformat()]
    if isinstance(value, datetime.timedelta):
        return ["timedelta", str(value)]
    return value


# ---- What calamine does not tell: hidden rows and columns, errors, formulas not computed, formats, what is struck out -

BOUNDSHEET, ROW, COLINFO, BOOLERR, FORMULA, EOF = 0x85, 0x208, 0x7D, 0x205, 0x06, 0x0A
FONT, FORMAT, XF, NUMBER, RK, MULRK, LABEL, LABELSST = 0x31, 0x41E, 0xE0, 0x203, 0x27E, 0xBD, 0x204, 0xFD


@dataclasses.dataclass
class Marks:
    """Of one sheet; rows and columns count from 0. formatted: row, column, and the number of the format."""

    hidden_rows: list[int] = dataclasses.field(default_factory=list)
    hidden_columns: list[int] = dataclasses.field(default_factory=list)
    errors: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    uncomputed: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    formatted: list[tuple[int, int, int]] = dataclasses.field(default_factory=list)
    struck: list[tuple[int, int]] = dataclasses.field(default_factory=list)


def read_marks(raw: bytes) -> tuple[dict[int, Marks], dict[int, str]]:
    """For each sheet, by its place, what it says beyond its values; and the codes of formats that show more than that."""
    stream = workbook_stream(raw)
    starts: list[int] = []
    fonts: list[bool] = []
    styles: list[tuple[int, int]] = []
    formats = {9: "0%", 10: "0.00%"}
    for kind, body in records(stream, 0):
        if kind == BOUNDSHEET and len(body) >= 4:
            starts.append(struct.unpack_from("<I", body)[0])
        elif kind == FONT and len(body) >= 4:
            fonts.append(bool(body[2] & 0x08))
        elif kind == XF and len(body) >= 4:
            font, number = struct.unpack_from("<HH", body)
            # There is no font of the number 4.
            styles.append((font - (font > 4), number))
        elif kind == FORMAT and len(body) >= 5:
            text = body[5:].decode("utf-16-le" if body[4] & 1 else "latin-1", "replace")
            if "%" in text or not text.isascii() or '"' in text:
                formats[struct.unpack_from("<H", body)[0]] = text[:100]
    is_odd = [(font < len(fonts) and fonts[font], number in formats) for font, number in styles]
    found = {}
    for index, start in enumerate(starts[:200]):
        marks = found[index] = Marks()
        for kind, body in records(stream, start):
            if kind == ROW and len(body) >= 16 and struct.unpack_from("<I", body, 12)[0] & 0x20:
                marks.hidden_rows.append(struct.unpack_from("<H", body)[0])
            elif kind == COLINFO and len(body) >= 10 and struct.unpack_from("<H", body, 8)[0] & 0x1:
                first, last = struct.unpack_from("<HH", body)
                marks.hidden_columns.extend(range(first, min(last, 255) + 1))
            elif (kind == BOOLERR and len(body) >= 8 and body[7]) or (
                kind == FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2
            ):
                marks.errors.append(struct.unpack_from("<HH", body))
            elif kind == FORMULA and len(body) >= 16 and body[14] & 0x2 and is_nothing(body[6:14]):
                # To be computed on opening, and never was.
                marks.uncomputed.append(struct.unpack_from("<HH", body))
            elif kind in (NUMBER, RK, FORMULA, LABEL, LABELSST) and len(body) >= 6:
                row, column, style = struct.unpack_from("<HHH", body)
                mark_look(marks, row, column, style=style, styles=styles, is_odd=is_odd)
            elif kind == MULRK and len(body) >= 6:
                row, column = struct.unpack_from("<HH", body)
                for place in range((len(body) - 6) // 6):
                    style = struct.unpack_from("<H", body, 4 + 6 * place)[0]
                    mark_look(marks, row, column + place, style=style, styles=styles, is_odd=is_odd)
    return found, formats


def is_nothing(result: bytes) -> bool:
    """Whether a formula's result is 0, or no text."""
    return result == bytes(8) or (result[6:] == b"\xff\xff" and result[0] == 3)


def mark_look(
    marks: Marks,
    row: int,
    column: int,
    *,
    style: int,
    styles: list[tuple[int, int]],
    is_odd: list[tuple[bool, bool]],
) -> None:
    """Keep that a cell is struck out, or shown in a format that says more than its number."""
    is_struck, is_formatted = is_odd[style] if style < len(is_odd) else (False, False)
    if is_struck:
        marks.struck.append((row, column))
    if is_formatted:
        marks.formatted.append((row, column, styles[style][1]))


def records(stream: bytes, start: int) -> Any:
    """(kind, body) of each record of the part of the stream that begins there."""
    place = start
    while place + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, place)
        yield kind, stream[place + 4 : place + 4 + size]
        if kind == EOF:
            return
        place += 4 + size


def workbook_stream(raw: bytes) -> bytes:
    """The stream named Workbook, or Book, of the compound file; b"" when it is short enough to be kept elsewhere."""
    size = 1 << struct.unpack_from("<H", raw, 30)[0]
    if not 128 <= size <= 4096:
        raise ValueError("sector size")

    def sector(number: int) -> bytes:
        return raw[(number + 1) * size : (number + 2) * size]

    tables = [number for number in struct.unpack_from("<109I", raw, 76) if number < 0xFFFFFFFA]
    following, more = struct.unpack_from("<II", raw, 68)
    while following < 0xFFFFFFFA and more and len(tables) < 100_000:
        numbers = struct.unpack(f"<{size // 4}I", sector(following))
        tables += [number for number in numbers[:-1] if number < 0xFFFFFFFA]
        following, more = numbers[-1], more - 1
    links: list[int] = []
    for number in tables:
        block = sector(number)
        links += struct.unpack(f"<{len(block) // 4}I", block[: len(block) // 4 * 4])

    def chain(first: int, most: int) -> bytes:
        parts: list[bytes] = []
        while first < len(links) and len(parts) * size < most:
            parts.append(sector(first))
            first = links[first]
        return b"".join(parts)

    directory = chain(struct.unpack_from("<I", raw, 48)[0], 1024 * 1024)
    for place in range(0, len(directory) - 127, 128):
        entry = directory[place : place + 128]
        name = entry[: max(0, struct.unpack_from("<H", entry, 64)[0] - 2)].decode("utf-16-le", "replace")
        if name in ("Workbook", "Book"):
            start, length = struct.unpack_from("<II", entry, 116)
            return b"" if length < 4096 else chain(start, len(raw))[:length]
    return b""


if __name__ == "__main__":
    sys.exit(main())
