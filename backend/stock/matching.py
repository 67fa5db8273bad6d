"""Finds which of a cooperative's supplies each row of a report means. Pure: no database, no clock."""

from __future__ import annotations

import difflib
import re
import unicodedata
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import pairwise
from typing import NamedTuple

from django.utils.functional import Promise, cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.batches import batches
from backend.common.synonyms import same_names
from backend.stock.feeds.document import Row, Rows
from backend.stock.words import Outcome

BATCH = 5_000
"""Rows that are looked at, decided and written at a time: what a report takes of memory does not grow with it."""

MOST_SUGGESTIONS = 50
"""Unknown codes that are compared with all others; a file of nothing else is another cooperative's."""

MOST_COMPARED = 2_000_000
"""Names and codes that they are compared with in all: a second for each million."""

MOST_PLACES = 5
"""Rows that count the same good and that the message names."""


class Known(NamedTuple):
    """A supply as a row may name it."""

    pk: int
    code: str
    name: str


class Match(NamedTuple):
    """A row and the supply that it means; or, with an outcome, why it goes no further."""

    row: Row
    supply_id: int | None = None
    outcome: Outcome | None = None
    message: str | Promise = ""


class Catalogue:
    """One cooperative's supplies, found by what a bookkeeper writes.

    What only an unusual row asks for is made when it asks.
    """

    def __init__(self, supplies: Iterable[Known] = ()) -> None:
        self._supplies = supplies
        self._suggested: dict[tuple[str, str], Known | None] = {}
        self._compared = 0

    @cached_property
    def supplies(self) -> Sequence[Known]:
        """All of them, in the order of their pks."""
        return list(self._supplies)

    @cached_property
    def by_code(self) -> Mapping[str, int]:
        """Codes as they stand in the shop's books: nearly every row has one."""
        return {code: pk for pk, code, _name in self.supplies}

    def names_of(self, supply_ids: Collection[int]) -> Mapping[int, str]:
        """What these are called."""
        return {pk: self._by_pk[pk].name for pk in supply_ids}

    @cached_property
    def _by_pk(self) -> Mapping[int, Known]:
        return {supply.pk: supply for supply in self.supplies}

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
    def withdrawn(self) -> Collection[str]:
        """Codes, as `plain` writes them, of goods that are not sold any more."""
        return frozenset()

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

    def may_mean(self, *, code: str, name: str) -> Sequence[int]:
        """The supplies among which a row leaves open which it means."""
        return self.of_number(plain(code)) if code else self._by_name.get(plain(name), [])

    def is_called(self, supply_id: int, *, name: str, own: str) -> bool:
        """Whether this may be a name of that supply: its own, a name nobody else has, or another word for it."""
        if name == own:
            return True
        written = plain(name)
        if written == plain(own):
            return True
        others = [pk for word in _words_for(written) for pk in self._by_name.get(word, ())]
        return supply_id in others or not others

    def suggest(self, *, code: str, name: str) -> Known | None:
        """The supply that was probably meant: by its name, by another word for it, by what is written nearly so."""
        said = (code, name)
        if said not in self._suggested:
            self._suggested[said] = self._nearest(code=code, name=name)
        return self._suggested[said]

    def _nearest(self, *, code: str, name: str) -> Known | None:
        written = plain(name)
        for word in _words_for(written) if written else ():
            named = self._by_name.get(word)
            if named:
                return self._by_pk[named[0]]
        for text, choices in ((written, self._by_name), (plain(code), self._by_plain_code)):
            if not text or self._compared >= MOST_COMPARED:
                continue
            self._compared += len(choices)
            near = difflib.get_close_matches(text, choices, n=1, cutoff=0.6)
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
        written = text.upper()
    else:
        visible = text
        if not text.isprintable():
            visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
        written = unicodedata.normalize("NFKC", visible).upper()
        written = re.sub(r"\s", "", re.sub(r"[‐‑‒–—―−_]", "-", written))
    # Of a hundred thousand names that are plain already there is no second copy.
    return text if written == text else written


class CountedTwice(Exception):
    """Two rows count one good: both are to be refused, and the first was given already."""


