"""What every reader makes of a cooperative's document: its header, and its rows as they were written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.stock.words import Basis

TABLES_APART = 1_000_000
"""More than any sheet has rows: what each further table of a file adds to the numbers of its rows."""


class Row(NamedTuple):
    """One good's row. number: its row in the file, or its place in the list, from 1; value: the quantity as written.
    In a file of several tables the rows of the second begin at a million, those of the third at two: a number names
    one row, and `line` is where it stands.

    column: the heading of the quantity; letter: the column it stands in, C; sheet: its name where there are several.
    unit: as the row, or its column, says; "" for the base unit; None when nobody says. problem: why the reader
    already refuses the row; doubt: why a person must look at it before it counts; skipped: why it is no good's row at
    all, as a total is. is_hidden: the bookkeeper's
    workbook does not show it.

    A tuple, since a report may have a hundred thousand of them.
    """

    number: int
    column: str
    code: str
    value: object
    name: str = ""
    unit: str | None = ""
    lot: str = ""
    problem: str | Promise = ""
    is_hidden: bool = False
    letter: str = ""
    sheet: str = ""
    doubt: str | Promise = ""
    skipped: str | Promise = ""

    @property
    def written(self) -> str:
        """The cell as a person would read it, with its unit where it does not say one itself."""
        value, unit = self.value, self.unit
        if value is None:
            return ""
        text = value if type(value) is str and value.isprintable() else as_text(value)
        return f"{text} {unit}" if unit and text and text[-1].isnumeric() else text

    @property
    def line(self) -> int:
        """Its row in the sheet, from 1."""
        return self.number % TABLES_APART

    @property
    def place(self) -> str | Promise:
        """Where a person finds it: 第 7 行 C 列; "" for a row that is in no file."""
        if not self.number:
            return ""
        if not self.letter:
            return format_lazy(_("Row {row}"), row=self.line)
        if not self.sheet:
            return format_lazy(_("Row {row}, column {letter}"), row=self.line, letter=self.letter)
        return format_lazy(
            _("Sheet {sheet}, row {row}, column {letter}"),
            sheet=self.sheet,
            row=self.line,
            letter=self.letter,
        )


class Rows(Protocol):
    """The rows of a document, in its order. Each iteration makes them anew from the document's bytes, with the same
    values, so that nobody holds a hundred thousand of them; several may run at once. None raises anything: what is
    wrong with a document is said when it is read."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Row]: ...


@dataclass(frozen=True)
class Document:
    """A document that could be read. What it does not say is None: the feed's own settings then hold.

    is_day_only: counted_at is the end of the day that the document names, for want of a time. remarks: what a person
    should know of the whole, such as a sum that does not add up.
    """

    rows: Rows
    counted_at: datetime | None = None
    basis: Basis | None = None
    sequence: int | None = None
    is_complete: bool | None = None
    is_day_only: bool = False
    remarks: Sequence[str | Promise] = ()


def as_text(value: object) -> str:
    """A cell's value as text that PostgreSQL can hold: no NUL, no half of a surrogate pair.

    Marks that nobody sees (a byte order mark, zero-width spaces, marks of direction) are left out.
    """
    if type(value) is str:
        return value.strip() if value.isprintable() else _visible(value)
    if value is None:
        return ""
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:.12g}"
    if isinstance(value, Decimal):
        text = str(value)
        if "E" not in text:
            return text
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) < 30 else str(value)
    return _visible(str(value))


def _visible(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")
    return "".join(char for char in text if unicodedata.category(char) != "Cf").strip()
