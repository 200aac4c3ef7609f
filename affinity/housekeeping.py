"""What a node forgets in time: answers to feed messages that nobody will send again, and closed records."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from affinity import commit_marks
from affinity.database import Database
from pix import receipts

log = structlog.get_logger()

EVERY = timedelta(days=1)
AFTER = timedelta(hours=1)
"""How long after the start whatever destroys begins: until then somebody may have set a clock right that is ahead."""


class Housekeeping:
    """At the start, or ``after`` it, and ``every`` so often, in a worker thread and small transactions: feeds go on."""

    def __init__(
        self,
        reactor: Any,
        work: Callable[[], int],
        defer: Callable[..., "Deferred[Any]"],
        tell: Callable[[int], None] | None = None,
        complain: Callable[[Failure], None] | None = None,
        every: timedelta = EVERY,
        after: timedelta = timedelta(),
    ) -> None:
        self._every = every
        self._after = after
        self._reactor = reactor
        self._begins: Any = None
        self._loop = LoopingCall(self._run)
        self._loop.clock = reactor
        self._work = work
        self._defer = defer
        self._tell = tell or tell_receipts
        self._complain = complain or complain_of_receipts

    def start(self) -> None:
        """Begin, at once or when it is time."""
        if self._after:
            self._begins = self._reactor.callLater(self._after.total_seconds(), self._begin)
        else:
            self._begin()

    def stop(self) -> None:
        """Do not begin again."""
        if self._begins is not None and self._begins.active():
            self._begins.cancel()
        if self._loop.running:
            self._loop.stop()

    def _begin(self) -> None:
        self._loop.start(self._every.total_seconds())

    def _run(self) -> "Deferred[Any]":
        return self._defer(self._work).addCallbacks(self._tell, self._complain)


def forget_receipts(database: Database, clock: Callable[[], datetime], keep_days: int) -> int:
    """Purge, piece by piece, the receipts that are older than ``keep_days``; how many there were."""
    before, total = clock() - timedelta(days=keep_days), 0
    while True:
        purged = database.write(lambda connection: receipts.purge(connection, before))
        total += purged
        if purged < receipts.PURGED:
            return total


def forget_marks(database: Database, clock: Callable[[], datetime]) -> int:
    """Purge, piece by piece, the marks of commits that nobody will ask for; how many there were."""
    before, total = clock() - timedelta(hours=commit_marks.KEPT_HOURS), 0
    while True:
        purged = database.write(lambda connection: commit_marks.purge(connection, before))
        total += purged
        if purged < commit_marks.PURGED:
            return total


def tell_nothing(_: int) -> None:
    """Marks are no news."""


def complain_of_marks(failure: Failure) -> None:
    """The next hour is another chance."""
    log.error("marks of commits could not be forgotten", error=failure.getErrorMessage())


def tell_receipts(purged: int) -> None:
    """Say how many went."""
    if purged:
        log.info("receipts forgotten", receipts=purged)


def complain_of_receipts(failure: Failure) -> None:
    """The next day is another chance: a node that cannot forget still serves."""
    log.error("receipts could not be forgotten", error=failure.getErrorMessage())


def tell_records(deleted: int) -> None:
    """Say how many records went."""
    if deleted:
        log.info("closed records deleted", what=deleted)


def complain_of_records(failure: Failure) -> None:
    """They are still due the next day."""
    log.error("closed records could not be deleted", error=failure.getErrorMessage())
