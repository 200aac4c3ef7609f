"""The connections of one MLLP port: how many there may be, and how they end."""

from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory

from mllp.memory import Memory
from mllp.patience import Limits
from mllp.protocol import MLLPProtocol
from mllp.replies import Answer

log = structlog.get_logger()


class MLLPFactory(Factory):  # type: ignore[misc]
    """Makes the protocols of one port, at most ``limits.connections`` at once."""

    noisy = False

    def __init__(self, answer: Answer, clock: Any, limits: Limits | None = None) -> None:
        """``answer`` handles one message; ``clock`` is the reactor (IReactorTime)."""
        self._answer = answer
        self._clock = clock
        self._limits = limits or Limits()
        self._memory = Memory(self._limits.held)
        self._open: set[MLLPProtocol] = set()
        self._drained: Deferred[None] | None = None

    def buildProtocol(self, addr: Any) -> MLLPProtocol | None:  # noqa: N802 - Twisted's name
        """Take a connection, or None (which closes it) above the limit or while draining."""
        if self._drained is not None or len(self._open) >= self._limits.connections:
            log.warning("mllp connection refused", peer=getattr(addr, "host", ""), open=len(self._open))
            return None
        made = MLLPProtocol(self._answer, self._clock, self._limits, self)
        self._open.add(made)
        return made

    def drain(self) -> "Deferred[None]":
        """Answer what was received, close every connection; fires when the last one is gone. Stop listening first."""
        self._drained = self._drained or Deferred()
        for each in tuple(self._open):
            each.drain()
        self._settle()
        return self._drained

    def abort(self) -> None:
        """Cut every connection that is still open."""
        for each in tuple(self._open):
            each.abort()

    def hold(self, connection: MLLPProtocol, size: int) -> None:
        """A connection holds ``size`` bytes of messages that are not answered."""
        self._memory.hold(connection, size)

    def forget(self, closed: MLLPProtocol) -> None:
        """A connection has ended."""
        self._memory.hold(closed, 0)
        self._open.discard(closed)
        self._settle()

    def _settle(self) -> None:
        if self._drained is not None and not self._open and not self._drained.called:
            self._drained.callback(None)
