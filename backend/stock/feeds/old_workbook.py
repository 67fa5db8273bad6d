"""Reads the workbooks of before 2007 (.xls), which many a bookkeeper's computer still writes.

Their format is read by native code from offsets that the file itself states. So it is read in a process of its own,
which may take 300 MB and 20 seconds and can harm nothing: a file that makes it fail is refused.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import Document
from backend.stock.feeds.formats import as_shown, unit_of_format
from backend.stock.feeds.table import UNCOMPUTED, Grid, read_grids
from backend.stock.feeds.workbook import PASSWORD

MOST_SECONDS = 20

_PROGRAM = Path(__file__).with_name("old_workbook_program.py")
_NOT_XLS = _("This .xls workbook cannot be read. Save it as an Excel workbook (.xlsx) and send that.")


def read_old_workbook(raw: bytes, *, mapping: Mapping[str, str] | None, today: date) -> Document:
    """Raises FeedUnreadable when the file, or the table in it, cannot be made out."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_PROGRAM)],
            input=raw,
            capture_output=True,
            timeout=MOST_SECONDS * 2,
            check=False,
        )
        said: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"error": ""}
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise FeedUnreadable(_NOT_XLS) from error
    if "error" in said:
        raise FeedUnreadable(PASSWORD if said["error"] == "password" else _NOT_XLS)
    remarks: list[str | Promise] = [
        format_lazy(_("The hidden sheet “{name}” was not read."), name=name) for name in said["hidden"]
    ]
    units = {number: unit_of_format(code) for number, code in said["formats"].items()}
    grids = [
        Grid(
            rows=_with_units(_cells(sheet["rows"]), sheet["formatted"], units=units),
            name=sheet["name"],
            hidden_rows=frozenset(sheet["hidden_rows"]),
            hidden_columns=frozenset(sheet["hidden_columns"]),
            merged=[((top, left), (bottom, right)) for (top, left), (bottom, right) in sheet["merged"]],
            struck={(row, column) for row, column in sheet["struck"]},
        )
        for sheet in said["sheets"]
    ]
    if not grids:
        raise FeedUnreadable(_("The workbook shows no sheet."))
    return read_grids(grids, mapping=mapping, today=today, remarks=remarks)


def _cells(rows: list[list[Any]]) -> list[list[Any]]:
    """The same lists, in which a date is a date: a second copy of a great sheet would be for nothing."""
    for row in rows:
        for column, value in enumerate(row):
            if isinstance(value, list):
                row[column] = _cell(value)
    return rows


def _with_units(
    rows: list[list[Any]], formatted: list[tuple[int, int, int]], *, units: Mapping[str, str]
) -> list[list[Any]]:
    """The same lists, in which a number is followed by what its format shows behind it."""
    for row, column, number in formatted:
        unit = units.get(str(number))
        value = rows[row][column] if unit and row < len(rows) and column < len(rows[row]) else None
        if unit and isinstance(value, int | float) and not isinstance(value, bool):
            rows[row][column] = as_shown(value, unit)
    return rows


def _cell(value: list[str]) -> object:
    """["datetime", "2026-11-23T06:10:00"] -> that moment."""
    kind, text = value
    if kind == "uncomputed":
        return UNCOMPUTED
    readers: Mapping[str, Callable[[str], object]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "time": time.fromisoformat,
    }
    return readers[kind](text) if kind in readers else text
