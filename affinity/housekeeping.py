"""What a node forgets in time: answers to feed messages that nobody will send again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from affinity.database import Database
from pix import receipts

log = structlog.get_logger()

EVERY = timedelta(days=1)


class Housekeeping:
    """At the start and once a day, in a worker thread and in small transactions, so that feeds go on meanwhile."""

    def __init__(self, reactor: Any, work: Callable[[], int], defer: Callable[..., "Deferred[Any]"]) -> None:
        self._loop = LoopingCall(self._run)
        self._loop.clock = reactor
        self._work = work
        self._defer = defer

    def start(self) -> None:
        """Begin at once."""
        self._loop.start(EVERY.total_seconds())

    def stop(self) -> None:
        """Do not begin again."""
        if self._loop.running:
            self._loop.stop()

    def _run(self) -> "Deferred[Any]":
        return self._defer(self._work).addCallbacks(_tell, _complain)


def forget_receipts(database: Database, clock: Callable[[], datetime], keep_days: int) -> int:
    """Purge, piece by piece, the receipts that are older than ``keep_days``; how many there were."""
    before, total = clock() - timedelta(days=keep_days), 0
    while True:
        purged = database.write(lambda connection: receipts.purge(connection, before))
        total += purged
        if purged < receipts.PURGED:
            return total


def _tell(purged: int) -> None:
    if purged:
        log.info("receipts forgotten", receipts=purged)


def _complain(failure: Failure) -> None:
    """The next day is another chance: a node that cannot forget still serves."""
    log.error("receipts could not be forgotten", error=failure.getErrorMessage())
