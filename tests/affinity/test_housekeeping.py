"""What a node forgets in time, on a clock of the test's own."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from affinity.housekeeping import EVERY, Housekeeping


def housekeeping(clock: Clock, work: Callable[[], int]) -> Housekeeping:
    return Housekeeping(clock, work, maybeDeferred)


def test_it_works_at_the_start_and_once_a_day_until_it_is_stopped() -> None:
    clock, done = Clock(), []
    kept = housekeeping(clock, lambda: done.append("purged") or 0)  # type: ignore[func-returns-value]
    kept.start()
    clock.advance(EVERY.total_seconds())
    assert len(done) == 2
    kept.stop()
    clock.advance(EVERY.total_seconds())
    assert len(done) == 2


def test_what_fails_is_tried_again_the_next_day() -> None:
    clock, done = Clock(), []

    def fail() -> int:
        done.append("tried")
        raise OSError("no")

    housekeeping(clock, fail).start()
    clock.advance(EVERY.total_seconds())
    assert len(done) == 2


def test_the_work_is_waited_for() -> None:
    clock, waiting = Clock(), Deferred[int]()
    begun: list[object] = []
    kept = Housekeeping(clock, lambda: 0, lambda work: begun.append(work) or waiting)  # type: ignore[func-returns-value]
    kept.start()
    clock.advance(EVERY.total_seconds())
    assert len(begun) == 1
    kept.stop()
