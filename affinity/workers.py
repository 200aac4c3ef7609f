"""The worker threads in which handlers block, and the count of what is under way in them."""

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

Job = tuple["Deferred[Any]", Callable[..., Any], tuple[Any, ...]]
Hand = SimpleQueue[Job | None]
"""What a thread waits at; None ends the thread."""


class Workers:
    """A pool of threads of its own, so that the reactor's stays free for the wires.

    Work goes to the thread that was at work last: the processor still has what it needs. Results wait in a queue
    that one wake-up of the reactor empties: with 50 connections that costs a fifth of ``deferToThreadPool``, which
    hands each result over by itself.
    """

    def __init__(self, reactor: Any, threads: int) -> None:
        self._reactor = reactor
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._waiting: deque[Job | None] = deque()
        self._resting: list[Hand] = []
        self._results: deque[tuple[Deferred[Any], Any]] = deque()
        self._waking = False
        self._under_way = 0
        self._idle: Deferred[None] | None = None
        self._abandoned = False

    def start(self) -> None:
        """Begin to take work; threads are made as they are needed."""

    def defer(self, work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Run blocking ``work`` in a thread."""
        if len(self._threads) <= min(self._under_way, self._most - 1):
            self._add_thread()
        deferred: Deferred[Any] = Deferred()
        self._hand((deferred, work, arguments))
        self._under_way += 1
        return deferred

    @property
    def most(self) -> int:
        """How many threads there may be."""
        return self._most

    @property
    def under_way(self) -> int:
        """How much work has begun or waits for a thread."""
        return self._under_way

    def until_idle(self) -> Deferred[None]:
        """Fire when nothing is under way any more."""
        self._idle = self._idle or Deferred()
        self._settle()
        return self._idle

    def abandon(self) -> None:
        """Stop waiting for what is under way, now and in ``stop``."""
        self._abandoned = True
        self._settle()

    def stop(self) -> None:
        """End the threads; work that has begun is finished, unless it was abandoned: then it ends with the process."""
        for _ in self._threads:
            self._hand(None)
        for each in () if self._abandoned else self._threads:
            each.join()

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name=f"affinity-worker-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no memory, or no more processes: those that are there do the work
            if not self._threads:
                raise
            return
        self._threads.append(thread)

    def _hand(self, job: Job | None) -> None:
        with self._guard:
            if not self._resting:
                self._waiting.append(job)
                return
            hand = self._resting.pop()
        hand.put(job)

    def _take(self, hand: Hand) -> Job | None:
        """What waits, or what comes to this thread."""
        with self._guard:
            if self._waiting:
                return self._waiting.popleft()
            self._resting.append(hand)
        return hand.get()

    def _serve(self) -> None:
        hand: Hand = SimpleQueue()
        while (job := self._take(hand)) is not None:
            deferred, work, arguments = job
            try:
                result = work(*arguments)
            except BaseException:  # the waiting caller's business: it gets the Failure
                result = Failure()
            self._results.append((deferred, result))
            if not self._waking:
                self._waking = True
                self._reactor.callFromThread(self._deliver)

    def _deliver(self) -> None:
        self._waking = False  # before the queue is emptied: what comes later wakes the reactor again
        while self._results:
            deferred, result = self._results.popleft()
            self._under_way -= 1
            deferred.callback(result)
        self._settle()

    def _settle(self) -> None:
        settled = self._abandoned or not self._under_way
        if settled and self._idle is not None and not self._idle.called:
            self._idle.callback(None)
