"""Feeds that answer, fail, fall silent and come back; and who is told."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from backend.cooperatives.models import Cooperative
from backend.stock import alerts, feed_services
from backend.stock.breaker import LONGEST_DELAY, OPENS_AFTER, Position
from backend.stock.errors import FeedForbidden
from backend.stock.feed_services import ask_feed, claim_due_feeds, try_again
from backend.stock.models import Alert, Feed, Report
from backend.stock.services import apply_report
from backend.stock.silence import silenced_supplies
from backend.stock.ways_in import credentials, folder
from tests.backend.stock.shed import MORNING, an_uncounted_supply, as_json, available, count, variant_of
from tests.backend.stock.ways_in.test_http import System, say
from tests.produce import a_cooperative, a_person

pytestmark = pytest.mark.django_db

BY_PASSWORD = "backend.saleor_port.sign_in.PasswordBackend"
OLD, NEW = "an old key that sealed what there is now", "a new key that seals what comes from now on"


@pytest.fixture
def system() -> Iterator[System]:
    system = System()
    thread = Thread(target=system.server.serve_forever, args=(0.02,))
    thread.start()
    yield system
    system.server.shutdown()
    thread.join()
    system.server.server_close()


def a_feed(cooperative: Cooperative | None = None, **changes: object) -> Feed:
    return Feed.objects.create(
        **{
            "cooperative": cooperative or a_cooperative(),
            "kind": Feed.Kind.HTTP_JSON,
            "url": "http://127.0.0.1:9/",
            "created_at": MORNING,
            **changes,
        }
    )


def again(feed: Feed) -> Feed:
    feed.refresh_from_db()
    return feed


# ---- The circuit breaker --------------------------------------------------------------------------------------------


def test_a_system_that_is_down_is_left_alone_tried_once_and_asked_again_when_it_is_back(
    system: System,
) -> None:
    feed = a_feed(url=system.url, interval_seconds=20)
    system.answer = lambda request: say(request, 503, b"")
    now = MORNING
    for _ in range(OPENS_AFTER):
        assert claim_due_feeds(now=now) == [feed.pk]
        assert ask_feed(feed_id=feed.pk, now=now) == []
        due = again(feed).due_at
        assert due is not None and due > now + timedelta(seconds=20)
        assert claim_due_feeds(now=due - timedelta(seconds=1)) == []
        now = due
    assert feed.breaker.position(now=now - timedelta(seconds=1)) is Position.OPEN
    asked = len(system.asked)
    assert ask_feed(feed_id=feed.pk, now=now - timedelta(seconds=1)) == []
    assert len(system.asked) == asked

    assert feed.breaker.position(now=now) is Position.HALF_OPEN
    system.answer = lambda request: say(request, 200, as_json([]))
    assert claim_due_feeds(now=now) == [feed.pk]
    assert len(ask_feed(feed_id=feed.pk, now=now)) == 1
    assert (again(feed).failures, feed.opened_at, feed.last_error) == (0, None, "")
    assert feed.due_at == now + timedelta(seconds=20)


def test_what_asking_again_cannot_mend_is_asked_once_an_hour_until_a_person_has_mended_it() -> None:
    feed = a_feed(url="ftp://a.example/")
    ask_feed(feed_id=feed.pk, now=MORNING)
    assert again(feed).due_at is not None and feed.due_at >= MORNING + LONGEST_DELAY
    assert claim_due_feeds(now=MORNING + timedelta(minutes=5)) == []
    try_again(feed_ids=[feed.pk])
    assert claim_due_feeds(now=MORNING + timedelta(minutes=5)) == [feed.pk]


def test_a_daily_feed_that_fails_is_not_left_until_tomorrow(system: System) -> None:
    feed = a_feed(url=system.url, daily_at="06:10")
    system.answer = lambda request: say(request, 500, b"")
    claim_due_feeds(now=MORNING)
    ask_feed(feed_id=feed.pk, now=MORNING)
    assert again(feed).due_at is not None and feed.due_at < MORNING + timedelta(minutes=1)
    system.answer = lambda request: say(request, 200, as_json([]))
    ask_feed(feed_id=feed.pk, now=feed.due_at)
    assert again(feed).due_at == MORNING + timedelta(days=1)


def test_whoever_claimed_a_daily_feed_and_was_killed_is_not_missed_until_tomorrow() -> None:
    feed = a_feed(daily_at="06:10")
    assert claim_due_feeds(now=MORNING) == [feed.pk]
    assert claim_due_feeds(now=MORNING + timedelta(minutes=4)) == []
    assert claim_due_feeds(now=MORNING + feed_services.CLAIM_LASTS) == [feed.pk]


def test_one_feed_is_never_asked_twice_at_once(system: System) -> None:
    feed = a_feed(url=system.url)
    settings = connection.settings_dict
    with psycopg.connect(
        dbname=settings["NAME"], user=settings["USER"], password=settings["PASSWORD"], host=settings["HOST"]
    ) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [feed_services._ADVISORY_LOCK, feed.pk])
        assert ask_feed(feed_id=feed.pk, now=MORNING) == []
        other.execute("SELECT pg_advisory_unlock_all()")
    assert system.asked == []
    assert len(ask_feed(feed_id=feed.pk, now=MORNING)) == 1


# ---- Files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "baima").mkdir()
    seconds = iter(range(0, 100_000, 30))
    monkeypatch.setattr(folder, "time", SimpleNamespace(time=lambda: 1_000_000.0 + next(seconds)))
    with override_settings(FEEDS_FOLDER=tmp_path):
        yield tmp_path / "baima"


def take(feed: Feed) -> list[UUID]:
    """Two looks: a file must have stood still between them."""
    now = timezone.now()
    return ask_feed(feed_id=feed.pk, now=now) + ask_feed(feed_id=feed.pk, now=now + timedelta(seconds=30))


def test_a_file_in_the_folder_becomes_stock(shed: Path) -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    feed = a_feed(supply.cooperative, kind=Feed.Kind.FOLDER, url="baima", mapping={"剩余": "quantity"})
    (shed / "库存.csv").write_bytes("编码,剩余,单位\nXY-0007,20,斤\n".encode("gb18030"))
    (report_id,) = take(feed)
    assert apply_report(report_id=report_id, now=timezone.now())
    report = Report.objects.get(pk=report_id)
    assert (report.status, report.filename) == (Report.Status.APPLIED, "库存.csv")
    assert available(supply, variant_of(supply)) == 10
    assert [path.parent.name for path in shed.rglob("*.csv")] == ["done"]


def test_a_file_that_cannot_be_read_is_told_to_its_sender_and_to_the_desk(shed: Path) -> None:
    feed = a_feed(kind=Feed.Kind.FOLDER, url="baima")
    (shed / "照片.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 100)
    (report_id,) = take(feed)
    apply_report(report_id=report_id, now=timezone.now())
    report = Report.objects.get(pk=report_id)
    assert report.status == Report.Status.REFUSED
    (note,) = shed.glob("refused/*.txt")
    assert report.message and report.message in note.read_text(encoding="utf-8-sig")


def test_a_file_that_is_taken_again_after_a_kill_is_one_report(
    shed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report was kept, and the worker died before it moved the file."""
    feed = a_feed(kind=Feed.Kind.FOLDER, url="baima")
    (shed / "a.csv").write_bytes("编码,库存,单位\nXY-0007,20,斤\n".encode())
    with monkeypatch.context() as patch:

        def killed(*_: object, **__: object) -> None:
            raise SystemExit

        patch.setattr(folder.FolderVisit, "settle", killed)
        ask_feed(feed_id=feed.pk, now=MORNING)
        with pytest.raises(SystemExit):
            ask_feed(feed_id=feed.pk, now=MORNING + timedelta(seconds=30))
    assert (shed / "a.csv").exists()
    assert ask_feed(feed_id=feed.pk, now=MORNING + timedelta(seconds=60)) == []
    assert Report.objects.count() == 1
    assert [path.parent.name for path in shed.rglob("*.csv")] == ["done"]


