"""When goods can be brought or collected. Computes, and knows no database.

What is ordered before the cut-off is harvested at the next dawn. The own van comes that day, in one of its windows; the
courier the day after; at the pick-up points it waits from that day on. All of it is assumed, so it stands in settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from backend.common.clock import in_shop_zone

Hours = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Plan:
    """cut_off: hour of the day; days: how many are offered; hours: windows of each kind of delivery; later: days
    that a kind takes after the harvest."""

    cut_off: int
    days: int
    hours: Mapping[str, Hours]
    later: Mapping[str, int]


@dataclass(frozen=True)
class Window:
    """A day, from one hour to another on the shop's clock."""

    day: date
    starts: time
    ends: time

    @property
    def key(self) -> str:
        """2026-11-24T09, as clients send it back."""
        return f"{self.day.isoformat()}T{self.starts.hour:02d}"


def harvest_day(*, now: datetime, cut_off: int) -> date:
    """The dawn at which an order of now is harvested."""
    local = in_shop_zone(now)
    return local.date() + timedelta(days=1 if local.hour < cut_off else 2)


def offered(*, kind: str, now: datetime, plan: Plan) -> list[Window]:
    """The windows of a kind of delivery that can still be had, the earliest first; none for an unknown kind."""
    first = harvest_day(now=now, cut_off=plan.cut_off) + timedelta(days=plan.later.get(kind, 0))
    return [
        Window(day=first + timedelta(days=day), starts=time(starts), ends=time(ends))
        for day in range(plan.days)
        for starts, ends in plan.hours.get(kind, ())
    ]
