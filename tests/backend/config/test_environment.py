"""What the environment may say, and what is said about what it may not."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from backend.config.environment import Database, Environment, EnvironmentUnreadable

KEY = "k" * 50
PRODUCTION: Mapping[str, str] = {
    "SECRET_KEY": KEY,
    "PUBLIC_URL": "https://xinyi.example",
    "DATABASE_URL": "postgresql://shop:p%40ss@db:5433/xinyi?sslmode=require",
    "REDIS_URL": "redis://:pw@cache:6380/4",
}


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    return {**PRODUCTION, "VAR_DIR": str(tmp_path)}


@pytest.fixture
def demo(tmp_path: Path) -> dict[str, str]:
    return {"DEMO": "true", "VAR_DIR": str(tmp_path)}


def test_a_production_environment_is_read_whole(production: dict[str, str], tmp_path: Path) -> None:
    environment = Environment.read(production)

    assert environment.database == Database(
        name="xinyi",
        user="shop",
        password="p@ss",
        host="db",
        port="5433",
        options=(("sslmode", "require"),),
    )
    assert environment.redis.broker_url == "redis://:pw@cache:6380/4"
    assert environment.redis.cache_url == "redis://:pw@cache:6380/5"
    assert environment.allowed_hosts == ("xinyi.example",)
    assert (environment.secure, environment.debug, environment.demo) == (True, False, False)
    assert environment.media_root == tmp_path / "media"
    assert environment.feeds_allow_private is False
    assert environment.feeds_patience_s == 30


def test_passwords_are_not_shown(production: dict[str, str]) -> None:
    shown = repr(Environment.read({**production, "EMAIL_PASSWORD": "mail-secret"}))

    assert not [secret for secret in (KEY, "p@ss", ":pw@", "mail-secret") if secret in shown]


def test_the_demo_needs_nothing(demo: dict[str, str], tmp_path: Path) -> None:
    environment = Environment.read(demo)

    assert environment.public_url == "http://localhost:8000"
    assert environment.database.host == f"{tmp_path}/postgres"
    assert environment.redis.broker_url == f"redis+socket://{tmp_path}/redis/redis.sock?virtual_host=0"
    assert environment.redis.cache_url == f"unix://{tmp_path}/redis/redis.sock?db=1"
    assert "localhost" in environment.allowed_hosts
    assert environment.feeds_allow_private is True
    assert environment.secure is False


def test_the_demos_key_is_made_once_and_for_its_owner_only(demo: dict[str, str], tmp_path: Path) -> None:
    first, second = Environment.read(demo), Environment.read(demo)

    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 50
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_embedded_servers_are_found_where_they_were_written_down(
    demo: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "embedded.json").write_text(
        '{"DATABASE_URL": "postgresql://xinyi@/xinyi?host=/run/x", "REDIS_URL": "redis://127.0.0.1:7001/0"}'
    )

    environment = Environment.read(demo)

    assert environment.database.host == "/run/x"
    assert environment.redis.broker_url == "redis://127.0.0.1:7001/0"


def test_given_addresses_win_over_embedded_servers(demo: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "embedded.json").write_text('{"DATABASE_URL": "postgresql://xinyi@/xinyi?host=/run/x"}')

    environment = Environment.read({**demo, "DATABASE_URL": "postgresql://db/other"})

    assert environment.database.name == "other"


def test_a_secret_may_come_from_a_file(production: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}from-file\n")
    del production["SECRET_KEY"]

    environment = Environment.read({**production, "SECRET_KEY_FILE": str(tmp_path / "key")})

    assert environment.secret_key == f"{KEY}from-file"


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is shorter than 32"),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY and SECRET_KEY_FILE are both set"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE='/nowhere' cannot be read"),
        ({"DATABASE_URL": "mysql://shop:pw@db/x"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://db"}, "DATABASE_URL must end in /name-of-the-database"),
        ({"DATABASE_URL": "postgresql://db:many/x"}, "DATABASE_URL: Port could not be cast"),
        ({"REDIS_URL": "http://cache"}, "REDIS_URL must begin with redis://"),
        ({"REDIS_URL": "redis://cache/first"}, "by a number, not 'first'"),
        ({"DEBUG": "maybe"}, "DEBUG='maybe' is neither true nor false"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL is not set"),
        ({"PUBLIC_URL": "xinyi.example"}, "PUBLIC_URL='xinyi.example' is not an http"),
        ({"PUBLIC_URL": "http://xinyi.example"}, "needs https://"),
        ({"PUBLIC_URL": "https://xinyi.example/shop"}, "without a path"),
        ({"EMAIL_PORT": "７"}, "EMAIL_PORT='７' is not a number"),
        ({"EMAIL_PORT": "99999"}, "EMAIL_PORT='99999' is not a number between 1 and 65535"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8, proxy"}, "TRUSTED_PROXIES: 'proxy' is not"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL='LOUD' is not one of"),
        ({"STOREFRONT_API_URL": "api"}, "STOREFRONT_API_URL='api'"),
    ],
)
def test_what_cannot_be_read_is_named(
    production: dict[str, str], changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(EnvironmentUnreadable) as raised:
        Environment.read({**production, **changes})

    assert sentence in str(raised.value)
    assert ":pw@" not in str(raised.value)


def test_a_broken_note_of_embedded_servers_is_named(demo: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "embedded.json").write_text("{")

    with pytest.raises(EnvironmentUnreadable, match=r"embedded\.json cannot be read"):
        Environment.read(demo)


def test_proxies_are_networks(production: dict[str, str]) -> None:
    environment = Environment.read({**production, "TRUSTED_PROXIES": "10.0.0.0/8,::1"})

    assert environment.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )


def test_a_port_makes_the_demos_address(demo: dict[str, str]) -> None:
    assert Environment.read({**demo, "PORT": "8123"}).public_url == "http://localhost:8123"


# ---- Feeds and figures ----------------------------------------------------------------------------------------------


def test_a_shop_in_earnest_keeps_no_passwords_and_watches_no_folder_until_it_is_told_to(
    production: dict[str, str],
) -> None:
    environment = Environment.read(production)
    assert environment.feed_credentials_keys == ()
    assert environment.feeds_folder is None
    assert environment.metrics_token == ""


def test_the_demo_seals_with_its_own_key_and_watches_below_var(demo: dict[str, str], tmp_path: Path) -> None:
    environment = Environment.read(demo)
    assert environment.feed_credentials_keys == (environment.secret_key,)
    assert environment.feeds_folder == tmp_path / "feeds"


def test_several_keys_seal_and_open_while_they_are_changed(
    production: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text(f"{'n' * 40}\n{'o' * 40}\n")
    environment = Environment.read({**production, "FEED_CREDENTIALS_KEY_FILE": str(tmp_path / "keys")})
    assert environment.feed_credentials_keys == ("n" * 40, "o" * 40)
    assert "nnnn" not in repr(environment)


@pytest.mark.parametrize(
    "name, value",
    [
        ("FEED_CREDENTIALS_KEY", "short"),
        ("FEED_CREDENTIALS_KEY", f"{'n' * 40} short"),
        ("METRICS_TOKEN", "short"),
        ("FEEDS_FOLDER", "feeds"),
        ("FEEDS_PATIENCE_SECONDS", "0"),
        ("FEEDS_PATIENCE_SECONDS", "91"),
        ("FEEDS_PATIENCE_SECONDS", "4.5"),
    ],
)
def test_what_would_be_guessed_or_lie_anywhere_is_refused(
    production: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(EnvironmentUnreadable, match=name):
        Environment.read({**production, name: value})
