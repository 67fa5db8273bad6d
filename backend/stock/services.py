"""Receives what cooperatives say, and applies it: raw bytes -> lines -> ledger -> Saleor's Stock rows.

A report is kept before it is read, and applied in one transaction that begins with two locks: the cooperative's
advisory lock, so that one cooperative is never applied by two workers at once, and the report's row, whose status says
whether it was applied. A worker that is killed at any line leaves the report as received, to be applied again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.common.clock import in_shop_zone
from backend.common.units import Counting
from backend.cooperatives.models import Cooperative
from backend.stock import decide, feeds, ledger
from backend.stock.decide import Books, Catalogue, Count, Known, Verdict
from backend.stock.errors import FeedUnreadable, ReportConflict
from backend.stock.feeds.document import Document, as_text
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.ledger import Balance, Entry
from backend.stock.models import Movement, Report, Supply
from backend.stock.words import Basis

MOST_AHEAD = timedelta(minutes=5)
"""How far a cooperative's clock may be ahead of ours."""

# The first half of an advisory lock's key: "stoc" in ASCII. The second is the cooperative.
_ADVISORY_LOCK = 0x73746F63


@dataclass(frozen=True)
class SubmittedLine:
    """One line of the desk's form, or of the API: quantity as written, unit "" for the base unit."""

    code: str
    quantity: object
    unit: str = ""
    lot: str = ""


# ---- Receiving ------------------------------------------------------------------------------------------------------


def submit_report(
    *,
    cooperative: Cooperative,
    basis: Basis,
    counted_at: datetime,
    sequence: int = 0,
    idempotency_key: str,
    is_complete: bool = False,
    lines: Sequence[SubmittedLine],
    source: Report.Source,
    submitted_by: User | None,
    now: datetime,
) -> Report:
    """Keep a report from the desk or the API and apply it at once; answers it with its outcome.

    The same key with the same content answers the report of the first time, which is not applied again. Raises
    ReportConflict for the same key with another content.
    """
    said = {
        "basis": str(Basis(basis)),
        "complete": is_complete,
        "counted_at": counted_at.isoformat(),
        "items": [
            {"code": line.code, "lot": line.lot, "quantity": _as_json(line.quantity), "unit": line.unit}
            for line in lines
        ],
        "sequence": sequence,
    }
    raw = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        "utf-8", "replace"
    )
    report = keep_report(
        Report(
            cooperative=cooperative,
            source=source,
            submitted_by=submitted_by,
            format=feeds.JSON,
            basis=basis,
            is_complete=is_complete,
            counted_at=counted_at,
            sequence=sequence,
            idempotency_key=as_text(idempotency_key),
            raw=raw,
            raw_sha256=hashlib.sha256(raw).hexdigest(),
            received_at=now,
        )
    )
    apply_report(report_id=report.pk, now=now)
    report.refresh_from_db()
    return report


def _as_json(quantity: object) -> object:
    return quantity if quantity is None or isinstance(quantity, bool | int) else as_text(quantity)


def keep_report(report: Report) -> Report:
    """Save a new report, or answer the one that has its key. Raises ReportConflict when that one said otherwise."""
    if not report.idempotency_key or len(report.idempotency_key) > 100:
        raise ReportConflict(_("The key of a report has 1 to 100 characters."), code="key_invalid")
    try:
        with transaction.atomic():
            report.save(force_insert=True)
        return report
    except IntegrityError:
        kept = Report.objects.filter(
            cooperative=report.cooperative_id, idempotency_key=report.idempotency_key
        ).first()
        if kept is None:
            raise
    if kept.raw_sha256 != report.raw_sha256:
        raise ReportConflict(_("A report with this key was sent before, with other figures."))
    return kept


def reproject(*, supply_id: int, now: datetime) -> None:
    """Bring a supply's Stock rows in line after its packs, or whether it is sold at all, were changed by hand."""
    with transaction.atomic():
        supplies = ledger.lock_supplies(supply_ids=[supply_id])
        ledger.lock_stock_rows(supply_ids=list(supplies))
        ledger.project(supply_ids=list(supplies))
        ledger.settle_shortfalls(supply_ids=list(supplies), now=now)
        bump_stock_version_on_commit()


# ---- Applying -------------------------------------------------------------------------------------------------------


