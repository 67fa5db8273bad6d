"""A real nginx with the proxy's own file before a running shop; only its addresses are this machine's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.config.embedded import free_port
from backend.config.environment import REPOSITORY
from tests.shop import Shop

CONFIGURATION = REPOSITORY / "docker" / "nginx" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NO_NGINX = "no nginx on this machine: apt-get install nginx-light"


@contextmanager
def start_proxy(*, shop: Shop, directory: Path) -> Iterator[str]:
    """Gives the proxy's address. directory: for its file, its logs and what it puts aside."""
    assert NGINX is not None, NO_NGINX
    port = free_port()
    text = CONFIGURATION.read_text()
    # Each of these must be there: otherwise the test would look at something else than the proxy's file.
    for there, here in {
        " /tmp/": f" {directory}/",
        "worker_processes auto;": "worker_processes 1;" + (" user root;" if os.geteuid() == 0 else ""),
        "listen 8080 default_server;": f"listen 127.0.0.1:{port} default_server;",
        "set $web web:8000;": f"set $web {shop.url.removeprefix('http://').replace('localhost', '127.0.0.1')};",
        "alias /srv/static/;": f"alias {shop.directory}/static/;",
        "alias /srv/media/;": f"alias {shop.directory}/media/;",
        "/dev/stdout": f"{directory}/access.log",
        "/dev/stderr": f"{directory}/error.log",
    }.items():
        assert there in text
        text = text.replace(there, here)
    file = directory / "nginx.conf"
    file.write_text(text)
    tested = subprocess.run([NGINX, "-t", "-c", file], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    process = subprocess.Popen([NGINX, "-c", file, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert time.monotonic() < deadline, (directory / "error.log").read_text()
            time.sleep(0.05)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)
