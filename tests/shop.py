"""The whole shop as it runs in earnest, for tests that look at it from outside: processes, not threads."""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from backend.config import programs
from backend.config.embedded import dies_with_parent, free_port, postgres_programs
from backend.config.environment import REPOSITORY, parse_redis_url
from tests.databases import KEPT, TEMPLATE, Servers, template_made_from

SEEDED = "xinyi_test_seeded"
"""The template database of a shop with the demo goods in it."""

START_SECONDS = 120.0
END_SECONDS = 20.0


class ShopFailed(Exception):
    """A program of the shop did not start; the message ends with what it said."""


@dataclass
class Shop:
    """A running shop.

    url: where it serves. feeds_url: where its cooperatives' systems are. database_url: what it keeps.
    processes: by name (web, worker, beat, feeds); a test may kill one and start it again.
    """

    url: str
    feeds_url: str
    database_url: str
    environment: dict[str, str]
    directory: Path
    commands: dict[str, list[str]]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def start(self, name: str) -> None:
        self.processes[name] = _start(self.commands[name], environment=self.environment, log=self.log(name))

    def stop(self, name: str, *, end_signal: int = signal.SIGTERM) -> None:
        """Ends one program and its children; with SIGKILL the way that power cuts do."""
        _end(self.processes.pop(name), end_signal=end_signal)

    def manage(self, *arguments: str) -> str:
        """Runs one of Django's commands on this shop; gives what it printed."""
        return _run(programs.manage(*arguments), environment=self.environment)

    def stop_all(self) -> None:
        # All are told before any is waited for.
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for name in list(self.processes):
            self.stop(name)


@contextmanager
def start_shop(*, servers: Servers, process: str, number: int) -> Iterator[Shop]:
    """Starts a seeded shop with a database, Redis pair and ports of its own; ends it after.

    process: names its database. number: picks its Redis pair, above those of the test processes.
    """
    database_url = servers.create_database(
        f"xinyi_test_shop_{process}", template=seeded_template(servers=servers)
    )
    port, feeds_port = free_port(), free_port()
    with psycopg.connect(database_url, autocommit=True) as connection:
        # The template was seeded before anybody knew where this shop's cooperatives would answer.
        connection.execute(
            "UPDATE stock_feed SET url = regexp_replace(url, '^http://[^/]+', %s)",
            [f"http://localhost:{feeds_port}"],
        )
    directory = servers.directory / f"shop_{process}"
    # The last shop of this name may have left its files and its messages.
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(seeded_var(servers), directory, copy_function=_link)
    environment = {
        **os.environ,
        **servers.environment(process=process, redis_pair=number + 12),
        "DATABASE_URL": database_url,
        "VAR_DIR": str(directory),
        "PUBLIC_URL": f"http://localhost:{port}",
        "PORT": str(port),
        "FEEDS_PORT": str(feeds_port),
        "LOG_LEVEL": "INFO",
    }
    addresses = parse_redis_url(environment["REDIS_URL"])
    for address in (addresses.broker_url, addresses.cache_url):
        with redis.Redis.from_url(address) as client:
            client.flushdb()
    shop = Shop(
        url=f"http://localhost:{port}",
        feeds_url=f"http://localhost:{feeds_port}",
        database_url=database_url,
        environment=environment,
        directory=directory,
        commands={
            "feeds": programs.feeds(port=feeds_port),
            "web": programs.web(host="127.0.0.1", port=port),
            "worker": programs.worker(),
            "beat": programs.beat(),
        },
    )
    with ExitStack() as stack:
        stack.callback(servers.drop_database, f"xinyi_test_shop_{process}")
        stack.callback(shop.stop_all)
        for name in shop.commands:
            shop.start(name)
        _wait_for(f"{shop.url}/healthz", shop=shop)
        yield shop


