"""How twisted.web is made to stream: a channel that watches its peer, a request that hands its body on at once.

Twisted documents ``Request.gotLength`` and ``handleContentChunk`` as not for users; a test pins what we rely on: the
headers are complete at ``gotLength``, every byte of the body comes through ``handleContentChunk``, and until then the
channel keeps the request's target in ``_path``.
"""

# ruff: noqa: N802, N815 (Twisted names its hooks)

from collections.abc import Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from time import monotonic, time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog
from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IHandshakeListener, ISSLTransport
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES, HTTPChannel, datetimeToString
from twisted.web.server import Request, version
from zope.interface import implementer

from soap.context import Connection
from soap.faults import busy
from soap.receive import Reception, Refused
from soap.small import SmallBody
from soap.stalling import Stall

if TYPE_CHECKING:
    from soap.site import SOAPSite

SEND_LIMIT = 1024 * 1024
"""Bytes offered to one send(2); Twisted's 128 KiB costs 13 % more CPU on answers of 1 MB."""

log = structlog.get_logger(__name__)

_HEAD = b"%%b %%d %%b\r\nServer: %b\r\nDate: %%b\r\n%%bContent-Type: %%b\r\nContent-Length: %%d\r\n\r\n" % version
NOT_SENT = (b"",)
_ALWAYS = frozenset({b"Server", b"Date"})
"""Headers of every answer, which Twisted sets where it has found the resource."""


class StreamingRequest(Request):  # type: ignore[misc]
    """A request whose body goes to a Reception."""

    channel: "SOAPChannel"
    fields: Mapping[bytes, Sequence[bytes]] = MappingProxyType({})
    """The headers of a request with a body, by their names in Twisted's capitals."""
    reception: Reception | None = None
    defaultContentType = None
    gone = False
    complete = False
    answered_early = False

    def gotLength(self, length: int | None) -> None:
        """The headers are complete: decide how the body is received."""
        self.content = BytesIO()
        if length == 0:
            return
        self.fields = dict(self.requestHeaders.getAllRawHeaders())
        self.reception = self._receive(length)
        if self.reception.refused is not None and b"Expect" in self.fields:
            # The sender asked first and is told no: it will not send the body, so the connection cannot go on.
            self.requestHeaders.removeHeader(b"expect")
            self._refuse_early(self.reception.refused)
            self.channel.loseConnection()

    def _receive(self, length: int | None) -> Reception:
        if self.channel.surplus:
            return Refused(busy("too many connections are open"))
        site, target = self.channel.site, self.channel.target
        most = None if target in site.posts else site.most_bytes(target)
        if most is not None:
            return SmallBody(most)
        kind = self.fields.get(b"Content-Type", NOT_SENT)[0].decode("latin-1")
        encoding = self.fields.get(b"Content-Encoding", NOT_SENT)[0].decode("latin-1")
        return site.receive(kind, encoding, length, self.channel.transport)

    def handleContentChunk(self, data: bytes) -> None:
        """Hand on the next bytes; once they are known to be useless, say so and let the rest pass."""
        if self.reception is None:
            return
        self.reception.data(data)
        if self.reception.refused is not None and not self.answered_early:
            self._refuse_early(self.reception.refused)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """The body is complete."""
        self.complete = True
        self.channel.request_complete()
        post = self.channel.site.posts.get(path) if command == b"POST" else None
        if self.answered_early:
            self.finish()
        elif post is None:
            super().requestReceived(command, path, version)
        else:
            self.method, self.uri, self.path, self.clientproto = command, path, path, version
            post(self)

    def parseCookies(self) -> None:
        """Nobody here reads any."""

    def send(self, status: int, media_type: str, body: Sequence[bytes], wait: int = 0) -> None:
        """Send a complete answer, its pieces joined once; ``finish`` is the caller's.

        ``wait`` is after how many seconds another try is worth it, 0 if that is not known.
        """
        if wait:
            self.setHeader(b"Retry-After", b"%d" % wait)
        head = self._head(status, media_type, sum(map(len, body)))
        self.startedWriting = 1
        self.channel.send(head if self.method == b"HEAD" else b"".join((head, *body)))

    def begin(self, status: int, media_type: str, length: int) -> None:
        """Send the head of an answer whose body ``write`` sends."""
        self.startedWriting = 1
        self.channel.write(self._head(status, media_type, length))

    def _head(self, status: int, media_type: str, length: int) -> bytes:
        """The status line and all headers: what was set, and what every answer has."""
        more = b""
        for name, values in self.responseHeaders.getAllRawHeaders():
            if name not in _ALWAYS:
                more += b"".join([b"%b: %b\r\n" % (name, value) for value in values])
        reason = RESPONSES.get(status, b"Unknown Status")
        return _HEAD % (self.clientproto, status, reason, _date(int(time())), more, media_type.encode(), length)

    def finish(self) -> None:
        """The answer is complete: nobody needs any longer what was spooled and not adopted."""
        if self.reception is not None:
            self.reception.discard()
        super().finish()

    def connectionLost(self, reason: Failure) -> None:
        """The sender is gone; what it sent is not needed unless a handler is at work on it."""
        self.gone = True
        if self.reception is not None and not self.complete:
            self.reception.discard()
        super().connectionLost(reason)

    def _refuse_early(self, failure: Failure) -> None:
        self.answered_early = True
        self.clientproto = b"HTTP/1.1"
        self.channel.site.refuse(self, failure)


@implementer(IHandshakeListener)
class SOAPChannel(HTTPChannel):  # type: ignore[misc]
    """One HTTP connection: who is at the other end, and whether it keeps pace, sending as well as reading."""

    site: "SOAPSite"
    request_is_complete = False
    surplus = False
    """More connections are open than are served: this one may ask how we are, and is told that we are busy."""
    _since = _heard = 0.0
    _look: Any = None
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
        """Answer the request that is under way, then close."""
        self.persistent = 0
        for request in self.requests:
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        if not self.requests:
            self.loseConnection()

    def request_complete(self) -> None:
        """The next bytes begin another request."""
        self._since = 0.0
        self.request_is_complete = True

    def connectionLost(self, reason: Failure) -> None:
        """Give the connection's place back."""
        self._stall.end()
        super().connectionLost(reason)
        if self._look is not None:
            self._look.cancel()
            self._look = None
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


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    date: bytes = datetimeToString(second)
    return date
