"""When a feed is asked: every so many seconds, or daily at times of its own time zone. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_TIME = re.compile(r"([01]?\d|2[0-3])[:\uff1a]([0-5]\d)")


def read_times(text: str) -> tuple[time, ...]:
    """ "06:30 18:00", also with commas, sorted and each once. Raises ValueError."""
    found = set()
    for word in re.split(r"[\s,\uff0c\u3001;\uff1b]+", text.strip()):
        if not word:
            continue
        matched = _TIME.fullmatch(word)
        if matched is None:
            raise ValueError(f"{word!r} is not a time of a day")
        found.add(time(int(matched[1]), int(matched[2])))
    return tuple(sorted(found))


def next_time(*, after: datetime, every_seconds: int, daily_at: Sequence[time], zone: ZoneInfo) -> datetime:
    """The first moment after `after` at which the feed is to be asked.

    A time that a change of clocks leaves out is taken an hour later, one that comes twice is taken the first time.
    """
    if not daily_at:
        return after + timedelta(seconds=every_seconds)
    day = after.astimezone(zone).date()
    moments = (
        # Through the moment itself: an hour that is left out becomes one that there is.
        datetime.combine(day + timedelta(days=days), at, tzinfo=zone).astimezone(ZoneInfo("UTC"))
        for days in (0, 1, 2)
        for at in daily_at
    )
    return min(moment for moment in moments if moment > after)
