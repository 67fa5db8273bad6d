"""The schema snapshot is what the migrations make."""

import difflib
from itertools import islice

import psycopg
import pytest

from backend.config.snapshot import SNAPSHOT, restore_if_empty, take, take_from_nothing
from tests.databases import Servers


@pytest.mark.timeout(600)
def test_the_snapshot_is_what_a_migrate_from_nothing_makes() -> None:
    """A minute: that is what the snapshot saves everybody else."""
    kept, migrated = SNAPSHOT.read_text(encoding="utf-8"), take_from_nothing()
    if kept != migrated:
        difference = difflib.unified_diff(
            kept.splitlines(), migrated.splitlines(), "snapshot", "migrations", lineterm="", n=0
        )
        pytest.fail("run make snapshot\n" + "\n".join(islice(difference, 60)), pytrace=False)


def test_a_restored_snapshot_gives_the_snapshot_again(servers: Servers) -> None:
    database_url = servers.create_database("xinyi_test_restored", template="template0")
    try:
        assert restore_if_empty(database_url=database_url)
        assert take(database_url=database_url) == SNAPSHOT.read_text(encoding="utf-8")
    finally:
        servers.drop_database("xinyi_test_restored")


def test_a_database_that_holds_anything_is_left_alone(servers: Servers) -> None:
    database_url = servers.create_database("xinyi_test_used", template="template0")
    try:
        with psycopg.connect(database_url) as connection:
            connection.execute("CREATE TABLE somebodys (thing text)")
        assert not restore_if_empty(database_url=database_url)
        with psycopg.connect(database_url) as connection:
            assert connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchone() == (1,)
    finally:
        servers.drop_database("xinyi_test_used")
