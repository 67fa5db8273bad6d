"""The whole shop while everything around it breaks: feeds, worker, Redis, PostgreSQL. Nothing is lost, nothing doubled.

A shop of its own, with servers of its own to stop. In `make test` each thing breaks once; `make soak` goes on, and kills
the worker at FIFTY random points.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from backend.config.embedded import PostgresCluster, RedisServer
from tests.databases import Servers, kept_cluster
from tests.shop import Shop, start_shop

FIFTY = 50
BREAKS = (
    # An error; half a document; a redirect into this machine's own network; a document that is none.
    {"baima": "500", "fuxing": "cut", "lihua": "elsewhere", "zengjiaya": "garbage"},
    # Silence; a document, and a header, that comes letter by letter for ever; half a workbook.
    {"baima": "timeout", "fuxing": "slow", "lihua": "drip", "zengjiaya": "cut"},
)
"""One after the other, each cooperative in its own way."""

NOTICED = {
    "500": "500",
    "cut": "中途断开",
    "elsewhere": "169.254.169.254",
    "timeout": "没有及时回答",
    "slow": "没有及时回答",
    "drip": "没有及时回答",
}
"""What stands on the feed afterwards, for the people who look after it."""

MODES = sorted({mode for round_ in BREAKS for mode in round_.values()})
MOST_SECONDS_FOR_A_FEED = 3
PATIENCE = 240.0
"""Seconds until everything is well again; on a busy machine a worker alone takes thirty to start."""


@dataclass
class Ground:
    """The shop, and the two servers that it stands on."""

    shop: Shop
    cluster: PostgresCluster
    redis: RedisServer
    directory: Path

    def ask(self, query: str, *values: object) -> list[dict[str, object]]:
        with psycopg.connect(self.shop.database_url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(query, values)  # type: ignore[arg-type]  # written in this file
            return cursor.fetchall() if cursor.description else []

    def tell(self, path: str, content: object) -> None:
        answer = httpx.post(f"{self.shop.feeds_url}/{path}", json=content, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text

    def tend(self) -> None:
        """What supervisord does: a program that ended is started again."""
        for name, process in self.shop.processes.items():
            if process.poll() is not None:
                self.shop.start(name)

    def wait_until(self, condition: Callable[[], bool], *, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            self.tend()
            try:
                if condition():
                    return
            except (psycopg.OperationalError, httpx.HTTPError):
                pass  # It is being started.
            if time.monotonic() > deadline:
                feeds = self.ask("SELECT id, kind, failures, last_error, due_at FROM stock_feed")
                reports = self.ask(
                    "SELECT status, attempts, last_error, message FROM stock_report ORDER BY received_at"
                )
                pytest.fail(
                    f"not in time: {what}\n{feeds}\n{reports[-8:]}\n{self.shop.log('worker').read_text()[-3000:]}"
                )
            time.sleep(0.3)


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    # Not below pytest's own directory, which it shuts to PostgreSQL's account whenever another run begins.
    directory = Path(tempfile.mkdtemp(prefix="xinyi-chaos-"))
    cluster = PostgresCluster(data=directory / "postgres", durable=False)
    redis = RedisServer(directory=directory / "redis")
    try:
        subprocess.run(["cp", "-a", kept_cluster(), cluster.data], check=True)
        cluster.start(log=directory / "postgres.log")
        redis.start(log=directory / "redis.log")
        servers = Servers(cluster.url("postgres"), redis.url(), directory)
        # Silence is the same after three seconds as after thirty.
        monkeypatch.setenv("FEEDS_PATIENCE_SECONDS", str(MOST_SECONDS_FOR_A_FEED))
        with start_shop(servers=servers, process="chaos", number=0) as shop:
            yield Ground(shop=shop, cluster=cluster, redis=redis, directory=directory)
    finally:
        redis.stop()
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def hurry(ground: Ground) -> None:
    """An operator's change in the admin: everything is asked every other second."""
    ground.ask("UPDATE stock_feed SET interval_seconds = 5, due_at = NULL")
    ground.ask("UPDATE django_celery_beat_intervalschedule SET every = 2 WHERE every IN (10, 30)")
    ground.ask("UPDATE django_celery_beat_periodictasks SET last_update = now()")
    # A count every other second, so that there is always one on its way.
    ground.shop.commands["feeds"].append("--every=2")
    ground.shop.stop("feeds")
    ground.shop.start("feeds")
    ground.wait_until(
        lambda: httpx.get(f"{ground.shop.feeds_url}/healthz", trust_env=False).status_code == 200,
        what="the cooperatives' systems answer",
    )


def newest(ground: Ground) -> dict[object, object]:
    """When each feed's newest report was applied that came since."""
    rows = ground.ask(
        "SELECT feed_id, max(applied_at) AS at FROM stock_report WHERE status = 'applied' GROUP BY feed_id"
    )
    return {row["feed_id"]: row["at"] for row in rows}


