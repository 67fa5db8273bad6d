"""The wall board as it is drawn: the API's figures, and where their marks stand."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from storefront_theme.town import charts

WEEK_WIDTH = 440
SALES_HEIGHT = 240
WEIGHT_HEIGHT = 100
RANKING_WIDTH = 440
MAP_WIDTH = 480
MAP_HEIGHT = 420


@dataclass(frozen=True)
class Day:
    """One of the seven days. bar is of its sales, point of its kilograms."""

    day: date
    is_last: bool
    orders: int
    sales: Decimal
    kilograms: Decimal
    bar: charts.Bar
    point: charts.Point

    @property
    def caption_y(self) -> float:
        return round(self.bar.y - 7, 1)

    @property
    def weight_caption_y(self) -> float:
        return round(self.point.y - 10, 1)


@dataclass(frozen=True)
class Week:
    days: tuple[Day, ...]
    ticks: tuple[charts.Tick, ...]
    weight_path: str


@dataclass(frozen=True)
class MapPlace:
    """A village on the schematic map. kilograms: None where no figure belongs to the map.

    name_y and weight_y are the baselines of its two lines of text; ring is the radius of the park's second circle.
    """

    slug: str
    name: str
    is_park: bool
    kilograms: Decimal | None
    place: charts.Place

    @property
    def name_y(self) -> float:
        """Above the middle when a weight stands below it."""
        return round(self.place.label_y + (-2 if self.kilograms else 6), 1)

    @property
    def weight_y(self) -> float:
        return round(self.place.label_y + 16, 1)

    @property
    def ring(self) -> float:
        return self.place.radius + 5


@dataclass(frozen=True)
class Ranked:
    name: str
    kilograms: Decimal
    length: float


@dataclass(frozen=True)
class Count:
    cooperative: str
    good: str
    counted_at: datetime


@dataclass(frozen=True)
class Board:
    """Everything on the wall. Money in yuan, weights in kilograms, as_of and counted_at aware."""

    as_of: datetime
    orders_today: int
    kilograms_today: Decimal
    sales_today: Decimal
    goods_in_stock: int
    cooperatives_counted: int
    cooperatives_total: int
    week: Week
    places: tuple[MapPlace, ...]
    ranking: tuple[Ranked, ...]
    counts: tuple[Count, ...]
    is_demo: bool


def read_board(*, board: Mapping[str, Any], villages: Sequence[Mapping[str, Any]]) -> Board:
    """The answer of the document Board, drawn."""
    weights = {row["village"]["slug"]: Decimal(str(row["kilograms"])) for row in board["byVillage"]}
    goods = board["topGoods"]
    heaviest = charts.lengths([Decimal(str(good["kilograms"])) for good in goods], longest=RANKING_WIDTH)
    return Board(
        as_of=datetime.fromisoformat(board["asOf"]),
        orders_today=board["ordersToday"],
        kilograms_today=Decimal(str(board["kilogramsToday"])),
        sales_today=_amount(board["salesToday"]),
        goods_in_stock=board["goodsInStock"],
        cooperatives_counted=board["cooperativesCounted"],
        cooperatives_total=board["cooperativesTotal"],
        week=_draw_week(board["sevenDays"]),
        places=draw_map(villages=villages, weights=weights),
        ranking=tuple(
            Ranked(
                name=good["name"],
                kilograms=Decimal(str(good["kilograms"])),
                length=length,
            )
            for good, length in zip(goods, heaviest, strict=True)
        ),
        counts=tuple(
            Count(
                cooperative=count["cooperative"]["name"],
                good=count["good"],
                counted_at=datetime.fromisoformat(count["countedAt"]),
            )
            for count in board["latestCounts"]
        ),
        is_demo=board["isDemo"],
    )


def draw_map(
    *, villages: Sequence[Mapping[str, Any]], weights: Mapping[str, Decimal] | None
) -> tuple[MapPlace, ...]:
    """The villages on the schematic map; their circles by `weights` (kilograms by slug), all alike without it."""
    values = [(weights or {}).get(village["slug"], Decimal(0)) for village in villages]
    drawn = charts.places(
        charts.spread([(village["mapX"], village["mapY"]) for village in villages]),
        values,
        width=MAP_WIDTH,
        height=MAP_HEIGHT,
        margin=64,
        smallest=7,
        largest=34 if weights else 7,
        label_widths=[_label_width(village["name"]) for village in villages],
        label_height=38 if weights else 22,
    )
    return tuple(
        MapPlace(
            slug=village["slug"],
            name=village["name"],
            is_park=village["isPark"],
            kilograms=value if weights is not None else None,
            place=place,
        )
        for village, value, place in zip(villages, values, drawn, strict=True)
    )


def _draw_week(days: Sequence[Mapping[str, Any]]) -> Week:
    sales = [_amount(day["sales"]) for day in days]
    kilograms = [Decimal(str(day["kilograms"])) for day in days]
    bars = charts.bars(sales, width=WEEK_WIDTH, height=SALES_HEIGHT, steps=3)
    line = charts.line(kilograms, width=WEEK_WIDTH, height=WEIGHT_HEIGHT, steps=3)
    return Week(
        days=tuple(
            Day(
                day=date.fromisoformat(day["day"]),
                is_last=index == len(days) - 1,
                orders=day["orders"],
                sales=sales[index],
                kilograms=kilograms[index],
                bar=bars.bars[index],
                point=line.points[index],
            )
            for index, day in enumerate(days)
        ),
        ticks=bars.ticks,
        weight_path=line.path,
    )


def _label_width(name: str) -> float:
    """About how wide a name is on the map, in 17-pixel type: a Chinese character is a square, a Latin one half of it.

    Never less than the line of the weight below it.
    """
    return max(70.0, sum(17.0 if unicodedata.east_asian_width(letter) in "WF" else 9.0 for letter in name))


def _amount(money: Mapping[str, Any]) -> Decimal:
    return Decimal(str(money["amount"]))
