"""The number by which whoever keeps a page knows that a stock figure on it may have changed."""

from __future__ import annotations

from backend.common.freshness import Subject, bump_on_commit, version, version_key

STOCK_VERSION_KEY = version_key(Subject.STOCK)


def stock_version() -> int:
    """Grows with every committed change of stock, and never shrinks, not even when the cache was emptied."""
    return version(Subject.STOCK)


def bump_stock_version_on_commit() -> None:
    """Announce a change once the transaction that makes it is committed; a cache that is away loses nothing else."""
    bump_on_commit(Subject.STOCK)
