"""What every test stands on: real PostgreSQL and Redis, a database of its own process, no network, no leftovers."""

import dataclasses
import ipaddress
import json
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import redis

from backend.config.messages import compile_catalogues
from tests.browser import Visitors, find_chromium, open_chromium
from tests.databases import Servers, process_name, start_servers
from tests.shop import Shop, start_shop, start_worker

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.plugin import DjangoDbBlocker

SERVERS = pytest.StashKey[Servers]()
CLEANUP = pytest.StashKey[ExitStack]()
# A slow machine is no wrong answer.
hypothesis.settings.register_profile("shop", deadline=None)
hypothesis.settings.load_profile("shop")

OUTCOME = pytest.StashKey[pytest.TestReport]()

HANDED_ON = "XINYI_TEST_SERVERS"
"""How xdist's controller tells its workers where the servers are."""

NO_CHROMIUM = "no Chromium on this machine"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak-minutes",
        type=float,
        default=0.0,
        help="how long the tests of tests/chaos go on killing and restarting (`make soak`)",
    )


@pytest.fixture(scope="session")
def soak_minutes(pytestconfig: pytest.Config) -> float:
    """How long a test that repeats itself should go on; 0 in `make test`: once."""
    return float(pytestconfig.getoption("--soak-minutes"))


# ---- Servers and settings, before Django is set up ------------------------------------------------------------------


def process_number() -> int:
    return int(process_name().removeprefix("gw"))


def pytest_configure(config: pytest.Config) -> None:
    # A shell that starts a command in the background leaves it ignored, and then nobody can interrupt a run.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cleanup = config.stash[CLEANUP] = ExitStack()
    if hasattr(config, "workerinput"):
        given = json.loads(os.environ[HANDED_ON])
        servers = Servers(**{**given, "directory": Path(given["directory"])})
    else:
        compile_catalogues()
        servers = cleanup.enter_context(start_servers())
    config.stash[SERVERS] = servers
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        # The controller runs no test: it keeps the servers, and its workers set up Django.
        os.environ[HANDED_ON] = json.dumps(
            {**dataclasses.asdict(servers), "directory": str(servers.directory)}
        )
        return
    os.environ.update(servers.environment(process=process_name(), redis_pair=process_number()))

    # WhiteNoise warns of a directory that is not there.
    Path(os.environ["VAR_DIR"], "static").mkdir(parents=True, exist_ok=True)

    import django
    from django.conf import settings

    with warnings.catch_warnings():
        # Saleor's own schema, which graphene warns about some hundred times.
        warnings.simplefilter("ignore")
        django.setup()
    # The real ones are made to be slow, and still read the seeded shop's passwords; test_hashing.py sets them.
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    # A test that is rolled back announces nothing; tests of the page cache switch it on.
    settings.PAGE_CACHE_SECONDS = 0
    # Nobody runs collectstatic for tests that stay in this process.
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    cleanup = config.stash.get(CLEANUP, None)
    if cleanup is not None:
        cleanup.close()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """Where this run's PostgreSQL and Redis are."""
    return pytestconfig.stash[SERVERS]


# ---- Database and Redis of a test -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(
    servers: Servers, django_test_environment: None, django_db_blocker: "DjangoDbBlocker"
) -> Iterator[None]:
    """This process's database, a copy of the template: instead of a minute of migrations.

    After a test with `django_db(transaction=True)` Django would empty all tables, and with them what the migrations
    put there. Here the database is copied anew, which is quicker, too.
    """
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sites.models import Site
    from django.db import connection, connections
    from django.test import TransactionTestCase

    name = connection.settings_dict["NAME"]

    def copy_anew(*_: object) -> None:
        connections.close_all()
        servers.create_database(name)
        ContentType.objects.clear_cache()
        Site.objects.clear_cache()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", copy_anew)
        with django_db_blocker.unblock():
            copy_anew()
        yield
        with django_db_blocker.unblock():
            connections.close_all()
            servers.drop_database(name)


