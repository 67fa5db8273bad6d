"""The solar terms, against the almanac of the Purple Mountain Observatory."""

from datetime import UTC, date, datetime, timedelta

import pytest

from storefront_theme.shop.almanac import TERMS, solar_term, sun_longitude

BEGINNINGS_2026 = {
    "小寒": date(2026, 1, 5),
    "大寒": date(2026, 1, 20),
    "立春": date(2026, 2, 4),
    "雨水": date(2026, 2, 18),
    "惊蛰": date(2026, 3, 5),
    "春分": date(2026, 3, 20),
    "清明": date(2026, 4, 5),
    "谷雨": date(2026, 4, 20),
    "立夏": date(2026, 5, 5),
    "小满": date(2026, 5, 21),
    "芒种": date(2026, 6, 5),
    "夏至": date(2026, 6, 21),
    "小暑": date(2026, 7, 7),
    "大暑": date(2026, 7, 23),
    "立秋": date(2026, 8, 7),
    "处暑": date(2026, 8, 23),
    "白露": date(2026, 9, 7),
    "秋分": date(2026, 9, 23),
    "寒露": date(2026, 10, 8),
    "霜降": date(2026, 10, 23),
    "立冬": date(2026, 11, 7),
    "小雪": date(2026, 11, 22),
    "大雪": date(2026, 12, 7),
    "冬至": date(2026, 12, 22),
}


@pytest.mark.parametrize("chinese, first", BEGINNINGS_2026.items())
def test_a_term_begins_on_its_day(chinese: str, first: date) -> None:
    assert solar_term(first).term.chinese == chinese
    assert solar_term(first).first == first
    assert solar_term(first - timedelta(days=1)).term.chinese != chinese


@pytest.mark.parametrize(
    "day, chinese",
    [
        # 22:10 in China, when it is still the afternoon in Greenwich.
        (date(2025, 2, 3), "立春"),
        (date(2024, 12, 21), "冬至"),
        (date(2023, 12, 22), "冬至"),
        (date(2021, 2, 3), "立春"),
    ],
)
def test_years_differ_by_a_day(day: date, chinese: str) -> None:
    assert solar_term(day).term.chinese == chinese
    assert solar_term(day).first == day


def test_every_day_belongs_to_a_term_of_fourteen_to_sixteen_days() -> None:
    day = date(2020, 1, 6)
    seen = []
    while day < date(2036, 1, 1):
        found = solar_term(day)
        assert 14 <= (found.last - found.first).days + 1 <= 16
        seen.append(found.number)
        day = found.last + timedelta(days=1)
    # 小寒 is the 23rd, and no term is left out.
    assert seen == [(22 + place) % 24 + 1 for place in range(len(seen))]


def test_the_sun_stands_where_meeus_computed_it() -> None:
    # Astronomical Algorithms, example 25.a: 1992 October 13, 0h TD; 199.90895 degrees by the simple method.
    at = datetime(1992, 10, 13, tzinfo=UTC) - timedelta(seconds=59)
    assert sun_longitude(at) == pytest.approx(199.909, abs=0.002)


def test_there_are_twenty_four_fifteen_degrees_apart() -> None:
    assert [term.longitude for term in TERMS] == [(315 + 15 * place) % 360 for place in range(24)]
