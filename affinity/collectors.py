"""An Audit Record Repository as a courier sees it, whatever its wire (ITI TF-2: 3.20.4.1; RESTful ATNA).

A collector is used by one thread. Whatever ends a delivery is raised as Lost; what is believed then to have arrived is
``atna.delivery``'s affair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

CONNECT = 10.0
"""Seconds for a connection and its handshake, and for an answer of HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One record, ready for its wire: a syslog message, or an AuditEvent in JSON."""

    number: int
    content: bytes


class Lost(Exception):
    """The collector was lost, or was never there. ``orderly``: it took its leave, so what it has read it has."""

    def __init__(self, reason: str, *, orderly: bool = False) -> None:
        super().__init__(reason)
        self.orderly = orderly


class Interrupted(Exception):
    """The node stops; nothing is wrong with the collector."""


class Refused(Exception):
    """The collector is there and will never take this record; it has taken those before it."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


class Collector(Protocol):
    """An Audit Record Repository as a courier sees it."""

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Give these to the wire. Raises Lost, Refused, Interrupted."""

    def confirm(self) -> None:
        """Make sure that it has read everything. Raises Lost, Interrupted."""

    def alive_at(self) -> float:
        """The last moment, by the monotonic clock, at which it is known to have lived. Raises Lost."""

    def hang_up(self) -> None:
        """Let go of the connection."""

    def interrupt(self) -> None:
        """Wait for nothing any more; called from another thread."""