@pytest.mark.parametrize("older, newer", [("20", "30"), ("30", "20")])
@pytest.mark.parametrize("is_newer_applied_first", [False, True])
def test_of_two_files_at_one_look_the_one_written_later_counts(
    shed: Path, older: str, newer: str, is_newer_applied_first: bool
) -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    feed = a_feed(supply.cooperative, kind=Feed.Kind.FOLDER, url="baima")
    for written_at, (name, kilograms) in enumerate((("z.csv", older), ("a.csv", newer))):
        (shed / name).write_text(f"编码,库存,单位\nXY-0007,{kilograms},公斤\n", encoding="utf-8")
        os.utime(shed / name, (1000 + written_at, 1000 + written_at))
    reports = take(feed)
    assert len(reports) == 2
    for report_id in reversed(reports) if is_newer_applied_first else reports:
        apply_report(report_id=report_id, now=timezone.now())
    assert available(supply, variant_of(supply)) == int(newer)


# ---- Silence --------------------------------------------------------------------------------------------------------


@pytest.fixture
def keeper() -> str:
    """Of the town's staff, who may manage products; and another, who may not."""
    a_person(email="zhao@town.example", is_staff=True)
    user = a_person(email="staff@xinyi.example", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="manage_products"))
    return user.email


def test_a_feed_that_falls_silent_is_told_once_and_its_end_is_noted(keeper: str) -> None:
    feed = a_feed(last_answered_at=MORNING, silent_after_minutes=30, last_error="连不上。")
    alerts.watch(now=MORNING + timedelta(minutes=31))
    assert mail.outbox == []
    for minutes in (32, 33, 90):
        alerts.watch(now=MORNING + timedelta(minutes=minutes))
    (letter,) = mail.outbox
    assert letter.recipients() == [keeper] and letter.to == []
    assert "2026-11-23 06:10" in letter.body and "连不上。" in letter.body
    assert re.search(r"[一-鿿]", letter.subject)
    (alert,) = alerts.open_alerts(cooperative_id=feed.cooperative_id)
    assert (alert.kind, alert.since) == (Alert.Kind.FEED_SILENT, MORNING)

    Feed.objects.filter(pk=feed.pk).update(last_answered_at=MORNING + timedelta(minutes=95))
    alerts.watch(now=MORNING + timedelta(minutes=96))
    alert.refresh_from_db()
    assert alert.ended_at == MORNING + timedelta(minutes=96)
    assert alerts.open_alerts() == []
    alerts.watch(now=MORNING + timedelta(hours=9))
    assert len(mail.outbox) == 2


