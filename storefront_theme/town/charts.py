"""Where the marks of a chart stand: numbers in, coordinates out. The templates draw them as SVG.

Coordinates are in the units of the SVG's viewBox, y downwards, rounded to a tenth.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Tick:
    """A line of the grid: the figure beside it, and its height."""

    value: Decimal
    y: float


@dataclass(frozen=True)
class Bar:
    """An upright bar. centre is where its captions stand."""

    x: float
    y: float
    width: float
    height: float
    centre: float


@dataclass(frozen=True)
class Bars:
    """Upright bars on one axis that begins at nought."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A line through its points; path is the `d` of an SVG path, empty when there are no points."""

    points: tuple[Point, ...]
    path: str


@dataclass(frozen=True)
class Place:
    """A circle on the schematic map and where its name stands: beside it, above it or below it."""

    x: float
    y: float
    radius: float
    label_x: float
    label_y: float
    anchor: str


def axis_top(largest: Decimal, *, steps: int = 4) -> Decimal:
    """The round figure at which an axis of so many steps ends: the smallest step of 1, 2, 2.5 or 5 × 10ⁿ that holds
    the largest value. An axis of noughts ends at its number of steps.
    """
    if largest <= 0:
        return Decimal(steps)
    least_step = largest / steps
    power = Decimal(1).scaleb(least_step.adjusted())
    for factor in (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10)):
        if factor * power >= least_step:
            return factor * power * steps
    raise AssertionError("ten times the power of ten below a number is never below that number")


def bars(
    values: Sequence[Decimal],
    *,
    width: float,
    height: float,
    steps: int = 4,
    fill: float = 0.5,
) -> Bars:
    """Bars side by side over the whole width; each takes the share `fill` of its place. Negative values are nought."""
    top = axis_top(max(values, default=Decimal(0)), steps=steps)
    place = width / max(len(values), 1)
    drawn = []
    for index, value in enumerate(values):
        tall = height * float(max(value, Decimal(0)) / top)
        centre = place * (index + 0.5)
        drawn.append(
            Bar(
                x=round(centre - place * fill / 2, 1),
                y=round(height - tall, 1),
                width=round(place * fill, 1),
                height=round(tall, 1),
                centre=round(centre, 1),
            )
        )
    return Bars(bars=tuple(drawn), ticks=_ticks(top=top, height=height, steps=steps))


def line(values: Sequence[Decimal], *, width: float, height: float, steps: int = 4) -> Line:
    """A line with a point over the middle of each bar that `bars` would draw, on an axis of its own."""
    top = axis_top(max(values, default=Decimal(0)), steps=steps)
    place = width / max(len(values), 1)
    points = tuple(
        Point(
            x=round(place * (index + 0.5), 1),
            y=round(height - height * float(max(value, Decimal(0)) / top), 1),
        )
        for index, value in enumerate(values)
    )
    path = " L".join(f"{point.x:g} {point.y:g}" for point in points)
    return Line(points=points, path=f"M{path}" if path else "")


def lengths(values: Sequence[Decimal], *, longest: float) -> tuple[float, ...]:
    """Lengths of lying bars: the largest value gets `longest`, the others their share, all noughts nothing."""
    largest = max(values, default=Decimal(0))
    if largest <= 0:
        return tuple(0.0 for _ in values)
    return tuple(round(longest * float(max(value, Decimal(0)) / largest), 1) for value in values)


def spread(positions: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Positions stretched over the whole map, 0 to 1000 each way, so that few places do not huddle in its middle.

    Order is kept, west to east and north to south; distances are not: the map is a drawing.
    """

    def stretched(values: list[int]) -> list[int]:
        low, high = min(values, default=0), max(values, default=0)
        return [round((value - low) * 1000 / (high - low)) if high > low else 500 for value in values]

    return list(
        zip(
            stretched([x for x, _ in positions]),
            stretched([y for _, y in positions]),
            strict=True,
        )
    )


def places(
    positions: Sequence[tuple[int, int]],
    values: Sequence[Decimal],
    *,
    width: float,
    height: float,
    margin: float,
    smallest: float,
    largest: float,
    label_widths: Sequence[float],
    label_height: float,
) -> tuple[Place, ...]:
    """The schematic map. Positions run from 0 to 1000, west to east and north to south.

    A circle's area grows with its value, from `smallest` (the radius at nought) to `largest`. A name stands where it
    covers least of what is already drawn: right, left, below, above, tried in this order, the largest circle first.
    """
    most = max(values, default=Decimal(0))
    circles = []
    for (map_x, map_y), value in zip(positions, values, strict=True):
        share = float(max(value, Decimal(0)) / most) if most > 0 else 0.0
        radius = math.sqrt(smallest**2 + share * (largest**2 - smallest**2))
        x = margin + (width - 2 * margin) * map_x / 1000
        y = margin + (height - 2 * margin) * map_y / 1000
        circles.append((x, y, radius))
    taken: list[tuple[float, float, float, float]] = [(x - r, y - r, x + r, y + r) for x, y, r in circles]
    found: dict[int, Place] = {}
    for index in sorted(range(len(circles)), key=lambda i: (-circles[i][2], i)):
        x, y, radius = circles[index]
        label_width = label_widths[index]
        gap = max(0.35 * label_height, 12.0)
        choices = (
            ("start", x + radius + gap, y, (x + radius + gap, y - label_height / 2)),
            (
                "end",
                x - radius - gap,
                y,
                (x - radius - gap - label_width, y - label_height / 2),
            ),
            (
                "middle",
                x,
                y + radius + label_height / 2 + gap / 2,
                (x - label_width / 2, y + radius + gap / 2),
            ),
            (
                "middle",
                x,
                y - radius - label_height / 2 - gap / 2,
                (x - label_width / 2, y - radius - label_height),
            ),
        )
        boxes = [(left, up, left + label_width, up + label_height) for *_, (left, up) in choices]
        others = [box for number, box in enumerate(taken) if number != index]
        costs = [
            sum(_overlap(box, other) for other in others) + _outside(box, width=width, height=height)
            for box in boxes
        ]
        best = costs.index(min(costs))
        anchor, label_x, label_y, _ = choices[best]
        taken.append(boxes[best])
        found[index] = Place(
            x=round(x, 1),
            y=round(y, 1),
            radius=round(radius, 1),
            label_x=round(label_x, 1),
            label_y=round(label_y, 1),
            anchor=anchor,
        )
    return tuple(found[index] for index in range(len(circles)))


def _ticks(*, top: Decimal, height: float, steps: int) -> tuple[Tick, ...]:
    return tuple(
        Tick(
            value=(top * step / steps).normalize() + 0,
            y=round(height - height * step / steps, 1),
        )
        for step in range(steps + 1)
    )


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """The area that two boxes (left, top, right, bottom) share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    return wide * tall if wide > 0 and tall > 0 else 0.0


def _outside(box: tuple[float, float, float, float], *, width: float, height: float) -> float:
    """The area of a box that lies off the map."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area - _overlap(box, (0.0, 0.0, width, height))
