"""Captured messages sent again, over HTTP or MLLP, as they are."""

import ssl
import tempfile
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from conformance.capture.cutting import cut
from conformance.capture.recorded import CHUNK, Message, fields, in_memory
from conformance.capture.spool import Spool
from mllp.client import Address, Connection, MLLPError

OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "keep-alive", "expect"})
"""Header fields that belong to the connection, and so are made anew."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back, or why nothing did."""

    message: Message | None
    failure: str = ""


@dataclass(slots=True)
class Targets:
    """The system that a capture is played to. ``urls``: the endpoints of transactions that are elsewhere."""

    http: str | None
    mllp: Address | None
    urls: dict[str, str]
    tls: ssl.SSLContext | None
    timeout: float
    spool: Spool = field(default_factory=Spool)
    _line: Connection | None = None

    def url(self, transaction: str | None, head: bytes) -> str | None:
        """Where a captured request goes: its own path at the system, unless another was given."""
        if transaction in self.urls:
            return self.urls[transaction]
        words = head.split(b" ", 2)
        target = urlsplit(words[1].decode("latin-1")) if len(words) > 2 else urlsplit("/")
        path = f"{target.path}?{target.query}" if target.query else target.path
        return None if self.http is None else f"{self.http.rstrip('/')}{path}"

    def post(self, url: str, message: Message) -> Answered:
        """Send a message over HTTP."""
        connection = _connection(url, self.tls, self.timeout)
        start, headers = fields(message.head)
        address = urlsplit(url)
        target = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
        try:
            connection.putrequest(start.split(" ")[0] or "POST", target, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in OURS:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(message.size))
            connection.endheaders()
            for piece in message.body():
                connection.send(piece)
            return Answered(self._read(connection.getresponse()))
        except (OSError, HTTPException) as error:
            return Answered(None, f"no answer: {error!r}")
        finally:
            connection.close()

    def send(self, message: Message, *, answered: bool) -> Answered:
        """Send a message over MLLP, on one connection for all; wait for its answer if there was one."""
        assert self.mllp is not None
        try:
            if self._line is None:
                self._line = Connection(self.mllp, self.timeout)
            content = message.text.content()
            if answered:
                return Answered(Message(head=b"", text=in_memory(self._line.exchange(content))))
            self._line.send(content)
            return Answered(None, "no answer was asked for")
        except MLLPError as error:
            self._line = None
            return Answered(None, f"no answer: {error}")

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
        self.spool.close()

    def _read(self, response: HTTPResponse) -> Message:
        lines = "".join(f"{name}: {value}\r\n" for name, value in response.getheaders())
        head = f"HTTP/1.1 {response.status} {response.reason}\r\n{lines}\r\n".encode("latin-1", "replace")
        with tempfile.TemporaryFile() as body:
            while piece := response.read(CHUNK):
                body.write(piece)
            return cut(head, body, self.spool)


def _connection(url: str, tls: ssl.SSLContext | None, timeout: float) -> HTTPConnection:
    address = urlsplit(url)
    if address.scheme == "https":
        return HTTPSConnection(address.hostname or "", address.port, timeout=timeout, context=tls)
    return HTTPConnection(address.hostname or "", address.port, timeout=timeout)
