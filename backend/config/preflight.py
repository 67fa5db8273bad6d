"""What must hold before the shop starts on this machine: a var/ that can be written, disk, a free port, no second copy.

Each check raises CannotRun, which says in Chinese and English what to do.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

FREE_BYTES = 700 * 1024 * 1024
"""What the database, the pictures in all their sizes and the logs of a demo may take, generously."""


class CannotRun(Exception):
    """Why the shop does not run, and what to do about it, in Chinese and English."""

    def __init__(self, chinese: str, english: str) -> None:
        super().__init__(f"{chinese}\n{english}")


def read_port(environ: Mapping[str, str], name: str, default: int) -> int:
    given = environ.get(name, "").strip()
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 65535:
        raise CannotRun(
            f"{name}={given} 不是端口号,请填 1 到 65535 之间的数字。",
            f"{name}={given} is not a port: give a number from 1 to 65535.",
        )
    return int(given)


def prepare_var(var: Path) -> None:
    """Makes var/ if need be. Raises CannotRun when it cannot be written to, or the disk is full."""
    try:
        for directory in (var, var / "log"):
            directory.mkdir(parents=True, exist_ok=True)
        probe = var / f".probe-{os.getpid()}"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full(var) from error
        raise CannotRun(
            f"无法写入 {var}({error.strerror})。请检查它是不是目录、属于谁;不要里面的数据,可以 make reset。",
            f"{var} cannot be written to ({error.strerror}). See that it is a directory and yours; "
            "`make reset` removes it with all its data.",
        ) from error
    if shutil.disk_usage(var).free < FREE_BYTES:
        raise disk_full(var)


def disk_full(var: Path) -> CannotRun:
    need = FREE_BYTES // (1024 * 1024)
    return CannotRun(
        f"磁盘空间不够:{var} 所在的磁盘至少要有 {need} MB 空闲。请清理后再试。",
        f"The disk is full: {var} needs at least {need} MB free. Make room and try again.",
    )


@contextlib.contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Holds var/run.lock; raises CannotRun when another start of the same var/ holds it."""
    with (var / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            who = lock.read().strip() or "?"
            raise CannotRun(
                f"信义菜篮已经在运行(进程 {who})。要停下它,请在那个终端按 Ctrl-C,或 kill {who}。",
                f"The shop already runs from this directory (process {who}). Press Ctrl-C where it runs, or "
                f"kill {who}; for a second shop set VAR_DIR and PORT.",
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def check_port(host: str, port: int, variable: str) -> None:
    """Raises CannotRun when nobody could listen on that port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As gunicorn does: connections that just ended do not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotRun(
                    f"端口 {port} 已被别的程序占用。换一个端口:make run {variable}={port + 1}",
                    f"Port {port} is taken by another program. Take another: make run {variable}={port + 1}",
                ) from error
            raise CannotRun(
                f"不能在 {host}:{port} 上提供服务:{error.strerror}。",
                f"Cannot serve on {host}:{port}: {error.strerror}. Set HOST and {variable}.",
            ) from error
