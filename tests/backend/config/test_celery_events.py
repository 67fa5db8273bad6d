"""Queues, retries, dead letters and /metrics, with a real broker and a real worker where it matters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone

from backend.stock import dead_letters, feed_services, metrics, tasks
from backend.stock.errors import ReportGivenUp
from backend.stock.models import Alert, DeadLetter, Feed, Report
from tests.backend.stock.shed import MORNING, an_uncounted_supply, count
from tests.produce import a_cooperative

TOKEN = "a token that nobody guesses, of enough letters"


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def counted() -> Iterator[redis.Redis[bytes]]:
    with redis.Redis.from_url(settings.ENVIRONMENT.redis.cache_url) as client:
        client.delete(metrics.TASKS_KEY, metrics.AUDIT_KEY)
        yield client
        client.delete(metrics.TASKS_KEY, metrics.AUDIT_KEY)


# ---- Queues ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "task, queue",
    [
        (tasks.fetch_feed, "feeds"),
        (tasks.apply_report, "apply"),
        (tasks.poll_feeds, "default"),
        (tasks.apply_received, "default"),
        (tasks.watch_feeds, "default"),
    ],
)
def test_asking_and_applying_have_queues_of_their_own(task: object, queue: str) -> None:
    routed = current_app.amqp.router.route({}, task.name)  # type: ignore[attr-defined]  # a Celery task
    assert routed["queue"].name == queue


def test_a_queue_that_no_worker_serves_is_refused() -> None:
    with pytest.raises(Exception, match="typo"):
        tasks.poll_feeds.apply_async(queue="typo")


def test_a_task_is_acknowledged_when_it_is_done_and_not_handed_out_while_it_runs() -> None:
    conf = current_app.conf
    assert conf.task_acks_late and conf.task_reject_on_worker_lost and conf.worker_prefetch_multiplier == 1
    assert (
        conf.broker_transport_options["visibility_timeout"] > conf.task_time_limit > conf.task_soft_time_limit
    )


def test_what_passes_is_tried_again_later_and_later() -> None:
    for task in (tasks.fetch_feed, tasks.apply_report, tasks.audit_stock):
        assert OperationalError in task.autoretry_for
        assert redis.RedisError in task.autoretry_for
        assert task.retry_jitter and task.retry_backoff and task.retry_backoff_max == 60
        assert task.max_retries == 10


# ---- Dead letters ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_failure_is_one_letter_that_is_counted() -> None:
    report_id = str(uuid4())
    for minute in range(3):
        dead_letters.keep_dead_letter(
            task="backend.stock.tasks.apply_report",
            args=[report_id],
            kwargs={},
            error=ValueError("no"),
            now=MORNING + timedelta(minutes=minute),
        )
    (letter,) = DeadLetter.objects.all()
    assert (letter.args, letter.times, letter.error, letter.message) == ([report_id], 3, "ValueError", "no")
    assert (letter.first_at, letter.last_at) == (MORNING, MORNING + timedelta(minutes=2))
    assert letter.can_retry
    dead_letters.close(letter_ids=[letter.pk], now=MORNING)
    dead_letters.keep_dead_letter(
        task="backend.stock.tasks.apply_report",
        args=[report_id],
        kwargs={},
        error=ValueError("no"),
        now=MORNING,
    )
    assert DeadLetter.objects.filter(closed_at__isnull=True).get().times == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "task, args, kwargs",
    [
        (
            "backend.saleor_port.tasks.send_password_reset",
            [],
            {"email": "li@buyer.example", "redirect_url": "x"},
        ),
        ("saleor.order.emails.send_order_confirmation", [str(uuid4())], {}),
        ("backend.stock.tasks.apply_report", ["李婶"], {}),
        ("backend.stock.tasks.apply_report", [{"pk": 1}], {}),
    ],
)
def test_only_ids_are_kept_of_what_a_task_was_asked(
    task: str, args: list[object], kwargs: dict[str, object]
) -> None:
    said = f"cannot mail to {kwargs.get('email', args)}"
    dead_letters.keep_dead_letter(task=task, args=args, kwargs=kwargs, error=OSError(said), now=MORNING)
    letter = DeadLetter.objects.get()
    assert {*letter.args, *letter.kwargs.values()} == {"…"}
    assert not letter.can_retry and letter.message == ""
    assert dead_letters.run_again(letter_ids=[letter.pk], now=MORNING) == 0


@pytest.mark.django_db(transaction=True)
def test_a_task_that_fails_is_seen_counted_and_run_again(
    worker: object, client: Client, counted: redis.Redis[bytes]
) -> None:
    """A report of a basis that there is none of fails, and a person has it applied again."""
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    report = Report.objects.create(
        cooperative=supply.cooperative,
        source=Report.Source.FEED,
        format="json",
        basis="nothing",
        idempotency_key="1",
        raw=b'{"counted_at": "2026-11-23T06:10:00+08:00", "items": [{"code": "XY-0007", "quantity": 20, "unit": "g"}]}',
        raw_sha256="1",
        received_at=timezone.now(),
    )
    tasks.apply_report.delay(str(report.pk))
    wait_until(lambda: Report.objects.get(pk=report.pk).attempts == 1)
    wait_until(lambda: DeadLetter.objects.exists())
    letter = DeadLetter.objects.get()
    assert (letter.task, letter.args, letter.times) == (
        "backend.stock.tasks.apply_report",
        [str(report.pk)],
        1,
    )
    report.refresh_from_db()
    assert (report.status, report.attempts) == (Report.Status.RECEIVED, 1)
    assert letter.error in report.last_error

    Report.objects.filter(pk=report.pk).update(basis="shelf")
    assert dead_letters.run_again(letter_ids=[letter.pk], now=timezone.now()) == 1
    wait_until(lambda: Report.objects.get(pk=report.pk).status == Report.Status.APPLIED)
    wait_until(lambda: not DeadLetter.objects.filter(closed_at__isnull=True).exists())
    name = b"backend.stock.tasks.apply_report"
    wait_until(lambda: counted.hget(metrics.TASKS_KEY, name + b"|success") == b"1")
    assert counted.hget(metrics.TASKS_KEY, name + b"|failure") == b"1"


@pytest.mark.django_db
def test_a_report_that_fails_every_time_is_left_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    report = Report.objects.create(
        cooperative=supply.cooperative,
        source=Report.Source.FEED,
        format="json",
        basis="shelf",
        idempotency_key="1",
        raw=b'{"items": [{"code": "XY-0007", "quantity": 20, "unit": "g"}]}',
        raw_sha256="1",
        received_at=MORNING,
    )

    def broken(**_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr("backend.stock.services.apply_report", broken)
        for attempt in range(feed_services.MOST_ATTEMPTS):
            # Each time it is left alone for longer.
            wait = timedelta(minutes=2 ** max(0, attempt - 1) - 1)
            at = MORNING + max(wait, timedelta(seconds=21))
            assert feed_services.reports_left_behind(now=at) == [report.pk]
            if attempt > 1:
                assert feed_services.reports_left_behind(now=at - timedelta(seconds=1)) == []
            with pytest.raises(ZeroDivisionError):
                tasks.apply_report(str(report.pk))
    tasks.apply_report(str(report.pk))
    report.refresh_from_db()
    assert report.status == Report.Status.FAILED
    assert "ZeroDivisionError" in report.last_error and report.message
    assert feed_services.reports_left_behind(now=MORNING + timedelta(days=3)) == []

    assert feed_services.try_reports_again(report_ids=[report.pk]) == 1
    tasks.apply_report(str(report.pk))
    report.refresh_from_db()
    assert report.status == Report.Status.APPLIED


@pytest.mark.django_db
def test_what_passes_is_no_fault_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    report = count(a_cooperative(), {})
    Report.objects.filter(pk=report.pk).update(status=Report.Status.RECEIVED)

    def away(**_: object) -> None:
        raise OperationalError("the server is starting up")

    monkeypatch.setattr("backend.stock.services.apply_report", away)
    with pytest.raises(OperationalError):
        tasks.apply_report(str(report.pk))
    report.refresh_from_db()
    assert (report.attempts, report.disturbances) == (0, 1)
    assert report.message == "暂时没能记下，稍后会自动再试。"


@pytest.mark.django_db(transaction=True)
def test_a_report_at_which_the_database_fails_every_time_ends_where_a_person_sees_it(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    report = Report.objects.create(
        cooperative=supply.cooperative,
        source=Report.Source.FEED,
        format="json",
        basis="shelf",
        idempotency_key="1",
        raw=b'{"items": [{"code": "XY-0007", "quantity": 20, "unit": "g"}]}',
        raw_sha256="1",
        received_at=MORNING,
    )
    with connection.cursor() as cursor:
        # What a report meets whose rows the server can never take.
        cursor.execute(
            """
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER no_room BEFORE INSERT ON stock_movement FOR EACH ROW EXECUTE FUNCTION no_room();
            """
        )
    for _each in range(feed_services.MOST_DISTURBANCES - 1):
        with pytest.raises(OperationalError):
            tasks.apply_report(str(report.pk))
    assert Report.objects.get(pk=report.pk).status == Report.Status.RECEIVED
    given_up = tasks.apply_report.apply(args=[str(report.pk)])
    assert type(given_up.result) is ReportGivenUp
    # Not one of those that Celery tries again.
    assert not isinstance(given_up.result, tasks.PASSING)

    report.refresh_from_db()
    assert report.status == Report.Status.FAILED
    assert report.message == "试了 20 次都没能入账，已通知商店工作人员。"
    assert "no room" in report.last_error
    tasks.apply_report(str(report.pk))
    assert feed_services.reports_left_behind(now=timezone.now() + timedelta(days=3)) == []
    # As a worker does with what a task raises.
    dead_letters.keep_dead_letter(
        task=tasks.apply_report.name,
        args=[str(report.pk)],
        kwargs={},
        error=given_up.result,
        now=timezone.now(),
    )
    letter = DeadLetter.objects.get()
    assert (letter.error, letter.args) == ("ReportGivenUp", [str(report.pk)])
    page = admin_client.get("/admin/stock/deadletter/").content.decode()
    assert f'href="/admin/stock/report/{report.pk}/change/"' in page

    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER no_room ON stock_movement; DROP FUNCTION no_room()")
    # Twice, as two people do who look at the same page.
    queued: list[str] = []
    monkeypatch.setattr(dead_letters.current_app, "send_task", lambda name, args, **_: queued.extend(args))
    for _each in range(2):
        assert dead_letters.run_again(letter_ids=[letter.pk], now=timezone.now()) == 1
    assert queued == [str(report.pk)] * 2
    for report_id in queued:
        tasks.apply_report(report_id)
    report.refresh_from_db()
    assert (report.status, report.disturbances, report.attempts) == (Report.Status.APPLIED, 0, 1)
    assert report.lines.count() == 1


@pytest.mark.django_db
def test_who_has_a_report_applied_again_deals_with_its_letter() -> None:
    report_id, other = uuid4(), uuid4()
    for failed in (report_id, other):
        dead_letters.keep_dead_letter(
            task=dead_letters.APPLIES, args=[str(failed)], kwargs={}, error=ValueError("no"), now=MORNING
        )
    assert dead_letters.close_of_report(report_id=report_id, now=MORNING) == 1
    assert DeadLetter.objects.get(closed_at__isnull=True).args == [str(other)]


# ---- /metrics -------------------------------------------------------------------------------------------------------


def figures(client: Client, **headers: str) -> dict[str, float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    lines = [line for line in answer.content.decode().splitlines() if line and not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


@pytest.mark.django_db
def test_lag_and_failures_are_figures(client: Client, counted: redis.Redis[bytes]) -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    now = timezone.now()
    feed = Feed.objects.create(
        cooperative=supply.cooperative,
        kind=Feed.Kind.HTTP_JSON,
        url="http://127.0.0.1:9/",
        failures=6,
        opened_at=now,
        next_try_at=now,
        due_at=now - timedelta(minutes=2),
        last_answered_at=now - timedelta(hours=1),
    )
    count(supply.cooperative, {"XY-0007": "20"}, at=now - timedelta(hours=2), now=now)
    for status, key in ((Report.Status.RECEIVED, "a"), (Report.Status.FAILED, "b")):
        Report.objects.create(
            cooperative=supply.cooperative,
            source=Report.Source.FEED,
            format="json",
            basis="shelf",
            idempotency_key=key,
            raw=b"",
            raw_sha256=key,
            status=status,
            received_at=now - timedelta(minutes=5),
        )
    Alert.objects.create(
        kind=Alert.Kind.FEED_SILENT,
        cooperative=supply.cooperative,
        feed=feed,
        message="!",
        since=now,
        opened_at=now,
    )
    metrics.count_task(task="backend.stock.tasks.fetch_feed", outcome="failure")
    metrics.note_audit(drifted=2, now=now)
    said = figures(client)
    of_feed = f'{{cooperative="{supply.cooperative.slug}",feed="{feed.pk}",kind="http_json"}}'
    assert said[f"xinyi_feed_answer_age_seconds{of_feed}"] == pytest.approx(3600, abs=60)
    assert said[f"xinyi_feed_overdue_seconds{of_feed}"] == pytest.approx(120, abs=60)
    assert said[f"xinyi_feed_failures{of_feed}"] == 6
    assert said[f"xinyi_feed_circuit_open{of_feed}"] == 1
    assert said['xinyi_reports{status="received"}'] == said['xinyi_reports{status="failed"}'] == 1
    assert said["xinyi_report_oldest_seconds"] == pytest.approx(300, abs=60)
    assert said[f'xinyi_counts_age_seconds{{cooperative="{supply.cooperative.slug}"}}'] == pytest.approx(
        7200, abs=60
    )
    assert said['xinyi_alerts{kind="feed_silent"}'] == 1
    assert said['xinyi_tasks_total{outcome="failure",task="backend.stock.tasks.fetch_feed"}'] == 1
    assert said["xinyi_audit_drift"] == 2
    assert {f'xinyi_queue_length{{queue="{queue}"}}' for queue in metrics.QUEUES} <= set(said)


@pytest.mark.django_db
@override_settings(METRICS_TOKEN=TOKEN)
def test_figures_are_for_this_machine_and_for_who_has_the_token(client: Client) -> None:
    assert client.get("/metrics").status_code == 200
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/metrics", **elsewhere).status_code == 404
    for header in ("Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer "):
        assert client.get("/metrics", headers={"Authorization": header}, **elsewhere).status_code == 404
    assert (
        client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, **elsewhere).status_code == 200
    )
    # A proxy on this machine brings everybody.
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404


@pytest.mark.django_db
@override_settings(METRICS_TOKEN="")
def test_without_a_token_nobody_else_has_one(client: Client) -> None:
    for header in ("Bearer ", "Bearer"):
        answer = client.get("/metrics", headers={"Authorization": header}, REMOTE_ADDR="203.0.113.9")
        assert answer.status_code == 404
