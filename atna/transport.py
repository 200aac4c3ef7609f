"""The Twisted part of the Audit Record Repository: syslog over TLS and over UDP (RFC 5425, RFC 5426)."""
# ruff: noqa: N802 - the callbacks have Twisted's names

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

from atna.framing import MEBIBYTE, Broken, Framer
from atna.intake import Intake
from atna.reception import Arrival, Transport, arrival

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogLimits:
    """Octets of a message, connections at once, and seconds for a handshake or the rest of a message begun."""

    message: int = MEBIBYTE
    connections: int = 500
    seconds: float = 60


@implementer(IHandshakeListener)
class SyslogProtocol(Protocol, TimeoutMixin):  # type: ignore[misc]
    """One sender over TLS. It is never answered; it may be idle as long as it likes."""

    def __init__(self, factory: "SyslogFactory") -> None:
        self._factory = factory
        self._framer = Framer(factory.limits.message)
        self._address = self._peer = ""

    def connectionMade(self) -> None:
        """The TLS handshake comes first."""
        self._address = self._peer = str(getattr(self.transport.getPeer(), "host", ""))
        self.setTimeout(self._factory.limits.seconds)
        self._factory.intake.attach(self)

    def handshakeCompleted(self) -> None:
        """The sender has proved the certificate it shows."""
        certificate = self.transport.getPeerCertificate()
        if certificate is not None:
            self._peer = certificate.to_cryptography().subject.rfc4514_string()
        self.setTimeout(None)

    def dataReceived(self, data: bytes) -> None:
        """Queue what the octets complete."""
        events = self._framer.feed(data)
        self._factory.intake.take([arrival(each, self._template()) for each in events])
        self.setTimeout(self._factory.limits.seconds if self._framer.in_frame else None)
        if any(isinstance(each, Broken) for each in events):
            log.warning("audit sender hung up on", peer=self._address, reason="no octet counting (RFC 5425: 4.3)")
            self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """Keep what came of an unfinished message."""
        self.setTimeout(None)
        if rest := self._framer.end():
            self._factory.intake.take([self._template(rest, "cut off: the connection ended")])
        self._factory.intake.detach(self)
        self._factory.forget(self)

    def timeoutConnection(self) -> None:
        """The handshake, or the rest of a message, did not come."""
        log.info("audit sender timed out", peer=self._address)
        self.transport.abortConnection()

    def pause(self) -> None:
        """Read no more; a sender that waits for us has not timed out."""
        self.setTimeout(None)
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        self.transport.resumeProducing()

    def close(self) -> None:
        """Take leave."""
        self.transport.loseConnection()

    def _template(self, data: bytes = b"", complaint: str | None = None) -> Arrival:
        return Arrival(
            data=data,
            at=self._factory.clock(),
            peer=self._peer,
            address=self._address,
            transport=Transport.TLS,
            complaint=complaint,
        )


class SyslogFactory(Factory):  # type: ignore[misc]
    """The connections of one port."""

    noisy = False

    def __init__(self, intake: Intake, clock: Callable[[], datetime], limits: SyslogLimits | None = None) -> None:
        self.intake = intake
        self.clock = clock
        self.limits = limits or SyslogLimits()
        self._open: set[SyslogProtocol] = set()

    def buildProtocol(self, addr: Any) -> SyslogProtocol | None:
        """Take a connection, or None (which closes it) above the limit."""
        if len(self._open) >= self.limits.connections:
            log.warning("audit sender refused", peer=getattr(addr, "host", ""), open=len(self._open))
            return None
        made = SyslogProtocol(self)
        self._open.add(made)
        return made

    def forget(self, closed: SyslogProtocol) -> None:
        """A connection has ended."""
        self._open.discard(closed)

    def close(self) -> None:
        """Take leave of every sender. Stop listening first."""
        for each in tuple(self._open):
            each.close()


class SyslogDatagrams(DatagramProtocol):  # type: ignore[misc]
    """Senders over UDP: nobody knows who they are, and what they send may be cut."""

    noisy = False

    def __init__(self, intake: Intake, clock: Callable[[], datetime]) -> None:
        self._intake = intake
        self._clock = clock

    def startProtocol(self) -> None:
        """Begin."""
        self._intake.attach(self)

    def stopProtocol(self) -> None:
        """End."""
        self._intake.detach(self)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """One message (RFC 5426: 3.1); an empty datagram is none."""
        if datagram:
            host = str(addr[0])
            arrived = Arrival(data=datagram, at=self._clock(), peer=host, address=host, transport=Transport.UDP)
            self._intake.take([arrived])

    def pause(self) -> None:
        """Read no more: the system keeps some, then throws away."""
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        self.transport.resumeProducing()