def test_a_letter_that_could_not_be_sent_is_sent_later(keeper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_feed(last_answered_at=MORNING, silent_after_minutes=30)
    with monkeypatch.context() as patch:

        def refused(*_: object) -> None:
            raise ConnectionRefusedError

        patch.setattr("django.core.mail.EmailMessage.send", refused)
        alerts.watch(now=MORNING + timedelta(hours=1))
    assert Alert.objects.get().told_at is None
    alerts.watch(now=MORNING + timedelta(hours=2))
    alerts.watch(now=MORNING + timedelta(hours=3))
    assert len(mail.outbox) == 1


def test_what_nobody_could_be_told_is_told_to_the_first_who_can_be() -> None:
    a_feed(last_answered_at=MORNING, silent_after_minutes=30)
    alerts.watch(now=MORNING + timedelta(hours=1))
    assert Alert.objects.get().told_at is None
    user = a_person(email="staff@xinyi.example", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="manage_products"))
    alerts.watch(now=MORNING + timedelta(hours=2))
    (letter,) = mail.outbox
    assert letter.recipients() == ["staff@xinyi.example"]


def test_nobody_is_woken_by_a_feed_that_may_be_silent_or_is_not_due() -> None:
    a_feed(on_silence=Feed.Silence.NOTHING)
    a_feed(a_cooperative(slug="b", name="乙"), is_enabled=False)
    a_feed(
        a_cooperative(slug="c", name="丙"), daily_at="06:10", last_answered_at=MORNING, silent_after_minutes=5
    )
    alerts.watch(now=MORNING + timedelta(hours=23))
    assert alerts.open_alerts() == []
    alerts.watch(now=MORNING + timedelta(hours=24, minutes=6))
    assert len(alerts.open_alerts()) == 1


