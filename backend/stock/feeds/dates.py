"""Days as they stand in a cooperative's file: in a column of the table, or beside 盘点时间 above it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.common.clock import in_shop_zone, parse_written

# Naive, as every date in a workbook is.
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (it has no zone until its wall clock is known to be Shanghai's)
_FIRST_SERIAL, _LAST_SERIAL = 40_000, 80_000
_COMPACT = re.compile(r"(20\d\d)(\d\d)(\d\d)")
_WITHOUT_YEAR = re.compile(
    r"(?P<month>\d{1,2})\s*(?:月|[-/.])\s*(?P<day>\d{1,2})\s*[日号]?"
    r"(?:\s*(?P<hour>\d{1,2})\s*[:时点]\s*(?P<minute>\d{1,2})?\s*分?)?"
)


@dataclass(frozen=True)
class Written:
    """A day, or a moment where the time of day is written, too. is_guess: the year was not written."""

    when: date | datetime
    is_guess: bool = False

    @property
    def day(self) -> date:
        return self.when.date() if isinstance(self.when, datetime) else self.when


def read_date(cell: object, *, today: date) -> Written | None:
    """What a cell of a date column says; None when that is no date. A number is a date only there.

    Without a year (11月3日) it is the year that brings it nearest to today.
    """
    found: datetime | date | None = None
    if isinstance(cell, datetime | date):
        found = cell
    elif (
        isinstance(cell, int | float) and not isinstance(cell, bool) and _FIRST_SERIAL <= cell < _LAST_SERIAL
    ):
        # A date that lost its format: days since 1899-12-30.
        found = _EPOCH + timedelta(days=float(cell))
        if float(cell).is_integer():
            found = found.date()
    elif isinstance(cell, int | float | str) and not isinstance(cell, bool):
        text = unicodedata.normalize("NFKC", f"{cell:.0f}" if isinstance(cell, float) else str(cell)).strip()
        if re.fullmatch(r"\d{5}(?:\.\d+)?", text):
            return read_date(float(text), today=today)
        found = parse_written(text)
        if found is None:
            compact = _COMPACT.fullmatch(text)
            return _on(compact[1], compact[2], compact[3]) if compact else _nearest(text, today=today)
    if isinstance(found, datetime):
        # Excel keeps fractions of days: round to the second that was meant.
        try:
            found = in_shop_zone((found + timedelta(milliseconds=500)).replace(microsecond=0))
        except OverflowError:
            return None
    return None if found is None else Written(found)


def _on(year: str, month: str, day: str) -> Written | None:
    try:
        return Written(date(int(year), int(month), int(day)))
    except ValueError:
        return None


def _nearest(text: str, *, today: date) -> Written | None:
    found = _WITHOUT_YEAR.search(text)
    if (
        found is None
        or (found.start() and text[found.start() - 1].isdigit())
        or text[found.end() :][:1].isdigit()
    ):
        return None
    days = []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            days.append(date(year, int(found["month"]), int(found["day"])))
        except ValueError:
            continue
    if not days:
        return None
    day = min(days, key=lambda day: abs(day - today))
    if found["hour"] is None:
        return Written(day, is_guess=True)
    moment = parse_written(f"{day:%Y-%m-%d} {found['hour']}:{found['minute'] or 0}")
    return None if moment is None else Written(moment, is_guess=True)
