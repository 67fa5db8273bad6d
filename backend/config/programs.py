"""The programs of the shop, as command lines: the same for `make run`, the tests and the containers.

A container's entry point is `python -m backend.config.programs web`, or worker, beat, feeds, prepare, or manage with
one of Django's commands.
"""

import os
import sys
from collections.abc import Mapping
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
        # It would lie in the home directory, one for all shops of this account; supervisord does what it is for.
        "--no-control-socket",
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


def beat() -> list[str]:
    """Celery beat, of which there must be one only; what it ran when is kept in the database."""
    return [
        *(sys.executable, "-m", "celery", "--app=backend.config.celery:app", "beat"),
        "--pidfile=",
        "--loglevel=INFO",
    ]


def feeds(*, port: int) -> list[str]:
    """The demo cooperatives' own systems, as seen from the shop: an HTTP server on loopback."""
    return [sys.executable, str(REPOSITORY / "fixtures" / "feed_server.py"), f"--port={port}"]


def manage(*arguments: str) -> list[str]:
    """One of Django's commands."""
    return [sys.executable, str(REPOSITORY / "backend" / "manage.py"), *arguments]


def prepare() -> list[str]:
    """Brings the database to the newest migration, from the schema snapshot where it is empty."""
    return [sys.executable, "-m", "backend.config.snapshot", "prepare"]


def from_environment(arguments: list[str], environ: Mapping[str, str]) -> list[str] | None:
    """The command line of a container's role, sized by its environment; None for a role that there is not."""
    match arguments:
        case ["web"]:
            return web(
                host="0.0.0.0",
                port=int(environ.get("PORT") or 8000),
                workers=int(environ.get("WEB_WORKERS") or 2),
                threads=int(environ.get("WEB_THREADS") or 4),
            )
        case ["worker"]:
            return worker(
                queues=environ.get("QUEUES") or "default,feeds,apply",
                concurrency=int(environ.get("CONCURRENCY") or 2),
            )
        case ["beat"]:
            return beat()
        case ["feeds"]:
            return [*feeds(port=8010), "--host=0.0.0.0"]
        case ["prepare"]:
            return prepare()
        case ["manage", *command]:
            return manage(*command)
    return None


def main(arguments: list[str]) -> None:
    """Becomes the program, so that signals reach it and its end is the container's."""
    command = from_environment(arguments, os.environ)
    if command is None:
        sys.exit("web | worker | beat | feeds | prepare | manage <command>")
    os.chdir(REPOSITORY)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
