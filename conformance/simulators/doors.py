"""Ports with a thread for each connection, plain or with mutual TLS: what a simulator listens on."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import structlog
from cryptography import x509

from conformance.exchanges import TLSFacts
from conformance.simulators.desk import Desk, Handshake, Peer
from tls.files import SUITES, TLS
from tls.words import alert, stumbled

log = structlog.get_logger()

POLL = 0.05
"""Seconds until a door notices that it is to close."""
IDLE = 300.0
"""Seconds after which a silent connection is closed."""
HANDSHAKE = 20.0
CONNECTIONS = 200
"""Open at once at one door; more are closed at once."""
LINGER = struct.pack("ii", 1, 0)
"""Closing resets the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a door is: its name in what is printed, the host, the port (0: any free one), its TLS (None: plain).

    ``demands`` is whether a client must show a certificate.
    """

    name: str
    host: str = "127.0.0.1"
    port: int = 0
    tls: TLS | None = None
    demands: bool = True


class Door(ThreadingTCPServer):
    """One port. Every connection is served by ``handler`` in a thread of its own, which ends with the process."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, address: Address, desk: Desk, handler: Callable[..., BaseRequestHandler]) -> None:
        """Bind and listen. OSError: the port is taken."""
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.door = address
        self.desk = desk
        self.closing = threading.Event()
        self._serve = handler
        self._serves = False
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self._context = server_context(address.tls, demands=address.demands) if address.tls else None
        super().__init__((address.host, address.port), handler)

    @property
    def port(self) -> int:
        """The port that it has."""
        return int(self.server_address[1])

    def open(self) -> None:
        """Answer from now on."""
        self._serves = True
        threading.Thread(target=self.serve_forever, args=(POLL,), daemon=True, name=self.door.name).start()

    def close(self) -> None:
        """Take no more connections; those that are open end with their next wait."""
        self.closing.set()
        if self._serves:  # else it would wait for an end that never comes
            self.shutdown()
        self.server_close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Take a place, which ``finish_request`` gives back. False: there is none."""
        return self._places.acquire(blocking=False)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Put TLS around the connection, in its own thread, then serve it."""
        try:
            self._attend(request, client_address)
        finally:
            self._places.release()

    def _attend(self, request: socket.socket, client_address: Any) -> None:
        peer = f"{client_address[0]}:{client_address[1]}"
        secured = self._secured(request, peer)
        if secured is not None:
            with suppress(OSError), secured:
                secured.settimeout(IDLE)
                self._serve(
                    (secured, Peer(address=peer, door=self.door.name, tls=facts(secured))), client_address, self
                )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whatever a handler did not foresee is a defect of ours."""
        log.error("simulator failed", exc_info=True)

    def _secured(self, plain: socket.socket, peer: str) -> socket.socket | None:
        if self._context is None:
            return plain
        plain.settimeout(HANDSHAKE)
        try:
            return self._context.wrap_socket(plain, server_side=True)
        except OSError as error:
            self.desk.refused(Handshake(door=self.door.name, peer=peer, reason=told(error)))
            return None


def server_context(tls: TLS, *, demands: bool) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 as BCP 195 wants it (ITI TF-2: 3.19.6.2.3); ``demands`` a certificate of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.load_cert_chain(tls.certificate, tls.key)
    context.load_verify_locations(tls.authorities)
    context.verify_mode = ssl.CERT_REQUIRED if demands else ssl.CERT_OPTIONAL
    return context


def facts(connection: socket.socket) -> TLSFacts | None:
    """What the handshake settled; None: there was none."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    shown = connection.getpeercert(binary_form=True)
    subject = x509.load_der_x509_certificate(shown).subject.rfc4514_string() if shown else ""
    suite = connection.cipher()
    return TLSFacts(version=connection.version() or "", suite=suite[0] if suite else "", subject=subject)


def told(error: OSError) -> str:
    """Why a handshake failed, in words."""
    reason = (getattr(error, "reason", None) or "") if isinstance(error, ssl.SSLError) else ""
    if isinstance(error, ssl.SSLEOFError | ConnectionResetError) or not isinstance(error, ssl.SSLError):
        return "the client closed the connection instead of going on"
    return alert(reason) or stumbled(reason) or str(error)


def reset(connection: socket.socket) -> None:
    """Cut a connection, so that its other side sees a reset and no end."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        connection.close()


def deliver(door: Door, connection: socket.socket, content: bytes, seconds: float, pace: int) -> None:
    """Send after a wait, at once or at ``pace`` bytes a second. OSError: the client is gone, or the door closes."""
    if seconds and door.closing.wait(seconds):
        raise ConnectionAbortedError("the simulator closes")
    step = max(1, pace // 10) if pace else len(content) or 1
    for start in range(0, len(content), step):
        connection.sendall(content[start : start + step])
        if pace and door.closing.wait(step / pace):
            raise ConnectionAbortedError("the simulator closes")
