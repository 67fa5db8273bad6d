"""The private PostgreSQL and Redis of a machine that has neither."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from backend.config.embedded import (
    SOCKET_PATH_LIMIT,
    PostgresCluster,
    RedisServer,
    ServerFailed,
    make_private,
    short_directory,
)
from backend.config.environment import parse_database_url


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[PostgresCluster]:
    made = PostgresCluster(data=tmp_path / "postgres", durable=False)
    yield made
    made.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    made = RedisServer(directory=tmp_path / "redis")
    yield made
    made.stop()


def test_a_cluster_keeps_its_data_from_start_to_start(cluster: PostgresCluster, tmp_path: Path) -> None:
    cluster.start(log=tmp_path / "log")
    assert cluster.ensure_database()
    with psycopg.connect(cluster.url()) as connection:
        connection.execute("CREATE TABLE basket AS SELECT '二荆条' AS good")
    cluster.stop()
    assert cluster.running() is None
    cluster.start(log=tmp_path / "log")
    assert not cluster.ensure_database()
    with psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SELECT good FROM basket").fetchone() == ("二荆条",)


def test_the_cluster_can_do_what_saleor_and_chinese_ask_of_it(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    cluster.start(log=tmp_path / "log")
    with psycopg.connect(cluster.url("postgres")) as connection:
        connection.execute("CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin")
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        found = connection.execute("SELECT cardinality(show_trgm('二荆条辣椒'))").fetchone()
    # Under LC_CTYPE=C Han characters are no letters, and there would be none.
    assert found == (6,)


def test_nobody_reaches_the_cluster_over_the_network_or_as_another_account(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    cluster.start(log=tmp_path / "log")
    with psycopg.connect(cluster.url("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert cluster.sockets.stat().st_mode & 0o777 == 0o700
    assert cluster.data.stat().st_mode & 0o777 == 0o700


def test_a_server_that_a_killed_start_left_is_ended_by_the_next_one(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    first = cluster.start(log=tmp_path / "log")
    second = cluster.start(log=tmp_path / "log")
    assert first.wait(10) == 0
    assert second.poll() is None


def test_a_cluster_whose_server_was_killed_starts_again(cluster: PostgresCluster, tmp_path: Path) -> None:
    process = cluster.start(log=tmp_path / "log")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    cluster.start(log=tmp_path / "log")
    assert cluster.running() is not None


def test_somebody_elses_number_in_the_pid_file_does_not_matter(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    cluster.prepare()
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n")
    assert cluster.running() is None
    cluster.start(log=tmp_path / "log")


def test_a_directory_that_is_no_cluster_is_left_alone(cluster: PostgresCluster) -> None:
    cluster.data.mkdir()
    (cluster.data / "letter.txt").write_text("mine")
    with pytest.raises(ServerFailed, match="neither empty nor a PostgreSQL cluster"):
        cluster.prepare()
    assert (cluster.data / "letter.txt").read_text() == "mine"


def test_a_cluster_that_cannot_start_says_where_its_log_is(cluster: PostgresCluster, tmp_path: Path) -> None:
    cluster.prepare()
    (cluster.data / "postgresql.conf").write_text("no_such_setting = on\n")
    with pytest.raises(ServerFailed, match="Its log is"):
        cluster.start(log=tmp_path / "log")
    assert "no_such_setting" in (tmp_path / "log").read_text()


def test_the_address_is_one_that_the_environment_can_read() -> None:
    cluster = PostgresCluster(data=Path("/srv/a basket + more/postgres"))
    database = parse_database_url(cluster.url())
    assert database.host == "/srv/a basket + more/postgres-socket"
    assert (database.user, database.name, database.password) == ("xinyi", "xinyi", "")


def test_a_path_that_is_too_long_for_a_socket_has_a_short_stand_in(tmp_path: Path) -> None:
    long = tmp_path / ("x" * SOCKET_PATH_LIMIT)
    stand_in = short_directory(wanted=long, suffix=".s.PGSQL.5432.lock")
    assert stand_in.parent == Path("/tmp")
    assert stand_in == short_directory(wanted=long, suffix=".s.PGSQL.5432.lock")
    assert stand_in != short_directory(
        wanted=long.with_name("y" * SOCKET_PATH_LIMIT), suffix=".s.PGSQL.5432.lock"
    )
    assert short_directory(wanted=Path("/srv/var"), suffix=".s.PGSQL.5432.lock") == Path("/srv/var")


def test_a_stand_in_is_gone_when_its_server_is(tmp_path: Path) -> None:
    cluster = PostgresCluster(data=tmp_path / ("x" * SOCKET_PATH_LIMIT) / "postgres", durable=False)
    cluster.start(log=tmp_path / "log")
    assert cluster.sockets.parent == Path("/tmp")
    assert cluster.sockets.is_dir()
    cluster.stop()
    assert not cluster.sockets.exists()


def test_a_link_that_somebody_put_there_is_not_taken_for_our_directory(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sockets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServerFailed, match="somebody else"):
        make_private(directory=tmp_path / "sockets", account=PostgresCluster(data=tmp_path / "p").account())


def test_redis_keeps_queued_tasks_from_start_to_start(server: RedisServer, tmp_path: Path) -> None:
    server.start(log=tmp_path / "log")
    with redis.Redis.from_url(server.url()) as client:
        client.lpush("default", "a task")
    server.stop()
    again = RedisServer(directory=server.directory)
    again.start(log=tmp_path / "log")
    try:
        with redis.Redis.from_url(again.url()) as client:
            assert client.lrange("default", 0, -1) == [b"a task"]
    finally:
        again.stop()


def test_redis_lets_nobody_in_without_the_password(server: RedisServer, tmp_path: Path) -> None:
    server.start(log=tmp_path / "log")
    with redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    assert (server.directory / "password").stat().st_mode & 0o777 == 0o600
    assert server.configuration.stat().st_mode & 0o777 == 0o600


def test_a_redis_that_a_killed_start_left_is_ended_by_the_next_one(
    server: RedisServer, tmp_path: Path
) -> None:
    first = server.start(log=tmp_path / "log")
    second = RedisServer(directory=server.directory).start(log=tmp_path / "log")
    assert first.wait(10) == 0
    assert second.poll() is None
