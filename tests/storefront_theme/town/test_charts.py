import math
from decimal import Decimal

import pytest

from storefront_theme.town.charts import Place, axis_top, bars, lengths, line, places, spread


def decimals(*values: str | int) -> list[Decimal]:
    return [Decimal(value) for value in values]


@pytest.mark.parametrize(
    "largest, top",
    [
        ("0", "4"),
        ("-3", "4"),
        ("0.3", "0.4"),
        ("3", "4"),
        ("4", "4"),
        ("4.01", "8"),
        ("9", "10"),
        ("17", "20"),
        ("99", "100"),
        ("101", "200"),
        ("1234.5", "2000"),
        ("39.99", "40"),
    ],
)
def test_an_axis_ends_at_a_round_figure_that_holds_the_largest_value(largest: str, top: str) -> None:
    assert axis_top(Decimal(largest)) == Decimal(top)


def test_a_bar_is_as_tall_as_its_share_of_the_axis() -> None:
    chart = bars(decimals(0, 10, 40), width=300, height=200)
    assert [bar.height for bar in chart.bars] == [0, 50, 200]
    assert [bar.y for bar in chart.bars] == [200, 150, 0]
    assert [bar.centre for bar in chart.bars] == [50, 150, 250]
    assert [(bar.x, bar.width) for bar in chart.bars] == [
        (25, 50),
        (125, 50),
        (225, 50),
    ]


def test_the_grid_is_marked_with_round_figures_from_nought_upwards() -> None:
    chart = bars(decimals(17), width=100, height=200)
    assert [(tick.value, tick.y) for tick in chart.ticks] == [
        (0, 200),
        (5, 150),
        (10, 100),
        (15, 50),
        (20, 0),
    ]
    assert [f"{tick.value:f}" for tick in bars(decimals(380), width=1, height=1).ticks] == [
        "0",
        "100",
        "200",
        "300",
        "400",
    ]


def test_days_without_sales_are_a_flat_axis_and_no_division_by_nought() -> None:
    chart = bars(decimals(0, 0), width=100, height=80)
    assert [bar.height for bar in chart.bars] == [0, 0]
    assert bars([], width=100, height=80).bars == ()


def test_a_line_passes_over_the_middles_of_the_bars() -> None:
    values = decimals(1, 4, 2)
    drawn = line(values, width=300, height=100)
    assert [point.x for point in drawn.points] == [
        bar.centre for bar in bars(values, width=300, height=100).bars
    ]
    assert drawn.path == "M50 75 L150 0 L250 50"
    assert line([], width=300, height=100).path == ""


def test_lying_bars_are_measured_against_the_largest() -> None:
    assert lengths(decimals("12.5", 25, 0), longest=400) == (200, 400, 0)
    assert lengths(decimals(0, 0), longest=400) == (0, 0)
    assert lengths([], longest=400) == ()


MAP = {
    "width": 600.0,
    "height": 400.0,
    "margin": 50.0,
    "smallest": 6.0,
    "largest": 30.0,
    "label_height": 30.0,
}


def drawn_map(positions: list[tuple[int, int]], values: list[Decimal]) -> tuple[Place, ...]:
    """The map of villages whose names are all of one width."""
    return places(positions, values, label_widths=[90.0] * len(positions), **MAP)


def test_a_village_stands_where_the_schematic_map_puts_it() -> None:
    drawn = drawn_map([(0, 0), (1000, 1000), (500, 250)], decimals(0, 0, 0))
    assert [(place.x, place.y) for place in drawn] == [(50, 50), (550, 350), (300, 125)]


def test_the_area_of_a_circle_grows_with_the_kilograms() -> None:
    nought, half, most = drawn_map([(0, 0), (500, 500), (900, 100)], decimals(0, 50, 100))
    assert nought.radius == 6
    assert most.radius == 30
    assert half.radius == pytest.approx(math.sqrt((6**2 + 30**2) / 2), abs=0.05)


def test_a_map_without_sales_is_a_map_of_small_circles() -> None:
    assert {place.radius for place in drawn_map([(0, 0), (9, 9)], decimals(0, 0))} == {6}


def test_a_name_stands_right_of_its_circle_unless_it_would_leave_the_map() -> None:
    west, east = drawn_map([(0, 500), (1000, 500)], decimals(1, 1))
    assert (west.anchor, west.label_x > west.x) == ("start", True)
    assert (east.anchor, east.label_x < east.x) == ("end", True)


def label_span(place: Place) -> tuple[float, float]:
    """Where a name begins and ends, west to east."""
    shift = {"start": 0.0, "middle": 45.0, "end": 90.0}[place.anchor]
    return place.label_x - shift, place.label_x - shift + 90


@pytest.mark.parametrize("position", [(520, 500), (600, 480), (500, 540), (500, 480)])
def test_names_of_neighbours_do_not_cover_one_another(position: tuple[int, int]) -> None:
    one, other = drawn_map([(500, 480), position], decimals(1, 1))
    (one_start, one_end), (other_start, other_end) = label_span(one), label_span(other)
    assert abs(one.label_y - other.label_y) >= 30 or one_end <= other_start or other_end <= one_start


def test_villages_that_huddle_are_spread_over_the_map_in_their_order() -> None:
    assert spread([(400, 500), (410, 520), (420, 540)]) == [(0, 0), (500, 500), (1000, 1000)]
    assert spread([(3, 900), (3, 100)]) == [(500, 1000), (500, 0)]
    assert spread([]) == []
