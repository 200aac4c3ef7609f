"""The life of the process: a reactor, a server, an orderly end on SIGTERM and Ctrl-C, new certificates on SIGHUP."""

import gc
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet import default
from twisted.internet.defer import ensureDeferred
from twisted.python.failure import Failure

from affinity.garbage import look_seldom
from affinity.processors import keep_together
from affinity.server import Server

REACTOR_THREADS = 8

Made = Callable[[Any], Server]
AfterStart = Callable[[Server], Awaitable[int | None]]


def run(make: Made, after_start: AfterStart, processor: int | None = None) -> int:
    """Serve until told to stop; ``after_start`` may end the process by returning an exit code. Returns that code.

    ``processor`` is the number of the one that the threads share (``affinity.processors``), None if they take any.
    Raises whatever kept the server from starting.
    """
    default.install()
    from twisted.internet import reactor

    # Twisted's own is the wall clock: were it set back by a day, whatever is due would wait a day, answers as well.
    reactor.seconds = time.monotonic
    # All of them now: a process that has come to its limit of memory is given no thread any more.
    reactor.getThreadPool().adjustPoolsize(REACTOR_THREADS, REACTOR_THREADS)
    life = _Life(reactor, make, after_start, processor)
    reactor.callWhenRunning(life.begin)
    reactor.run()
    if life.failure is not None:
        life.failure.raiseException()
    return life.code


def _has_terminal() -> bool:
    """Claim that a person watches, whose terminal sends SIGHUP when it is closed: then the process is to end."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


class _Life:
    """From the start of the reactor to its end."""

    def __init__(self, reactor: Any, make: Made, after_start: AfterStart, processor: int | None) -> None:
        self.code = 0
        self.failure: Failure | None = None
        self._stopping = False
        self._reactor = reactor
        self._make = make
        self._after_start = after_start
        self._processor = processor

    def begin(self) -> None:
        """Start the server, then do what was asked for. A second signal is no more than the first."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._stop))
        ensureDeferred(self._live()).addErrback(self._fail)

    async def _live(self) -> None:
        server = self._make(self._reactor)
        if self._processor is not None:
            # Not those that take in and give out documents: what they do for long, they do without Python.
            keep_together(self._processor, self._reactor.getThreadPool().threads)
        if not _has_terminal():
            signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(server.reload))
        self._reactor.addSystemEventTrigger("before", "shutdown", lambda: ensureDeferred(server.drain()))
        server.start()
        # Modules, statements and services live as long as the process: no collection shall look at them again.
        gc.collect()
        gc.freeze()
        look_seldom()
        code = await self._after_start(server)
        if code is not None:
            self.code = code
            self._stop()

    def _fail(self, failure: Failure) -> None:
        self.failure = failure
        self._stop()

    def _stop(self) -> None:
        if self._reactor.running and not self._stopping:
            self._stopping = True
            self._reactor.stop()
