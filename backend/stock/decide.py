"""Decides what a report changes: rows and what is in the books -> one verdict a row. Pure: no database, no clock.

The rule, with t the moment from which the count holds:

- shelf: on hand = counted + what came or went since t;
- sellable: on hand = counted + what was promised at t + what came or went since t.

"Since t" are the ledger's other movements, so an order or a parcel between the count and its arrival is not lost; and
as counts are ordered by (counted_at, sequence, sha256), any order of arrival ends in the same state. What waits for
a person is outside of that: whether a jump is one depends on what stood in the books before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.units import (
    GRAMS,
    PIECE,
    Counting,
    Measure,
    Reading,
    Scale,
    parse_quantity,
    plain_quantity,
    scale_of,
)
from backend.stock.feeds.document import Row
from backend.stock.matching import Match
from backend.stock.words import Basis, Outcome

CountKey = tuple[datetime, int, str]

JUMP = 10
"""A count this many times the one before, or this fraction of it, waits for a person."""

TRIVIAL: Mapping[str, int] = {"g": 10_000, "piece": 20}
"""Below this a jump says nothing: a shed that was nearly sold out is filled again every morning."""

MOST_OF_UNIT = 60
"""Characters of a unit; who writes more has written something else there."""


class Books(NamedTuple):
    """What the ledger says of one supply, in base units, as a report is decided.

    counted: the newest count that was applied, as its key; counted_units and counted_unit what it said, and in which
    unit. on_hand_since and allocated_since: the sums of movements other than counts since t. waiting: amounts that a
    newer report said of it and that wait for a person.
    """

    pk: int
    counting: Counting
    on_hand: int
    allocated: int
    counted: CountKey | None = None
    counted_units: int | None = None
    counted_unit: str = ""
    on_hand_since: int = 0
    allocated_since: int = 0
    waiting: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Count:
    """What holds for all rows of a report.

    counts_from: the moment t from which the count holds. is_by_hand: a person typed it just now, and can confirm what
    waits. confirmed: numbers of rows that would wait and that a person has looked at: they are meant.
    """

    key: CountKey
    basis: Basis
    counts_from: datetime
    is_by_hand: bool = False
    confirmed: frozenset[int] = frozenset()


class Verdict(NamedTuple):
    """What becomes of a row. on_hand: the new figure in base units when it was accepted, else None.

    base_units: what the row says; for one that waits, what it proposes. on_hand_before and allocated: what stood in the
    books, in base units.
    """

    row: Row
    outcome: Outcome
    supply_id: int | None = None
    base_units: int | None = None
    unit: str = ""
    on_hand: int | None = None
    message: str | Promise = ""
    on_hand_before: int = 0
    allocated: int = 0

    @property
    def told(self) -> str | Promise:
        """The message with where the row stands, for whoever reads it away from the table: 第 7 行 C 列:…"""
        place = self.row.place
        if not self.message or not place:
            return self.message
        return format_lazy(_("{place}: {message}"), place=place, message=self.message)


def decide(*, matches: Iterable[Match], books: Mapping[int, Books], count: Count) -> list[Verdict]:
    """One verdict a row, in their order. books: of every supply that a row means."""
    verdicts: list[Verdict] = []
    key, basis, confirmed, make = count.key, count.basis, count.confirmed, tuple.__new__
    is_sellable, accepted = basis is Basis.SELLABLE, Outcome.ACCEPTED
    # Figures repeat: what one of a unit comes to is computed once.
    scales: dict[tuple[str | None, int], tuple[Scale | None, dict[object, int | None]]] = {}
    last_unit: str | None = None
    last_counting: Counting | None = None
    scale: Scale | None = None
    known: dict[object, int | None] = {}
    for match in matches:
        row, supply_id, outcome, message = match
        if outcome is not None or supply_id is None:
            verdicts.append(Verdict(row, outcome or Outcome.WAITING, supply_id, message=message))
            continue
        book = books[supply_id]
        (
            _pk,
            counting,
            on_hand,
            allocated,
            newest,
            _units,
            unit_before,
            on_hand_since,
            allocated_since,
            _waiting,
        ) = book
        number, value, unit = row.number, row.value, row.unit
        if unit is None:
            unit = _usual_unit(book)
        if unit is not last_unit or counting is not last_counting:
            last_unit, last_counting = unit, counting
            how = (unit, id(counting))
            if how not in scales:
                # What was once asked for is kept: of a page of text there is no need to ask.
                is_unit = unit is None or len(unit) <= MOST_OF_UNIT
                scales[how] = (scale_of(unit, counting) if is_unit else None, {})
            scale, known = scales[how]
        if scale is None:
            counted = None
        elif type(value) is not str and not (type(value) is Decimal and value):
            # True is 1 to a dictionary, and -0 is 0.
            counted = plain_quantity(value, scale)
        elif value in known:
            counted = known[value]
        else:
            counted = known[value] = plain_quantity(value, scale)
        if (
            counted is None
            or scale is None
            or not number
            or (newest is not None and key <= newest)
            or number in confirmed
        ):
            verdicts.append(_decide_row(row=row, book=book, count=count))
            continue
        # A plain number, newer than what is in the books: nearly every row, so decided here.
        promised = allocated - allocated_since if is_sellable else 0
        before = on_hand - on_hand_since - promised
        on_hand_now = counted + on_hand_since + promised
        # What may be a slip, `_suspicion` looks into.
        is_odd = counted and (
            scale.unit != unit_before or counted >= JUMP * before or counted * JUMP <= before
        )
        if on_hand_now < 0 or (is_odd and newest is not None):
            verdicts.append(_decide_row(row=row, book=book, count=count))
            continue
        verdicts.append(
            make(
                Verdict,
                (row, accepted, supply_id, counted, scale.unit, on_hand_now, "", on_hand, allocated),
            )
        )
    return verdicts


def _usual_unit(book: Books) -> str | None:
    """For a sheet that names no unit: the one in which the same good was counted last, so that it is asked once.

    Grams are not among them: nobody writes them by hand, and a hundred of them are no hundred 斤.
    """
    unit = book.counted_unit
    return unit if GRAMS.get(unit, 0) >= 500 or (unit and unit == book.counting.container_name) else None


def _decide_row(*, row: Row, book: Books, count: Count) -> Verdict:
    unit = row.unit if row.unit is not None else _usual_unit(book)
    measure = parse_quantity(row.value, unit=unit, counting=book.counting)
    if measure.reading is Reading.BLANK:
        return _verdict(row, book, measure, Outcome.SKIPPED, _("Empty: unchanged."))
    if measure.reading is Reading.REFUSED:
        return _verdict(row, book, measure, Outcome.REFUSED, measure.message)
    if book.counted is not None and count.key <= book.counted:
        if count.key == book.counted:
            same = _("This very count is in the books already: unchanged.")
            return _verdict(row, book, measure, Outcome.SKIPPED, same)
        return _verdict(row, book, measure, Outcome.SKIPPED, _("A newer count is in the books: unchanged."))
    is_confirmed = row.number in count.confirmed
    if measure.base_units is None or (measure.reading is Reading.WAITS and not is_confirmed):
        return _verdict(row, book, measure, Outcome.WAITING, measure.message)

    counted = measure.base_units
    suspicion = _suspicion(counted=counted, unit=measure.unit, book=book, basis=count.basis)
    if suspicion and not is_confirmed and not (count.is_by_hand and counted in book.waiting):
        return _verdict(row, book, measure, Outcome.WAITING, suspicion)

    on_hand = counted + book.on_hand_since
    if count.basis is Basis.SELLABLE:
        on_hand += book.allocated - book.allocated_since
    message: str | Promise = ""
    if row.number == 0:
        message = _("Not in the complete list: sold out.")
    if on_hand < 0:
        on_hand = 0
        message = _("More has left the shed since than was counted: taken as 0. Please count again.")
    return _verdict(row, book, measure, Outcome.ACCEPTED, message, on_hand=on_hand)


def _verdict(
    row: Row,
    book: Books,
    measure: Measure,
    outcome: Outcome,
    message: str | Promise,
    *,
    on_hand: int | None = None,
) -> Verdict:
    return Verdict(
        row=row,
        outcome=outcome,
        supply_id=book.pk,
        base_units=measure.base_units,
        unit=measure.unit,
        on_hand=on_hand,
        message=message,
        on_hand_before=book.on_hand,
        allocated=book.allocated,
    )


def _suspicion(*, counted: int, unit: str, book: Books, basis: Basis) -> str | Promise:
    """Why this count should be looked at before it is believed; "" when nothing is odd about it."""
    if book.counted is None or not counted:
        return ""
    if (
        book.counted_units
        and GRAMS.get(unit, 0) != GRAMS.get(book.counted_unit, 0)
        and unit in GRAMS
        and book.counted_unit in GRAMS
        and counted in (book.counted_units * 2, book.counted_units / 2)
    ):
        return format_lazy(
            _("Exactly {times} the last count, and in {unit} instead of {before}. Is the unit right?"),
            times="2×" if counted > book.counted_units else "½",
            unit=unit,
            before=book.counted_unit,
        )
    before = book.on_hand - book.on_hand_since
    if basis is Basis.SELLABLE:
        before -= book.allocated - book.allocated_since
    trivial = TRIVIAL["piece" if book.counting.base == PIECE else "g"]
    if before >= trivial and counted >= JUMP * before:
        return _("Ten times what was there, or more. If it is right, write it again at the desk.")
    if before >= trivial and counted * JUMP <= before:
        return _("A tenth of what was there, or less. If it is right, write it again at the desk.")
    return ""
