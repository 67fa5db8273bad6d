"""A circuit breaker for each feed: a system that is down is left alone, and tried once in a while. Pure.

Closed: asked as scheduled, and after a failure sooner or later by a delay that doubles. Open: after OPENS_AFTER failures
in a row, or one that asking again cannot mend, nobody asks until next_try_at. Half open: next_try_at has come, and one
question is let through; an answer closes the breaker, a failure of whatever kind opens it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

OPENS_AFTER = 5
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)

JITTER = 0.2
"""A delay is up to this part longer, so that a hundred feeds of one provider do not come back in one second."""


class Position(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class Breaker:
    """failures: in a row. opened_at: since when it is open. next_try_at: not asked before, if given."""

    failures: int = 0
    opened_at: datetime | None = None
    next_try_at: datetime | None = None

    def position(self, *, now: datetime) -> Position:
        if self.opened_at is None:
            return Position.CLOSED
        return (
            Position.OPEN if self.next_try_at is not None and now < self.next_try_at else Position.HALF_OPEN
        )

    def after_answer(self) -> Breaker:
        return Breaker()

    def after_failure(self, *, now: datetime, permanent: bool, jitter: float) -> Breaker:
        """jitter: from 0 to 1, drawn by the caller. permanent: asking again soon cannot help."""
        failures = self.failures + 1
        delay = LONGEST_DELAY if permanent else min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures - 1, 12))
        opens = permanent or self.opened_at is not None or failures >= OPENS_AFTER
        return Breaker(
            failures=failures,
            opened_at=(self.opened_at or now) if opens else None,
            next_try_at=now + delay * (1 + JITTER * jitter),
        )
