from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.common.clock import SHOP_ZONE
from backend.ordering.windows import Plan, offered

PLAN = Plan(
    cut_off=16,
    days=2,
    hours={"own_van": [(9, 12), (15, 18)], "next_day": [(8, 20)], "pick_up": [(9, 18)]},
    later={"next_day": 1},
)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=SHOP_ZONE)


def keys(kind: str, now: datetime) -> list[str]:
    return [window.key for window in offered(kind=kind, now=now, plan=PLAN)]


def test_the_van_comes_on_the_day_of_the_harvest() -> None:
    assert keys("own_van", NOON) == ["2026-11-24T09", "2026-11-24T15", "2026-11-25T09", "2026-11-25T15"]


def test_the_courier_needs_a_day_more() -> None:
    assert keys("next_day", NOON) == ["2026-11-25T08", "2026-11-26T08"]


@pytest.mark.parametrize(
    "now, first",
    [
        (datetime(2026, 11, 23, 15, 59, 59, tzinfo=SHOP_ZONE), "2026-11-24T09"),
        (datetime(2026, 11, 23, 16, 0, tzinfo=SHOP_ZONE), "2026-11-25T09"),
        # 00:30 in Shanghai, still yesterday in Greenwich.
        (datetime(2026, 11, 23, 16, 30, tzinfo=UTC), "2026-11-25T09"),
        (datetime(2026, 12, 31, 17, 0, tzinfo=SHOP_ZONE), "2027-01-02T09"),
    ],
)
def test_after_the_cut_off_it_is_a_day_later(now: datetime, first: str) -> None:
    assert keys("own_van", now)[0] == first


def test_a_way_that_nobody_planned_has_no_windows() -> None:
    assert keys("drone", NOON) == []
