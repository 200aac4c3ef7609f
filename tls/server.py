"""TLS around the listeners: the certificates in force, connection by connection, and why handshakes fail.

Certificates can be read again while serving: connections that come later use the new ones, or the old ones if the new
cannot be used.
"""

# ruff: noqa: N802 (Twisted names its hooks)

from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from cryptography import x509
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from tls.context import Connection, server_context
from tls.failure import HandshakeFailure, explain
from tls.files import TLS
from tls.forwarded import ForwardedCertificates

log = structlog.get_logger()

GOODBYE_SECONDS = 2.0
"""How long a peer is waited for that is told that the connection ends: it need not say the same (RFC 8446: 6.1)."""

OnFailure = Callable[[HandshakeFailure], None]


def note_nothing(_: HandshakeFailure) -> None:
    """The log is enough."""


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """What a node shows and believes now. ValueError or OSError says which file cannot be used."""

    def __init__(self, tls: TLS) -> None:
        self.tls = tls
        self._stamps = _stamps(tls)
        self._context = server_context(tls)
        self._forwarded = ForwardedCertificates(tls)

    def verify(self, forwarded: x509.Certificate) -> None:
        """Raise Untrusted for a client's certificate that would not be let in here, had it been shown here."""
        self._forwarded.verify(forwarded)

    @property
    def changed(self) -> bool:
        """Claim that a file is another one than when it was last read."""
        return _stamps(self.tls) != self._stamps

    def reload(self) -> None:
        """Read every file again. ValueError or OSError says which cannot be used; then nothing changes."""
        self._stamps = _stamps(self.tls)
        self._context, self._forwarded = server_context(self.tls), ForwardedCertificates(self.tls)

    def serverConnectionForTLS(self, protocol: Any) -> Connection:
        """OpenSSL's part of a connection that has just come."""
        return Connection(self._context)


def secured(factory: Any, certificates: Certificates | None, clock: Any, on_failure: OnFailure = note_nothing) -> Any:
    """Put TLS around a factory; None leaves it plain. ``on_failure`` is told of each handshake that fails."""
    return factory if certificates is None else _Factory(certificates, factory, clock, on_failure)


class _Factory(TLSMemoryBIOFactory):  # type: ignore[misc]
    """Twisted's, which cannot take a factory that refuses a connection."""

    noisy = False

    def __init__(self, certificates: Certificates, wrapped: Any, clock: Any, on_failure: OnFailure) -> None:
        super().__init__(certificates, False, wrapped, clock)
        self.clock = clock
        self.on_failure = on_failure

    def buildProtocol(self, addr: Any) -> Any:
        """Take a connection, or None (which closes it)."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else _Protocol(self, wrapped)


class _Protocol(TLSMemoryBIOProtocol):  # type: ignore[misc]
    """One connection. Twisted says with ``_handshakeDone`` and ``_reason`` how it went; tests pin that it does."""

    _spoken = False
    _goodbye: Any = None

    def dataReceived(self, data: bytes) -> None:
        """Note that somebody spoke at all: who only looks whether the port is open has not failed."""
        self._spoken = True
        super().dataReceived(data)

    def _shutdownTLS(self) -> None:
        """Tell the peer that the connection ends, and let it go even if the peer, which may read nothing, stays."""
        super()._shutdownTLS()
        if self._goodbye is None and not self.transport.disconnecting:
            self._goodbye = self.factory.clock.callLater(GOODBYE_SECONDS, self._part)

    def _part(self) -> None:
        self._goodbye = None
        self.transport.loseConnection()

    def connectionLost(self, reason: Any) -> None:
        """Say why the handshake failed, if it did: nobody can read that from the other end."""
        if self._goodbye is not None:
            self._goodbye.cancel()
            self._goodbye = None
        if self._spoken and not self._handshakeDone:
            self._tell((self._reason or reason).value)
        super().connectionLost(reason)

    def _tell(self, error: BaseException) -> None:
        peer = str(getattr(self.transport.getPeer(), "host", ""))
        failure = explain(peer, error, self._tlsConnection.handshake)
        log.warning("tls handshake failed", peer=failure.peer, side=failure.side.value, reason=failure.reason)
        self.factory.on_failure(failure)


def _stamps(tls: TLS) -> tuple[tuple[int, int, int] | None, ...]:
    return tuple(map(_stamp, tls.files))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
