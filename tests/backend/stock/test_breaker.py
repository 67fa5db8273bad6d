"""A system that is down is left alone, and tried once in a while."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.stock.breaker import FIRST_DELAY, JITTER, LONGEST_DELAY, OPENS_AFTER, Breaker, Position
from tests.backend.stock.shed import MORNING


def after(failures: int, *, permanent: bool = False) -> Breaker:
    breaker = Breaker()
    for _ in range(failures):
        breaker = breaker.after_failure(now=MORNING, permanent=permanent, jitter=0.0)
    return breaker


def test_it_stays_closed_for_a_few_failures_and_waits_longer_after_each() -> None:
    for failures in range(1, OPENS_AFTER):
        breaker = after(failures)
        assert breaker.position(now=MORNING) is Position.CLOSED
        assert breaker.next_try_at == MORNING + FIRST_DELAY * 2 ** (failures - 1)


def test_it_opens_lets_one_question_through_and_opens_again() -> None:
    breaker = after(OPENS_AFTER)
    assert breaker.position(now=MORNING) is Position.OPEN
    assert breaker.next_try_at == MORNING + FIRST_DELAY * 2 ** (OPENS_AFTER - 1)
    later = breaker.next_try_at
    assert breaker.position(now=later) is Position.HALF_OPEN
    again = breaker.after_failure(now=later, permanent=False, jitter=0.0)
    assert again.position(now=later) is Position.OPEN
    assert (again.opened_at, again.failures) == (MORNING, OPENS_AFTER + 1)
    assert again.next_try_at == later + FIRST_DELAY * 2**OPENS_AFTER
    assert breaker.after_answer() == Breaker()


def test_what_asking_again_cannot_mend_opens_it_at_once() -> None:
    breaker = after(1, permanent=True)
    assert breaker.position(now=MORNING) is Position.OPEN
    assert breaker.next_try_at == MORNING + LONGEST_DELAY


def test_what_fails_otherwise_when_it_is_tried_again_leaves_it_open() -> None:
    breaker = after(1, permanent=True)
    later = breaker.next_try_at
    assert later is not None
    again = breaker.after_failure(now=later, permanent=False, jitter=0.0)
    assert again.position(now=later) is Position.OPEN
    assert again.opened_at == MORNING


@given(failures=st.integers(1, 200), jitter=st.floats(0, 1), permanent=st.booleans())
def test_nobody_is_left_alone_for_longer_than_an_hour_and_a_fifth(
    failures: int, jitter: float, permanent: bool
) -> None:
    breaker = Breaker(failures=failures - 1).after_failure(now=MORNING, permanent=permanent, jitter=jitter)
    assert breaker.next_try_at is not None
    waited = breaker.next_try_at - MORNING
    assert FIRST_DELAY <= waited <= LONGEST_DELAY * (1 + JITTER) + timedelta(seconds=1)