def test_goods_of_a_feed_that_stays_silent_go_off_sale_unless_they_were_counted_since() -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    other = an_uncounted_supply(cooperative=supply.cooperative, code="XY-0008")
    count(supply.cooperative, {"XY-0007": "20", "XY-0008": "20"})
    a_feed(
        supply.cooperative,
        last_answered_at=MORNING + timedelta(minutes=1),
        on_silence=Feed.Silence.STOP,
        stop_after_hours=6,
    )
    assert silenced_supplies(now=MORNING + timedelta(hours=6)) == set()
    at = MORNING + timedelta(hours=6, minutes=3)
    assert silenced_supplies(now=at) == {supply.pk, other.pk}
    alerts.watch(now=at)
    assert [alert.kind for alert in alerts.open_alerts()] == [Alert.Kind.FEED_STOPPED]
    count(supply.cooperative, {"XY-0007": "18"}, at=MORNING + timedelta(hours=5))
    assert silenced_supplies(now=at) == {other.pk}


def test_old_counts_and_reports_that_failed_are_told_too() -> None:
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    report = count(supply.cooperative, {"XY-0007": "20"})
    alerts.watch(now=MORNING + timedelta(hours=36))
    assert alerts.open_alerts() == []
    Report.objects.filter(pk=report.pk).update(status=Report.Status.FAILED)
    alerts.watch(now=MORNING + timedelta(hours=36, minutes=1))
    assert {alert.kind for alert in alerts.open_alerts()} == {Alert.Kind.COUNTS_OLD, Alert.Kind.REPORT_FAILED}


# ---- Passwords ------------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(client: Client) -> Client:
    user = a_person(email="staff@xinyi.example", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="manage_products"))
    client.force_login(user, backend=BY_PASSWORD)
    return client


def form_of(feed: Feed, **changes: object) -> dict[str, object]:
    fields = ("kind", "url", "credential", "username", "host_key", "basis", "interval_seconds", "daily_at")
    more = ("time_zone", "on_silence", "silent_after_minutes", "stop_after_hours")
    return {
        **{name: getattr(feed, name) for name in (*fields, *more)},
        "cooperative": feed.cooperative_id,
        "mapping": "{}",
        "is_enabled": "on",
        **changes,
    }


def test_a_password_is_sealed_sent_and_never_shown(staff: Client, system: System) -> None:
    feed = a_feed(url=system.url)
    page = reverse("admin:stock_feed_change", args=[feed.pk])
    answer = staff.post(page, form_of(feed, credential="basic", username="shop", new_secret="白马-s3cret"))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert again(feed).secret == "白马-s3cret"
    assert "s3cret" not in feed.sealed_secret
    assert "s3cret" not in staff.get(page).content.decode()
    ask_feed(feed_id=feed.pk, now=MORNING)
    assert system.asked[0]["Authorization"].startswith("Basic ")

    assert staff.post(page, form_of(feed)).status_code == 302
    assert again(feed).secret == "白马-s3cret"
    gone = form_of(feed, credential="none", forget_secret="on")
    assert staff.post(page, gone).status_code == 302
    assert again(feed).sealed_secret == ""


def test_a_password_that_is_kept_is_not_sent_to_another_system(staff: Client) -> None:
    feed = a_feed(url="https://baima.example/stock.json")
    page = reverse("admin:stock_feed_change", args=[feed.pk])
    kept = {"credential": "bearer", "new_secret": "s3cret"}
    assert staff.post(page, form_of(feed, **kept)).status_code == 302
    for url in ("https://listener.example/stock.json", "https://baima.example:8443/stock.json"):
        refused = staff.post(page, form_of(feed, credential="bearer", url=url))
        assert "new_secret" in refused.context["adminform"].form.errors
    assert again(feed).url == "https://baima.example/stock.json"

    moved = form_of(feed, credential="bearer", url="https://baima.example/2/stock.json")
    assert staff.post(page, moved).status_code == 302
    elsewhere = form_of(feed, credential="bearer", url="https://b.example/", new_secret="another")
    assert staff.post(page, elsewhere).status_code == 302
    assert (again(feed).url, again(feed).secret) == ("https://b.example/", "another")