def recover(ground: Ground) -> None:
    """Every feed brings a new count, everything that was received is dealt with, and the books agree."""
    for slug in BREAKS[0]:
        ground.wait_until(lambda slug=slug: mended(ground, slug), what=f"{slug}'s system answers")  # type: ignore[misc]  # the loop's own
    before = newest(ground)
    ground.ask("UPDATE stock_feed SET due_at = NULL, failures = 0, opened_at = NULL, next_try_at = NULL")
    ground.wait_until(
        lambda: (
            all(at != before.get(feed) for feed, at in newest(ground).items()) and len(newest(ground)) == 4
        ),
        what="every feed brings a new count",
    )
    # Nothing more comes, so that what is left can be counted.
    ground.ask("UPDATE stock_feed SET is_enabled = false")
    ground.wait_until(
        lambda: not ground.ask("SELECT 1 FROM stock_report WHERE status = 'received'"),
        what="whatever was received is dealt with, or waits for a person to see",
    )
    assert "is what the ledger says" in ground.shop.manage("audit_stock")
    doubled = ground.ask(
        "SELECT report_id FROM stock_movement WHERE kind = 'count' GROUP BY report_id, supply_id HAVING count(*) > 1"
    )
    assert doubled == []
    lost = ground.ask(
        "SELECT id FROM stock_report report WHERE status = 'applied' "
        "AND NOT EXISTS (SELECT 1 FROM stock_reportline line WHERE line.report_id = report.id)"
    )
    assert lost == []
    assert ground.ask("SELECT last_error FROM stock_report WHERE status = 'failed'") == []
    ground.ask("UPDATE stock_feed SET is_enabled = true")


def mended(ground: Ground, slug: str) -> bool:
    ground.tell(f"__break/{slug}", {"mode": "none"})
    return True


def break_feeds(ground: Ground, modes: dict[str, str]) -> None:
    """Each in its own way, until the shop has noticed all of them."""
    refused = "SELECT count(*) AS n FROM stock_report WHERE status = 'refused'"
    (before,) = ground.ask(refused)
    for slug, mode in modes.items():
        ground.tell(f"__break/{slug}", {"mode": mode})
    ground.ask("UPDATE stock_feed SET due_at = NULL, failures = 0, opened_at = NULL, next_try_at = NULL")
    failing = {slug: NOTICED[mode] for slug, mode in modes.items() if mode != "garbage"}

    def are_noticed() -> bool:
        feeds = ground.ask(
            "SELECT it.slug, feed.last_error FROM stock_feed feed "
            "JOIN cooperatives_cooperative it ON it.id = feed.cooperative_id WHERE feed.failures > 0"
        )
        said = {str(feed["slug"]): str(feed["last_error"]) for feed in feeds}
        return all(sentence in said.get(slug, "") for slug, sentence in failing.items())

    ground.wait_until(are_noticed, what=f"it is noticed that {modes}")
    if len(failing) < len(modes):
        ground.wait_until(lambda: ground.ask(refused) != [before], what="rubbish is refused")


def kill_worker(ground: Ground, *, chance: random.Random) -> None:
    """By SIGKILL, with all its children, at a moment that nobody chose of those in which it works."""
    log = ground.shop.log("worker")
    ground.wait_until(lambda: b" ready." in log.read_bytes(), what="the worker works")
    ground.ask("UPDATE stock_feed SET due_at = NULL WHERE opened_at IS NULL")
    time.sleep(chance.uniform(0.0, 4.0))
    ground.shop.stop("worker", end_signal=9)
    log.rename(log.with_suffix(".before.log"))
    ground.shop.start("worker")


@contextmanager
def away(ground: Ground, name: str) -> Iterator[None]:
    """Redis or PostgreSQL is stopped, and started again on the same address."""
    server = ground.redis if name == "redis" else ground.cluster
    server.stop()
    yield
    server.start(log=ground.directory / f"{name}.log")


def worker_is_back(ground: Ground) -> None:
    ground.wait_until(
        lambda: httpx.get(f"{ground.shop.url}/healthz", trust_env=False, timeout=30).status_code == 200,
        what="the shop is well",
    )


def test_whatever_breaks_every_report_is_applied_once_or_waits_where_it_can_be_seen(
    ground: Ground, soak_minutes: float
) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
    print(f"CHAOS_SEED={seed}")
    chance = random.Random(seed)
    hurry(ground)

    for modes in BREAKS:
        break_feeds(ground, modes)
    recover(ground)

    kills = FIFTY if soak_minutes else 3
    for number in range(kills):
        kill_worker(ground, chance=chance)
        print(f"kill {number + 1}", flush=True)
        if soak_minutes and number % 10 == 9:
            worker_is_back(ground)
            recover(ground)
    worker_is_back(ground)

    for name in ("redis", "postgres"):
        with away(ground, name):
            culprits = httpx.get(f"{ground.shop.url}/healthz", trust_env=False, timeout=30)
            assert culprits.status_code == 503
        worker_is_back(ground)
    recover(ground)

    rounds = 0
    deadline = time.monotonic() + soak_minutes * 60
    while time.monotonic() < deadline:
        rounds += 1
        break_feeds(ground, {slug: chance.choice(MODES) for slug in BREAKS[0]})
        with away(ground, chance.choice(["redis", "postgres"])):
            time.sleep(chance.uniform(0.0, 5.0))
        kill_worker(ground, chance=chance)
        worker_is_back(ground)
        recover(ground)
    reports = ground.ask(
        "SELECT status, count(*) AS n, max(attempts) AS attempts FROM stock_report GROUP BY status"
    )
    print(f"{kills} kills, {rounds} more rounds; reports: {reports}")