@pytest.fixture(autouse=True)
def empty_redis(servers: Servers) -> None:
    """Broker and cache are empty when a test begins."""
    from django.conf import settings

    for url in (settings.ENVIRONMENT.redis.broker_url, settings.ENVIRONMENT.redis.cache_url):
        with redis.Redis.from_url(url) as client:
            client.flushdb()


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Any]:
    """A real Celery worker, a process of its own, on this test's database and broker; gives its Popen."""
    with start_worker(environment=os.environ) as process:
        yield process


# ---- No network -----------------------------------------------------------------------------------------------------


class NetworkForbidden(Exception):
    """A test reached for something beyond this machine."""


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):  # a Unix socket's path
        return True
    host = address[0]
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Connections leave this process for this machine only."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def checked_connect(self: socket.socket, address: Any) -> None:
        if not _is_local(address):
            raise NetworkForbidden(f"a test tried to connect to {address}")
        connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        if not _is_local(address):
            raise NetworkForbidden(f"a test tried to connect to {address}")
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", checked_connect)
        patch.setattr(socket.socket, "connect_ex", checked_connect_ex)
        yield


# ---- The whole shop, and people who visit it ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shop(servers: Servers) -> Iterator[Shop]:
    """The running demo shop, shared by the tests of this process: what one test orders, the next one sees ordered.

    Real gunicorn, Celery worker and beat, and the cooperatives' feed server, on a database of its own.
    """
    with start_shop(servers=servers, process=process_name(), number=process_number()) as running:
        yield running


@pytest.fixture
def fresh_shop(servers: Servers) -> Iterator[Shop]:
    """A running demo shop that no test has touched and that is gone afterwards; some seconds to start."""
    with start_shop(
        servers=servers, process=f"{process_name()}_fresh", number=process_number() + 8
    ) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """The system's Chromium. Without one the journeys are left out, and the summary says so in red."""
    executable = find_chromium()
    if executable is None:
        pytest.skip(NO_CHROMIUM)
    with pytest.MonkeyPatch.context() as patch:
        # Playwright runs an event loop in this thread, in which Django would refuse every query.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with open_chromium(executable) as browser:
            yield browser


@pytest.fixture(params=[True, False], ids=["javascript", "no-javascript"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Every journey is possible with JavaScript off: a test that has a `phone` or a `desktop` runs twice."""
    return bool(request.param)


@pytest.fixture
def visitors(chromium: "Browser", shop: Shop, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """Opens pages for several people at once, each with cookies of their own: `visitors.come(width=390, height=844)`."""
    with Visitors(browser=chromium, base_url=shop.url) as guests:
        yield guests
        report = request.node.stash.get(OUTCOME, None)
        if report is not None and report.failed:
            guests.photograph(name=request.node.name)


@pytest.fixture
def phone(visitors: Visitors, javascript: bool) -> "Page":
    """A page on a phone, 390 px wide; paths are relative to the running shop: `phone.goto("/basket/")`."""
    return visitors.come(width=390, height=844, javascript=javascript)


@pytest.fixture
def desktop(visitors: Visitors, javascript: bool) -> "Page":
    """A page on a desk, 1280 px wide."""
    return visitors.come(width=1280, height=800, javascript=javascript)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: pytest.TestReport = yield
    if report.when == "call":
        item.stash[OUTCOME] = report
    return report


RUNNING: set[str] = set()
"""What has begun and not ended, in whichever process."""


def pytest_runtest_logstart(nodeid: str) -> None:
    RUNNING.add(nodeid)


def pytest_runtest_logfinish(nodeid: str) -> None:
    RUNNING.discard(nodeid)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if RUNNING:
        terminalreporter.write_sep("=", "INTERRUPTED IN")
        terminalreporter.write_line("\n".join(sorted(RUNNING)))
    left_out = [
        report for report in terminalreporter.stats.get("skipped", []) if NO_CHROMIUM in str(report.longrepr)
    ]
    if left_out:
        terminalreporter.write_sep("=", "BROWSER JOURNEYS LEFT OUT", red=True, bold=True)
        terminalreporter.write_line(
            f"{len(left_out)} browser tests did not run: there is no Chromium on this machine. "
            "Get it with `apt-get install chromium fonts-noto-cjk` (or put chromium, chromium-browser or "
            "google-chrome on PATH) and run again.",
            red=True,
            bold=True,
        )
