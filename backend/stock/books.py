"""What stands in the books beside what a report says: from a document to a verdict on each of its rows.

The command, the preview and the application of a report take this one path. Nothing here locks or writes: who applies
has locked the supplies before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import in_shop_zone
from backend.common.units import Counting
from backend.stock import feeds, ledger
from backend.stock.decide import Books, Count, Verdict, decide
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import Document
from backend.stock.matching import BATCH, Catalogue, Known, Match, Matches, plain
from backend.stock.models import ColumnMapping, Report, Supply
from backend.stock.models.supplies import DIGEST_DIGITS
from backend.stock.words import Basis, Outcome

MOST_AHEAD = timedelta(minutes=5)
"""How far a cooperative's clock may be ahead of ours."""


@dataclass(frozen=True)
class Weighed:
    """A verdict for each row, in their order; and what the cooperative's supplies are called."""

    verdicts: list[Verdict]
    catalogue: Catalogue


def read_report(*, report: Report) -> Document:
    """The report's bytes as rows, by what a person once said that its headings mean. Raises FeedUnreadable."""
    read = _reader(report)
    if report.mapping:
        return read(mapping=report.mapping)
    try:
        return read()
    except FeedUnreadable as error:
        headers = unknown_headers(error)
        known = ColumnMapping.objects.filter(
            cooperative=report.cooperative_id, headers_sha256=headers_sha256(headers)
        ).first()
        if not headers or known is None:
            raise
        report.mapping = known.mapping
        return read(mapping=report.mapping)


def headers_to_explain(*, report: Report) -> tuple[str, ...]:
    """The headings that the reader cannot tell by itself, whatever a person has said of them; () where it can."""
    try:
        _reader(report)()
    except FeedUnreadable as error:
        return unknown_headers(error)
    return ()


def _reader(report: Report) -> Callable[..., Document]:
    return partial(
        feeds.read_document,
        format=report.format,
        raw=bytes(report.raw),
        filename=report.filename,
        today=in_shop_zone(report.received_at).date(),
    )


def unknown_headers(error: FeedUnreadable) -> tuple[str, ...]:
    """The headings that the reader found and could not tell; () when that was not what went wrong."""
    return tuple(getattr(error, "headers", ())) if error.code == "columns_unknown" else ()


def headers_sha256(headers: Sequence[str]) -> str:
    """By which the same headings are known again, however they are spaced."""
    said = [feeds.plain_heading(header) for header in headers]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def take_header(*, report: Report, document: Document) -> Count:
    """What the document says of itself goes before what its feed is known for.

    Sets it on the report, which is not saved. Raises FeedUnreadable.
    """
    counted_at = document.counted_at or report.counted_at or report.received_at
    if document.is_day_only and in_shop_zone(counted_at).date() == in_shop_zone(report.received_at).date():
        # Counted today, at no stated time: by now.
        counted_at = report.received_at
    if counted_at > report.received_at + MOST_AHEAD:
        raise FeedUnreadable(
            format_lazy(
                _("Counted at {moment}, which is still to come. Look at the date, or at the clock."),
                moment=in_shop_zone(counted_at).strftime("%Y-%m-%d %H:%M"),
            )
        )
    report.counted_at = counted_at
    report.basis = document.basis or report.basis
    report.sequence = report.sequence if document.sequence is None else document.sequence
    report.is_complete = report.is_complete if document.is_complete is None else document.is_complete
    if report.is_complete and not document.rows:
        raise FeedUnreadable(_("A complete list without a single good: not believed."))
    return Count(
        key=(counted_at, report.sequence, report.raw_sha256[:DIGEST_DIGITS]),
        basis=Basis(report.basis),
        # A clock that is ahead cannot have counted what had not happened yet.
        counts_from=min(counted_at, report.received_at),
        # A program that repeats its own slip has confirmed nothing.
        is_by_hand=report.source == Report.Source.DESK,
        confirmed=frozenset(report.confirmed_rows),
    )


def find_supplies(*, report: Report, document: Document, count: Count, catalogue: Catalogue) -> Matches:
    """Which supply each row means; for a complete list, those that no row means as well."""
    return Matches(
        rows=document.rows, catalogue=catalogue, confirmed=count.confirmed, is_complete=report.is_complete
    )


def meant(matches: Iterable[Match]) -> set[int]:
    """The supplies of those rows that go further."""
    return {match.supply_id for match in matches if match.outcome is None and match.supply_id is not None}


def weigh(*, report: Report, document: Document, count: Count) -> Weighed:
    """Find what the rows mean, read the books, and decide, for who looks: nothing is locked."""
    catalogue = read_catalogue(report=report, document=document)
    matches = find_supplies(report=report, document=document, count=count, catalogue=catalogue)
    return Weighed(weigh_matches(matches=list(matches), count=count), catalogue)


def weigh_matches(*, matches: Sequence[Match], count: Count) -> list[Verdict]:
    """Decide rows whose supplies were found. Who applies the verdicts has locked the supplies before."""
    books = read_books(supply_ids=meant(matches), count=count)
    return decide(matches=matches, books=books, count=count)


def proposals(*, document: Document, weighed: Weighed, count: Count) -> dict[int, Verdict]:
    """For each row that waits: its verdict once a person says that it is meant."""
    rows = {each.row.number for each in weighed.verdicts if each.outcome is Outcome.WAITING}
    if not rows:
        return {}
    sure = Count(count.key, count.basis, count.counts_from, count.is_by_hand, frozenset(rows))
    matches = Matches(rows=document.rows, catalogue=weighed.catalogue, confirmed=rows)
    again = weigh_matches(matches=[match for match in matches if match.row.number in rows], count=sure)
    return {verdict.row.number: verdict for verdict in again}


