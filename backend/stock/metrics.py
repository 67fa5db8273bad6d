"""Figures for whoever watches the stock: `GET /metrics` in the text format of Prometheus.

All are read from PostgreSQL and Redis when somebody asks, so that any process gives the same answer. What Celery counts
lies in one hash in Redis; a Redis that is away loses counts of tasks, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import cast

import redis
import structlog
from django.conf import settings
from django.db.models import Count, Max, Min, Q
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.stock.models import Alert, DeadLetter, Feed, Report, Shortfall, Supply

log = structlog.get_logger(__name__)

TASKS_KEY = "metrics:tasks"
AUDIT_KEY = "metrics:audit"
QUEUES = ("default", "feeds", "apply")

# Whoever counts must not keep a task waiting.
_TIMEOUT_SECONDS = 0.5


def count_task(*, task: str, outcome: str) -> None:
    """Outcome: success, failure or retry."""
    try:
        with _redis(settings.ENVIRONMENT.redis.cache_url) as client:
            client.hincrby(TASKS_KEY, f"{task}|{outcome}", 1)
    except redis.RedisError as error:
        log.warning("task_not_counted", task=task, error=type(error).__name__)


def note_audit(*, drifted: int, now: datetime) -> None:
    """What the last audit found."""
    with _redis(settings.ENVIRONMENT.redis.cache_url) as client:
        client.hset(AUDIT_KEY, mapping={"drifted": drifted, "at": now.timestamp()})


def exposition(*, now: datetime) -> bytes:
    """All figures as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StockCollector(now=now))
    return generate_latest(registry)


class StockCollector(Collector):
    """Reads the figures of one moment."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now

    def describe(self) -> list[Metric]:
        # Registering would read everything once more.
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._feeds()
        yield from self._reports()
        yield from self._troubles()
        yield from self._redis()

    def _feeds(self) -> Iterator[Metric]:
        labels = ["feed", "cooperative", "kind"]
        age = GaugeMetricFamily(
            "xinyi_feed_answer_age_seconds", "Since a feed was last heard of.", labels=labels
        )
        lag = GaugeMetricFamily(
            "xinyi_feed_overdue_seconds", "Since a feed should have been asked.", labels=labels
        )
        failures = GaugeMetricFamily("xinyi_feed_failures", "Failures in a row.", labels=labels)
        is_open = GaugeMetricFamily(
            "xinyi_feed_circuit_open", "Whether the circuit breaker is open.", labels=labels
        )
        feeds = Feed.objects.filter(is_enabled=True, cooperative__is_active=True)
        for feed in feeds.select_related("cooperative").defer("seen"):
            names = [str(feed.pk), feed.cooperative.slug, feed.kind]
            age.add_metric(names, self._since(feed.last_answered_at or feed.created_at))
            lag.add_metric(names, max(0.0, self._since(feed.due_at)) if feed.due_at else 0.0)
            failures.add_metric(names, feed.failures)
            is_open.add_metric(names, int(feed.opened_at is not None))
        yield from (age, lag, failures, is_open)

    def _reports(self) -> Iterator[Metric]:
        reports = Report.objects.filter(status__in=(Report.Status.RECEIVED, Report.Status.FAILED)).aggregate(
            received=Count("pk", filter=Q(status=Report.Status.RECEIVED)),
            failed=Count("pk", filter=Q(status=Report.Status.FAILED)),
            oldest=Min("received_at", filter=Q(status=Report.Status.RECEIVED)),
        )
        waiting = GaugeMetricFamily(
            "xinyi_reports", "Reports that are not applied yet, or could not be.", labels=["status"]
        )
        waiting.add_metric(["received"], reports["received"])
        waiting.add_metric(["failed"], reports["failed"])
        yield waiting
        yield GaugeMetricFamily(
            "xinyi_report_oldest_seconds",
            "How long the oldest report has waited to be applied.",
            value=self._since(reports["oldest"]) if reports["oldest"] else 0.0,
        )
        counts = GaugeMetricFamily(
            "xinyi_counts_age_seconds", "Since a cooperative counted anything.", labels=["cooperative"]
        )
        newest = (
            Supply.objects.filter(is_active=True, cooperative__is_active=True, counted_at__isnull=False)
            .values("cooperative__slug")
            .annotate(newest=Max("counted_at"))
        )
        for row in newest.order_by("cooperative__slug"):
            counts.add_metric([row["cooperative__slug"]], self._since(row["newest"]))
        yield counts

    def _troubles(self) -> Iterator[Metric]:
        alerts = GaugeMetricFamily("xinyi_alerts", "Open alerts.", labels=["kind"])
        standing = dict(
            Alert.objects.filter(ended_at__isnull=True)
            .order_by()
            .values_list("kind")
            .annotate(alerts=Count("pk"))
        )
        for kind in Alert.Kind.values:
            alerts.add_metric([kind], standing.get(kind, 0))
        yield alerts
        yield GaugeMetricFamily(
            "xinyi_dead_letters",
            "Failed tasks that nobody has dealt with.",
            value=DeadLetter.objects.filter(closed_at__isnull=True).count(),
        )
        yield GaugeMetricFamily(
            "xinyi_shortfalls",
            "Counts below what is promised.",
            value=Shortfall.objects.filter(closed_at__isnull=True).count(),
        )

    def _redis(self) -> Iterator[Metric]:
        """Nothing of these while Redis is away; /healthz says that it is."""
        queued = GaugeMetricFamily("xinyi_queue_length", "Tasks that wait in a queue.", labels=["queue"])
        tasks = CounterMetricFamily("xinyi_tasks", "Tasks that ended.", labels=["task", "outcome"])
        try:
            with _redis(settings.ENVIRONMENT.redis.queues_url) as broker:
                for queue in QUEUES:
                    queued.add_metric([queue], cast(int, broker.llen(queue)))
            with _redis(settings.ENVIRONMENT.redis.cache_url) as client:
                counted = cast("dict[bytes, bytes]", client.hgetall(TASKS_KEY))
                audit = cast("dict[bytes, bytes]", client.hgetall(AUDIT_KEY))
        except redis.RedisError as error:
            log.warning("metrics_without_redis", error=type(error).__name__)
            return
        for key, times in sorted(counted.items()):
            task, _bar, outcome = key.decode().rpartition("|")
            tasks.add_metric([task, outcome], int(times))
        yield from (queued, tasks)
        if audit:
            yield GaugeMetricFamily(
                "xinyi_audit_drift",
                "Figures that the last audit found wrong.",
                value=int(audit[b"drifted"]),
            )
            yield GaugeMetricFamily(
                "xinyi_audit_age_seconds",
                "Since the last audit.",
                value=self.now.timestamp() - float(audit[b"at"]),
            )

    def _since(self, moment: datetime) -> float:
        return (self.now - moment).total_seconds()


def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)
