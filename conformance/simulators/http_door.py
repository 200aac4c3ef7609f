"""Requests of HTTP/1.1, whole and as they came (RFC 9112); what they mean is for others."""

# ruff: noqa: N815 (the standard library names its hooks)

import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from conformance.exchanges import Payload, Wire
from conformance.simulators.desk import Behaviour, Peer, Sending
from conformance.simulators.doors import Door, deliver, reset
from conformance.simulators.reading import Reader

LARGEST = 256 * 2**20
"""Bytes of a body; it is kept in memory and in the evidence."""
LONGEST_LINE = 65536


class TooLong(ValueError):
    """The body is longer than what a simulator keeps."""


def http_handler(behave: Behaviour, read: Reader) -> Callable[..., "HTTPHandler"]:
    """Makes the handlers of a door behind which ``behave`` answers what ``read`` understands."""

    def make(taken: tuple[socket.socket, Peer], address: Any, door: Door) -> HTTPHandler:
        return HTTPHandler(taken, address, door, behave, read)

    return make


class HTTPHandler(BaseHTTPRequestHandler):
    """One connection, with as many requests as the client sends on it."""

    protocol_version = "HTTP/1.1"

    def __init__(
        self, taken: tuple[socket.socket, Peer], address: Any, door: Door, behave: Behaviour, read: Reader
    ) -> None:
        self._door = door
        self._behave = behave
        self._read_as = read
        connection, self._peer = taken
        super().__init__(connection, address, door)

    def do_POST(self) -> None:
        """Read, have it answered, send."""
        content = self._body()
        if content is None:
            self.close_connection = True
            return
        payload = Payload(start_line=self.requestline, headers=tuple(self.headers.items()), content=content)
        self._send(self._door.desk.answer(Wire.HTTP, self._read_as(payload), self._peer, self._behave))

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """The record is the log."""

    def _body(self) -> bytes | None:
        """The body. None: it did not come whole, or is too long."""
        got = bytearray()
        try:
            self._read_body(got)
        except (OSError, ValueError) as error:
            head = f"{self.requestline}\r\n{self.headers}".encode("latin-1", "replace")
            why = f"the client broke off after {len(got)} bytes of the body: {error}"
            self._door.desk.broke_off(Wire.HTTP, head + bytes(got), self._peer, why)
            return None
        return bytes(got)

    def _read_body(self, got: bytearray) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline(LONGEST_LINE).split(b";")[0], 16):
                self._read(got, size)
                self.rfile.readline(LONGEST_LINE)
            while self.rfile.readline(LONGEST_LINE).strip():
                pass
            return
        self._read(got, int(self.headers.get("Content-Length") or 0))

    def _read(self, got: bytearray, size: int) -> None:
        if len(got) + size > LARGEST:
            raise TooLong(f"it is longer than {LARGEST} bytes")
        while size:
            piece = self.rfile.read1(min(size, 65536))
            if not piece:
                raise ConnectionError("the connection ended")
            got += piece
            size -= len(piece)

    def _send(self, sending: Sending) -> None:
        if sending.reset or sending.answer is None:
            self.close_connection = True
            if sending.reset:
                reset(self.connection)
            return
        try:
            deliver(self._door, self.connection, sending.answer.as_bytes(), sending.seconds, sending.pace)
        except OSError as error:
            self.close_connection = True
            self._door.desk.not_taken(sending, f"the client was gone: {error}")
