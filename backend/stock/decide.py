"""Decides what a report changes: rows and what is in the books -> one verdict a row. Pure: no database, no clock.

The rule, with t the moment from which the count holds:

- shelf: on hand = counted + what came or went since t;
- sellable: on hand = counted + what was promised at t + what came or went since t.

"Since t" are the ledger's other movements, so an order or a parcel between the count and its arrival is not lost; and
as counts are ordered by (counted_at, sequence, sha256), any order of arrival ends in the same state. What waits for
a person is outside of that: whether a jump is one depends on what stood in the books before.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.units import GRAMS, PIECE, Counting, Measure, Reading, parse_quantity
from backend.stock.feeds.document import Row
from backend.stock.words import Basis, Outcome

CountKey = tuple[datetime, int, str]

JUMP = 10
"""A count this many times the one before, or this fraction of it, waits for a person."""

TRIVIAL: Mapping[str, int] = {"g": 10_000, "piece": 20}
"""Below this a jump says nothing: a shed that was nearly sold out is filled again every morning."""

MOST_SUGGESTIONS = 50
"""Unknown codes that are compared with all others; a file of nothing else is another cooperative's."""


@dataclass(frozen=True)
class Known:
    """A supply as a row may name it."""

    pk: int
    code: str
    name: str


@dataclass(frozen=True)
class Books:
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


@dataclass(frozen=True)
class Match:
    """A row and the supply that it means; or, with an outcome, why it goes no further."""

    row: Row
    supply_id: int | None = None
    outcome: Outcome | None = None
    message: str | Promise = ""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a row. on_hand: the new figure in base units when it was accepted, else None.

    base_units: what the row says; for one that waits, what it proposes.
    """

    row: Row
    outcome: Outcome
    supply_id: int | None = None
    base_units: int | None = None
    unit: str = ""
    on_hand: int | None = None
    message: str | Promise = ""


# ---- Which supply a row means ---------------------------------------------------------------------------------------


@dataclass
class Catalogue:
    """One cooperative's supplies, found by what a bookkeeper writes."""

    supplies: Sequence[Known]
    by_code: dict[str, int] = field(default_factory=dict)
    by_number: dict[int, list[int]] = field(default_factory=dict)
    by_name: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for supply in self.supplies:
            code = plain(supply.code)
            self.by_code[code] = supply.pk
            if code.isdecimal():
                self.by_number.setdefault(int(code), []).append(supply.pk)
            self.by_name.setdefault(plain(supply.name), []).append(supply.pk)

    def find(self, *, code: str, name: str) -> int | None:
        """The supply of that code; of that name only where no code is written."""
        if not code:
            named = self.by_name.get(plain(name), []) if name else []
            return named[0] if len(named) == 1 else None
        written = plain(code)
        if written in self.by_code:
            return self.by_code[written]
        # A workbook that took the code 00123 for a number writes 123, or 123.0.
        number = re.fullmatch(r"(\d{1,18})(?:\.0+)?", written)
        same = self.by_number.get(int(number[1]), []) if number else []
        return same[0] if len(same) == 1 else None

    def suggest(self, *, code: str, name: str) -> Known | None:
        """The supply that was probably meant."""
        known = {supply.pk: supply for supply in self.supplies}
        named = self.by_name.get(plain(name), []) if name else []
        if named:
            return known[named[0]]
        for written, choices in (
            (plain(name), {plain(supply.name): supply for supply in self.supplies}),
            (plain(code), {plain(supply.code): supply for supply in self.supplies}),
        ):
            near = difflib.get_close_matches(written, list(choices), n=1, cutoff=0.6) if written else []
            if near:
                return choices[near[0]]
        return None


def plain(text: str) -> str:
    """A code or name as it is compared: full-width letters, other dashes, case and spaces make no difference."""
    if text.isascii() and text.isprintable() and " " not in text and "_" not in text:
        return text.upper()
    text = unicodedata.normalize("NFKC", text).upper()
    return re.sub(r"\s", "", re.sub(r"[‐‑‒–—―−_]", "-", text))


