"""supervisord keeps the shop's programs running; this writes its file, talks to it, and finds what it left behind."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from backend.config import programs
from backend.config.embedded import (
    PostgresCluster,
    RedisServer,
    dies_with_parent,
    remove_stand_in,
    short_directory,
)
from backend.config.environment import REPOSITORY
from backend.config.preflight import CannotRun

PATIENCE_SECONDS = 6.0
"""A program that was asked to end has so long to finish what it is doing."""

HURRY_SECONDS = 3.0
"""One that was then told to drop it has so long. What is left after that is killed: a task that was cut off runs again."""

ANSWER_SECONDS = 5.0
"""supervisord answers at once, or is beyond help."""

END_SECONDS = 30.0
"""For all of it, and for a machine that is busy with something else."""

MARK = "XINYI_RUN"
"""Environment variable that every process of one var/ carries, so that what a killed start left can be found."""


SHOP = ("feeds", "web", "worker", "beat")
"""The shop's own programs; PostgreSQL and Redis are there before them and after them."""


@dataclass(frozen=True)
class Plan:
    """What is to run where.

    cluster, redis: None where DATABASE_URL or REDIS_URL names a server that somebody else runs.
    """

    host: str
    port: int
    feeds_port: int
    var: Path
    cluster: PostgresCluster | None
    redis: RedisServer | None

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def sockets(self) -> Path:
        return short_directory(wanted=self.var / "supervisor", suffix="supervisor.sock.00000")

    @property
    def local_url(self) -> str:
        host = "localhost" if self.host in ("127.0.0.1", "0.0.0.0", "::", "localhost") else self.host
        return f"http://{host}:{self.port}"


