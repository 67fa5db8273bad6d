"""`make run` as a person has it: it says when it is ready, mends itself, and leaves nothing behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
from celery import Celery

from backend.config.embedded import free_port
from backend.config.environment import REPOSITORY, parse_redis_url
from backend.config.run import Done, migrations_fingerprint, static_fingerprint
from backend.config.supervision import MARK
from tests.databases import Servers, process_name
from tests.shop import seeded_template, seeded_var


@dataclass
class Launcher:
    """`python -m backend.config.run` on a seeded database, with a private Redis."""

    process: subprocess.Popen[bytes]
    port: int
    var: Path
    environment: dict[str, str]

    def said(self) -> str:
        return (self.var / "console").read_text(errors="replace")

    def left(self) -> list[psutil.Process]:
        """Its processes that still run, itself aside."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(MARK) == str(self.var) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def pid_of(self, program: str) -> int | None:
        """The process that supervisord started as that program."""
        supervisor = psutil.Process(int((self.var / "supervisord.pid").read_text()))
        for child in supervisor.children():
            # One that was just killed has no command line any more.
            with contextlib.suppress(psutil.Error):
                if program in child.cmdline():
                    return int(child.pid)
        return None


def wait_for(what: Callable[[], object], *, seconds: float, launcher: Launcher) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, launcher.said()
        time.sleep(0.2)


def start(var: Path, environment: dict[str, str]) -> Launcher:
    with (var / "console").open("wb") as console:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.config.run"],
            cwd=REPOSITORY,
            env=environment,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # As a script's shell leaves it to what it starts in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
    launcher = Launcher(process, int(environment["PORT"]), var, environment)
    wait_for(
        lambda: "Ctrl-C stops everything" in launcher.said() or process.poll() is not None,
        seconds=150,
        launcher=launcher,
    )
    assert process.poll() is None, launcher.said()
    return launcher


@pytest.fixture
def launcher(servers: Servers, tmp_path: Path) -> Iterator[Launcher]:
    # Another process of this run may be at another of these tests.
    name = f"xinyi_test_run_{process_name()}"
    database_url = servers.create_database(name, template=seeded_template(servers=servers))
    var = tmp_path / "var"
    var.mkdir()
    (var / "static").symlink_to(seeded_var(servers) / "static")
    done = Done(var)
    for name, fingerprint in (
        ("migrations", migrations_fingerprint()),
        ("static", static_fingerprint()),
        ("seeded", "pictures of cards"),
    ):
        done.once(name, fingerprint, lambda: None)
    accounts = [{"name": "王会计", "email": "wang@baima.example", "password": "a-b-c", "page": "/desk/"}]
    (var / "demo-accounts.json").write_text(json.dumps(accounts))
    inherited = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "PUBLIC_URL")}
    environment = {
        **inherited,
        "DATABASE_URL": database_url,
        "VAR_DIR": str(var),
        "PORT": str(free_port()),
        "FEEDS_PORT": str(free_port()),
    }
    started = start(var, environment)
    yield started
    if started.process.poll() is None:
        started.process.terminate()
        started.process.wait(90)
    servers.drop_database(name)


@contextlib.contextmanager
def a_task_that_does_not_end(launcher: Launcher) -> Iterator[None]:
    """The worker audits the stock, and waits for a table that somebody else holds."""
    broker = parse_redis_url(json.loads((launcher.var / "embedded.json").read_text())["REDIS_URL"]).broker_url
    with (
        psycopg.connect(launcher.environment["DATABASE_URL"]) as held,
        Celery(broker=broker, set_as_current=False) as sender,
    ):
        held.execute("LOCK TABLE stock_movement IN ACCESS EXCLUSIVE MODE")
        sender.send_task("backend.stock.tasks.audit_stock", queue="default")

        def waits() -> bool:
            (count,) = held.execute(
                "SELECT count(*) FROM pg_locks WHERE relation = 'stock_movement'::regclass AND NOT granted"
            ).fetchone() or (0,)
            return bool(count)

        wait_for(waits, seconds=120, launcher=launcher)
        yield


@pytest.mark.timeout(600)
def test_it_serves_mends_itself_and_ctrl_c_leaves_no_process(launcher: Launcher) -> None:
    with urllib.request.urlopen(f"http://localhost:{launcher.port}/healthz", timeout=30) as answer:
        assert json.load(answer)["status"] == "ok"
    assert re.search(rf"desk +http://localhost:{launcher.port}/desk/", launcher.said())
    assert re.search(r"王会计 +wang@baima\.example +a-b-c +/desk/", launcher.said())

    second = subprocess.run(
        [sys.executable, "-m", "backend.config.run"],
        cwd=REPOSITORY,
        env=launcher.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"process {launcher.process.pid}" in second.stderr

    killed = launcher.pid_of("worker")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: launcher.pid_of("worker") not in (None, killed), seconds=30, launcher=launcher)

    with a_task_that_does_not_end(launcher):
        launcher.process.send_signal(signal.SIGINT)
        assert launcher.process.wait(90) == 0
    assert launcher.left() == []
    ended = (launcher.var / "log" / "supervisord.log").read_text()
    # The worker dropped its task, and Redis, which keeps it for the next start, ended in order after that.
    assert re.search(r"stopped: worker .*stopped: redis \(exit status 0\)", ended, re.DOTALL)
    assert not (launcher.var / "embedded.json").exists()


@pytest.mark.timeout(600)
def test_killed_hard_it_takes_everything_with_it(launcher: Launcher) -> None:
    assert len(launcher.left()) > 6
    launcher.process.kill()
    launcher.process.wait(10)
    wait_for(lambda: not launcher.left(), seconds=90, launcher=launcher)


@pytest.mark.timeout(600)
def test_a_killed_supervisor_leaves_nothing_behind_and_is_said(launcher: Launcher) -> None:
    os.kill(int((launcher.var / "supervisord.pid").read_text()), signal.SIGKILL)
    assert launcher.process.wait(90) == 1
    assert "supervisord ended unexpectedly" in launcher.said()
    assert launcher.left() == []
