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
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.synonyms import same_names
from backend.common.units import (
    GRAMS,
    PIECE,
    Counting,
    Measure,
    Reading,
    parse_quantity,
    plain_quantity,
    scale_of,
)
from backend.stock.feeds.document import Row
from backend.stock.words import Basis, Outcome

CountKey = tuple[datetime, int, str]

JUMP = 10
"""A count this many times the one before, or this fraction of it, waits for a person."""

TRIVIAL: Mapping[str, int] = {"g": 10_000, "piece": 20}
"""Below this a jump says nothing: a shed that was nearly sold out is filled again every morning."""

MOST_SUGGESTIONS = 50
"""Unknown codes that are compared with all others; a file of nothing else is another cooperative's."""


class Known(NamedTuple):
    """A supply as a row may name it."""

    pk: int
    code: str
    name: str


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


class Match(NamedTuple):
    """A row and the supply that it means; or, with an outcome, why it goes no further."""

    row: Row
    supply_id: int | None = None
    outcome: Outcome | None = None
    message: str | Promise = ""


class Verdict(NamedTuple):
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

    @property
    def told(self) -> str | Promise:
        """The message with where the row stands, for whoever reads it away from the table: 第 7 行 C 列:…"""
        place = self.row.place
        if not self.message or not place:
            return self.message
        return format_lazy(_("{place}: {message}"), place=place, message=self.message)


# ---- Which supply a row means ---------------------------------------------------------------------------------------


@dataclass
class Catalogue:
    """One cooperative's supplies, found by what a bookkeeper writes."""

    supplies: Sequence[Known]

    @cached_property
    def by_code(self) -> Mapping[str, int]:
        """Codes as they stand in the shop's books: nearly every row has one."""
        return {code: pk for pk, code, _name in self.supplies}

    @cached_property
    def names(self) -> Mapping[int, str]:
        return {pk: name for pk, _code, name in self.supplies}

    @cached_property
    def _by_plain_code(self) -> Mapping[str, int]:
        return {plain(code): pk for pk, code, _name in self.supplies}

    @cached_property
    def _by_number(self) -> Mapping[int, list[int]]:
        found: dict[int, list[int]] = {}
        for pk, code, _name in self.supplies:
            written = plain(code)
            if written.isdecimal():
                found.setdefault(int(written), []).append(pk)
        return found

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for pk, _code, name in self.supplies:
            found.setdefault(plain(name), []).append(pk)
        return found

    @cached_property
    def _by_pk(self) -> Mapping[int, Known]:
        return {supply.pk: supply for supply in self.supplies}

    def find(self, *, code: str, name: str) -> int | None:
        """The supply of that code; of that name only where no code is written."""
        if not code:
            named = self._by_name.get(plain(name), []) if name else []
            return named[0] if len(named) == 1 else None
        found = self.by_code.get(code)
        if found is not None:
            return found
        written = plain(code)
        found = self._by_plain_code.get(written)
        if found is not None:
            return found
        same = self.of_number(written)
        return same[0] if len(same) == 1 else None

    def of_number(self, written: str) -> Sequence[int]:
        """The supplies whose code a workbook may have turned into this number: of 00123 it makes 123, or 123.0."""
        number = _NUMBER.fullmatch(written)
        return self._by_number.get(int(number[1]), []) if number else []

    def is_called(self, supply_id: int, *, name: str) -> bool:
        """Whether this may be a name of that supply: its own, a name nobody else has, or another word for it."""
        if name == self.names[supply_id]:
            return True
        written, own = plain(name), plain(self.names[supply_id])
        others = [pk for word in _words_for(written) for pk in self._by_name.get(word, ())]
        return written == own or supply_id in others or not others

    def suggest(self, *, code: str, name: str) -> Known | None:
        """The supply that was probably meant: by its name, by another word for it, by what is written nearly so."""
        written = plain(name)
        for word in _words_for(written) if written else ():
            named = self._by_name.get(word)
            if named:
                return self._by_pk[named[0]]
        for text, choices in ((written, self._by_name), (plain(code), self._by_plain_code)):
            near = difflib.get_close_matches(text, choices, n=1, cutoff=0.6) if text else []
            if near:
                found = choices[near[0]]
                return self._by_pk[found if isinstance(found, int) else found[0]]
        return None


_NUMBER = re.compile(r"(\d{1,18})(?:\.0+)?")
_SHORTENED = re.compile(r"\d+(?:\.\d+)?E\+?\d+")


def _words_for(name: str) -> list[str]:
    """The name, and what else the same thing is called: 莴苣, 莴笋, 青笋."""
    return [name, *(word for word in sorted(same_names().get(name, ())) if word != name)]


def plain(text: str) -> str:
    """A code or name as it is compared: full-width letters, other dashes, case and spaces make no difference."""
    if text.isascii() and text.isprintable() and " " not in text and "_" not in text:
        return text.upper()
    if not text.isprintable():
        text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = unicodedata.normalize("NFKC", text).upper()
    return re.sub(r"\s", "", re.sub(r"[‐‑‒–—―−_]", "-", text))


