"""One HTTP request as it arrives: its body goes on at once to who receives it, its answer leaves in one piece.

Twisted documents ``Request.gotLength`` and ``handleContentChunk`` as not for users; a test pins what we rely on: the
headers are complete at ``gotLength``, and every byte of the body comes through ``handleContentChunk``.
"""

# ruff: noqa: N802, N815 (Twisted names its hooks)

from collections.abc import Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING

from twisted.python.failure import Failure
from twisted.web.http import RESPONSES, datetimeToString
from twisted.web.server import Request, version

from soap.faults import busy
from soap.receive import Refused
from soap.reception import Reception
from soap.small import SmallBody

if TYPE_CHECKING:
    from soap.channel import SOAPChannel

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
            self.reception = None  # channel and request hold each other until garbage is collected, which is seldom
        super().connectionLost(reason)

    def _refuse_early(self, failure: Failure) -> None:
        self.answered_early = True
        self.clientproto = b"HTTP/1.1"
        self.channel.site.refuse(self, failure)


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    date: bytes = datetimeToString(second)
    return date
