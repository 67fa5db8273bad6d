"""Beat asks, workers fetch and apply, and nothing is lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from uuid import UUID

import pytest
from django.core.cache import cache
from django.utils import timezone

from backend.cooperatives.models import Cooperative
from backend.stock import tasks
from backend.stock.dead_letters import keep_dead_letter
from backend.stock.feed_services import ask_feed, claim_due_feeds, receive_from_feed, reports_left_behind
from backend.stock.freshness import stock_version
from backend.stock.models import DeadLetter, Feed, Report, Supply
from backend.stock.ways_in.source import Fetched
from tests.backend.stock.shed import (
    MORNING,
    SHANGHAI,
    an_uncounted_supply,
    as_bytes,
    as_json,
    as_workbook,
    available,
    count,
    variant_of,
)
from tests.backend.stock.ways_in.test_http import System, say
from tests.produce import a_cooperative


@pytest.fixture
def system() -> Iterator[System]:
    system = System()
    thread = Thread(target=system.server.serve_forever, args=(0.02,))
    thread.start()
    yield system
    system.server.shutdown()
    thread.join()
    system.server.server_close()


def a_feed(cooperative: Cooperative, system: System | None = None, **changes: object) -> Feed:
    return Feed.objects.create(
        **{
            "cooperative": cooperative,
            "kind": Feed.Kind.HTTP_JSON,
            "url": system.url if system else "http://127.0.0.1:9/",
            "interval_seconds": 60,
            **changes,
        }
    )


@pytest.mark.django_db
def test_a_feed_is_asked_when_its_time_has_come_and_by_one_only() -> None:
    feed = a_feed(a_cooperative())
    assert claim_due_feeds(now=MORNING) == [feed.pk]
    assert claim_due_feeds(now=MORNING) == []
    assert claim_due_feeds(now=MORNING + timedelta(seconds=59)) == []
    assert claim_due_feeds(now=MORNING + timedelta(seconds=60)) == [feed.pk]


@pytest.mark.django_db
def test_feeds_that_are_off_and_closed_cooperatives_are_not_asked() -> None:
    a_feed(a_cooperative(), is_enabled=False)
    closed = a_cooperative(slug="fuxing", name="福星村")
    a_feed(closed)
    Cooperative.objects.filter(pk=closed.pk).update(is_active=False)
    assert claim_due_feeds(now=MORNING) == []


@pytest.mark.django_db
def test_what_goes_wrong_is_written_on_the_feed_in_the_shops_language(system: System) -> None:
    feed = a_feed(a_cooperative(), system)
    system.answer = lambda request: say(request, 500, b"")
    for failures in (1, 2):
        assert ask_feed(feed_id=feed.pk, now=MORNING) == []
        feed.refresh_from_db()
        assert feed.failures == failures
    assert "500" in feed.last_error
    system.answer = lambda request: say(request, 200, as_json([]))
    assert len(ask_feed(feed_id=feed.pk, now=MORNING)) == 1
    feed.refresh_from_db()
    assert (feed.failures, feed.last_error, feed.last_answered_at) == (0, "", MORNING)


@pytest.mark.django_db
def test_only_reports_that_were_forgotten_are_swept_up() -> None:
    cooperative = a_cooperative()
    ages = {"new": timedelta(seconds=5), "lost": timedelta(minutes=1)}
    for key, age in ages.items():
        Report.objects.create(
            cooperative=cooperative,
            source=Report.Source.FEED,
            format="json",
            basis="shelf",
            idempotency_key=key,
            raw=b"{}",
            raw_sha256=key,
            received_at=MORNING - age,
        )
    applied = count(cooperative, {}, at=MORNING - timedelta(hours=1))
    lost = reports_left_behind(now=MORNING)
    assert [Report.objects.get(pk=pk).idempotency_key for pk in lost] == ["lost"]
    assert applied.pk not in lost


@pytest.mark.django_db
def test_a_report_that_is_applied_in_the_end_leaves_no_open_letter() -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    body = as_json([{"code": "XY-0007", "quantity": 20, "unit": "斤"}])
    report_id = receive_from_feed(
        feed_id=a_feed(supply.cooperative).pk, fetched=Fetched(body=body), now=MORNING
    )
    for letter_of in (str(report_id), str(UUID(int=1))):
        keep_dead_letter(
            task="backend.stock.tasks.apply_report",
            args=[letter_of],
            kwargs={},
            error=ValueError("for once"),
            now=MORNING,
        )
    # Nobody looked at the letter: the sweep tried again by itself.
    tasks.apply_report(str(report_id))
    assert Report.objects.get(pk=report_id).status == Report.Status.APPLIED
    assert DeadLetter.objects.get(closed_at=None).args == [str(UUID(int=1))]


@pytest.mark.django_db(transaction=True)
def test_the_version_of_pages_grows_with_every_committed_count() -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    before = stock_version()
    count(supply.cooperative, {"XY-0007": "20"})
    after = stock_version()
    assert after > before
    count(supply.cooperative, {"XY-0007": "18"}, at=MORNING - timedelta(hours=1))
    assert stock_version() == after
    cache.clear()
    assert stock_version() > after


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [Feed.Kind.HTTP_JSON, Feed.Kind.HTTP_XLSX])
def test_a_count_travels_from_the_cooperatives_system_to_the_shelf(
    system: System, worker: object, kind: str
) -> None:
    """Real HTTP, a real broker and a real worker."""
    supply: Supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    feed = a_feed(supply.cooperative, system, kind=kind)
    counted_at = timezone.now().astimezone(SHANGHAI)
    body = (
        as_json([{"code": "XY-0007", "quantity": 20, "unit": "斤"}], counted_at=counted_at.isoformat())
        if kind == Feed.Kind.HTTP_JSON
        else as_bytes(
            as_workbook([["XY-0007", "莴笋", 20, "斤", None]], counted_at=counted_at.replace(tzinfo=None))
        )
    )
    system.answer = lambda request: say(request, 200, body, ETag='"1"')
    tasks.poll_feeds.delay()

    wait_until(lambda: Report.objects.filter(feed=feed, status=Report.Status.APPLIED).exists())
    assert available(supply, variant_of(supply)) == 10
    feed.refresh_from_db()
    assert (feed.etag, feed.failures) == ('"1"', 0)
    assert feed.last_asked_at is not None
    assert timezone.now() - feed.last_asked_at < timedelta(minutes=1)


def wait_until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
