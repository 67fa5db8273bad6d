"""Why a figure is what it is, and how far a report is."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache

from backend.cooperatives.models import Cooperative
from backend.stock import applying, selectors
from backend.stock.allocation import allocate
from backend.stock.models import Movement, Report, Supply
from backend.stock.progress import Progress, Stage, tell
from backend.stock.services import undo_report
from tests.backend.stock.shed import MORNING, an_order, an_uncounted_supply, available, count, variant_of
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db


@pytest.fixture
def baima() -> Cooperative:
    return a_cooperative()


@pytest.fixture
def celtuce(baima: Cooperative) -> Supply:
    return an_uncounted_supply(cooperative=baima, code="XY-0007")


def test_a_history_leads_from_the_figure_back_to_each_cell(baima: Cooperative, celtuce: Supply) -> None:
    count(baima, {"XY-0007": "一百"})
    _, lines = an_order((variant_of(celtuce), 4))
    allocate(lines=lines, country_code="CN", now=MORNING + timedelta(minutes=1))
    report = count(baima, {"XY-0007": "80"}, at=MORNING + timedelta(minutes=2))
    undo_report(report_id=report.pk, submitted_by=None, now=MORNING + timedelta(minutes=3))

    told = [
        (
            entry.kind,
            entry.on_hand_after,
            entry.report_line and (entry.report_line.row, entry.report_line.column, entry.report_line.raw),
            entry.order_line_id,
        )
        for entry in selectors.history(supply=celtuce, first=10)
    ]
    kind = Movement.Kind
    assert told == [
        (kind.UNDO, 50_000, (1, "quantity", "80 斤"), None),
        (kind.COUNT, 40_000, (1, "quantity", "80 斤"), None),
        (kind.ALLOCATE, 50_000, None, lines[0].pk),
        (kind.COUNT, 50_000, (1, "quantity", "一百 斤"), None),
    ]


def test_a_history_is_read_page_by_page(baima: Cooperative, celtuce: Supply) -> None:
    for minute in range(5):
        count(baima, {"XY-0007": str(50 + minute)}, at=MORNING + timedelta(minutes=minute))
    seen: list[int] = []
    while page := selectors.history(supply=celtuce, first=2, after=seen[-1] if seen else None):
        assert len(page) <= 2
        seen += [entry.pk for entry in page]
    assert seen == sorted(Movement.objects.values_list("pk", flat=True), reverse=True)
    assert len(seen) == 5


def waiting_report(cooperative: Cooperative) -> Report:
    return Report.objects.create(
        cooperative=cooperative,
        source=Report.Source.FEED,
        format="json",
        basis="shelf",
        idempotency_key=str(uuid.uuid4()),
        raw=b'{"items": [{"code": "XY-0007", "quantity": 5000}, {"code": "XY-0008", "quantity": 1}]}',
        raw_sha256="0" * 64,
        received_at=MORNING,
    )


def test_how_far_a_report_is_is_told_while_it_runs_and_known_afterwards(
    baima: Cooperative, celtuce: Supply, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = waiting_report(baima)
    assert selectors.progress(report=report) == Progress(Stage.QUEUED)
    seen = []

    def tell_and_look(**said: object) -> None:
        tell(**said)  # type: ignore[arg-type]  # handed on as it came
        seen.append(selectors.progress(report=report))

    monkeypatch.setattr(applying, "BATCH", 1)
    monkeypatch.setattr(applying, "tell", tell_and_look)
    applying.apply_report(report_id=report.pk, now=MORNING)
    assert seen == [
        Progress(Stage.READING),
        Progress(Stage.DECIDING, 0, 2),
        Progress(Stage.DECIDING, 1, 2),
        Progress(Stage.WRITING, 2, 2),
    ]
    report.refresh_from_db()
    assert selectors.progress(report=report) == Progress(Stage.DONE, 2, 2)
    # What was told does not outweigh what is so.
    tell(report_id=report.pk, stage=Stage.DECIDING, done=1, total=2)
    assert selectors.progress(report=report).stage is Stage.DONE


def test_without_a_cache_a_report_is_applied_and_its_status_known(
    baima: Cooperative, celtuce: Supply, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away(*_args: object, **_options: object) -> None:
        raise ConnectionError("Redis is away")

    report = waiting_report(baima)
    with monkeypatch.context() as away:
        away.setattr(cache, "set", is_away)
        away.setattr(cache, "get", is_away)
        assert selectors.progress(report=report) == Progress(Stage.QUEUED)
        assert applying.apply_report(report_id=report.pk, now=MORNING)
        report.refresh_from_db()
        assert selectors.progress(report=report).stage is Stage.DONE
    assert available(celtuce, variant_of(celtuce)) == 5
