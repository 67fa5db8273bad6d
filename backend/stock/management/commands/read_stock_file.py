"""`backend/manage.py read_stock_file PATH --cooperative SLUG [--json]`: what the shop makes of a cooperative's file.

The file takes the path that an upload takes, up to the decision on each line; the database is read and not written,
which a read-only transaction sees to. Exit status 0 when the file was readable, whatever became of its lines; 2 when
not, or when there is no such file or cooperative.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.batches import batches
from backend.common.errors import ShopError
from backend.common.units import Counting, scale_of
from backend.cooperatives.models import Cooperative
from backend.stock import feeds
from backend.stock.books import find_supplies, read_catalogue, read_report, take_header, weigh_matches
from backend.stock.decide import Count, Verdict
from backend.stock.matching import BATCH, Matches
from backend.stock.models import Report, Supply
from backend.stock.words import Basis, Outcome

UNREADABLE = 2


class Command(BaseCommand):
    help = "Says what would become of each line of a cooperative's file, and changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", help="the file, of any kind that cooperatives send")
        parser.add_argument("--cooperative", required=True, metavar="SLUG", help="whose file it is")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
        parser.add_argument("--basis", default=Basis.SHELF.value, help="shelf (default) or sellable")
        parser.add_argument("--complete", action="store_true", help="a good that is absent is sold out")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(settings.LANGUAGE_CODE):
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
                    told = _read_file(
                        path=Path(options["path"]),
                        slug=options["cooperative"],
                        basis=options["basis"],
                        is_complete=options["complete"],
                    )
                    # Told as they are decided: a list of a hundred thousand is never there as a whole.
                    if options["json"]:
                        self._tell(told)
                    else:
                        self._show(told)
            except ShopError as error:
                self._refuse(error, as_json=options["json"])

    def _tell(self, told: _Read) -> None:
        counts: Counter[str] = Counter()
        self.stdout.write('{"lines": [', ending="")
        for verdict, counting in _decide(told):
            line = json.dumps(_line(verdict, counting), ensure_ascii=False)
            self.stdout.write(f", {line}" if counts else line, ending="")
            counts[verdict.outcome.value] += 1
        summary = json.dumps(_summary(told, counts=counts), ensure_ascii=False)
        self.stdout.write(f'], "summary": {summary}}}')

    def _show(self, told: _Read) -> None:
        counts: Counter[str] = Counter()
        for verdict, counting in _decide(told):
            line = _line(verdict, counting)
            counts[verdict.outcome.value] += 1
            read = "" if line["quantity"] is None else f"= {line['quantity']} {line['unit']}".rstrip()
            cells = [
                str(verdict.row.place),
                line["code"] or verdict.row.name,
                f"“{line['raw']}”",
                str(verdict.outcome.label),
                read,
                str(verdict.message),
            ]
            self.stdout.write("\t".join(cell for cell in cells if cell))
        for remark in told.remarks:
            self.stdout.write(str(remark))
        self.stdout.write(" · ".join(f"{outcome.label} {counts[outcome.value]}" for outcome in Outcome))

    def _refuse(self, error: ShopError, *, as_json: bool) -> None:
        if as_json:
            said: dict[str, Any] = {"code": error.code, "message": str(error)}
            if isinstance(error, feeds.ColumnsUnknown):
                said["headers"] = list(error.headers)
            self.stdout.write(json.dumps({"error": said}, ensure_ascii=False))
        else:
            self.stderr.write(str(error))
        sys.exit(UNREADABLE)


@dataclass(frozen=True)
class _Read:
    """A file that could be read: the report that it would be, and which supply each of its rows means."""

    report: Report
    count: Count
    matches: Matches
    remarks: Sequence[str | Promise]


def _read_file(*, path: Path, slug: str, basis: str, is_complete: bool) -> _Read:
    """Raises ShopError."""
    raw = _read(path)
    if basis not in Basis.values:
        message = format_lazy(_("basis is “{value}”: it is either shelf or sellable."), value=basis[:60])
        raise ShopError(message, code="basis_unknown")
    now = timezone.now()
    cooperative = Cooperative.objects.filter(slug=slug).first()
    if cooperative is None:
        known = ", ".join(Cooperative.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise ShopError(
            format_lazy(
                _("There is no cooperative “{slug}”. There are: {known}."), slug=slug, known=known or "-"
            ),
            code="cooperative_unknown",
        )
    report = Report(
        cooperative=cooperative,
        source=Report.Source.UPLOAD,
        format=feeds.FILE,
        filename=path.name,
        basis=Basis(basis),
        is_complete=is_complete,
        sequence=int(now.timestamp()),
        raw=raw,
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        received_at=now,
    )
    document = read_report(report=report)
    count = take_header(report=report, document=document)
    catalogue = read_catalogue(report=report, document=document)
    matches = find_supplies(report=report, document=document, count=count, catalogue=catalogue)
    return _Read(report, count, matches, document.remarks)


def _decide(told: _Read) -> Iterator[tuple[Verdict, Counting | None]]:
    """What becomes of each row, and how the good that it means is counted."""
    for batch in batches(told.matches, BATCH):
        verdicts = weigh_matches(matches=batch, count=told.count)
        supplies = Supply.objects.filter(pk__in={verdict.supply_id for verdict in verdicts})
        countings = {
            pk: Counting(unit, container, per_container)
            for pk, unit, container, per_container in supplies.values_list(
                "pk", "unit", "container_name", "container_units"
            )
        }
        for verdict in verdicts:
            yield verdict, countings.get(verdict.supply_id or 0)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than is allowed is enough to know.
            return file.read(feeds.MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        message = format_lazy(_("The file “{path}” cannot be opened."), path=str(path).replace("\x00", "?"))
        raise ShopError(message, code="file_missing") from error


def _line(verdict: Verdict, counting: Counting | None) -> dict[str, Any]:
    """quantity: in unit, as it was understood; base_units: the same in grams or pieces; null where nothing was."""
    row = verdict.row
    quantity: int | float | None = None
    unit = verdict.unit or (
        counting.base if counting is not None and verdict.base_units is not None else row.unit or ""
    )
    if verdict.base_units is not None and counting is not None:
        scale = scale_of(unit, counting)
        share = Decimal(verdict.base_units) / (scale.size if scale is not None else 1)
        quantity = int(share) if share == int(share) else float(share)
    return {
        "row": row.line,
        "code": row.code,
        "raw": row.written,
        "outcome": verdict.outcome.value,
        "quantity": quantity,
        "unit": unit,
        "base_units": verdict.base_units,
        "message": str(verdict.told),
    }


def _summary(told: _Read, *, counts: Counter[str]) -> dict[str, Any]:
    report = told.report
    return {
        "lines": counts.total(),
        **{outcome.value: counts[outcome.value] for outcome in Outcome},
        "remarks": [str(remark) for remark in told.remarks],
        "cooperative": report.cooperative.slug,
        "basis": str(report.basis),
        "complete": report.is_complete,
        "counted_at": report.counted_at.isoformat() if report.counted_at is not None else None,
    }