def match_rows(*, rows: Iterable[Row], catalogue: Catalogue, confirmed: Collection[int] = ()) -> list[Match]:
    """Find the supply that each row means; a supply that two rows count is refused in both.

    confirmed: numbers of rows of which a person said that the suggested supply is meant, or the hidden row.
    """
    matches: list[Match] = []
    suggestions = 0
    for row in rows:
        is_blank = row.value is None or row.value == ""
        supply_id = catalogue.find(code=row.code, name=row.name)
        if row.problem:
            matches.append(Match(row, supply_id, Outcome.REFUSED, row.problem))
        elif is_blank:
            matches.append(Match(row, supply_id, Outcome.SKIPPED, _("Empty: unchanged.")))
        elif re.fullmatch(r"\d+(\.\d+)?E\+\d+", row.code, re.IGNORECASE):
            message = _("The code was shortened by the workbook. Format the column as text.")
            matches.append(Match(row, None, Outcome.REFUSED, message))
        elif supply_id is None:
            suggested = None
            if suggestions < MOST_SUGGESTIONS:
                suggestions += 1
                suggested = catalogue.suggest(code=row.code, name=row.name)
            matches.append(_unknown(row, suggested))
        elif row.is_hidden:
            message = _("The row is hidden in the workbook. Show it, or delete it.")
            matches.append(Match(row, supply_id, Outcome.WAITING, message))
        else:
            matches.append(Match(row, supply_id))
    if confirmed:
        matches = [
            Match(match.row, match.supply_id)
            if match.outcome is Outcome.WAITING
            and match.supply_id is not None
            and match.row.number in confirmed
            else match
            for match in matches
        ]
    counted = Counter(match.supply_id for match in matches if match.outcome is None)
    twice = {supply_id for supply_id, times in counted.items() if times > 1}
    if not twice:
        return matches
    message = _("This good is in the list more than once. Keep one row.")
    return [
        Match(match.row, match.supply_id, Outcome.REFUSED, message)
        if match.outcome is None and match.supply_id in twice
        else match
        for match in matches
    ]


def _unknown(row: Row, suggested: Known | None) -> Match:
    written = row.code or row.name
    if suggested is None:
        message = format_lazy(_("There is no good “{written}”."), written=written)
        return Match(row, None, Outcome.WAITING, message)
    message = format_lazy(
        _("There is no good “{written}”. Is it {code} {name}?"),
        written=written,
        code=suggested.code,
        name=suggested.name,
    )
    return Match(row, suggested.pk, Outcome.WAITING, message)


def absent(*, matches: Sequence[Match], catalogue: Catalogue) -> list[Match]:
    """For a complete list: a row that says 0 for each supply that no row means, or may mean."""
    meant = {match.supply_id for match in matches}
    return [
        Match(Row(number=0, column="", code=supply.code, name=supply.name, value=0), supply.pk)
        for supply in catalogue.supplies
        if supply.pk not in meant
    ]


# ---- What it changes ------------------------------------------------------------------------------------------------


def decide(*, matches: Iterable[Match], books: Mapping[int, Books], count: Count) -> list[Verdict]:
    """One verdict a row, in their order. books: of every supply that a row means."""
    verdicts = []
    for match in matches:
        if match.outcome is not None or match.supply_id is None:
            verdicts.append(
                Verdict(
                    row=match.row,
                    outcome=match.outcome or Outcome.WAITING,
                    supply_id=match.supply_id,
                    message=match.message,
                )
            )
        else:
            verdicts.append(_decide_row(row=match.row, book=books[match.supply_id], count=count))
    return verdicts


def _decide_row(*, row: Row, book: Books, count: Count) -> Verdict:
    measure = parse_quantity(row.value, unit=row.unit, counting=book.counting)
    if measure.reading is Reading.BLANK:
        return _verdict(row, book, measure, Outcome.SKIPPED, _("Empty: unchanged."))
    if measure.reading is Reading.REFUSED:
        return _verdict(row, book, measure, Outcome.REFUSED, measure.message)
    if book.counted is not None and count.key <= book.counted:
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
