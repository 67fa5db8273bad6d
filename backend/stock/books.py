"""What stands in the books beside what a report says: from a document to a verdict on each of its rows.

The command, the preview and the application of a report take this one path. Nothing here locks or writes: who applies
has locked the supplies before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import in_shop_zone
from backend.common.units import Counting
from backend.stock import decide, feeds, ledger
from backend.stock.decide import Books, Catalogue, Count, CountKey, Known, Match, Verdict
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import Document
from backend.stock.models import ColumnMapping, Report, Supply
from backend.stock.words import Basis, Outcome

MOST_AHEAD = timedelta(minutes=5)
"""How far a cooperative's clock may be ahead of ours."""


SHORT = 20_000
"""Rows of a list for which the supplies are asked for by code, instead of reading all that the cooperative has."""


@dataclass(frozen=True)
class Weighed:
    """A verdict for each row, in their order; and what the cooperative's supplies are called."""

    verdicts: list[Verdict]
    catalogue: Catalogue


def read_report(*, report: Report) -> Document:
    """The report's bytes as rows, by what a person once said that its headings mean. Raises FeedUnreadable."""
    read = partial(
        feeds.read_document,
        format=report.format,
        raw=bytes(report.raw),
        filename=report.filename,
        today=in_shop_zone(report.received_at).date(),
    )
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


def unknown_headers(error: FeedUnreadable) -> tuple[str, ...]:
    """The headings that the reader found and could not tell; () when that was not what went wrong."""
    return tuple(getattr(error, "headers", ())) if error.code == "columns_unknown" else ()


def headers_sha256(headers: Sequence[str]) -> str:
    """By which the same headings are known again."""
    return hashlib.sha256(json.dumps(list(headers), ensure_ascii=False).encode()).hexdigest()


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
        key=(counted_at, report.sequence, report.raw_sha256),
        basis=Basis(report.basis),
        # A clock that is ahead cannot have counted what had not happened yet.
        counts_from=min(counted_at, report.received_at),
        # A program that repeats its own slip has confirmed nothing.
        is_by_hand=report.source == Report.Source.DESK,
        confirmed=frozenset(report.confirmed_rows),
    )


def find_supplies(*, report: Report, document: Document, count: Count, catalogue: Catalogue) -> list[Match]:
    """Which supply each row means; for a complete list, those that no row means as well."""
    matches = decide.match_rows(rows=document.rows, catalogue=catalogue, confirmed=count.confirmed)
    if report.is_complete:
        matches += decide.absent(matches=matches, catalogue=catalogue)
    return matches


def meant(matches: Iterable[Match]) -> set[int]:
    """The supplies of those rows that go further."""
    return {match.supply_id for match in matches if match.outcome is None and match.supply_id is not None}


def weigh(*, report: Report, document: Document, count: Count) -> Weighed:
    """Find what the rows mean, read the books, and decide, for who looks: nothing is locked."""
    catalogue = read_catalogue(report=report, document=document)
    matches = find_supplies(report=report, document=document, count=count, catalogue=catalogue)
    return Weighed(weigh_matches(matches=matches, count=count), catalogue)


def weigh_matches(*, matches: Sequence[Match], count: Count) -> list[Verdict]:
    """Decide rows whose supplies were found. Who applies the verdicts has locked the supplies before."""
    books = read_books(supply_ids=meant(matches), count=count)
    return decide.decide(matches=matches, books=books, count=count)


def proposals(*, document: Document, weighed: Weighed, count: Count) -> dict[int, Verdict]:
    """For each row that waits: its verdict once a person says that it is meant."""
    rows = {each.row.number for each in weighed.verdicts if each.outcome is Outcome.WAITING}
    if not rows:
        return {}
    sure = Count(count.key, count.basis, count.counts_from, count.is_by_hand, frozenset(rows))
    matches = decide.match_rows(rows=document.rows, catalogue=weighed.catalogue, confirmed=rows)
    again = weigh_matches(matches=[match for match in matches if match.row.number in rows], count=sure)
    return {verdict.row.number: verdict for verdict in again}


