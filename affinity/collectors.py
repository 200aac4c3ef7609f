"""How records reach one Audit Record Repository: syslog over TLS or UDP, or FHIR (ITI TF-2: 3.20.4.1; RESTful ATNA).

A collector is used by one thread. Whatever ends a delivery is raised as Lost; what is believed then to have arrived is
``atna.delivery``'s affair.
"""

import json
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from typing import Protocol

from affinity.client.connecting import explain_connection
from atna.framing import LARGEST_DATAGRAM, datagram, frame

CONNECT = 10.0
"""Seconds for a connection and its handshake, and for an answer of HTTP."""
STALLED = 300.0
"""Seconds without a sign of life of a collector that has something to read."""
SLICE = 0.25
"""Seconds of a wait after which it is asked whether to stop."""
PAUSE = 0.1
"""Seconds in which the host of a collector that is not there says so, over UDP."""
BURST = 50
"""Datagrams sent without a pause: nothing but this keeps them from overflowing the receiver."""
UNACKNOWLEDGED = 60_000
"""Milliseconds after which a host that acknowledges nothing is gone (TCP_USER_TIMEOUT)."""
RECORD = 16384
"""Most octets of a TLS record."""
FHIR_JSON = "application/fhir+json"
REFUSED = frozenset({400, 409, 412, 413, 415, 422})
"""What says that this one resource will never be taken."""


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


Context = Callable[[], ssl.SSLContext]
"""What we show and trust, made anew for each connection: certificates are renewed while a node serves."""


class TLSCollector:
    """Syslog over TLS (RFC 5425). Only an orderly end of the connection proves that all of it was read (4.4)."""

    def __init__(self, host: str, port: int, context: Context, stalled: float = STALLED) -> None:
        self._address = (host, port)
        self._context = context
        self._stalled = stalled
        self._socket: ssl.SSLSocket | None = None
        self._interrupted = False

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Write them all; waits as long as the collector takes anything."""
        connection = self._open()
        rest = memoryview(b"".join(frame(each.content) for each in parcels))
        while rest:
            rest = rest[self._patiently(connection, partial(connection.send, rest[:RECORD])) :]

    def confirm(self) -> None:
        """Open the next connection, so that no death goes unnoticed, then end this one and wait for its end."""
        old = self._socket
        if old is None:
            raise Lost("the connection is gone")
        self._socket = None
        try:
            self._socket = self._connect()
            self._end(old)
        finally:
            old.close()

    def alive_at(self) -> float:
        """Now, unless the connection has ended: nothing else ever comes from a collector."""
        if self._socket is None:
            return float("-inf")
        try:
            data = self._socket.recv(1024)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return monotonic()
        except OSError as error:
            raise Lost(explain_connection(error)) from error
        if not data:
            raise Lost("it ended the connection", orderly=True)
        return monotonic()

    def hang_up(self) -> None:
        """Close at once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def interrupt(self) -> None:
        """End the wait for a collector that is slow."""
        self._interrupted = True

    def _open(self) -> ssl.SSLSocket:
        if self._socket is None:
            self._socket = self._connect()
        self.alive_at()
        return self._socket

    def _connect(self) -> ssl.SSLSocket:
        try:
            plain = socket.create_connection(self._address, CONNECT)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED)
            # A ragged end must be told from an orderly one: the first is what a killed collector leaves.
            context = self._context()
            secured = context.wrap_socket(plain, server_hostname=self._address[0], suppress_ragged_eofs=False)
        except OSError as error:
            raise Lost(explain_connection(error)) from error
        secured.setblocking(False)
        return secured

    def _end(self, old: ssl.SSLSocket) -> None:
        """Say close_notify. The answer, or an end that is no reset, shows that nothing was left unread."""
        try:
            self._patiently(old, old.unwrap)
        except Lost as lost:
            if not isinstance(lost.__cause__, ssl.SSLEOFError):
                raise

    def _patiently(self, connection: ssl.SSLSocket, work: Callable[[], "int | socket.socket"]) -> int:
        """Run ``work`` as soon as the collector lets it."""
        deadline = monotonic() + self._stalled
        while monotonic() < deadline:
            try:
                done = work()
            except ssl.SSLWantReadError:
                self._await(reading=connection)
            except ssl.SSLWantWriteError:
                self._await(writing=connection)
            except OSError as error:
                raise Lost(explain_connection(error)) from error
            else:
                return done if isinstance(done, int) else 0
        raise Lost(f"it has read nothing for {self._stalled:g} s")

    def _await(self, *, reading: ssl.SSLSocket | None = None, writing: ssl.SSLSocket | None = None) -> None:
        if self._interrupted:
            raise Interrupted
        select.select([reading] if reading else [], [writing] if writing else [], [], SLICE)


