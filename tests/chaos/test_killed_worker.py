"""A worker is killed by SIGKILL in the middle of applying a report: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psutil
import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from backend.provenance.models import HarvestLot
from backend.stock import tasks
from backend.stock.audit import find_drift
from backend.stock.feed_services import receive_from_feed
from backend.stock.models import Feed, Movement, Report, ReportLine, Supply
from backend.stock.ways_in.source import Fetched
from tests.backend.stock.shed import an_uncounted_supply, as_json, available, count, variant_of
from tests.produce import a_cooperative
from tests.shop import start_worker

pytestmark = pytest.mark.django_db(transaction=True)

GOODS = 20

HELD = {
    # The worker stops where it has locked the supplies and written nothing.
    "before it wrote": "SELECT FROM warehouse_stock FOR UPDATE",
    # It stops where the deferred foreign keys are checked: all is written, and the commit has begun.
    "as it committed": "SELECT FROM provenance_harvestlot FOR UPDATE",
}


@contextmanager
def held(statement: str) -> Iterator[None]:
    """Another transaction holds these rows, so that the worker stops in the middle of its own."""
    settings = connection.settings_dict
    with psycopg.connect(
        dbname=settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        host=settings["HOST"],
        port=settings["PORT"] or None,
    ) as other:
        other.execute(statement)
        yield
        other.rollback()


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def kill(worker: subprocess.Popen[bytes]) -> None:
    """The way that power cuts do: the worker and every process that it started."""
    family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=30)
    worker.wait(timeout=30)


@pytest.mark.parametrize("moment", HELD)
def test_a_report_whose_worker_was_killed_is_applied_exactly_once(moment: str) -> None:
    cooperative = a_cooperative()
    counted_at = timezone.now() - timedelta(hours=2)
    supplies = [
        an_uncounted_supply(cooperative=cooperative, code=f"XY-{number:04}") for number in range(GOODS)
    ]
    for supply in supplies:
        HarvestLot.objects.create(
            cooperative=cooperative,
            product=supply.product,
            code=f"lot {supply.code}",
            harvested_on=counted_at.date(),
            best_before=counted_at.date(),
        )
    count(cooperative, {supply.code: "40" for supply in supplies}, at=counted_at - timedelta(days=1))
    feed = Feed.objects.create(cooperative=cooperative, kind=Feed.Kind.HTTP_JSON, url="http://127.0.0.1:9/")
    items = [
        {"code": supply.code, "quantity": 50, "unit": "斤", "lot": f"lot {supply.code}"}
        for supply in supplies
    ]
    report_id = receive_from_feed(
        feed_id=feed.pk,
        fetched=Fetched(body=as_json(items, counted_at=counted_at.isoformat())),
        # Long enough ago for the sweeper to take it for forgotten.
        now=timezone.now() - timedelta(minutes=1),
    )
    assert report_id is not None

    with held(HELD[moment]), start_worker(environment=os.environ) as doomed:
        tasks.apply_report.delay(str(report_id))
        wait_until(somebody_waits_for_a_lock)
        assert Report.objects.get(pk=report_id).status == Report.Status.RECEIVED
        kill(doomed)
        assert Movement.objects.filter(report=report_id).count() == 0

    with start_worker(environment=os.environ):
        # The sweeper of every thirty seconds, which runs twice here; and the broker delivers the task again.
        tasks.apply_received.delay()
        tasks.apply_received.delay()
        tasks.apply_report.delay(str(report_id))
        wait_until(lambda: Report.objects.get(pk=report_id).status == Report.Status.APPLIED)
        tasks.apply_report.delay(str(report_id))
        after = count(cooperative, {supplies[0].code: "48"}, at=counted_at + timedelta(hours=1))
        assert after.status == Report.Status.APPLIED

    assert ReportLine.objects.filter(report=report_id).count() == GOODS
    assert Movement.objects.filter(report=report_id).count() == GOODS
    assert sorted(Supply.objects.values_list("on_hand", flat=True)) == [24_000] + [25_000] * (GOODS - 1)
    assert [available(supply, variant_of(supply)) for supply in supplies] == [24] + [25] * (GOODS - 1)
    assert find_drift() == []
