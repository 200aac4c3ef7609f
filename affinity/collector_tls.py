"""Syslog over TLS to an Audit Record Repository (RFC 5425; ITI TF-2: 3.20.4.1.2.1.1)."""

import select
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic

from affinity.client.connecting import explain_connection
from affinity.collectors import CONNECT, Interrupted, Lost, Parcel
from atna.framing import frame

STALLED = 300.0
"""Seconds without a sign of life of a collector that has something to read."""
SLICE = 0.25
"""Seconds of a wait after which it is asked whether to stop."""
UNACKNOWLEDGED = 60_000
"""Milliseconds after which a host that acknowledges nothing is gone (TCP_USER_TIMEOUT)."""
RECORD = 16384
"""Most octets of a TLS record."""
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