class UDPCollector:
    """Syslog over UDP (RFC 5426): no connection, no back-pressure; a host may say that nobody listens, or not."""

    def __init__(self, host: str, port: int, largest: int = LARGEST_DATAGRAM) -> None:
        self._address = (host, port)
        self._largest = largest
        self._socket: socket.socket | None = None
        self._alive_at = float("-inf")
        self.cut = 0
        """How many messages did not fit into a datagram."""

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Send a burst, see whether somebody complains, send the next."""
        for start in range(0, len(parcels), BURST):
            self._burst(parcels[start : start + BURST])

    def confirm(self) -> None:
        """Nothing more can be known."""

    def alive_at(self) -> float:
        """When something was last sent that nobody complained about."""
        return self._alive_at

    def hang_up(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def interrupt(self) -> None:
        """It waits for nothing."""

    def _burst(self, parcels: Sequence[Parcel]) -> None:
        try:
            connection = self._open()
            for each in parcels:
                self.cut += len(each.content) > self._largest
                connection.send(datagram(each.content, self._largest))
            complaint, _, _ = select.select([connection], [], [], PAUSE)
            if complaint:
                connection.recv(1)  # raises what the host has said
        except OSError as error:
            raise Lost(explain_connection(error)) from error
        self._alive_at = monotonic()

    def _open(self) -> socket.socket:
        if self._socket is None:
            family, kind, _, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            self._socket.connect(address)
        return self._socket


class FHIRCollector:
    """FHIR Feed: each record is created by a POST, and stored once it is answered (RESTful ATNA: 3.20.4.2)."""

    def __init__(self, host: str, port: int | None, path: str, context: Context | None) -> None:
        self._host, self._port = host, port
        self._target = f"{path.rstrip('/')}/AuditEvent"
        self._context = context
        self._connection: HTTPConnection | None = None
        self._alive_at = float("-inf")

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Create one after the other."""
        for each in parcels:
            self._create(each)

    def confirm(self) -> None:
        """The answer was the confirmation."""

    def alive_at(self) -> float:
        """When it last answered."""
        return self._alive_at

    def hang_up(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def interrupt(self) -> None:
        """It waits for an answer for ``CONNECT`` seconds at most."""

    def _create(self, parcel: Parcel) -> None:
        headers = {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON, "Prefer": "return=minimal"}
        try:
            connection = self._open()
            connection.request("POST", self._target, parcel.content, headers)
            response = connection.getresponse()
            answer = response.read(65536)
            if response.read(1):
                self.hang_up()
        except OSError as error:
            self.hang_up()
            raise Lost(explain_connection(error)) from error
        except HTTPException as error:
            self.hang_up()
            raise Lost(f"it does not answer as HTTP should: {type(error).__name__}") from error
        self._judge(parcel.number, response.status, answer)

    def _judge(self, number: int, status: int, answer: bytes) -> None:
        if status in REFUSED:
            raise Refused(number, f"HTTP {status}{_issue(answer)}")
        if not 200 <= status < 300:
            self.hang_up()
            raise Lost(f"it answered HTTP {status}{_issue(answer)}")
        self._alive_at = monotonic()

    def _open(self) -> HTTPConnection:
        if self._connection is None:
            if self._context is None:
                self._connection = HTTPConnection(self._host, self._port, timeout=CONNECT)
            else:
                self._connection = HTTPSConnection(self._host, self._port, timeout=CONNECT, context=self._context())
        return self._connection


def _issue(answer: bytes) -> str:
    """The code of an OperationOutcome; its words may quote the record."""
    try:
        codes = [str(each["code"])[:40] for each in json.loads(answer)["issue"]]
    except (ValueError, KeyError, TypeError):
        return ""
    return f" ({', '.join(codes[:3])})"
