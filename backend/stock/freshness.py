"""The number by which whoever keeps a page knows that a stock figure on it may have changed."""

from __future__ import annotations

import time

from django.core.cache import cache
from django.db import transaction

STOCK_VERSION_KEY = "stock-version"


def stock_version() -> int:
    """Grows with every committed change of stock, and never shrinks, not even when the cache was emptied."""
    cache.add(STOCK_VERSION_KEY, time.time_ns() // 1_000_000, timeout=None)
    version: int = cache.get(STOCK_VERSION_KEY, 0)
    return version


def bump_stock_version_on_commit() -> None:
    """Announce a change once the transaction that makes it is committed; a cache that is away loses nothing else."""
    transaction.on_commit(_bump, robust=True)


def _bump() -> None:
    if not cache.add(STOCK_VERSION_KEY, time.time_ns() // 1_000_000, timeout=None):
        cache.incr(STOCK_VERSION_KEY)
