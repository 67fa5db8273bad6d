"""Time at the shop's edge: aware everywhere, UTC inside, Asia/Shanghai where a person reads or writes it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHOP_ZONE = ZoneInfo("Asia/Shanghai")

_WRITTEN = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*[日号]?"
    r"(?:[\sT]*(?P<hour>\d{1,2})\s*[:时点]\s*(?P<minute>\d{1,2})?\s*分?(?::(?P<second>\d{1,2})(?:\.\d+)?)?)?"
)


def in_shop_zone(moment: datetime) -> datetime:
    """The same moment with Shanghai's wall clock; a naive one is taken to be Shanghai's already."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=SHOP_ZONE)
    return moment.astimezone(SHOP_ZONE)


def end_of_day(day: date) -> datetime:
    """The last second of that day in the shop's zone."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHOP_ZONE) - timedelta(seconds=1)


def parse_written(text: str) -> datetime | date | None:
    """A date, with or without a time of day, as a bookkeeper writes it: 2026/11/23 6:10, 2026年11月23日 6点10分.

    None when there is none in the text; without a time of day the answer is a date.
    """
    found = _WRITTEN.search(text)
    if found is None:
        return None
    year, month, day = (int(found[part]) for part in ("year", "month", "day"))
    try:
        if found["hour"] is None:
            return date(year, month, day)
        hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
        return datetime(year, month, day, hour, minute, second, tzinfo=SHOP_ZONE)
    except ValueError:
        return None
