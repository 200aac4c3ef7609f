"""The worker threads in which handlers block, and the count of what is under way in them."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool


class Workers:
    """A pool of threads of its own, so that the reactor's stays free for the wires."""

    def __init__(self, reactor: Any, threads: int) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(min(4, threads), threads, "affinity-worker")
        self._under_way = 0
        self._idle: Deferred[None] | None = None
        self._abandoned = False

    def start(self) -> None:
        """Begin to take work."""
        self._pool.start()

    def defer(self, work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Run blocking ``work`` in a thread."""
        self._under_way += 1
        return deferToThreadPool(self._reactor, self._pool, work, *arguments).addBoth(self._done)

    def until_idle(self) -> Deferred[None]:
        """Fire when nothing is under way any more."""
        self._idle = self._idle or Deferred()
        self._settle()
        return self._idle

    def abandon(self) -> None:
        """Stop waiting for what is under way."""
        self._abandoned = True
        self._settle()

    def stop(self) -> None:
        """End the threads; work that has begun is finished."""
        self._pool.stop()

    def _done(self, result: Any) -> Any:
        self._under_way -= 1
        self._settle()
        return result

    def _settle(self) -> None:
        settled = self._abandoned or not self._under_way
        if settled and self._idle is not None and not self._idle.called:
            self._idle.callback(None)
