"""Everything that the environment may say, read once and strictly.

A value that is there but cannot be read is an error that names the variable and the value: nothing is
guessed.
Every secret may also come from a file: SECRET_KEY_FILE=/run/secrets/key instead of SECRET_KEY.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent.parent

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


class EnvironmentUnreadable(ValueError):
    """A variable is missing or unreadable; the message names it."""


@dataclass(frozen=True)
class Database:
    """Where PostgreSQL is, as Django wants to hear it. host may be a directory: a Unix socket."""

    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Redis:
    """Where Redis is. Two neighbouring databases are used: `database` (broker) and the next (cache)."""

    url: str = field(repr=False)
    database: int

    @property
    def broker_url(self) -> str:
        """Celery's broker, in Celery's spelling of a Unix socket."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            authority = f"{parts.netloc}" if parts.netloc else ""
            return f"redis+socket://{authority}{parts.path}?virtual_host={self.database}"
        return f"{parts.scheme}://{parts.netloc}/{self.database}"

    @property
    def cache_url(self) -> str:
        """Cache, sessions and health figures, as redis-py reads it."""
        return self._url_of(self.database + 1)

    @property
    def queues_url(self) -> str:
        """The broker, as redis-py reads it, for whoever counts what is queued."""
        return self._url_of(self.database)

    def _url_of(self, database: int) -> str:
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return f"unix://{parts.netloc}{parts.path}?db={database}"
        return f"{parts.scheme}://{parts.netloc}/{database}"