@contextmanager
def start_worker(*, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker on the database and broker that `environment` names, ready for tasks."""
    directory = Path(environment["VAR_DIR"])
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "worker.log"
    log.unlink(missing_ok=True)
    process = _start(programs.worker(), environment=environment, log=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not re.search(rb" ready\.", log.read_bytes()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ShopFailed(f"the worker does not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)
        yield process
    finally:
        _end(process)


def seeded_template(*, servers: Servers) -> str:
    """The name of the template database with the demo shop; the first process of a run that asks makes it.

    What was seeded is kept in var/test/, too, named by all that decides what it is.
    """
    var = seeded_var(servers)
    with (servers.directory / "seeded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not var.exists():
            kept = KEPT / f"seeded-{_seeded_from()}"
            with (KEPT / "seeded.lock").open("w") as kept_lock:
                fcntl.flock(kept_lock, fcntl.LOCK_EX)
                if not kept.exists():
                    _seed(servers=servers, kept=kept)
            shutil.copytree(kept / "var", var, copy_function=_link)
            database_url = servers.create_database(SEEDED, template="template0")
            restore = [_postgres("pg_restore"), "--no-owner", f"--dbname={database_url}", str(kept / "dump")]
            _run(restore, environment=os.environ)
            static = [*programs.manage("collectstatic"), "--no-input", "--verbosity=0"]
            _run(
                static,
                environment={
                    **os.environ,
                    **servers.environment(process="static", redis_pair=31),
                    "VAR_DIR": str(var),
                },
            )
    return SEEDED


def _seed(*, servers: Servers, kept: Path) -> None:
    aside = kept.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "var").mkdir(parents=True)
    database_url = servers.create_database(SEEDED, template=TEMPLATE)
    environment = {
        **os.environ,
        **servers.environment(process="seeding", redis_pair=31),
        "DATABASE_URL": database_url,
        "VAR_DIR": str(aside / "var"),
    }
    _run(programs.manage("seed_demo"), environment=environment)
    _run(
        [_postgres("pg_dump"), "--format=custom", "--compress=0", f"--file={aside / 'dump'}", database_url],
        environment=os.environ,
    )
    for old in KEPT.glob("seeded-*"):
        if old.is_dir() and old != aside:
            shutil.rmtree(old)
    aside.rename(kept)


def _seeded_from() -> str:
    """Names what decides what the demo shop is: its fixtures, the rooms' code, the template database."""
    digest = hashlib.sha256(template_made_from().encode())
    rooms = (REPOSITORY / "backend").rglob("*.py")
    sources = [
        path
        for path in rooms
        if path.parts[-2] == "demo" or ("config" not in path.parts and "api" not in path.parts)
    ]
    sources += [
        path for path in (REPOSITORY / "fixtures").rglob("*") if path.is_file() and path.suffix != ".pyc"
    ]
    for source in sorted(sources):
        digest.update(str(source.relative_to(REPOSITORY)).encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _postgres(program: str) -> str:
    return str(postgres_programs() / program)


def seeded_var(servers: Servers) -> Path:
    """The var/ that belongs to the seeded template: its media, static files and accounts."""
    return servers.directory / "seeded"


def _link(source: str, target: str) -> str:
    """Pictures and static files are the same in every shop; other files may be written to."""
    if "/media/" in source or "/static/" in source:
        try:
            os.link(source, target)
            return target
        except OSError:
            pass  # Another file system: then a copy.
    return str(shutil.copy2(source, target))


def _start(command: list[str], *, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )


def _end(process: subprocess.Popen[bytes], *, end_signal: int = signal.SIGTERM) -> None:
    if process.poll() is None:
        if end_signal == signal.SIGKILL:
            os.killpg(process.pid, end_signal)
        else:
            process.send_signal(end_signal)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(END_SECONDS)


def _run(command: list[str], *, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ShopFailed(f"{' '.join(command)}\n{done.stdout[-4000:]}")
    return done.stdout


def _wait_for(url: str, *, shop: Shop) -> None:
    """Returns when the shop says that all of it is well."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except (urllib.error.URLError, OSError) as error:
            said = error.read().decode() if isinstance(error, urllib.error.HTTPError) else str(error)
        ended = [name for name, process in shop.processes.items() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            logs = "\n".join(
                f"--- {name}\n{shop.log(name).read_text()[-3000:]}" for name in ended or shop.processes
            )
            raise ShopFailed(f"{url} says: {said}\n{logs}")
        time.sleep(0.2)
