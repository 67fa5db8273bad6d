"""The twenty-four solar terms: which one a day belongs to. Pure: no clock, no database.

A term begins on the day, in China's time, on which the sun's apparent longitude passes its multiple of 15
degrees (GB/T 33661-2017). The longitude is computed after Meeus, Astronomical Algorithms, chapter 25, low
accuracy: within 0.01 degree, a quarter of an hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CHINA = timezone(timedelta(hours=8))
_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class SolarTerm:
    """One of the twenty-four. longitude: degrees of the sun at its beginning; saying: what people say of it."""

    longitude: int
    chinese: str
    name: str | Promise
    saying: str | Promise


TERMS = tuple(
    SolarTerm(longitude=longitude, chinese=chinese, name=name, saying=saying)
    for longitude, chinese, name, saying in (
        (
            315,
            "立春",
            _("Start of Spring"),
            _("On the day spring starts, every herb turns back to bud."),
        ),
        (330, "雨水", _("Rain Water"), _("Rain in spring is dear as oil.")),
        (
            345,
            "惊蛰",
            _("Waking of Insects"),
            _("Spring thunder sounds, and all things grow."),
        ),
        (
            0,
            "春分",
            _("Spring Equinox"),
            _("At the equinox the wheat stands up; an hour is worth gold."),
        ),
        (
            15,
            "清明",
            _("Clear and Bright"),
            _("Around Clear and Bright, plant melons and beans."),
        ),
        (30, "谷雨", _("Grain Rain"), _("Rain gives birth to the hundred grains.")),
        (
            45,
            "立夏",
            _("Start of Summer"),
            _("Three days into summer, the hoe is everywhere."),
        ),
        (60, "小满", _("Lesser Fullness"), _("Lesser Fullness: the ears are filling.")),
        (75, "芒种", _("Grain in Ear"), _("Grain in Ear is busy: the wheat comes in.")),
        (
            90,
            "夏至",
            _("Summer Solstice"),
            _("Dumplings at the winter solstice, noodles at the summer one."),
        ),
        (
            105,
            "小暑",
            _("Lesser Heat"),
            _("Lesser Heat, Greater Heat: steamed from above, boiled from below."),
        ),
        (
            120,
            "大暑",
            _("Greater Heat"),
            _("Without the great heat no grain will rise."),
        ),
        (
            135,
            "立秋",
            _("Start of Autumn"),
            _("With every autumn rain a little colder."),
        ),
        (150, "处暑", _("End of Heat"), _("At the end of heat the grain turns gold.")),
        (165, "白露", _("White Dew"), _("At White Dew cover your shoulders.")),
        (
            180,
            "秋分",
            _("Autumn Equinox"),
            _("White Dew is early, Cold Dew late; the equinox is the time for wheat."),
        ),
        (
            195,
            "寒露",
            _("Cold Dew"),
            _("After the meal of Cold Dew few go in one layer."),
        ),
        (
            210,
            "霜降",
            _("Frost’s Descent"),
            _("Leave no scallion in the ground at the first frost."),
        ),
        (
            225,
            "立冬",
            _("Start of Winter"),
            _("Fog on the day winter starts: sow radishes in the paddy."),
        ),
        (
            240,
            "小雪",
            _("Lesser Snow"),
            _("Lesser Snow, pickle greens; Greater Snow, cure meat."),
        ),
        (255, "大雪", _("Greater Snow"), _("Good snow promises a good year.")),
        (
            270,
            "冬至",
            _("Winter Solstice"),
            _("The winter solstice is as great as New Year."),
        ),
        (
            285,
            "小寒",
            _("Lesser Cold"),
            _("Lesser Cold, Greater Cold: the pig is killed for New Year."),
        ),
        (
            300,
            "大寒",
            _("Greater Cold"),
            _("At the height of the cold the days begin to warm."),
        ),
    )
)


@dataclass(frozen=True)
class TermDays:
    """A term as it lies in the calendar: its first and last day, and its number from 立春, 1 to 24."""

    term: SolarTerm
    number: int
    first: date
    last: date


def sun_longitude(at: datetime) -> float:
    """Apparent geocentric longitude of the sun, degrees from 0 to 360. `at` is aware."""
    days = (at - _J2000).total_seconds() / 86400 + _dynamical_lead_s(at.year) / 86400
    t = days / 36525
    mean = 280.46646 + t * (36000.76983 + t * 0.0003032)
    anomaly = math.radians(357.52911 + t * (35999.05029 - t * 0.0001537))
    centre = (
        (1.914602 - t * (0.004817 + t * 0.000014)) * math.sin(anomaly)
        + (0.019993 - t * 0.000101) * math.sin(2 * anomaly)
        + 0.000289 * math.sin(3 * anomaly)
    )
    node = math.radians(125.04 - 1934.136 * t)
    return (mean + centre - 0.00569 - 0.00478 * math.sin(node)) % 360


def _dynamical_lead_s(year: int) -> float:
    """How far uniform time is ahead of the clock in these decades, seconds (69 in 2020, growing slowly)."""
    return 69.2 + 0.3 * (year - 2020)


@lru_cache(maxsize=64)
def solar_term(day: date) -> TermDays:
    """The term that a day in China belongs to."""
    index = _index_at_the_end_of(day)
    first = day
    while _index_at_the_end_of(first - timedelta(days=1)) == index:
        first -= timedelta(days=1)
    last = day
    while _index_at_the_end_of(last + timedelta(days=1)) == index:
        last += timedelta(days=1)
    return TermDays(term=TERMS[index], number=index + 1, first=first, last=last)


def _index_at_the_end_of(day: date) -> int:
    """Place in TERMS of the term in force when the day ends: the day of its beginning counts."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA) + timedelta(days=1)
    return int((sun_longitude(midnight) - 315) % 360 // 15)