@dataclass(frozen=True)
class Email:
    """How mail leaves. Without a host the demo keeps it as files, and a shop in earnest sends none."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str
    tls: bool


@dataclass(frozen=True)
class Environment:
    """The environment, typed. Read it with `Environment.read(os.environ)`; tests pass a dict."""

    secret_key: str = field(repr=False)
    database: Database
    redis: Redis
    allowed_hosts: tuple[str, ...]
    public_url: str
    debug: bool
    demo: bool
    var_dir: Path
    media_root: Path
    email: Email
    storefront_api_url: str
    icp_number: str
    police_number: str
    feeds_allow_private: bool
    # For one document; a worker has two minutes for a feed, redirects and keeping what came included.
    feeds_patience_s: int
    webhooks_allow_private: bool
    feeds_folder: Path | None
    old_counts: tuple[tuple[int, int], ...]
    feed_credentials_keys: tuple[str, ...] = field(repr=False)
    metrics_token: str = field(repr=False)
    trusted_documents_dir: Path | None
    trusted_proxies: tuple[IPNetwork, ...]
    staff_second_factor: bool
    log_level: str

    @property
    def secure(self) -> bool:
        """Whether visitors arrive over TLS."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """Host, with the port where it is not the scheme's own: what Saleor's Site.domain holds."""
        return urlsplit(self.public_url).netloc

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Environment:
        """Raise EnvironmentUnreadable for the first variable that is missing or cannot be read."""
        demo = _read_bool(environ, "DEMO", default=False)
        debug = _read_bool(environ, "DEBUG", default=False)
        var_dir = Path(environ.get("VAR_DIR") or REPOSITORY / "var").resolve()
        public_url = _read_public_url(environ, demo=demo or debug)
        embedded = _read_embedded_addresses(var_dir)
        database_url = _read_secret(environ, "DATABASE_URL") or embedded.get("DATABASE_URL", "")
        redis_url = _read_secret(environ, "REDIS_URL") or embedded.get("REDIS_URL", "")
        hosts = _read_list(environ, "ALLOWED_HOSTS")
        public_hostname = urlsplit(public_url).hostname or ""
        if not hosts:
            hosts = (public_hostname, *(sorted(_LOCAL_HOSTS) if demo or debug else ()))
        return cls(
            secret_key=_read_secret_key(environ, demo=demo, var_dir=var_dir),
            database=parse_database_url(database_url or f"postgresql:///xinyi?host={var_dir}/postgres"),
            redis=parse_redis_url(redis_url or f"unix://{var_dir}/redis/redis.sock"),
            allowed_hosts=tuple(dict.fromkeys(hosts)),
            public_url=public_url,
            debug=debug,
            demo=demo,
            var_dir=var_dir,
            media_root=Path(environ.get("MEDIA_ROOT") or var_dir / "media").resolve(),
            email=Email(
                host=environ.get("EMAIL_HOST", ""),
                port=_read_int(environ, "EMAIL_PORT", default=587, at_least=1, at_most=65535),
                user=environ.get("EMAIL_USER", ""),
                password=_read_secret(environ, "EMAIL_PASSWORD"),
                sender=environ.get("EMAIL_FROM") or f"no-reply@{public_hostname}",
                tls=_read_bool(environ, "EMAIL_TLS", default=True),
            ),
            storefront_api_url=_read_url(environ, "STOREFRONT_API_URL"),
            icp_number=environ.get("ICP_NUMBER", ""),
            police_number=environ.get("POLICE_NUMBER", ""),
            feeds_allow_private=_read_bool(environ, "FEEDS_ALLOW_PRIVATE", default=demo),
            feeds_patience_s=_read_patience(environ),
            webhooks_allow_private=_read_bool(environ, "WEBHOOKS_ALLOW_PRIVATE", default=demo),
            old_counts=_read_old_counts(environ),
            feeds_folder=_read_feeds_folder(environ, demo=demo, var_dir=var_dir),
            feed_credentials_keys=_read_feed_credentials_keys(environ, demo=demo, var_dir=var_dir),
            metrics_token=_read_long_secret(environ, "METRICS_TOKEN"),
            trusted_documents_dir=_read_directory(environ, "TRUSTED_DOCUMENTS_DIR"),
            trusted_proxies=_read_networks(environ, "TRUSTED_PROXIES"),
            staff_second_factor=_read_bool(environ, "STAFF_SECOND_FACTOR", default=False),
            log_level=_read_choice(
                environ, "LOG_LEVEL", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")
            ),
        )


def parse_database_url(url: str) -> Database:
    """postgresql://user:password@host:port/name?sslmode=require, or ?host=/directory for a Unix socket."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise EnvironmentUnreadable(
            f"DATABASE_URL must begin with postgresql://, not {_without_password(url)!r}"
        )
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise EnvironmentUnreadable(
            f"DATABASE_URL must end in /name-of-the-database: {_without_password(url)!r}"
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    user = options.pop("user", "") or unquote(parts.username or "")
    try:
        port = options.pop("port", "") or str(parts.port or "")
    except ValueError as error:
        raise EnvironmentUnreadable(f"DATABASE_URL: {error}") from error
    return Database(
        name=name,
        user=user,
        password=unquote(parts.password or ""),
        host=host,
        port=port,
        options=tuple(sorted(options.items())),
    )


def parse_redis_url(url: str) -> Redis:
    """redis://:password@host:port/0, rediss://… or unix:///path/to.sock?db=0."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise EnvironmentUnreadable(
            f"REDIS_URL must begin with redis://, rediss:// or unix://, not {_without_password(url)!r}"
        )
    number = (
        dict(parse_qsl(parts.query)).get("db", "0")
        if parts.scheme == "unix"
        else parts.path.strip("/") or "0"
    )
    if not re.fullmatch(r"\d{1,4}", number):
        raise EnvironmentUnreadable(f"REDIS_URL must name its database by a number, not {number!r}")
    return Redis(url=url, database=int(number))


def _without_password(url: str) -> str:
    return re.sub(r"//([^/@]*)@", "//…@", url)


def _read_embedded_addresses(var_dir: Path) -> Mapping[str, str]:
    """The private PostgreSQL and Redis of this var/, as the one who started them wrote down.

    So that `backend/manage.py shell` in a second terminal finds the servers that `make run` started.
    """
    path = var_dir / "embedded.json"
    try:
        addresses = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EnvironmentUnreadable(f"{path} cannot be read ({error}); `make reset` starts afresh") from error
    return {name: str(value) for name, value in addresses.items()}


def _read_secret(environ: Mapping[str, str], name: str) -> str:
    """The value of NAME, or what the file named by NAME_FILE holds."""
    value, path = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if value and path:
        raise EnvironmentUnreadable(f"{name} and {name}_FILE are both set: keep one")
    if not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnvironmentUnreadable(f"{name}_FILE={path!r} cannot be read: {error.strerror}") from error


def _read_secret_key(environ: Mapping[str, str], *, demo: bool, var_dir: Path) -> str:
    key = _read_secret(environ, "SECRET_KEY")
    if key:
        if len(key) < 32:
            raise EnvironmentUnreadable("SECRET_KEY is shorter than 32 characters")
        return key
    if not demo:
        raise EnvironmentUnreadable(
            "SECRET_KEY is not set (or SECRET_KEY_FILE): give at least 50 random characters"
        )
    path = var_dir / "secret_key"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        pass
    var_dir.mkdir(parents=True, exist_ok=True)
    # Several processes may start at once: write aside, then link, so that all read the first one's key.
    aside = path.with_name(f"secret_key.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    return path.read_text(encoding="utf-8")


def _read_long_secret(environ: Mapping[str, str], name: str) -> str:
    secret = _read_secret(environ, name)
    if secret and len(secret) < 32:
        raise EnvironmentUnreadable(f"{name} is shorter than 32 characters")
    return secret


def _read_feed_credentials_keys(environ: Mapping[str, str], *, demo: bool, var_dir: Path) -> tuple[str, ...]:
    """The newest first, with blanks or commas between them; the demo seals with its secret key."""
    keys = tuple(re.split(r"[\s,]+", _read_secret(environ, "FEED_CREDENTIALS_KEY").strip()))
    if keys == ("",):
        return (_read_secret_key(environ, demo=demo, var_dir=var_dir),) if demo else ()
    if any(len(key) < 32 for key in keys):
        raise EnvironmentUnreadable("FEED_CREDENTIALS_KEY has a key of less than 32 characters")
    return keys


def _read_old_counts(environ: Mapping[str, str]) -> tuple[tuple[int, int], ...]:
    """36:50,72:0 -> ((36, 50), (72, 0)): hours, percent; "off": ()."""
    written = environ.get("OLD_COUNTS") or "36:50,72:0"
    if written == "off":
        return ()
    found = [re.fullmatch(r"(\d{1,5}):(\d{1,2})", step.strip()) for step in written.split(",")]
    steps = tuple((int(step[1]), int(step[2])) for step in found if step is not None)
    if len(steps) != len(found) or list(steps) != sorted(set(steps), key=lambda step: (step[0], -step[1])):
        raise EnvironmentUnreadable(
            f"OLD_COUNTS={written!r} is neither hours:percent, … nor off, such as 36:50,72:0"
        )
    return steps


def _read_patience(environ: Mapping[str, str]) -> int:
    written = environ.get("FEEDS_PATIENCE_SECONDS") or "30"
    if not re.fullmatch(r"[0-9]{1,2}", written) or not 1 <= int(written) <= 90:
        raise EnvironmentUnreadable(f"FEEDS_PATIENCE_SECONDS={written!r} is not a number from 1 to 90")
    return int(written)


def _read_directory(environ: Mapping[str, str], name: str) -> Path | None:
    """A directory that is there; None where none is named."""
    path = environ.get(name, "")
    if path and not (Path(path).is_absolute() and Path(path).is_dir()):
        raise EnvironmentUnreadable(f"{name}={path!r} is not the absolute path of a directory")
    return Path(path) if path else None


def _read_feeds_folder(environ: Mapping[str, str], *, demo: bool, var_dir: Path) -> Path | None:
    """Where cooperatives' folders are watched; None: nowhere."""
    path = environ.get("FEEDS_FOLDER", "")
    if path and not Path(path).is_absolute():
        raise EnvironmentUnreadable(f"FEEDS_FOLDER={path!r} is not an absolute path")
    if not path:
        return var_dir / "feeds" if demo else None
    return Path(path)


def _read_public_url(environ: Mapping[str, str], *, demo: bool) -> str:
    url = _read_url(environ, "PUBLIC_URL")
    if not url:
        port = _read_int(environ, "PORT", default=8000, at_least=1, at_most=65535)
        if not demo:
            raise EnvironmentUnreadable("PUBLIC_URL is not set: the address that visitors type, https://…")
        return f"http://localhost:{port}"
    parts = urlsplit(url)
    if parts.scheme == "http" and not demo and parts.hostname not in _LOCAL_HOSTS:
        raise EnvironmentUnreadable(f"PUBLIC_URL={url!r}: a shop that is not on this machine needs https://")
    if parts.path.strip("/") or parts.query:
        raise EnvironmentUnreadable(f"PUBLIC_URL={url!r} must be an address without a path")
    return url.rstrip("/")


def _read_url(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EnvironmentUnreadable(f"{name}={value!r} is not an http:// or https:// address")
    return value


def _read_bool(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise EnvironmentUnreadable(f"{name}={environ[name]!r} is neither true nor false")


def _read_int(environ: Mapping[str, str], name: str, *, default: int, at_least: int, at_most: int) -> int:
    value = environ.get(name, "").strip()
    if not value:
        return default
    if not re.fullmatch(r"\d+", value, re.ASCII) or not at_least <= int(value) <= at_most:
        raise EnvironmentUnreadable(f"{name}={value!r} is not a number between {at_least} and {at_most}")
    return int(value)


def _read_list(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in environ.get(name, "").split(",") if item.strip())


def _read_choice(environ: Mapping[str, str], name: str, *, default: str, choices: tuple[str, ...]) -> str:
    value = environ.get(name) or default
    if value not in choices:
        raise EnvironmentUnreadable(f"{name}={value!r} is not one of {', '.join(choices)}")
    return value


def _read_networks(environ: Mapping[str, str], name: str) -> tuple[IPNetwork, ...]:
    networks: list[IPNetwork] = []
    for item in _read_list(environ, name):
        try:
            networks.append(ipaddress.ip_network(item))
        except ValueError as error:
            raise EnvironmentUnreadable(f"{name}: {item!r} is not an address or a network") from error
    return tuple(networks)
