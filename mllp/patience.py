"""How long one connection may keep us waiting: one deadline at a time, for what is awaited now."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mllp.framing import MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one listening port bears: bytes in a message, bytes of all messages not yet answered, connections at once,
    seconds of patience.

    ``idle_seconds`` is the time between messages; ``frame_seconds`` the time that a TLS handshake, a message once begun
    (however slowly its bytes come), or the end of the connection may take.
    """

    message: int = 16 * MEBIBYTE
    held: int = 256 * MEBIBYTE
    connections: int = 500
    idle_seconds: float = 900
    frame_seconds: float = 60


class Awaited(Enum):
    """What the next step of a connection depends on, if it is the peer."""

    HANDSHAKE = "TLS handshake"
    FRAME = "next message"
    REST = "rest of the message"
    READER = "peer to take its answers"
    END = "end of the connection"


class Patience:
    """Calls ``expire(awaited)`` when the same thing was awaited for too long; noise does not buy time."""

    def __init__(self, clock: Any, limits: Limits, expire: Callable[[Awaited], None]) -> None:
        self._clock = clock
        self._limits = limits
        self._expire = expire
        self._watched: tuple[Awaited, int] | None = None
        self._until = 0.0
        self._call: Any = None

    def watch(self, awaited: Awaited | None, step: int) -> None:
        """Start anew if something else is awaited, or the same in a later step; None: we are the ones who work."""
        watched = None if awaited is None else (awaited, step)
        if watched == self._watched:
            return
        self._watched = watched
        if awaited is not None:
            idle = awaited in (Awaited.FRAME, Awaited.READER)
            self._until = self._clock.seconds() + (self._limits.idle_seconds if idle else self._limits.frame_seconds)
            self._look_in_time()

    def end(self) -> None:
        """Nothing is awaited any more."""
        self._watched = None
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _look_in_time(self) -> None:
        """Let the clock call at the deadline or before: a call for each message costs more than a look too many."""
        if self._call is not None and self._call.getTime() > self._until:
            self._call.cancel()
            self._call = None
        if self._call is None:
            self._call = self._clock.callLater(max(self._until - self._clock.seconds(), 0.0), self._look)

    def _look(self) -> None:
        self._call = None
        if self._watched is None:
            return
        if self._clock.seconds() < self._until:
            self._look_in_time()
        else:
            self._expire(self._watched[0])
