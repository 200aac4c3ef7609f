"""A blocking MLLP client: one connection, one message and its answer at a time (ITI TF-2: C.2.1, 3.19)."""

import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from typing import Self

from mllp.framing import Framer, Oversize, Received, frame
from tls.files import SUITES, TLS
from tls.words import alert, certificate_fault, stumbled


class MLLPError(Exception):
    """The message was not answered; the text says why. Whether it was processed is not known, except as noted."""


class NotConnected(MLLPError):
    """No connection came about, so nothing was sent."""


class NoAnswer(MLLPError):
    """The message was sent, but no whole answer came in time, or the connection ended first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Whom to call. ``tls`` None: plain. ``server_name`` is looked for in the server's certificate; None: ``host``."""

    host: str
    port: int
    tls: TLS | None = None
    server_name: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}{' (TLS)' if self.tls else ''}"


class Connection:
    """An open connection; use it in a ``with`` statement. Any error closes it."""

    def __init__(self, address: Address, timeout: float = 30.0, context: ssl.SSLContext | None = None) -> None:
        """Connect within ``timeout`` seconds, which also bounds every exchange later. Raises NotConnected.

        Who connects often to an address with TLS reads its files once, and gives the ``client_context`` of them.
        """
        self._address = address
        self._timeout = timeout
        self._framer = Framer()
        self._answers: deque[bytes] = deque()
        self._socket = _connect(address, timeout, context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def exchange(self, message: bytes) -> bytes:
        """Send one message and return its answer, both without frames. Raises NoAnswer."""
        self.send(message)
        return self.receive()

    def send(self, message: bytes) -> None:
        """Send one message without waiting. Raises NoAnswer."""
        self._socket.settimeout(self._timeout)
        try:
            self._socket.sendall(frame(message))
        except OSError as error:
            self.close()
            raise NoAnswer(f"{self._address} did not take the message: {_reason(error)}") from error

    def receive(self) -> bytes:
        """Wait for the next answer. Raises NoAnswer."""
        deadline = time.monotonic() + self._timeout
        try:
            return self._next(deadline)
        except OSError as error:
            self.close()
            raise NoAnswer(f"{self._address} did not answer: {_reason(error)}") from error

    def _next(self, deadline: float) -> bytes:
        while not self._answers:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("the connection was closed without an answer")
            self._take(data)
        return self._answers.popleft()

    def _take(self, data: bytes) -> None:
        for event in self._framer.feed(data):
            if isinstance(event, Received):
                self._answers.append(event.message)
            if isinstance(event, Oversize):
                raise ConnectionError(f"the answer is longer than {event.limit} bytes")


def send(address: Address, message: bytes, timeout: float = 30.0, context: ssl.SSLContext | None = None) -> bytes:
    """Connect, send one message, return its answer, hang up. Raises NotConnected or NoAnswer."""
    with Connection(address, timeout, context) as connection:
        return connection.exchange(message)


def client_context(tls: TLS) -> ssl.SSLContext:
    """Show our certificate and trust ``authorities`` alone. Raises OSError or ssl.SSLError for unusable files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.load_cert_chain(tls.certificate, tls.key)
    context.load_verify_locations(tls.authorities)
    return context


def _connect(address: Address, timeout: float, context: ssl.SSLContext | None) -> socket.socket:
    try:
        plain = socket.create_connection((address.host, address.port), timeout)
    except OSError as error:
        raise NotConnected(f"no connection to {address}: {_reason(error)}") from error
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain if address.tls is None else _secure(plain, address, address.tls, context)


def _secure(plain: socket.socket, address: Address, tls: TLS, context: ssl.SSLContext | None) -> socket.socket:
    try:
        made = context or client_context(tls)
        return made.wrap_socket(plain, server_hostname=address.server_name or address.host)
    except OSError as error:
        plain.close()
        raise NotConnected(f"no TLS connection to {address}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "nothing came in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {certificate_fault(error.verify_code, error.verify_message)}"
    if isinstance(error, ssl.SSLError):
        return alert(error.reason or "") or stumbled(error.reason or str(error))
    return error.strerror or str(error)
