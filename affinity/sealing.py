"""The sealer of a serving node: now and then in a worker thread, and once more when the node stops."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from affinity.seal_files import KEY, ROOT
from atna import store_batches
from atna.roots import write_root
from atna.sealing import Sealer
from atna.signing import sealing_key
from ihe.durable import write_whole
from ihe.exchange import Transactor

log = structlog.get_logger()


class Seals:
    """Seals the trail of a data directory, and keeps the newest root beside it."""

    def __init__(self, database: Transactor[Connection], data: Path, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._key = sealing_key(data / KEY)
        self._root = data / ROOT
        self._sealer = Sealer(database, self._key, clock)

    def seal(self) -> int:
        """Seal what waits; how many records that were."""
        sealed = self._sealer.seal()
        if sealed:
            newest = self._database.read(store_batches.newest)
            if newest is not None:
                write_whole(self._root, write_root(newest, self._key.verifier).encode(), mode=0o644)
        return sealed


class Sealing:
    """Seals every few seconds, in a worker thread."""

    def __init__(self, reactor: Any, seals: Seals, seconds: float, defer: Callable[..., "Deferred[Any]"]) -> None:
        self._loop = LoopingCall(self._run)
        self._loop.clock = reactor
        self._seals = seals
        self._seconds = seconds
        self._defer = defer

    def start(self) -> None:
        """Begin with what was left from before."""
        self._loop.start(self._seconds)

    def stop(self) -> None:
        """Do not begin again."""
        if self._loop.running:
            self._loop.stop()

    def _run(self) -> "Deferred[Any]":
        return self._defer(self._seals.seal).addErrback(_complain)


def _complain(failure: Failure) -> None:
    """Records wait for the next turn; an operator must hear of it if that does not help."""
    log.error("audit trail not sealed", error=failure.type.__name__)
