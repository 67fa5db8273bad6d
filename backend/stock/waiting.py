"""Rows that wait for a person, and drafts that are handed to a worker because they are long."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Max, Q, QuerySet, When
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.cooperatives.models import Cooperative
from backend.stock.applying import lock_report
from backend.stock.errors import ReportClosed
from backend.stock.models import Report, ReportLine
from backend.stock.words import Outcome


def waiting_lines(*, cooperative: Cooperative, since: datetime) -> QuerySet[ReportLine]:
    """The newest row of each code that waits for a person, of reports since then.

    Where no code is written it is the good that is meant; where nobody knows which, the message, which has the name.
    A row whose good was counted again later waits for nobody any more.
    """
    waiting = ReportLine.objects.filter(
        report__cooperative=cooperative,
        report__status=Report.Status.APPLIED,
        report__received_at__gt=since,
        outcome=Outcome.WAITING,
    ).filter(
        Q(supply__isnull=True)
        | Q(supply__counted_at__isnull=True)
        # Of the same moment, too: an unknown code is perhaps a good that another row of the list counts.
        | Q(report__counted_at__gte=F("supply__counted_at"))
    )
    newest = (
        waiting.annotate(
            said=Case(When(code="", supply=None, then=F("message")), default=F("code")),
            meant=Case(When(code="", then=F("supply"))),
        )
        .order_by()
        .values("said", "meant")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    # All of it said twice, so that the database need not look for them among the lines of all other reports.
    return waiting.filter(pk__in=newest)


def hand_over(*, report_id: UUID, accepted_waiting: Collection[int], submitted_by: User | None) -> Report:
    """Confirm a draft that is too long to wait for: it is received now, and a worker applies it.

    Whoever calls this queues it; a report that nobody queued is found by who looks for those left behind. A draft that
    was confirmed before stays as it was then. Raises ReportClosed when it was put aside.
    """
    with transaction.atomic():
        report = lock_report(report_id=report_id)
        if report is None or report.status == Report.Status.DISCARDED:
            raise ReportClosed(_("This file was put aside. Upload it again."))
        if report.status == Report.Status.DRAFT:
            report.status = Report.Status.RECEIVED
            report.confirmed_rows = sorted(set(accepted_waiting))
            report.submitted_by = submitted_by or report.submitted_by
            report.save(update_fields=["status", "confirmed_rows", "submitted_by"])
        return report
