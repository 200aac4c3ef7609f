"""One HTTP connection as twisted.web has it, made to watch its peer: who it is, and whether it keeps pace."""

# ruff: noqa: N802, N815 (Twisted names its hooks)

from time import monotonic
from typing import Any

import structlog
from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener, ISSLTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from soap.context import Connection
from soap.reading import ReadingChannel
from soap.request import StreamingRequest
from soap.stalling import Stall

SEND_LIMIT = 1024 * 1024
"""Bytes offered to one send(2); Twisted's 128 KiB costs 13 % more CPU on answers of 1 MB."""
AT_ONCE = 2.0
"""Seconds after the end of a request in which who ends its own side has said everything, and still listens.

Later it is who has lost patience and left: TCP does not tell one from the other.
"""

LINGER = 1.0
"""Seconds that an idle connection is kept when we drain, for the request that may be on its way already."""

log = structlog.get_logger(__name__)


@implementer(IHandshakeListener, IHalfCloseableProtocol)
class SOAPChannel(ReadingChannel):
    """One HTTP connection: who is at the other end, and whether it keeps pace, sending as well as reading."""

    request_is_complete = False
    surplus = False
    """More connections are open than are served: this one may ask how we are, and is told that we are busy."""
    _since = _heard = _completed = 0.0
    _has_heard_all = False
    _look: Any = None
    _linger: Any = None
    _turn: Any = None
    _answered: StreamingRequest | None = None
    """The request after which another has arrived, which waits for its turn."""
    timeOut: float | None = None
    _received = 0

    @property
    def target(self) -> bytes:
        """What the request that is arriving asks for, as Twisted keeps it until the body is complete."""
        target: bytes = self._path
        return target

    def connectionMade(self) -> None:
        """Refuse one connection too many; widen the sends."""
        super().connectionMade()
        self.totalHeadersSize = self.site.limits.headers
        self._tcp.SEND_LIMIT = SEND_LIMIT
        self._peer, self._host = self.transport.getPeer(), self.transport.getHost()
        self._stall = Stall(self.callLater, self.site.limits.idle, self._expire)
        self.surplus = self.site.admit(self)

    def handshakeCompleted(self) -> None:
        """The peer has proved the certificate that it shows."""
        self.__dict__.pop("_connection", None)
        shown = self.connection.certificate
        if shown is not None and not self.site.identified(self, shown):
            self.surplus = True

    def getPeer(self) -> Any:
        """The other end, which is asked for with each request and stays the same."""
        return self._peer

    def getHost(self) -> Any:
        """Our end, likewise."""
        return self._host

    def dataReceived(self, data: bytes) -> None:
        """Close the connection of a sender that trickles: only progress keeps a request alive."""
        now = monotonic()
        if not self._since:
            self._since, self._received, self.request_is_complete = now, 0, False
        self._received += len(data)
        limits = self.site.limits
        if now - self._since > limits.grace + self._received / limits.pace and not self.request_is_complete:
            log.info("connection closed: too slow", peer=self.connection.peer)
            self.transport.abortConnection()
            return
        super().dataReceived(data)

    def headerReceived(self, line: bytes) -> bool:
        """Refuse a header that Twisted stumbles over: a Content-Length of more digits than Python reads."""
        try:
            taken: bool = super().headerReceived(line)
        except ValueError:
            self._respondToBadRequestAndDisconnect()
            return False
        return taken

    def lineLengthExceeded(self, line: bytes) -> None:
        """Say why a line that is too long ends the connection (RFC 6585: 5)."""
        self._turn_away(b"431 Request Header Fields Too Large", b"The HTTP headers are too long.\n")

    def checkPersistence(self, request: StreamingRequest, version: bytes) -> bool:
        """While draining, and for a connection too many, one answer is the last."""
        if self.surplus or self.site.draining:
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
            return False
        persistent: bool = super().checkPersistence(request, version)
        return persistent

    def setTimeout(self, period: float | None) -> float | None:
        """Say how long to wait for the peer from now on, None if it waits for us.

        Twisted winds up a clock for each request. Ours is looked at when it may be late, and set to what is left.
        """
        before, self.timeOut = self.timeOut, period
        if period is not None:
            self._heard = self.site.reactor.seconds()
            self._look = self._look or self.callLater(period, self._look_at_clock)
        return before

    def resetTimeout(self) -> None:
        """The peer has done something."""
        self._heard = self.site.reactor.seconds()

    def _look_at_clock(self) -> None:
        self._look = None
        if self.timeOut is None:
            return
        left = self._heard + self.timeOut - self.site.reactor.seconds()
        if left > 0:
            self._look = self.callLater(left, self._look_at_clock)
        else:
            self.timeoutConnection()

    def pauseProducing(self) -> None:
        """The peer does not take its answer; it has some time to go on."""
        self._stall.begin()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """The peer took what was written."""
        self._stall.end()
        super().resumeProducing()
        self._take_turn()

    def send(self, data: bytes) -> None:
        """Offer the system what is to be sent, rather than ask it first whether it would take something.

        What it does not take, or refuses, is left to the reactor, which finds it as it would have without us.
        """
        transport = self.transport
        if _has_sent_all(transport) and len(data) <= SEND_LIMIT:
            sent = transport.writeSomeData(data)
            data = data[sent:] if isinstance(sent, int) else data
            if not data:
                return
        transport.write(data)
        tcp = self._tcp
        if isinstance(tcp, FileDescriptor) and tcp.connected and not tcp.disconnecting:
            tcp.doWrite()

    @property
    def _tcp(self) -> Any:
        """The socket, beneath TLS if there is any."""
        return getattr(self.transport, "transport", self.transport)

    def loseConnection(self) -> None:
        """Close once everything is written, and do not wait for ever for that."""
        self._stall.begin()
        super().loseConnection()

    def drain(self) -> None:
        """Answer the request that is under way, or about to come, and say that it is the last; then close."""
        for request in self.requests:
            self.persistent = 0
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        if not self.requests:
            self._linger = self.callLater(LINGER, self._end_lingering)

    def _end_lingering(self) -> None:
        self._linger = None
        if not self.requests:
            self.loseConnection()

    def readConnectionLost(self) -> None:
        """The peer says no more: answer the requests that are whole, then close (RFC 9112: 9.6)."""
        if self._has_heard_all:
            return
        self._has_heard_all = True
        if self.requests and not self._listens(self.requests[0]):
            self.loseConnection()
        else:
            self._close_if_answered()

    def writeConnectionLost(self) -> None:
        """The connection is about to go; connectionLost follows."""

    def requestDone(self, request: StreamingRequest) -> None:
        """Go on with the next request, if there is or may be one.

        One that is here already has its turn after those of other connections, and once the peer takes answers:
        64 KiB of short requests are a thousand answers.
        """
        if self.persistent and (self._buffer or any(self._dataBuffer)):
            self._answered = request
            self._take_turn()
        else:
            self._go_on(request)

    def _take_turn(self) -> None:
        if self._answered is not None and self._turn is None and not self._waitingForTransport:
            self._turn = self.callLater(0, self._take_next)

    def _take_next(self) -> None:
        self._turn = None
        if self._answered is not None and not self._waitingForTransport:
            request, self._answered = self._answered, None
            self._go_on(request)

    def _go_on(self, request: StreamingRequest) -> None:
        super().requestDone(request)
        if self._has_heard_all:
            self._close_if_answered()

    def _close_if_answered(self) -> None:
        if not (self.requests and self.requests[-1].complete):
            self.loseConnection()

    def _listens(self, request: StreamingRequest) -> bool:
        """Claim that the peer, who has just ended its own side, may still wait for the answer."""
        begun = bool(request.startedWriting)
        return begun or (request.complete and self.site.reactor.seconds() - self._completed < AT_ONCE)

    def request_complete(self) -> None:
        """The next bytes begin another request."""
        self._since = 0.0
        self._completed = self.site.reactor.seconds()
        self.request_is_complete = True

    def connectionLost(self, reason: Failure) -> None:
        """Give the connection's place back."""
        self._stall.end()
        if self._answered is not None:
            self.requests.remove(self._answered)
            self._answered = None
        super().connectionLost(reason)
        for waits in (self._look, self._linger, self._turn):
            if waits is not None:
                waits.cancel()
        self._look = self._linger = self._turn = None
        self.site.forget(self)

    def _respondToBadRequestAndDisconnect(self) -> None:
        self._turn_away(b"400 Bad Request", b"This is not an HTTP request that can be read.\n")

    def _turn_away(self, status: bytes, sentence: bytes) -> None:
        """Answer what is no request, and read no more of it."""
        head = b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
        log.info("HTTP request refused", status=status.decode(), peer=self.connection.peer)
        self.transport.write(head % (status, len(sentence)) + sentence)
        self.loseConnection()

    def _expire(self) -> None:
        log.info("connection closed: the peer does not take its answer", peer=self.connection.peer)
        self.transport.abortConnection()

    @property
    def connection(self) -> Connection:
        """The TCP peer as the socket knows it (never as a header claims), and its certificate."""
        known: Connection | None = self.__dict__.get("_connection")
        if known is None:
            known = self.__dict__["_connection"] = _identify(self.transport)
        return known


def _identify(transport: Any) -> Connection:
    peer = transport.getPeer()
    secure = ISSLTransport.providedBy(transport)
    shown = transport.getPeerCertificate() if secure else None
    return Connection(
        peer=getattr(peer, "host", "") or "",
        certificate=dump_certificate(FILETYPE_ASN1, shown) if shown is not None else None,
        secure=secure,
    )


def _has_sent_all(transport: Any) -> bool:
    """Claim that this is a socket, without TLS, that nothing waits for: what comes next may overtake nothing."""
    if not isinstance(transport, FileDescriptor) or not transport.connected or transport.disconnecting:
        return False
    return not transport.dataBuffer and not transport._tempDataBuffer