def read_catalogue(*, report: Report, document: Document) -> Catalogue:
    """What the cooperative's supplies are called: at once those that a list of one batch names, all where it needs them."""
    is_short = len(document.rows) <= BATCH and not report.is_complete
    return StoredCatalogue(
        cooperative_id=report.cooperative_id,
        codes=frozenset(row.code for row in document.rows) if is_short else None,
    )


class StoredCatalogue(Catalogue):
    """The supplies that a cooperative has in the database, of which no more is read than is asked for.

    codes: those that are going to be looked for; None for many.
    """

    def __init__(self, *, cooperative_id: int, codes: Collection[str] | None) -> None:
        super().__init__()
        supplies = Supply.objects.filter(cooperative=cooperative_id)
        self._own, self._withdrawn = supplies.filter(is_active=True), supplies.filter(is_active=False)
        self._codes = codes
        self._names: dict[int, str] = {}

    @cached_property
    def supplies(self) -> Sequence[Known]:
        """All of them, in the order of their pks."""
        all_of_them = self._own.order_by("pk").values_list("pk", "code", "name")
        return list(map(Known._make, all_of_them.iterator(chunk_size=BATCH)))

    @cached_property
    def by_code(self) -> Mapping[str, int]:
        """Codes as they stand in the shop's books: of a short list those that it names."""
        if self._codes is None:
            # Two long arrays are read in half the time of many short rows.
            read = self._own.aggregate(codes=ArrayAgg("code", default=[]), pks=ArrayAgg("pk", default=[]))
            return dict(zip(read["codes"], read["pks"], strict=True))
        named = list(self._own.filter(code__in=self._codes).values_list("code", "pk", "name"))
        self._names = {pk: name for _code, pk, name in named}
        return {code: pk for code, pk, _name in named}

    @cached_property
    def withdrawn(self) -> Collection[str]:
        """Codes, as `plain` writes them, of goods that are not sold any more."""
        return frozenset(map(plain, self._withdrawn.values_list("code", flat=True)))

    def names_of(self, supply_ids: Collection[int]) -> Mapping[int, str]:
        """What these are called."""
        # Once all were read, as an unusual row has them read, the database is not asked for each such row.
        read = self._by_pk if "supplies" in self.__dict__ else {}
        if all(pk in read for pk in supply_ids):
            return {pk: read[pk].name for pk in supply_ids}
        if not self._names.keys() >= set(supply_ids):
            # One that was withdrawn since its code was read still has its name.
            self._names = dict(Supply.objects.filter(pk__in=supply_ids).values_list("pk", "name"))
        return self._names


def read_books(*, supply_ids: Collection[int], count: Count) -> dict[int, Books]:
    """What the ledger says of each of these supplies, with what came or went since the count was made.

    The newest count is given as far as it can be told from this one: at another moment, without sequence and digest.
    """
    ids = ledger.bigints(sorted(supply_ids))
    books: dict[int, Books] = {}
    countings: dict[tuple[str, str, int | None], Counting] = {}
    make = tuple.__new__
    with connection.cursor() as cursor:
        cursor.execute(_BOOKS, {"supplies": ids, "at": count.key[0]})
        for unit, container, size, in_unit, counted_at, sequence, digest, *columns in cursor.fetchall():
            how = (unit, container, size)
            if how not in countings:
                countings[how] = Counting(base=unit, container_name=container, container_units=size)
            counting = countings[how]
            counted = None if counted_at is None else (counted_at, sequence, digest)
            for pk, on_hand, allocated, units in zip(*columns, strict=True):
                books[pk] = make(
                    Books, (pk, counting, on_hand, allocated, counted, units, in_unit, 0, 0, _NONE)
                )
        cursor.execute(_LATER_MOVEMENTS, {"supplies": ids, "since": count.counts_from})
        for pk, on_hand, allocated in cursor.fetchall():
            books[pk] = books[pk]._replace(on_hand_since=on_hand, allocated_since=allocated)
        if count.is_by_hand:
            cursor.execute(_WAITING, [ids])
            for pk, amounts in cursor.fetchall():
                books[pk] = books[pk]._replace(waiting=frozenset(amounts))
    return books


_NONE: frozenset[int] = frozenset()

# Most supplies are counted alike, and at the same moment: one row for all of those. The rest of a count's key only where
# its moment leaves it open.
_BOOKS = """
    SELECT unit, container_name, container_units, counted_unit, counted_at,
           CASE WHEN counted_at = %(at)s THEN counted_sequence ELSE 0 END AS sequence,
           CASE WHEN counted_at = %(at)s THEN counted_digest ELSE '' END AS digest,
           array_agg(id), array_agg(on_hand), array_agg(allocated), array_agg(counted_base_units)
    FROM stock_supply WHERE id = ANY(%(supplies)s::bigint[])
    GROUP BY unit, container_name, container_units, counted_unit, counted_at, sequence, digest
"""

_LATER_MOVEMENTS = """
    SELECT supply_id, SUM(on_hand_delta)::bigint, SUM(allocated_delta)::bigint FROM stock_movement
    WHERE supply_id = ANY(%(supplies)s::bigint[]) AND happened_at > %(since)s AND kind NOT IN ('count', 'undo')
    GROUP BY supply_id
"""

_WAITING = """
    SELECT line.supply_id, array_agg(DISTINCT line.base_units)
    FROM stock_unappliedline line
    JOIN stock_report report ON report.id = line.report_id
    JOIN stock_supply supply ON supply.id = line.supply_id
    WHERE line.supply_id = ANY(%s::bigint[]) AND line.outcome = 'waiting' AND line.base_units IS NOT NULL
      AND (supply.counted_at IS NULL OR report.counted_at > supply.counted_at)
    GROUP BY line.supply_id
"""