class Matches(Iterable[Match], Sized):
    """What each row means, in their order; made anew at each iteration, so that a long report is never there whole.

    Two rows that count one good are both refused, so all are looked at once before the first is given. confirmed:
    numbers of rows of which a person said that the suggested supply is meant, or the hidden row. is_complete: a row
    that says 0 follows for each supply that no row means, or may mean.
    """

    def __init__(
        self,
        *,
        rows: Rows,
        catalogue: Catalogue,
        confirmed: Collection[int] = (),
        is_complete: bool = False,
    ) -> None:
        self._rows = rows
        self._catalogue = catalogue
        self._confirmed = frozenset(confirmed)
        self._is_complete = is_complete

    def __len__(self) -> int:
        return len(self._found) + len(self._absent)

    def __iter__(self) -> Iterator[Match]:
        make, closer = tuple.__new__, _Closer(self._catalogue, self._confirmed)
        places = self._places
        for row, supply_id in zip(self._rows, self._found, strict=True):
            if not supply_id:
                yield closer.look(row)
            elif supply_id in places:
                yield _counted_twice(row, supply_id, places[supply_id])
            else:
                yield make(Match, (row, supply_id, None, ""))
        yield from map(_sold_out, self._absent)

    def in_one_go(self) -> Iterator[Match]:
        """The same in half the time; raises CountedTwice as soon as a row counts a good that one before it counted."""
        counted: set[int] = set()
        maybe: set[int] = set()
        for match in self._walk():
            _row, supply_id, outcome, _message = match
            if outcome is not None:
                if self._is_complete:
                    maybe.update(self._may_mean(match))
            elif supply_id in counted:
                raise CountedTwice
            elif supply_id is not None:
                counted.add(supply_id)
            yield match
        if self._is_complete:
            yield from map(_sold_out, self._missing(counted | maybe))

    def further(self) -> list[int]:
        """The supplies of those rows that go further, each of which is named once."""
        found = [pk for pk in self._found if pk and pk not in self._places]
        return found + [supply.pk for supply in self._absent]

    @cached_property
    def _found(self) -> array[int]:
        """Of each row, the supply that it means; 0 where it goes no further."""
        return array("q", (match.supply_id or 0 if match.outcome is None else 0 for match in self._walk()))

    @cached_property
    def _places(self) -> Mapping[int, Sequence[str]]:
        """The supplies that several rows count, and where the first of those rows stand."""
        ordered = sorted(filter(None, self._found))
        twice: dict[int, list[str]] = {pk: [] for pk, after in pairwise(ordered) if pk == after}
        if twice:
            for row, supply_id in zip(self._rows, self._found, strict=True):
                places = twice.get(supply_id)
                if places is not None and len(places) < MOST_PLACES:
                    places.append(f"{row.sheet}!{row.line}" if row.sheet else str(row.line))
        return twice

    @cached_property
    def _absent(self) -> Sequence[Known]:
        """For a complete list: those that no row means, or may mean."""
        if not self._is_complete:
            return ()
        maybe: set[int] = set()
        for match in self._walk():
            if match.outcome is not None:
                maybe.update(self._may_mean(match))
            elif match.supply_id is not None:
                maybe.add(match.supply_id)
        return self._missing(maybe)

    def _may_mean(self, match: Match) -> Iterable[int]:
        """The supplies that a row may mean that goes no further."""
        row, supply_id, _outcome, _message = match
        if supply_id is not None and row.code:
            return (supply_id,)
        found = () if row.skipped else self._catalogue.may_mean(code=row.code, name=row.name)
        return found if supply_id is None else (supply_id, *found)

    def _missing(self, maybe: Collection[int]) -> Sequence[Known]:
        """Those left out; none by a list that names no good of this cooperative, which is another one's."""
        if not maybe:
            return ()
        return [supply for supply in self._catalogue.supplies if supply.pk not in maybe]

    def _walk(self) -> Iterator[Match]:
        """What each row means, looked at by itself."""
        catalogue, by_code, make = self._catalogue, self._catalogue.by_code, tuple.__new__
        closer = _Closer(catalogue, self._confirmed)
        for rows in batches(self._rows, BATCH):
            named = {by_code[row.code] for row in rows if row.name and row.code in by_code}
            names = catalogue.names_of(named) if named else {}
            for row in rows:
                (
                    _number,
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
                    and (
                        not name
                        or name == names[supply_id]
                        or catalogue.is_called(supply_id, name=name, own=names[supply_id])
                    )
                ):
                    # Nearly every row; the rest may take its time.
                    yield make(Match, (row, supply_id, None, ""))
                else:
                    yield closer.look(row)


def _sold_out(supply: Known) -> Match:
    """What a complete list says of a supply by leaving it out."""
    return Match(Row(number=0, column="", code=supply.code, name=supply.name, value=0), supply.pk)


def _counted_twice(row: Row, supply_id: int, places: Sequence[str]) -> Match:
    message = format_lazy(
        _("This good is in the list more than once (rows {rows}). Keep one row."), rows=", ".join(places)
    )
    return Match(row, supply_id, Outcome.REFUSED, message)


class _Closer:
    """Looks at rows that are not as plain as most are, in their order."""

    def __init__(self, catalogue: Catalogue, confirmed: Collection[int]) -> None:
        self._catalogue = catalogue
        self._confirmed = confirmed
        self._suggestions = 0

    def look(self, row: Row) -> Match:
        match = _match(row, self._catalogue, with_suggestion=self._suggestions < MOST_SUGGESTIONS)
        if match.outcome is not Outcome.WAITING:
            return match
        self._suggestions += not (row.is_hidden or row.doubt)
        if match.supply_id is not None and row.number in self._confirmed:
            return Match(row, match.supply_id)
        return match


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
        if written in catalogue.withdrawn:
            message = _("This good is withdrawn from sale: unchanged.")
            return Match(row, None, Outcome.SKIPPED, message)
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
    own = catalogue.names_of([supply_id])[supply_id]
    if row.code and row.name and not catalogue.is_called(supply_id, name=row.name, own=own):
        return Match(
            row,
            supply_id,
            Outcome.WAITING,
            format_lazy(
                _("The code {code} is {known}, but the row says {written}. Which is right?"),
                code=row.code[:30],
                known=own,
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