def supervisor_configuration(plan: Plan) -> str:
    """supervisord's file: servers at once, the shop's programs when the database is ready for them."""
    sections: dict[str, dict[str, object]] = {
        "supervisord": {
            "nodaemon": "true",
            "silent": "true",
            "logfile": plan.logs / "supervisord.log",
            "logfile_maxbytes": "5MB",
            "logfile_backups": 2,
            "pidfile": plan.var / "supervisord.pid",
            "childlogdir": plan.logs,
            "directory": REPOSITORY,
            **({"user": "root"} if os.geteuid() == 0 else {}),
        },
        "unix_http_server": {"file": plan.sockets / "supervisor.sock", "chmod": "0600"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
    }

    def program(name: str, command: list[str], **options: object) -> None:
        sections[f"program:{name}"] = {
            "command": shlex.join(command),
            "autostart": "false",
            "autorestart": "true",
            # Importing all of Saleor takes some seconds: who ends before that did not start.
            "startsecs": 15,
            "startretries": 3,
            # It is told to hurry before that, see Supervisor.end.
            "stopwaitsecs": int(PATIENCE_SECONDS + HURRY_SECONDS),
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": plan.logs / f"{name}.log",
            "stdout_logfile_maxbytes": "5MB",
            "stdout_logfile_backups": 3,
            **options,
        }

    # Lower priorities start first and end last.
    if plan.cluster is not None:
        account = plan.cluster.account()
        program(
            "postgres",
            plan.cluster.command(),
            autostart="true",
            priority=1,
            startsecs=0,
            stopsignal="INT",
            directory="/",
            **({"user": account.name} if account.process_options() else {}),
        )
    if plan.redis is not None:
        program("redis", plan.redis.command(), autostart="true", priority=1, startsecs=0)
    program("feeds", programs.feeds(port=plan.feeds_port), priority=10)
    program("web", programs.web(host=plan.host, port=plan.port), priority=10)
    program("worker", programs.worker(), priority=10)
    program("beat", programs.beat(), priority=10)
    return "\n".join(
        f"[{section}]\n" + "".join(f"{name} = {_escaped(value)}\n" for name, value in options.items())
        for section, options in sections.items()
    )


def _escaped(value: object) -> str:
    """supervisord expands %(…)s, and takes ` ;` as the beginning of a comment."""
    return str(value).replace("%", "%%")


class Supervisor:
    """A running supervisord and what it says of its programs."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        plan.sockets.mkdir(parents=True, exist_ok=True)
        plan.sockets.chmod(0o700)
        configuration = plan.var / "supervisord.conf"
        configuration.write_text(supervisor_configuration(plan))
        with (plan.logs / "supervisord.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(configuration)],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for us alone; we end it in order.
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
        deadline = time.monotonic() + 15
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise CannotRun(
                    f"supervisord 没有启动,日志在 {plan.logs}。",
                    f"supervisord does not start; see {plan.logs}/supervisord.out and supervisord.log.",
                )
            time.sleep(0.05)

    @property
    def rpc(self) -> Any:
        """supervisord's calls; a connection each, since one that failed cannot be used again."""
        transport = SupervisorTransport(serverurl=f"unix://{self.plan.sockets / 'supervisor.sock'}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def answers(self) -> bool:
        try:
            self.rpc.getState()
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def states(self) -> dict[str, dict[str, Any]]:
        """What supervisord says of each program; raises CannotRun when supervisord itself is gone."""
        try:
            return {info["name"]: info for info in self.rpc.getAllProcessInfo()}
        except (OSError, xmlrpc.client.Error) as error:
            raise CannotRun(
                "supervisord 意外结束。", f"supervisord ended unexpectedly; see {self.plan.logs}."
            ) from error

    def check(self) -> None:
        """Raises CannotRun when a program has been given up."""
        for name, info in self.states().items():
            if info["statename"] == "FATAL":
                raise CannotRun(
                    f"{name} 启动失败,日志在 {self.plan.logs / name}.log,最后几行:",
                    f"{name} does not start; its log is {self.plan.logs / name}.log and ends with:\n"
                    + tail(self.plan.logs / f"{name}.log"),
                )

    def alive(self) -> bool:
        """For servers that are waited for: False when one has been given up."""
        return all(info["statename"] != "FATAL" for info in self.states().values())

    def end(self) -> None:
        """Ends the shop's programs all at once (supervisord alone would wait for each), then the servers.

        Each is asked, then told to hurry (gunicorn and Celery drop what they are doing, PostgreSQL does not write what
        it would read from its log again), then killed by supervisord.
        """
        # A supervisord that does not answer must not hold up the end.
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(ANSWER_SECONDS)
        try:
            with contextlib.suppress(OSError, xmlrpc.client.Error, CannotRun):
                self._stop(SHOP)
                self._stop([name for name in self.states() if name not in SHOP])
        finally:
            socket.setdefaulttimeout(before)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        remove_stand_in(self.plan.sockets)

    def _stop(self, names: Collection[str]) -> None:
        for name in names:
            with contextlib.suppress(xmlrpc.client.Fault):
                self.rpc.stopProcess(name, False)
        begun = time.monotonic()
        hurried = False
        while time.monotonic() < begun + PATIENCE_SECONDS + 2 * HURRY_SECONDS:
            late = [name for name in names if self.states()[name]["statename"] == "STOPPING"]
            if not late:
                return
            if not hurried and time.monotonic() > begun + PATIENCE_SECONDS:
                hurried = True
                for name in late:
                    with contextlib.suppress(xmlrpc.client.Fault):
                        self.rpc.signalProcess(name, "QUIT")
            time.sleep(0.1)


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log, for a message; nothing where there is no log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def end_leftovers(plan: Plan) -> int:
    """Ends what an earlier start of this var/ left behind when it was killed; gives how many processes that were."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid not in ours and process.environ().get(MARK) == str(plan.var):
                found.append(process)
    servers = {"postgres", "redis-server"}
    for process in found:
        with contextlib.suppress(psutil.Error):
            if process.name() not in servers:
                process.terminate()
    _, stubborn = psutil.wait_procs([p for p in found if _name(p) not in servers], timeout=HURRY_SECONDS)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    if plan.cluster is not None:
        plan.cluster.stop()
    if plan.redis is not None:
        plan.redis.stop()
    return len(found)


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""
