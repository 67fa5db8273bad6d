"""How often somebody did something lately, counted in the cache."""

from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError


def times(what: str, *, window_s: int) -> int:
    """Counts once more, and answers how often it was within this window of so many seconds; 0 while nobody can count."""
    window = int(timezone.now().timestamp()) // window_s
    key = f"{what}-{window}"
    try:
        cache.add(key, 0, timeout=2 * window_s)
        return int(cache.incr(key))
    except (ValueError, RedisError):
        # It ran out between the two calls, and a new window begins; or the cache is away.
        return 0
