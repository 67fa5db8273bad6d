"""Numbers by which whoever keeps a page knows that what it shows may have changed since.

One number for each subject. It grows with every committed change of its subject and never shrinks, not even when the
cache was emptied. What is kept lies in the same cache, so that one round trip tells whether it still holds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import structlog
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class Subject(StrEnum):
    """What pages show: counts of goods; the goods themselves, dishes and lots; villages, stories and written pages."""

    STOCK = "stock"
    CATALOGUE = "catalogue"
    BRAND = "brand"


Versions = Mapping[str, int]


def version_key(subject: Subject) -> str:
    """Under which the number lies in the cache."""
    return f"{subject}-version"


_KEYS = {version_key(subject): subject for subject in Subject}


def version(subject: Subject) -> int:
    """The number of today's committed state."""
    key = version_key(subject)
    cache.add(key, _first(), timeout=None)
    number: int = cache.get(key, 0)
    return number


def bump_on_commit(subject: Subject) -> None:
    """Announce a change once the transaction that makes it is committed; a cache that is away loses nothing else."""
    transaction.on_commit(lambda: _bump(subject), robust=True)


def versions_and(key: str) -> tuple[Versions, Any] | None:
    """All numbers, and what is kept under a key (None: nothing); None altogether while the cache is away.

    Ask before reading what a page is made of: a change in between then shows as a number that has grown.
    """
    try:
        found = cache.get_many([key, *_KEYS])
        versions: Versions = {
            subject: found[name] if name in found else version(subject) for name, subject in _KEYS.items()
        }
    except RedisError as error:
        log.warning("no kept pages", cause=str(error))
        return None
    return versions, found.get(key)


def keep(key: str, value: Any, *, seconds: int) -> None:
    """Keep something for a while; where the cache is away, it is not kept."""
    try:
        cache.set(key, value, timeout=seconds)
    except RedisError as error:
        log.warning("a page was not kept", cause=str(error))


def _bump(subject: Subject) -> None:
    key = version_key(subject)
    if not cache.add(key, _first(), timeout=None):
        cache.incr(key)


def _first() -> int:
    return time.time_ns() // 1_000_000
