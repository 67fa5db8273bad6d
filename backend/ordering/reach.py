"""How far each kind of delivery goes. Computes, and knows no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

Area = Sequence[str]
"""Province, city and district, or only the first of them: all that lies within."""


class Place(Protocol):
    country_area: str
    city: str
    city_area: str


def reaches(*, kind: str, place: Place, areas: Mapping[str, Sequence[Area]]) -> bool:
    """Whether a delivery of this kind goes to a place. One without areas, as a pick-up point is, asks for none."""
    if kind not in areas:
        return True
    parts = (place.country_area, place.city, place.city_area)
    return any(parts[: len(area)] == tuple(area) for area in areas[kind])
