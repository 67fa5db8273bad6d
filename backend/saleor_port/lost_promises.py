"""An operation ends: with an answer, with an error, or with what ends its thread; it does not wait for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import structlog

from backend.saleor_port.registry import Replace, patch

logger = structlog.get_logger(__name__)


class PromiseLost(Exception):
    """Nothing is left to do in this thread, and the promise that it waits for is not settled."""


@patch(
    name="lost_promises",
    reason="promise 2.3: what is raised below a resolver and is no Exception is swallowed, and then waited for for ever",
)
def lost_promises() -> Iterator[Replace]:
    import promise.promise as promise_module
    from promise.async_ import Async
    from promise.schedulers.immediate import ImmediateScheduler

    plain_wait = Async.wait

    class Scheduler(ImmediateScheduler):
        """Does at once what a promise has to do, in the thread that asks."""

        def call(self, job: Callable[[], None]) -> None:
            try:
                job()
            except Exception:
                # The promise of this job is lost, which whoever waits for it is told; the other jobs are done there.
                logger.exception("a promise's job failed")
            except BaseException:
                # SystemExit, KeyboardInterrupt: whoever ends this thread means all of it.
                _forget(promise_module.async_instance)
                raise

        def wait(self, promise: Any, timeout: float | None = None) -> None:
            # All jobs run in the thread that waits, and there are none left.
            raise PromiseLost

    def wait(self: Any, promise: Any, timeout: float | None = None) -> None:
        try:
            plain_wait(self, promise, timeout)
        except BaseException:
            # The next request of this thread must not find what this one has left.
            _forget(self)
            raise

    yield Replace(promise_module, "default_scheduler", Scheduler())
    yield Replace(Async, "wait", wait)


def _forget(jobs: Any) -> None:
    """Drops this thread's jobs."""
    jobs.normal_queue.clear()
    jobs.late_queue.clear()
    jobs.reset()
