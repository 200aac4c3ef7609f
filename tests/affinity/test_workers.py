"""The worker threads: every result comes back on the reactor's thread, and the pool knows when nothing is under way."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest
from twisted.python.failure import Failure

from affinity.workers import Workers


class HandedOver:
    """A reactor that does what other threads hand to it when the test says so."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def callFromThread(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self._calls.get(timeout=10)()


@pytest.fixture
def reactor() -> HandedOver:
    return HandedOver()


@pytest.fixture
def workers(reactor: HandedOver) -> Iterator[Workers]:
    pool = Workers(reactor, 3)
    pool.start()
    yield pool
    pool.stop()


def test_work_is_done_elsewhere_and_its_result_is_delivered_by_the_reactor(
    workers: Workers, reactor: HandedOver
) -> None:
    results: list[bool] = []
    here = threading.get_ident()
    workers.defer(lambda: threading.get_ident() != here).addCallback(results.append)
    assert results == []
    reactor.turn()
    assert results == [True]


def test_what_a_work_raises_fails_its_caller_alone(workers: Workers, reactor: HandedOver) -> None:
    failures: list[Failure] = []
    results: list[str] = []
    workers.defer(int, "no number").addErrback(failures.append)
    reactor.turn()
    workers.defer(str.upper, "next").addCallback(results.append)
    reactor.turn()
    assert [each.type for each in failures] == [ValueError]
    assert results == ["NEXT"]


def test_more_works_than_threads_wait_and_are_all_done(workers: Workers, reactor: HandedOver) -> None:
    results: list[int] = []
    for number in range(200):
        workers.defer(abs, -number).addCallback(results.append)
    while len(results) < 200:
        reactor.turn()
    assert sorted(results) == list(range(200))


def test_results_that_come_together_wake_the_reactor_once(workers: Workers, reactor: HandedOver) -> None:
    together, results = threading.Barrier(3), list[int]()
    for _ in range(3):
        workers.defer(together.wait).addCallback(results.append)
    workers.stop()
    reactor.turn()
    assert sorted(results) == [0, 1, 2]


def test_idle_is_told_once_the_last_result_is_delivered(workers: Workers, reactor: HandedOver) -> None:
    go, idle = threading.Event(), list[None]()
    workers.defer(go.wait)
    workers.until_idle().addCallback(idle.append)
    assert idle == []
    go.set()
    reactor.turn()
    assert idle == [None]


def test_a_pool_with_nothing_to_do_is_idle_at_once(workers: Workers) -> None:
    idle: list[None] = []
    workers.until_idle().addCallback(idle.append)
    assert idle == [None]
