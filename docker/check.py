"""A container's health check: `python docker/check.py web | worker | beat`. Exits with 1 and a word when not well.

It asks /healthz or reads what that reads, without starting Django, which would cost a CPU second every time.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

STALE_SECONDS = 60


def check_web() -> str:
    """Well when it answers and reaches PostgreSQL and Redis; a worker that is away is not the web's fault."""
    public = urlsplit(os.environ["PUBLIC_URL"])
    request = urllib.request.Request(
        f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz",
        # As the proxy sends it: other hosts are refused, and plain HTTP is sent on to HTTPS.
        headers={"Host": public.netloc, "X-Forwarded-Proto": public.scheme},
    )
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:
        said = json.load(error)
    return " ".join(name for name in ("database", "redis") if not said[name]["ok"])


def check_notes(key: str, field: str | None) -> str:
    """Well when the time noted in Redis (seconds since 1970) is recent."""
    # Imported here: the web's check does without it.
    import redis

    url = os.environ.get("REDIS_URL") or Path(os.environ["REDIS_URL_FILE"]).read_text().strip()
    base, _, number = url.rpartition("/")
    with redis.Redis.from_url(f"{base}/{int(number) + 1}", socket_timeout=3) as client:
        noted = client.hget(key, field) if field else client.get(key)
    return "" if noted and time.time() - float(noted) < STALE_SECONDS else f"nothing since {noted!r}"


def check_worker(queues: str) -> str:
    """Well when each of its queues has had its heartbeat run."""
    said = (
        check_notes("health:run" if queue == "default" else f"health:run:{queue}", "published_at")
        for queue in queues.split(",")
    )
    return " ".join(filter(None, said))


def main(role: str) -> str:
    match role:
        case "web":
            return check_web()
        case "worker":
            return check_worker(os.environ.get("QUEUES") or "default,feeds,apply")
        case "beat":
            return check_notes("health:published_at", None)
    return f"no such role: {role}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) or 0)
