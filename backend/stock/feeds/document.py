"""What every reader makes of a cooperative's document: its header, and its rows as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.functional import Promise

from backend.stock.words import Basis


@dataclass(frozen=True)
class Row:
    """One good's row. number: its row in the file, or its place in the list, from 1; value: the quantity as written.

    unit: as the row, or its column, says; "" for the base unit; None when nobody says. problem: why the reader
    already refuses the row. is_hidden: the bookkeeper's workbook does not show it.
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

    @property
    def written(self) -> str:
        """The cell as a person would read it, with its unit."""
        if self.value is None:
            return ""
        return " ".join(part for part in (as_text(self.value), self.unit or "") if part)


@dataclass(frozen=True)
class Document:
    """A document that could be read. What it does not say is None: the feed's own settings then hold.

    is_day_only: counted_at is the end of the day that the document names, for want of a time. remarks: what a person should know of the whole, such as a sum that does not add up.
    """

    rows: Sequence[Row]
    counted_at: datetime | None = None
    basis: Basis | None = None
    sequence: int | None = None
    is_complete: bool | None = None
    is_day_only: bool = False
    remarks: Sequence[str | Promise] = ()


def as_text(value: object) -> str:
    """A cell's value as text that PostgreSQL can hold: no NUL, no half of a surrogate pair."""
    if value is None:
        return ""
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:.12g}"
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < 30 else str(value)
    return str(value).encode("utf-8", "replace").decode("utf-8").replace("\x00", "?").strip()
