"""The long-running programs of the shop, as command lines: the same for `make run`, the tests and the containers."""

import sys
from pathlib import Path

from backend.config.environment import REPOSITORY


def web(*, host: str, port: int, workers: int = 2, threads: int = 4) -> list[str]:
    """gunicorn, threaded: a worker that waits for PostgreSQL serves others meanwhile."""
    return [
        *(sys.executable, "-m", "gunicorn", "backend.config.wsgi:application"),
        f"--bind={host}:{port}",
        f"--workers={workers}",
        f"--threads={threads}",
        "--worker-class=gthread",
        # Workers share the memory of what is loaded once.
        "--preload",
        "--graceful-timeout=20",
        "--timeout=60",
        # Behind a proxy that keeps connections open for longer than it does itself.
        "--keep-alive=75",
        *(["--worker-tmp-dir=/dev/shm"] if Path("/dev/shm").is_dir() else []),
    ]


def worker(*, queues: str = "default,feeds,apply", concurrency: int = 2, name: str = "worker") -> list[str]:
    """A Celery worker; nothing here uses the gossip between workers."""
    return [
        *(sys.executable, "-m", "celery", "--app=backend.config.celery:app", "worker"),
        f"--queues={queues}",
        f"--concurrency={concurrency}",
        f"--hostname={name}@%h",
        "--loglevel=INFO",
        "--without-gossip",
        "--without-mingle",
    ]


def beat(*, schedule: Path) -> list[str]:
    """Celery beat, of which there must be one only; schedule: the file in which it keeps when it ran what."""
    return [
        *(sys.executable, "-m", "celery", "--app=backend.config.celery:app", "beat"),
        f"--schedule={schedule}",
        "--pidfile=",
        "--loglevel=INFO",
    ]


def feeds(*, port: int) -> list[str]:
    """The demo cooperatives' own systems, as seen from the shop: an HTTP server on loopback."""
    return [sys.executable, str(REPOSITORY / "fixtures" / "feed_server.py"), f"--port={port}"]


def manage(*arguments: str) -> list[str]:
    """One of Django's commands."""
    return [sys.executable, str(REPOSITORY / "backend" / "manage.py"), *arguments]
