"""The connections of one MLLP port: how many there may be, and how they end."""

from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory

from mllp.memory import Memory
from mllp.patience import Limits
from mllp.protocol import MLLPProtocol
from mllp.replies import Answer
from tls.places import Place, Places

log = structlog.get_logger()


class MLLPFactory(Factory):  # type: ignore[misc]
    """Makes the protocols of one port, at most ``limits.connections`` at once."""

    noisy = False

    def __init__(self, answer: Answer, clock: Any, limits: Limits | None = None, places: Places | None = None) -> None:
        """``answer`` handles one message; ``clock`` is the reactor (IReactorTime); ``places`` those of all ports."""
        self._answer = answer
        self._clock = clock
        self._limits = limits or Limits()
        self._memory = Memory(self._limits.held)
        self._places = places or Places()
        self._open: dict[MLLPProtocol, Place] = {}
        self._drained: Deferred[None] | None = None

    def buildProtocol(self, addr: Any) -> MLLPProtocol | None:  # noqa: N802 - Twisted's name
        """Take a connection, or None (which closes it) above the limit or while draining."""
        peer = str(getattr(addr, "host", ""))
        full = self._drained is not None or len(self._open) >= self._limits.connections
        place = None if full else self._places.arrive(peer)
        if place is None:
            log.warning("mllp connection refused", peer=peer, open=len(self._open))
            return None
        made = MLLPProtocol(self._answer, self._clock, self._limits, self)
        self._open[made] = place
        return made

    def identified(self, connection: MLLPProtocol, certificate: bytes) -> bool:
        """A handshake has proved a certificate. False: its partner has too many connections."""
        if self._open[connection].show(certificate):
            return True
        log.warning("mllp connection refused", open=len(self._open), reason="the partner has as many as were agreed")
        return False

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._open)

    @property
    def messages_under_way(self) -> int:
        """How many messages were received and are not answered."""
        return sum(each.under_way for each in tuple(self._open))

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
        place = self._open.pop(closed, None)
        if place is not None:
            place.leave()
        self._settle()

    def _settle(self) -> None:
        if self._drained is not None and not self._open and not self._drained.called:
            self._drained.callback(None)
