"""Every so many seconds, or daily at times of the feed's own zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.stock.schedule import next_time, read_times
from tests.backend.stock.shed import MORNING, SHANGHAI

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "text, times",
    [
        ("", ()),
        ("06:30 18:00", (time(6, 30), time(18))),
        ("18:00,6:30", (time(6, 30), time(18))),
        ("6：30、18：00、06:30", (time(6, 30), time(18))),
    ],
)
def test_times_are_read_as_people_write_them(text: str, times: tuple[time, ...]) -> None:
    assert read_times(text) == times


@pytest.mark.parametrize("text", ["25:00", "6", "06:60", "noon", "06:30-18:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        read_times(text)


def test_without_times_it_is_asked_after_so_many_seconds() -> None:
    assert next_time(after=MORNING, every_seconds=45, daily_at=(), zone=SHANGHAI) == MORNING + timedelta(
        seconds=45
    )


def test_with_times_it_is_asked_at_the_next_of_them_today_or_tomorrow() -> None:
    def after(moment: datetime) -> datetime:
        return next_time(after=moment, every_seconds=60, daily_at=(time(6, 10), time(18)), zone=SHANGHAI)

    assert after(MORNING - timedelta(seconds=1)) == MORNING
    assert after(MORNING) == MORNING.replace(hour=18, minute=0)
    assert after(MORNING.replace(hour=18, minute=0)) == MORNING + timedelta(days=1)


def test_the_times_are_those_of_the_feeds_own_zone() -> None:
    urumqi = ZoneInfo("Asia/Urumqi")
    found = next_time(after=MORNING, every_seconds=60, daily_at=(time(6, 10),), zone=urumqi)
    assert found == MORNING + timedelta(hours=2)


def test_an_hour_that_the_clocks_leave_out_is_not_left_out() -> None:
    """In Berlin there was no 02:30 on 29 March 2026."""
    midnight = datetime(2026, 3, 29, tzinfo=BERLIN)
    found = next_time(after=midnight, every_seconds=60, daily_at=(time(2, 30),), zone=BERLIN)
    assert found.astimezone(BERLIN).hour == 3 and found.astimezone(BERLIN).day == 29


@given(
    after=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)),
    daily=st.lists(st.times().map(lambda at: at.replace(second=0, microsecond=0)), min_size=1, max_size=4),
    zone=st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("UTC")]),
)
def test_the_next_time_is_always_later_and_within_a_day(
    after: datetime, daily: list[time], zone: ZoneInfo
) -> None:
    moment = after.replace(tzinfo=ZoneInfo("UTC"))
    found = next_time(after=moment, every_seconds=60, daily_at=daily, zone=zone)
    assert timedelta(0) < found - moment <= timedelta(hours=25)
