"""`GET /healthz`: whether PostgreSQL, Redis, the Celery worker and Celery beat are there, each with its lag.

Beat publishes a heartbeat every few seconds and notes when; a worker runs it and notes which it ran last. Both notes
lie in Redis, so that asking costs one SELECT 1 and one round trip to Redis.
"""

import logging
import time
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import redis
from celery import Task, shared_task
from celery.signals import beat_init, before_task_publish
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

STALE_SECONDS = 30
"""A beat that published nothing, or a worker that is behind beat, for longer than this is not well."""

PUBLISHED_KEY = "health:published_at"
RUN_KEY = "health:run"
"""Of the default queue; that of another ends with its name."""
NOTES_LIVE_SECONDS = 24 * 3600

DEFAULT_QUEUE = "default"

# Together below the three seconds in which whoever asks gives up.
DATABASE_TIMEOUT_SECONDS = 2
REDIS_TIMEOUT_SECONDS = 0.5


@dataclass(frozen=True)
class Check:
    """One part of the shop.

    lag_ms: for database and redis how long an answer takes; for the worker how long its last heartbeat waited in the
    queue; for beat how long ago it published one. None when nothing is known.
    """

    ok: bool
    lag_ms: float | None


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 when all is well, 503 with the names of the culprits otherwise. Says nothing that is not public."""
    redis_check, worker, beat = check_redis_and_celery(now=time.time())
    checks = {
        "database": check_database(),
        "redis": redis_check,
        "worker": worker,
        "beat": beat,
    }
    culprits = [name for name, check in checks.items() if not check.ok]
    body: dict[str, Any] = {"status": "unwell" if culprits else "ok", "culprits": culprits}
    body |= {name: asdict(check) for name, check in checks.items()}
    return JsonResponse(body, status=503 if culprits else 200)


def check_database() -> Check:
    """Connects anew: a connection that is kept would wait for a server that hangs, and hide that none may be made."""
    database: dict[str, Any] = settings.DATABASES["default"]
    given: dict[str, Any] = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
        **database.get("OPTIONS", {}),
        "connect_timeout": DATABASE_TIMEOUT_SECONDS,
    }
    begun = time.perf_counter()
    try:
        with psycopg.connect(**{name: value for name, value in given.items() if value}) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        logger.warning("healthz: the database does not answer: %s", error)
        return Check(ok=False, lag_ms=None)
    return Check(ok=True, lag_ms=_milliseconds(time.perf_counter() - begun))


def check_redis_and_celery(*, now: float) -> tuple[Check, Check, Check]:
    """Redis, worker and beat; without Redis nothing is known of the other two."""
    unknown = Check(ok=False, lag_ms=None)
    begun = time.perf_counter()
    try:
        with _redis() as client:
            published_at = client.get(PUBLISHED_KEY)
            run = client.hgetall(RUN_KEY)
    except redis.RedisError as error:
        logger.warning("healthz: Redis does not answer: %s", error)
        return unknown, unknown, unknown
    redis_check = Check(ok=True, lag_ms=_milliseconds(time.perf_counter() - begun))
    if published_at is None:
        return redis_check, unknown, unknown
    since_published = now - float(published_at)
    beat = Check(ok=since_published < STALE_SECONDS, lag_ms=_milliseconds(since_published))
    if not run:
        return redis_check, unknown, beat
    # Compared with what beat published, not with the clock: a worker whose beat died is not at fault.
    behind = float(published_at) - float(run[b"published_at"])
    worker = Check(ok=behind < STALE_SECONDS, lag_ms=_milliseconds(float(run[b"waited"])))
    return redis_check, worker, beat


def run_key(queue: str) -> str:
    """Where the worker of a queue notes its last heartbeat; docker/check.py reads it, too."""
    return RUN_KEY if queue == DEFAULT_QUEUE else f"{RUN_KEY}:{queue}"


@shared_task(bind=True, name="backend.config.health.heartbeat", ignore_result=True)
def heartbeat(self: Task) -> None:
    """Notes which heartbeat a worker of this queue ran last, and how long that one had waited in the queue (seconds)."""
    published_at = float(self.request.headers["published_at"])
    key = run_key((self.request.delivery_info or {}).get("routing_key") or DEFAULT_QUEUE)
    with _redis() as client, client.pipeline() as pipeline:
        pipeline.hset(
            key, mapping={"published_at": published_at, "waited": max(0.0, time.time() - published_at)}
        )
        pipeline.expire(key, NOTES_LIVE_SECONDS)
        pipeline.execute()


@before_task_publish.connect(sender="backend.config.health.heartbeat")
def note_published(headers: dict[str, Any], **_: object) -> None:
    """Beat's side: the heartbeat carries when it was published, and Redis keeps it."""
    now = time.time()
    headers["published_at"] = now
    with _redis() as client:
        client.set(PUBLISHED_KEY, now, ex=NOTES_LIVE_SECONDS)


@beat_init.connect
def begin_with_a_heartbeat(**_: object) -> None:
    """Beat's first one is due only after its interval."""
    for queue in ("default", "feeds", "apply"):
        heartbeat.apply_async(expires=60, queue=queue)


def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.ENVIRONMENT.redis.cache_url,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