def apply_report(*, report_id: UUID, now: datetime) -> bool:
    """Apply a report that was received; answers whether it was this call that dealt with it.

    A document that cannot be read is refused as a whole, with the reason in the report's message. Whatever else
    goes wrong leaves no trace, and the report as received.
    """
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        report = _lock_report(report_id=report_id)
        if report is None:
            return False
        try:
            document = feeds.read_document(format=report.format, raw=bytes(report.raw))
            count = _take_header(report=report, document=document)
        except FeedUnreadable as error:
            report.status, report.message, report.applied_at = Report.Status.REFUSED, str(error)[:500], now
            report.save(update_fields=["status", "message", "applied_at"])
            return True
        verdicts, books = _decide(report=report, document=document, count=count)
        _write(report=report, verdicts=verdicts, books=books, count=count, now=now)
        report.status, report.applied_at = Report.Status.APPLIED, now
        report.message = " ".join(str(remark) for remark in document.remarks)[:500]
        report.save()
        return True


def _lock_report(*, report_id: UUID) -> Report | None:
    """The report, locked behind its cooperative's lock; None when it is not waiting to be applied."""
    cooperative_id = Report.objects.filter(pk=report_id).values_list("cooperative", flat=True).first()
    if cooperative_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ADVISORY_LOCK, cooperative_id])
    return (
        Report.objects.select_for_update(of=("self",))
        .filter(pk=report_id, status=Report.Status.RECEIVED)
        .first()
    )


def _take_header(*, report: Report, document: Document) -> Count:
    """What the document says of itself goes before what its feed is known for. Raises FeedUnreadable."""
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
    )


def _decide(*, report: Report, document: Document, count: Count) -> tuple[list[Verdict], dict[int, Books]]:
    """Lock what the rows mean, read the books, and decide; answers the books as they were, too."""
    catalogue = Catalogue(
        [
            Known(*row)
            for row in Supply.objects.filter(cooperative=report.cooperative_id, is_active=True)
            .order_by("pk")
            .values_list("pk", "code", "name")
        ]
    )
    matches = decide.match_rows(rows=document.rows, catalogue=catalogue)
    if report.is_complete:
        matches += decide.absent(matches=matches, catalogue=catalogue)
    meant = {match.supply_id for match in matches if match.outcome is None and match.supply_id is not None}
    books = _read_books(supply_ids=meant, counts_from=count.counts_from, with_waiting=count.is_by_hand)
    return decide.decide(matches=matches, books=books, count=count), books


def _read_books(
    *, supply_ids: Collection[int], counts_from: datetime, with_waiting: bool
) -> dict[int, Books]:
    """Lock these supplies in pk order, their Stock rows after them, and read what the ledger says of each."""
    ids = sorted(supply_ids)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_BOOKS, [ledger.bigints(ids)])
        supplies = cursor.fetchall()
        cursor.execute(_LATER_MOVEMENTS, {"supplies": ledger.bigints(ids), "since": counts_from})
        since = {pk: (on_hand, allocated) for pk, on_hand, allocated in cursor.fetchall()}
        waiting: dict[int, set[int]] = {}
        if with_waiting:
            cursor.execute(_WAITING, [ledger.bigints(ids)])
            for pk, base_units in cursor.fetchall():
                waiting.setdefault(pk, set()).add(base_units)
    ledger.hold_stock_rows(supply_ids=ids)
    books = {}
    for (
        pk,
        unit,
        container,
        per_container,
        on_hand,
        allocated,
        at,
        sequence,
        sha256,
        units,
        in_unit,
    ) in supplies:
        on_hand_since, allocated_since = since.get(pk, (0, 0))
        books[pk] = Books(
            pk=pk,
            counting=Counting(base=unit, container_name=container, container_units=per_container),
            on_hand=on_hand,
            allocated=allocated,
            counted=None if at is None else (at, sequence, sha256),
            counted_units=units,
            counted_unit=in_unit,
            on_hand_since=on_hand_since,
            allocated_since=allocated_since,
            waiting=frozenset(waiting.get(pk, ())),
        )
    return books