def match_rows(*, rows: Iterable[Row], catalogue: Catalogue, confirmed: Collection[int] = ()) -> list[Match]:
    """Find the supply that each row means; a supply that two rows count is refused in both.

    confirmed: numbers of rows of which a person said that the suggested supply is meant, or the hidden row.
    """
    matches: list[Match] = []
    suggestions = 0
    by_code, names, make = catalogue.by_code, catalogue.names, tuple.__new__
    for row in rows:
        (
            number,
            _column,
            code,
            value,
            name,
            _unit,
            _lot,
            problem,
            is_hidden,
            _letter,
            _sheet,
            doubt,
            skipped,
        ) = row
        supply_id = by_code.get(code)
        if (
            supply_id is not None
            and not (problem or is_hidden or doubt or skipped or value is None or value == "")
            and (not name or name == names[supply_id] or catalogue.is_called(supply_id, name=name))
        ):
            # Nearly every row; the rest may take its time.
            matches.append(make(Match, (row, supply_id, None, "")))
            continue
        match = _match(row, catalogue, with_suggestion=suggestions < MOST_SUGGESTIONS)
        suggestions += match.outcome is Outcome.WAITING and not (is_hidden or doubt)
        if match.outcome is Outcome.WAITING and match.supply_id is not None and number in confirmed:
            match = Match(row, match.supply_id)
        matches.append(match)
    meant = [match.supply_id for match in matches if match.outcome is None]
    if len(set(meant)) == len(meant):
        return matches
    counted = Counter(meant)
    places: dict[int | None, list[str]] = {}
    for match in matches:
        if match.outcome is None and counted[match.supply_id] > 1:
            places.setdefault(match.supply_id, []).append(str(match.row.line))
    return [
        Match(
            match.row,
            match.supply_id,
            Outcome.REFUSED,
            format_lazy(
                _("This good is in the list more than once (rows {rows}). Keep one row."),
                rows=", ".join(places[match.supply_id][:5]),
            ),
        )
        if match.outcome is None and match.supply_id in places
        else match
        for match in matches
    ]


def _match(row: Row, catalogue: Catalogue, *, with_suggestion: bool) -> Match:
    """A row that is not as plain as most are."""
    if row.skipped:
        return Match(row, None, Outcome.SKIPPED, row.skipped)
    supply_id = catalogue.find(code=row.code, name=row.name)
    if row.problem:
        return Match(row, supply_id, Outcome.REFUSED, row.problem)
    if row.value is None or row.value == "":
        return Match(row, supply_id, Outcome.SKIPPED, _("Empty: unchanged."))
    if supply_id is None:
        written = plain(row.code)
        if _SHORTENED.fullmatch(written):
            message = _("The code was shortened by the workbook. Format the column as text.")
            return Match(row, None, Outcome.REFUSED, message)
        if len(catalogue.of_number(written)) > 1:
            message = _(
                "The code was taken for a number by the workbook, and several goods may be meant. "
                "Format the column as text."
            )
            return Match(row, None, Outcome.REFUSED, message)
        if "." in written and _NUMBER.fullmatch(written):
            message = _(
                "The code was taken for a number by the workbook, and no good has it. Format the column as text."
            )
            return Match(row, None, Outcome.REFUSED, message)
        return _unknown(row, catalogue.suggest(code=row.code, name=row.name) if with_suggestion else None)
    if row.is_hidden:
        message = _("The row is hidden in the workbook. Show it, or delete it.")
        return Match(row, supply_id, Outcome.WAITING, message)
    if row.doubt:
        return Match(row, supply_id, Outcome.WAITING, row.doubt)
    if row.code and row.name and not catalogue.is_called(supply_id, name=row.name):
        return Match(
            row,
            supply_id,
            Outcome.WAITING,
            format_lazy(
                _("The code {code} is {known}, but the row says {written}. Which is right?"),
                code=row.code[:30],
                known=catalogue.names[supply_id],
                written=row.name[:30],
            ),
        )
    return Match(row, supply_id)


def _unknown(row: Row, suggested: Known | None) -> Match:
    written = (row.code or row.name)[:60]
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
    verdicts: list[Verdict] = []
    key, basis, confirmed, make = count.key, count.basis, count.confirmed, tuple.__new__
    is_sellable, accepted = basis is Basis.SELLABLE, Outcome.ACCEPTED
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
        number, unit = row.number, row.unit
        scale = scale_of(unit if unit is not None else _usual_unit(book), counting)
        counted = None if scale is None else plain_quantity(row.value, scale)
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
        on_hand = counted + on_hand_since + promised
        # What may be a slip, `_suspicion` looks into.
        is_odd = counted and (
            scale.unit != unit_before or counted >= JUMP * before or counted * JUMP <= before
        )
        if on_hand < 0 or (is_odd and newest is not None):
            verdicts.append(_decide_row(row=row, book=book, count=count))
            continue
        verdicts.append(make(Verdict, (row, accepted, supply_id, counted, scale.unit, on_hand, "")))
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