def test_a_credential_without_its_secret_is_not_saved(staff: Client) -> None:
    feed = a_feed()
    page = reverse("admin:stock_feed_change", args=[feed.pk])
    assert staff.post(page, form_of(feed, credential="bearer")).status_code == 200
    assert again(feed).credential == "none"


def test_a_feed_that_was_changed_is_asked_anew(staff: Client) -> None:
    feed = a_feed(failures=7, opened_at=MORNING, next_try_at=MORNING, due_at=MORNING, etag='"1"')
    page = reverse("admin:stock_feed_change", args=[feed.pk])
    assert staff.post(page, form_of(feed, url="http://127.0.0.1:8/")).status_code == 302
    assert (again(feed).failures, feed.opened_at, feed.due_at, feed.etag) == (0, None, None, "")


def test_ask_now_closes_the_breaker(staff: Client) -> None:
    feed = a_feed(
        failures=7, opened_at=MORNING, next_try_at=MORNING, due_at=timezone.now() + timedelta(hours=1)
    )
    answer = staff.post(
        reverse("admin:stock_feed_changelist"), {"action": "ask_now", "_selected_action": feed.pk}
    )
    assert answer.status_code == 302
    assert claim_due_feeds(now=timezone.now()) == [feed.pk]


def test_keys_are_changed_without_losing_a_password() -> None:
    feed = a_feed()
    with override_settings(FEED_CREDENTIALS_KEYS=(OLD,)):
        feed.keep_secret("s3cret")
        feed.save()
    with override_settings(FEED_CREDENTIALS_KEYS=(NEW, OLD)):
        assert again(feed).secret == "s3cret"
        call_command("seal_feed_passwords_anew")
    with override_settings(FEED_CREDENTIALS_KEYS=(NEW,)):
        assert again(feed).secret == "s3cret"
    with override_settings(FEED_CREDENTIALS_KEYS=(OLD,)):
        with pytest.raises(FeedForbidden):
            assert feed.secret
        ask_feed(feed_id=feed.pk, now=MORNING)
        assert again(feed).failures == 1 and feed.last_error


@override_settings(FEED_CREDENTIALS_KEYS=())
def test_a_shop_without_a_key_keeps_no_passwords(staff: Client) -> None:
    with pytest.raises(FeedForbidden):
        credentials.seal("s3cret")
    feed = a_feed()
    page = reverse("admin:stock_feed_change", args=[feed.pk])
    form = form_of(feed, credential="bearer", new_secret="s3cret")
    assert "FEED_CREDENTIALS_KEY" in staff.post(page, form).content.decode()


# ---- What may be entered --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "ftp://a.example/"}, "url"),
        ({"url": "http://a.example/", "credential": "basic", "username": "shop"}, "url"),
        ({"url": "https://a.example/", "credential": "basic"}, "username"),
        ({"url": "https://a.example/", "credential": "ssh_key"}, "credential"),
        ({"kind": "folder", "url": "../baima"}, "url"),
        (
            {"kind": "sftp", "url": "sftp://a.example/drop", "credential": "basic", "username": "shop"},
            "host_key",
        ),
        ({"kind": "sftp", "url": "https://a.example/", "credential": "basic", "username": "shop"}, "url"),
        ({"url": "https://a.example/", "daily_at": "soon"}, "daily_at"),
        ({"url": "https://a.example/", "time_zone": "Asia/Mianyang"}, "time_zone"),
        ({"url": "https://a.example/", "mapping": {"库存": "amount"}}, "mapping"),
        ({"url": "https://a.example/", "interval_seconds": 1}, "interval_seconds"),
    ],
)
@override_settings(FEEDS_ALLOW_PRIVATE=False)
def test_a_feed_that_could_not_work_is_not_saved(changes: dict[str, object], field: str) -> None:
    feed = Feed(**{"cooperative": a_cooperative(), "kind": "http_json", **changes})
    with pytest.raises(ValidationError) as refused:
        feed.full_clean()
    assert field in refused.value.message_dict
