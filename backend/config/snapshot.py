"""The schema snapshot: what all migrations make of an empty database, as SQL that restores in two seconds.

Migrating from nothing takes a minute, nearly all of it Django rendering Saleor's 400 historical states. So an empty
database is filled from `schema_snapshot.sql` and `migrate` adds what is newer. The migrations stay the truth: a test
migrates from nothing, takes the dump anew and compares; `make snapshot` writes it anew.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg

from backend.config.embedded import PostgresCluster, postgres_programs
from backend.config.environment import REPOSITORY
from backend.config.programs import manage

SNAPSHOT = Path(__file__).with_name("schema_snapshot.sql")

PREPARING = 0x5859_4442
"""Advisory lock: one process at a time prepares a database."""

_SESSION_LINE = re.compile(r"^(--.*|SET .*|\\(un)?restrict .*|SELECT pg_catalog\.set_config\(.*)?$")


def restore_if_empty(*, database_url: str, snapshot: Path = SNAPSHOT) -> bool:
    """Fills a database that has no table yet from the snapshot, in one transaction.

    True if it did; False if there are tables already, or no snapshot. Works on PostgreSQL 15 and newer.
    """
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [PREPARING])
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        if tables != (0,) or not snapshot.exists():
            return False
        # Functions stand before the tables that they read.
        connection.execute("SET LOCAL check_function_bodies = off")
        # Without parameters psycopg sends the text as it is, many statements at once.
        connection.execute(snapshot.read_bytes())
    return True


def given_database_url(environ: Mapping[str, str]) -> str:
    """DATABASE_URL, or what the file named by DATABASE_URL_FILE holds."""
    path = environ.get("DATABASE_URL_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else environ["DATABASE_URL"]


def prepare_database(*, database_url: str) -> None:
    """Brings the database of DATABASE_URL to the newest migration, from the snapshot where it is empty."""
    restore_if_empty(database_url=database_url)
    _migrate(database_url=database_url)


def take(*, database_url: str) -> str:
    """The dump of a migrated database, without what differs between two that are alike.

    Session settings and comments go: psycopg cannot run psql's commands, and PostgreSQL 15 does not know 18's settings.
    Rows stay in the order in which the migrations made them.
    """
    with psycopg.connect(database_url) as connection:
        # When, and in which order of those that do not depend on each other, is not the schema's business.
        connection.execute("""
            CREATE TEMPORARY TABLE applied AS SELECT app, name FROM django_migrations;
            TRUNCATE django_migrations RESTART IDENTITY;
            INSERT INTO django_migrations (app, name, applied)
            SELECT app, name, '2000-01-01T00:00:00Z' FROM applied ORDER BY app COLLATE "C", name COLLATE "C";
        """)
    dumped = subprocess.run(
        [
            postgres_programs() / "pg_dump",
            f"--dbname={database_url}",
            "--inserts",
            "--no-owner",
            "--no-privileges",
            "--no-comments",
            "--schema=public",
            "--extension=*",
        ],
        env={"LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    kept = [line for line in dumped.splitlines() if not _SESSION_LINE.match(line)]
    # The schema itself is always there already.
    return "\n".join(line for line in kept if line != "CREATE SCHEMA public;") + "\n"


def take_from_nothing() -> str:
    """Migrates an empty throw-away database, without the snapshot, and takes its dump. About a minute."""
    with tempfile.TemporaryDirectory(prefix="xinyi-snapshot-") as directory:
        cluster = PostgresCluster(data=Path(directory) / "postgres", durable=False)
        cluster.start(log=Path(directory) / "postgres.log")
        try:
            cluster.ensure_database()
            _migrate(database_url=cluster.url())
            # PostgreSQL writes some conditions in another way once it has read its own writing: so twice.
            once = Path(directory) / "once.sql"
            once.write_text(take(database_url=cluster.url()), encoding="utf-8")
            cluster.ensure_database("restored")
            restore_if_empty(database_url=cluster.url("restored"), snapshot=once)
            return take(database_url=cluster.url("restored"))
        finally:
            cluster.stop()


def _migrate(*, database_url: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL_FILE"}
    subprocess.run(
        manage("migrate", "--no-input", "--verbosity=0", "--skip-checks"),
        env={**environment, "DATABASE_URL": database_url},
        check=True,
    )


def main(arguments: list[str]) -> None:
    """`python -m backend.config.snapshot write | prepare`."""
    match arguments:
        case ["write"]:
            SNAPSHOT.write_text(take_from_nothing(), encoding="utf-8")
            print(f"{SNAPSHOT.relative_to(REPOSITORY)}: {SNAPSHOT.stat().st_size / 1024:.0f} KiB")
        case ["prepare"]:
            prepare_database(database_url=given_database_url(os.environ))
        case _:
            sys.exit("python -m backend.config.snapshot write | prepare")


if __name__ == "__main__":
    main(sys.argv[1:])