def read_catalogue(*, report: Report, document: Document) -> Catalogue:
    """What the cooperative's supplies are called: those that a short list names, or all where it needs them."""
    supplies = Supply.objects.filter(cooperative=report.cooperative_id, is_active=True).order_by("pk")
    known = supplies.values_list("pk", "code", "name")
    if len(document.rows) <= SHORT and not report.is_complete:
        codes = {row.code for row in document.rows}
        named = list(map(Known._make, known.filter(code__in=codes)))
        # A code that is written otherwise, or is none of the cooperative's, is compared with all.
        if len(named) == len(codes):
            return Catalogue(named)
    return Catalogue(list(map(Known._make, known.iterator(chunk_size=5_000))))


def read_books(*, supply_ids: Collection[int], count: Count) -> dict[int, Books]:
    """What the ledger says of each of these supplies, with what came or went since the count was made.

    The newest count is given as far as it can be told from this one: at another moment, without sequence and sha256.
    """
    key = count.key
    ids = ledger.bigints(sorted(supply_ids))
    with connection.cursor() as cursor:
        cursor.execute(_LATER_MOVEMENTS, {"supplies": ids, "since": count.counts_from})
        since = {pk: (on_hand, allocated) for pk, on_hand, allocated in cursor.fetchall()}
        waiting: dict[int, set[int]] = {}
        if count.is_by_hand:
            cursor.execute(_WAITING, [ids])
            for pk, base_units in cursor.fetchall():
                waiting.setdefault(pk, set()).add(base_units)
        cursor.execute(_BOOKS, {"supplies": ids, "at": key[0]})
        supplies = cursor.fetchall()
    # Most supplies are counted alike, and at the same moment: each is made once.
    countings: dict[tuple[str, str, int | None], Counting] = {}
    keys: dict[tuple[int, int, str], CountKey] = {}
    books: dict[int, Books] = {}
    make = tuple.__new__
    for row in supplies:
        pk, unit, container, size, on_hand, allocated, microseconds, sequence, sha256, units, in_unit = row
        how = (unit, container, size)
        counting = countings.get(how)
        if counting is None:
            counting = countings[how] = Counting(base=unit, container_name=container, container_units=size)
        counted = None
        if microseconds is not None:
            when = (microseconds, sequence, sha256)
            counted = keys.get(when)
            if counted is None:
                counted = keys[when] = (_EPOCH + timedelta(microseconds=microseconds), sequence, sha256)
        on_hand_since, allocated_since = since.get(pk, _NOTHING) if since else _NOTHING
        books[pk] = make(
            Books,
            (
                pk,
                counting,
                on_hand,
                allocated,
                counted,
                units,
                in_unit,
                on_hand_since,
                allocated_since,
                frozenset(waiting[pk]) if pk in waiting else _NONE,
            ),
        )
    return books


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = (0, 0)
_NONE: frozenset[int] = frozenset()

# Moments as whole microseconds, and the rest of a key only where the moment leaves it open: a hundred thousand of them
# are read in no time.
_BOOKS = """
    SELECT id, unit, container_name, container_units, on_hand, allocated,
           (extract(epoch FROM counted_at) * 1000000)::bigint,
           CASE WHEN counted_at = %(at)s THEN counted_sequence ELSE 0 END,
           CASE WHEN counted_at = %(at)s THEN counted_sha256 ELSE '' END,
           counted_base_units, counted_unit
    FROM stock_supply WHERE id = ANY(%(supplies)s::bigint[])
"""

_LATER_MOVEMENTS = """
    SELECT supply_id, SUM(on_hand_delta)::bigint, SUM(allocated_delta)::bigint FROM stock_movement
    WHERE supply_id = ANY(%(supplies)s::bigint[]) AND happened_at > %(since)s AND kind NOT IN ('count', 'undo')
    GROUP BY supply_id
"""

_WAITING = """
    SELECT line.supply_id, line.base_units
    FROM stock_reportline line
    JOIN stock_report report ON report.id = line.report_id
    JOIN stock_supply supply ON supply.id = line.supply_id
    WHERE line.supply_id = ANY(%s::bigint[]) AND line.outcome = 'waiting' AND line.base_units IS NOT NULL
      AND (supply.counted_at IS NULL OR report.counted_at > supply.counted_at)
"""
