from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.conf import settings

from backend.ordering.reach import reaches


@dataclass(frozen=True)
class Place:
    country_area: str
    city: str
    city_area: str


TOWN = Place("四川省", "绵阳市", "游仙区")
COUNTY = Place("四川省", "绵阳市", "三台县")
CHENGDU = Place("四川省", "成都市", "武侯区")
CHONGQING = Place("重庆市", "渝中区", "")


@pytest.mark.parametrize(
    ("kind", "there", "not_there"),
    [
        ("own_van", [TOWN], [COUNTY, CHENGDU, CHONGQING]),
        ("next_day", [TOWN, COUNTY, CHENGDU], [CHONGQING]),
        ("pick_up", [TOWN, COUNTY, CHENGDU, CHONGQING], []),
    ],
)
def test_the_van_stays_in_the_city_and_the_courier_in_the_province(
    kind: str, there: list[Place], not_there: list[Place]
) -> None:
    assert all(reaches(kind=kind, place=place, areas=settings.DELIVERY_AREAS) for place in there)
    assert not any(reaches(kind=kind, place=place, areas=settings.DELIVERY_AREAS) for place in not_there)
