"""Receives what cooperatives say. What becomes of it is in `applying`, `previewing` and `undoing`, named here as well.

A report is kept byte for byte before it is read. What a program or the desk's form says is applied at once; a file
that a person uploads is a draft, which changes nothing until somebody who saw its preview confirms it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.cooperatives.models import Cooperative, ProgramToken
from backend.stock import feeds, ledger
from backend.stock.applying import apply_report, confirm_lines, confirm_report, lock_report
from backend.stock.books import headers_sha256, headers_to_explain
from backend.stock.errors import FeedUnreadable, MappingUnclear, ReportClosed, ReportConflict
from backend.stock.feeds.document import as_text
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.models import ColumnMapping, Report
from backend.stock.previewing import Preview, PreviewLine, preview
from backend.stock.undoing import undo_report
from backend.stock.words import Basis

__all__ = [
    "Preview",
    "PreviewLine",
    "SubmittedLine",
    "apply_report",
    "confirm_lines",
    "confirm_report",
    "discard_old_drafts",
    "discard_report",
    "keep_report",
    "keep_upload",
    "preview",
    "remember_columns",
    "reproject",
    "submit_report",
    "undo_report",
]

DRAFTS_ARE_KEPT = timedelta(days=1)


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
    program: ProgramToken | None = None,
    now: datetime,
) -> Report:
    """Keep a report from the desk or the API and apply it at once; answers it with its outcome.

    program: the token that it came by, where no person sent it.

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
            program=program,
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


# ---- Files that a person uploads ------------------------------------------------------------------------------------


def keep_upload(
    *,
    cooperative: Cooperative,
    filename: str,
    raw: bytes,
    basis: Basis,
    is_complete: bool,
    submitted_by: User | None,
    program: ProgramToken | None = None,
    now: datetime,
) -> Report:
    """Keep a file as a draft, which changes nothing; the same bytes again answer the draft that is still open.

    What kind of file it is, its bytes say when it is read. Raises FeedUnreadable for one that is too large to keep.
    """
    if len(raw) > feeds.MOST_BYTES:
        raise FeedUnreadable(
            format_lazy(_("The document is larger than {most} MB."), most=feeds.MOST_BYTES // (1024 * 1024))
        )
    sha256 = hashlib.sha256(raw).hexdigest()
    same = Report.objects.filter(cooperative=cooperative, raw_sha256=sha256)
    with transaction.atomic():
        # Two clicks are one draft: the second waits here for the first.
        Cooperative.objects.select_for_update(of=("self",), no_key=True).get(pk=cooperative.pk)
        draft = same.filter(
            status=Report.Status.DRAFT, basis=basis, is_complete=is_complete, source=Report.Source.UPLOAD
        ).first()
        if draft is not None:
            return draft
        return keep_report(
            Report(
                cooperative=cooperative,
                source=Report.Source.UPLOAD,
                submitted_by=submitted_by,
                program=program,
                format=feeds.FILE,
                filename=as_text(filename)[-200:],
                basis=basis,
                is_complete=is_complete,
                # Of two files without a number of their own, the one that was uploaded later is the newer.
                sequence=int(now.timestamp()),
                idempotency_key=f"upload:{sha256}:{same.count()}",
                raw=raw,
                raw_sha256=sha256,
                status=Report.Status.DRAFT,
                received_at=now,
            )
        )


def remember_columns(
    *, report: Report, mapping: Mapping[str, str], submitted_by: User | None, now: datetime
) -> None:
    """Keep what a person says that a draft's headings mean: for this draft, and for every later file with the same.

    mapping: heading -> code, name, quantity, unit, lot, date or note. Raises MappingUnclear when it names no quantity,
    or neither a code nor a name.
    """
    roles = list(mapping.values())
    if roles.count("quantity") != 1 or not {"code", "name"} & set(roles) or not set(roles) <= COLUMN_ROLES:
        raise MappingUnclear(
            _("Say in which column the quantities stand, and in which the codes or the names.")
        )
    # Of what was said before, and maybe wrongly, nothing is asked: later files are known by the same headings.
    headers = headers_to_explain(report=report) or tuple(mapping)
    with transaction.atomic():
        locked = lock_report(report_id=report.pk)
        if locked is None or locked.status != Report.Status.DRAFT:
            raise ReportClosed(_("This file is not waiting to be confirmed any more."))
        ColumnMapping.objects.update_or_create(
            cooperative=locked.cooperative,
            headers_sha256=headers_sha256(headers),
            defaults={
                "headers": list(headers),
                "mapping": dict(mapping),
                "told_by": submitted_by,
                "told_at": now,
            },
        )
        report.mapping = locked.mapping = dict(mapping)
        locked.save(update_fields=["mapping"])


COLUMN_ROLES = frozenset(feeds.ROLES)


def discard_report(*, report_id: UUID) -> Report:
    """Put aside a draft, or a report that failed. Raises ReportClosed when it is in the books, or on its way there."""
    with transaction.atomic():
        report = lock_report(report_id=report_id)
        if report is None or report.status not in (
            Report.Status.DRAFT,
            Report.Status.FAILED,
            Report.Status.DISCARDED,
        ):
            raise ReportClosed(_("This file is not waiting to be confirmed any more."))
        report.status = Report.Status.DISCARDED
        report.save(update_fields=["status"])
        return report


def discard_old_drafts(*, now: datetime) -> int:
    """Put aside the drafts that nobody confirmed within a day; answers how many."""
    return Report.objects.filter(status=Report.Status.DRAFT, received_at__lt=now - DRAFTS_ARE_KEPT).update(
        status=Report.Status.DISCARDED
    )


# ---- By hand --------------------------------------------------------------------------------------------------------


def reproject(*, supply_id: int, now: datetime) -> None:
    """Bring a supply's Stock rows in line after its packs, or whether it is sold at all, were changed by hand."""
    with transaction.atomic():
        supplies = ledger.lock_supplies(supply_ids=[supply_id])
        ledger.lock_stock_rows(supply_ids=list(supplies))
        ledger.project(supply_ids=list(supplies))
        ledger.settle_shortfalls(supply_ids=list(supplies), now=now)
        bump_stock_version_on_commit()