def _write(
    *,
    report: Report,
    verdicts: Sequence[Verdict],
    books: Mapping[int, Books],
    count: Count,
    now: datetime,
) -> None:
    """Lines, movements, balances, Stock rows and shortfalls of one report, each in one statement."""
    line_ids = _write_lines(report=report, verdicts=verdicts)
    accepted = {
        verdict.supply_id: (line_id, verdict, verdict.on_hand)
        for line_id, verdict in zip(line_ids, verdicts, strict=True)
        if verdict.supply_id is not None and verdict.on_hand is not None
    }
    if not accepted:
        return
    supply_ids = sorted(accepted)
    entries = [
        Entry(
            supply_id=supply_id,
            kind=Movement.Kind.COUNT,
            happened_at=count.counts_from,
            on_hand_delta=on_hand - books[supply_id].on_hand,
            report_line_id=line_id,
        )
        for supply_id, (line_id, _verdict, on_hand) in accepted.items()
    ]
    balances = {pk: Balance(on_hand=books[pk].on_hand, allocated=books[pk].allocated) for pk in supply_ids}
    ledger.append_only(entries=entries, balances=balances, now=now)
    verdict_of = {supply_id: verdict for supply_id, (_line_id, verdict, _on_hand) in accepted.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWEST_COUNT,
            {
                "counted_at": count.key[0],
                "sequence": report.sequence,
                "sha256": report.raw_sha256,
                "counts_from": count.counts_from,
                "supplies": ledger.bigints(supply_ids),
                "on_hand": ledger.bigints(accepted[pk][2] for pk in supply_ids),
                "base_units": ledger.bigints(verdict_of[pk].base_units or 0 for pk in supply_ids),
                "units": [verdict_of[pk].unit[:20] for pk in supply_ids],
            },
        )
    _put_lots_on_sale(
        report=report, lots={pk: each.row.lot for pk, each in verdict_of.items() if each.row.lot}
    )
    ledger.project(supply_ids=supply_ids)
    ledger.settle_shortfalls(supply_ids=supply_ids, now=now)
    bump_stock_version_on_commit()


def _write_lines(*, report: Report, verdicts: Sequence[Verdict]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('stock_reportline', 'id')) FROM generate_series(1, %s)",
            [len(verdicts)],
        )
        line_ids = [line_id for (line_id,) in cursor.fetchall()]
    ledger.copy_rows(
        table="stock_reportline",
        columns=_LINE_COLUMNS,
        rows=(
            (
                line_id,
                report.pk,
                verdict.row.number,
                verdict.row.column[:40],
                verdict.row.code[:60],
                verdict.row.written[:200],
                verdict.outcome.value,
                verdict.supply_id,
                verdict.base_units,
                verdict.unit[:20],
                as_text(str(verdict.message))[:300] if verdict.message else "",
            )
            for line_id, verdict in zip(line_ids, verdicts, strict=True)
        ),
    )
    return line_ids


def _put_lots_on_sale(*, report: Report, lots: Mapping[int, str]) -> None:
    """The lot that a line names is what is on sale now; a lot that nobody registered changes nothing."""
    if not lots:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE stock_supply supply SET lot_id = lot.id
            FROM unnest(%s::bigint[], %s::text[]) AS said(supply_id, code)
            JOIN provenance_harvestlot lot ON lot.code = said.code AND lot.cooperative_id = %s
            WHERE supply.id = said.supply_id AND lot.product_id = supply.product_id AND lot.recalled_at IS NULL
            """,
            [list(lots.keys()), list(lots.values()), report.cooperative_id],
        )


_LINE_COLUMNS = (
    "id",
    "report_id",
    "row",
    "column",
    "code",
    "raw",
    "outcome",
    "supply_id",
    "base_units",
    "unit",
    "message",
)

_LOCK_BOOKS = """
    SELECT id, unit, container_name, container_units, on_hand, allocated,
           counted_at, counted_sequence, counted_sha256, counted_base_units, counted_unit
    FROM stock_supply WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE
"""

_LATER_MOVEMENTS = """
    SELECT supply_id, SUM(on_hand_delta)::bigint, SUM(allocated_delta)::bigint FROM stock_movement
    WHERE supply_id = ANY(%(supplies)s::bigint[]) AND happened_at > %(since)s AND kind <> 'count'
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

_NEWEST_COUNT = """
    UPDATE stock_supply supply
    SET on_hand = said.on_hand, counted_at = %(counted_at)s, counted_sequence = %(sequence)s, counted_sha256 = %(sha256)s,
        counts_from = %(counts_from)s, counted_base_units = said.base_units, counted_unit = said.unit
    FROM unnest(%(supplies)s::bigint[], %(on_hand)s::bigint[], %(base_units)s::bigint[], %(units)s::text[])
      AS said(id, on_hand, base_units, unit)
    WHERE supply.id = said.id
"""
