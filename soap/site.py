"""The HTTP server as a whole: how many connections there may be, and how they end."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure
from twisted.web.server import Site

from soap.channel import SOAPChannel
from soap.context import Connection
from soap.limits import SOAPLimits
from soap.reception import InThread, Reception
from soap.request import StreamingRequest
from tls.places import Place, Places

RESERVE = 32
"""Connections above the limit that are told that we are busy, and that may still ask for ``/health``."""

Behind = Callable[[Connection, Any], Connection]
"""Takes a connection and the headers of one request; says whose request it is, or raises SOAPFault."""

Post = Callable[[StreamingRequest], None]
"""Takes a request by POST whose body is complete."""

log = structlog.get_logger(__name__)


def nobody_is_behind(connection: Connection, headers: Any) -> Connection:
    """What a header says of a client is no more than a claim."""
    return connection


class SOAPSite(Site):  # type: ignore[misc]
    """The HTTP server: streams bodies, writes no access log of its own, trusts no header about the client."""

    protocol = SOAPChannel

    def __init__(
        self,
        resource: Any,
        receive: Callable[..., Reception],
        refuse: Callable[[StreamingRequest, Failure], None],
        limits: SOAPLimits,
        reactor: Any = None,
        small: Mapping[str, int] | None = None,
    ) -> None:
        """``small`` maps paths below which bodies are no SOAP to the most bytes that they may have."""
        super().__init__(
            resource, StreamingRequest, timeout=limits.idle, reactor=reactor, parsePOSTFormSubmission=False
        )
        self.receive = receive
        self._small = {path.encode(): most for path, most in (small or {}).items()}
        self.refuse = refuse
        self.limits = limits
        self.places = Places()
        """The connections of all ports of the node, by who holds them: the composition root puts its own here."""
        self.behind: Behind = nobody_is_behind
        """Who is behind a connection: likewise."""
        self.defer: InThread = maybeDeferred
        """Runs all that is blocking in one request: likewise."""
        self.posts: Mapping[bytes, Post] = {}
        """The paths at which a POST needs no walk along ``resource``."""
        self.draining = False
        """Claim that the server is about to end."""
        self._open: dict[SOAPChannel, Place | None] = {}
        self._drained: Deferred[None] | None = None

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._open)

    @property
    def requests_under_way(self) -> int:
        """How many requests have begun and are not answered."""
        return sum(len(each.requests) for each in tuple(self._open))

    def most_bytes(self, target: bytes) -> int | None:
        """How long a body may be that is no SOAP; None where SOAP is spoken."""
        path = target.partition(b"?")[0]
        return next((most for each, most in self._small.items() if path == each or path.startswith(each + b"/")), None)

    def admit(self, channel: SOAPChannel) -> bool:
        """Take a connection; True if it is one too many, which is let in to be told so, within reason."""
        place = self.places.arrive(channel.connection.peer)
        self._open[channel] = place
        surplus = len(self._open) - self.limits.connections
        told = sum(each is None for each in self._open.values()) if place is None else 0
        if self.draining or max(surplus, told) > RESERVE:
            log.warning(
                "connection refused", peer=channel.connection.peer, open=len(self._open), draining=self.draining
            )
            channel.transport.abortConnection()
        return surplus > 0 or place is None

    def identified(self, channel: SOAPChannel, certificate: bytes) -> bool:
        """A handshake has proved a certificate. False: its partner has too many connections."""
        place = self._open.get(channel)
        return place is None or place.show(certificate)

    def forget(self, channel: SOAPChannel) -> None:
        """A connection has ended."""
        place = self._open.pop(channel, None)
        if place is not None:
            place.leave()
        self._settle()

    def drain(self) -> "Deferred[None]":
        """Answer what is under way, close every connection; fires when the last one is gone. Stop listening first."""
        self.draining = True
        self._drained = self._drained or Deferred()
        for each in tuple(self._open):
            each.drain()
        self._settle()
        return self._drained

    def abort(self) -> None:
        """Cut every connection that is still open."""
        for each in tuple(self._open):
            each.transport.abortConnection()

    def _settle(self) -> None:
        if self._drained is not None and not self._open and not self._drained.called:
            self._drained.callback(None)

    def log(self, request: object) -> None:
        """Exchanges are logged where their outcome is known."""
