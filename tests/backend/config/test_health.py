"""GET /healthz names what is not well."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
from django.conf import settings
from django.test import Client

from backend.config.embedded import free_port
from backend.config.environment import Redis
from backend.config.health import PUBLISHED_KEY, RUN_KEY, STALE_SECONDS


@pytest.fixture
def notes() -> Iterator["redis.Redis[bytes]"]:
    """Redis as beat and worker see it."""
    with redis.Redis.from_url(settings.ENVIRONMENT.redis.cache_url) as client:
        yield client


def all_well(notes: "redis.Redis[bytes]") -> None:
    now = time.time()
    notes.set(PUBLISHED_KEY, now)
    notes.hset(RUN_KEY, mapping={"published_at": now, "waited": 0.004})


@pytest.fixture
def database(django_db_setup: None) -> None:
    """A database to connect to; health does so past Django's connection."""


def test_a_well_shop_answers_200_and_names_each_part_with_its_lag(
    client: Client, database: None, notes: "redis.Redis[bytes]"
) -> None:
    all_well(notes)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert body["culprits"] == []
    assert all(body[part]["ok"] for part in ("database", "redis", "worker", "beat"))
    assert body["worker"]["lag_ms"] == 4.0
    assert 0 < body["database"]["lag_ms"] < 2000
    assert "no-store" in answer["Cache-Control"]


def test_without_any_heartbeat_worker_and_beat_are_the_culprits(client: Client, database: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["culprits"] == ["worker", "beat"]


def test_a_worker_that_stays_behind_beat_is_the_only_culprit(
    client: Client, database: None, notes: "redis.Redis[bytes]"
) -> None:
    all_well(notes)
    notes.hset(RUN_KEY, "published_at", time.time() - STALE_SECONDS - 1)
    assert client.get("/healthz").json()["culprits"] == ["worker"]


def test_a_beat_that_stopped_is_the_only_culprit(
    client: Client, database: None, notes: "redis.Redis[bytes]"
) -> None:
    long_ago = time.time() - STALE_SECONDS - 1
    notes.set(PUBLISHED_KEY, long_ago)
    notes.hset(RUN_KEY, mapping={"published_at": long_ago, "waited": 0.1})
    assert client.get("/healthz").json()["culprits"] == ["beat"]


def test_a_database_that_is_away_gives_503_within_three_seconds(
    client: Client, notes: "redis.Redis[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    all_well(notes)
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", "127.0.0.1")
    monkeypatch.setitem(settings.DATABASES["default"], "PORT", str(free_port()))
    begun = time.monotonic()
    answer = client.get("/healthz")
    assert time.monotonic() - begun < 3
    assert answer.status_code == 503
    assert answer.json()["culprits"] == ["database"]
    assert "127.0.0.1" not in answer.content.decode()


def test_a_redis_that_is_away_takes_worker_and_beat_with_it(
    client: Client, database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Redis(url=f"redis://127.0.0.1:{free_port()}/0", database=0)
    monkeypatch.setattr(settings, "ENVIRONMENT", replace(settings.ENVIRONMENT, redis=away))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["culprits"] == ["redis", "worker", "beat"]


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_goes_through_the_broker_to_a_real_worker(client: Client, worker: object) -> None:
    from backend.config.health import heartbeat

    heartbeat.apply_async()
    deadline = time.monotonic() + 60
    while (answer := client.get("/healthz")).status_code != 200:
        assert time.monotonic() < deadline, answer.json()
        time.sleep(0.1)
    assert 0 <= answer.json()["worker"]["lag_ms"] < 20_000
