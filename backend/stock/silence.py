"""Which feeds have fallen silent, and whose goods are therefore off sale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from backend.stock.models import Feed, Supply


@dataclass(frozen=True)
class Silence:
    """A feed that should have been heard of. since: the last sign of life. is_stopped: its goods are off sale."""

    feed: Feed
    since: datetime
    is_stopped: bool


def silent_feeds(*, now: datetime) -> list[Silence]:
    """Every feed that is asked, was to answer by now, and whose owner wants to know."""
    feeds = (
        Feed.objects.filter(is_enabled=True, cooperative__is_active=True)
        .exclude(on_silence=Feed.Silence.NOTHING)
        .select_related("cooperative")
    )
    return [found for found in (_silence(feed, now=now) for feed in feeds) if found is not None]


def _silence(feed: Feed, *, now: datetime) -> Silence | None:
    since = feed.last_answered_at or feed.created_at
    # A feed that is asked at six and at noon is not silent at eleven.
    expected = feed.scheduled_after(since)
    if now <= expected + timedelta(minutes=feed.silent_after_minutes):
        return None
    stops = feed.on_silence == Feed.Silence.STOP
    return Silence(
        feed=feed,
        since=since,
        is_stopped=stops and now > expected + timedelta(hours=feed.stop_after_hours),
    )


def silenced_supplies(*, now: datetime) -> set[int]:
    """Supplies that are off sale, because the feed that counts them has been silent for longer than is allowed.

    What the cooperative has counted since, another way, is not among them.
    """
    return _counted_before(silence for silence in silent_feeds(now=now) if silence.is_stopped)


def _counted_before(silences: Iterable[Silence]) -> set[int]:
    condition = Q()
    for silence in silences:
        condition |= Q(cooperative=silence.feed.cooperative_id) & (
            Q(counts_from__lte=silence.since) | Q(counts_from__isnull=True)
        )
    if not condition:
        return set()
    return set(Supply.objects.filter(condition, is_active=True).values_list("pk", flat=True))
