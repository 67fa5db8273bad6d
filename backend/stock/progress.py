"""How far a large report is, told while its transaction runs.

The worker tells it to Redis, outside the transaction, so that it is seen before the commit; a worker that starts again
tells it anew. Without Redis, the report's own status says as much as it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import structlog
from django.core.cache import cache

from backend.stock.models import Report

log = structlog.get_logger(__name__)

_KEPT_SECONDS = 24 * 60 * 60


class Stage(StrEnum):
    """Where a report is."""

    DRAFT = "draft"
    QUEUED = "queued"
    READING = "reading"
    DECIDING = "deciding"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """done of total rows; both 0 while nobody knows how many there are."""

    stage: Stage
    done: int = 0
    total: int = 0


_STAGES = {
    Report.Status.DRAFT: Stage.DRAFT,
    Report.Status.RECEIVED: Stage.QUEUED,
    Report.Status.FAILED: Stage.FAILED,
}


def tell(*, report_id: UUID, stage: Stage, done: int = 0, total: int = 0) -> None:
    """Say how far the report is. A cache that is away costs the news, not the report."""
    try:
        cache.set(_key(report_id), (stage.value, done, total), timeout=_KEPT_SECONDS)
    except Exception as error:
        log.warning("progress_not_told", report=str(report_id), error=type(error).__name__)


def progress_of(report: Report) -> Progress:
    """The report's stage. What its row says is final goes before what was told on the way."""
    status = Report.Status(report.status)
    if status not in _STAGES:
        total = report.lines.count()
        return Progress(Stage.DONE, total, total)
    if status is not Report.Status.RECEIVED:
        return Progress(_STAGES[status])
    try:
        told = cache.get(_key(report.pk))
    except Exception as error:
        log.warning("progress_not_known", report=str(report.pk), error=type(error).__name__)
        told = None
    if told is None:
        return Progress(Stage.QUEUED)
    stage, done, total = told
    return Progress(Stage(stage), done, total)


def _key(report_id: UUID) -> str:
    return f"stock-report-progress:{report_id}"
