"""The park's year: what is there now, what comes next, and how long each thing lasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MONTHS = 12
SOON_MONTHS = 2


@dataclass(frozen=True)
class Season:
    """A good that is not there all year. months: 1 to 12; begins_in: months until its next season, 0: it is there."""

    slug: str
    name: str
    months: frozenset[int]
    begins_in: int
    lasts: int

    def cells(self, now: int) -> list[dict[str, Any]]:
        """The twelve months, January first, as a page draws them."""
        return [
            {"number": number, "inside": number in self.months, "now": number == now}
            for number in range(1, MONTHS + 1)
        ]


@dataclass(frozen=True)
class Year:
    """The seasons as seen from one month. now: those that end soonest first; soon and later: by when they begin."""

    now: tuple[Season, ...]
    soon: tuple[Season, ...]
    later: tuple[Season, ...]


def read_year(goods: Iterable[Mapping[str, Any]], *, month: int) -> Year:
    """Of SeasonalGood nodes."""
    seasons = [
        _season(slug=node["slug"], name=node["name"], months=frozenset(node["months"]), month=month)
        for node in goods
        if node["months"]
    ]
    return Year(
        now=tuple(sorted((one for one in seasons if not one.begins_in), key=lambda one: one.lasts)),
        soon=tuple(
            sorted(
                (one for one in seasons if 0 < one.begins_in <= SOON_MONTHS), key=lambda one: one.begins_in
            )
        ),
        later=tuple(
            sorted((one for one in seasons if one.begins_in > SOON_MONTHS), key=lambda one: one.begins_in)
        ),
    )


def _season(*, slug: str, name: str, months: frozenset[int], month: int) -> Season:
    begins_in = next(ahead for ahead in range(MONTHS) if _after(month, ahead) in months)
    lasts = next((ahead for ahead in range(MONTHS) if _after(month, begins_in + ahead) not in months), MONTHS)
    return Season(slug=slug, name=name, months=months, begins_in=begins_in, lasts=lasts)


def _after(month: int, ahead: int) -> int:
    """The month so many months later; the year wraps."""
    return (month - 1 + ahead) % MONTHS + 1
