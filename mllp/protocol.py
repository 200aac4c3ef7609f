"""The Twisted part of MLLP: one message at a time per connection, so answers leave as questions came (ITI TF-2: C.2.1).

While a message waits behind the one being answered, or the peer does not take its answers, nothing is read or answered.
"""
# ruff: noqa: N802 - the callbacks have Twisted's names

import typing
from collections import deque
from typing import Any

import structlog
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener, IPushProducer, ISSLTransport
from twisted.internet.protocol import Protocol
from zope.interface import implementer

from mllp.framing import Event, Framer, Noise, Received, frame
from mllp.patience import Awaited, Limits, Patience
from mllp.replies import Answer, HangUp, Peer, reply

FIRST_SECONDS = 1.0
"""How long a connection without any message is kept when we drain."""

log = structlog.get_logger()


class Port(typing.Protocol):
    """Where a connection belongs."""

    def hold(self, connection: "MLLPProtocol", size: int) -> None:
        """It holds ``size`` bytes of messages that are not answered."""

    def identified(self, connection: "MLLPProtocol", certificate: bytes) -> bool:
        """It has proved a certificate; False: it is one too many."""

    def forget(self, closed: "MLLPProtocol") -> None:
        """It has ended."""


@implementer(IPushProducer, IHalfCloseableProtocol, IHandshakeListener)
class MLLPProtocol(Protocol):  # type: ignore[misc]
    """One connection of ``port``, which is told what it holds and when it ends."""

    def __init__(self, answer: Answer, clock: Any, limits: Limits, port: "Port") -> None:
        self._answer = answer
        self._port = port
        self._framer = Framer(limits.message)
        self._clock = clock
        self._patience = Patience(clock, limits, self._expire)
        self._waiting: deque[Event] = deque()
        self._answered = self._queued = 0
        self._peer = Peer("")
        self._answering = self._clogged = self._closing = self._paused = self._handshaking = self._ended = False
        self._last: int | None = None
        """The frame after which nothing is read, once we drain."""
        self._silence: Any = None

    @property
    def under_way(self) -> int:
        """How many messages were received and are not answered."""
        return len(self._waiting) + self._answering

    def connectionMade(self) -> None:
        """Start reading; the transport tells us when the peer does not take its answers."""
        self._peer = Peer(str(getattr(self.transport.getPeer(), "host", "")))
        self._handshaking = ISSLTransport.providedBy(self.transport)
        self.transport.registerProducer(self, True)
        self._watch()

    def handshakeCompleted(self) -> None:
        """The peer has proved the certificate it shows."""
        shown = self.transport.getPeerCertificate()
        if shown is not None:
            certificate = shown.to_cryptography()
            subject = certificate.subject.rfc4514_string()
            proved = certificate.public_bytes(Encoding.DER)
            self._peer = Peer(self._peer.address, subject, proved)
            if not self._port.identified(self, proved):
                self._closing = True
        self._handshaking = False
        self._settle()

    def dataReceived(self, data: bytes) -> None:
        """Queue what the bytes complete."""
        if not self._closing:
            events = self._framer.feed(data)
            self._waiting.extend(events)
            self._closing = self._last is not None and not self._expects(self._last)
            self._hold(sum(map(_size, events)))
            self._work()

    def readConnectionLost(self) -> None:
        """The peer has said all it wants to say: answer it, then close."""
        self._close()

    def writeConnectionLost(self) -> None:
        """The connection is about to go; connectionLost follows."""

    def connectionLost(self, reason: Any = None) -> None:
        """Forget what was not answered: the sender knows that it was not, and sends it again."""
        self.connected = False
        self._closing = True
        self._waiting.clear()
        self._framer.forget()
        self._patience.end()
        if self._silence is not None:
            self._silence.cancel()
        self._port.forget(self)
        # What OpenSSL objects to is told where TLS ends.
        if reason is not None and not reason.check(ConnectionDone, ConnectionLost, ConnectionAborted, SSL.Error):
            log.warning("mllp connection failed", peer=self._peer.address, reason=str(reason.value))

    def drain(self) -> None:
        """Read to the end of the message that has begun, answer what was received, close.

        Who has connected a moment ago is about to send, and is waited for as well.
        """
        self._last = max(self._framer.started, 1)
        if not self._expects(self._last):
            self._close()
        elif not self._framer.started:
            self._silence = self._clock.callLater(FIRST_SECONDS, self._end_silence)

    def _expects(self, frame: int) -> bool:
        """Claim that this frame is not complete."""
        return self._framer.started < frame or (self._framer.in_frame and self._framer.started == frame)

    def _end_silence(self) -> None:
        self._silence = None
        if not self._framer.started:
            self._close()

    def _close(self) -> None:
        """Read no more, answer what was received, close."""
        self._closing = True
        self._work()

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abortConnection()

    def pauseProducing(self) -> None:
        """The peer does not take its answers: make no more of them."""
        self._clogged = True
        self._watch()

    def resumeProducing(self) -> None:
        """The peer takes answers again."""
        self._clogged = False
        self._work()

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost follows."""

    def _hold(self, more: int) -> None:
        self._queued += more
        if self.connected:
            self._port.hold(self, self._queued + self._framer.held)

    def _work(self) -> None:
        if not self._answering:
            self._answering = True
            Deferred.fromCoroutine(self._answer_waiting()).addErrback(self._fail)
        self._settle()

    async def _answer_waiting(self) -> None:
        try:
            while self._waiting and not self._clogged:
                event = self._waiting.popleft()
                if not isinstance(event, Noise):
                    self._answered += 1
                    self._settle()
                answer = await reply(event, self._peer, self._answer)
                if answer is not None and self.connected:
                    self.transport.write(frame(answer))
                self._hold(-_size(event))
        except HangUp:
            self._waiting.clear()
            self._closing = True
        finally:
            self._answering = False
        self._settle()

    def _settle(self) -> None:
        """Read on if nothing waits; close if nothing is left to do; keep the right deadline."""
        if self.connected and self._closing and not (self._answering or self._waiting or self._ended):
            self._ended = True
            self.transport.unregisterProducer()
            self.transport.loseConnection()
        paused = bool(self._waiting) and not self._closing
        if self.connected and paused != self._paused:
            self._paused = paused
            (self.transport.pauseProducing if paused else self.transport.resumeProducing)()
        self._watch()

    def _watch(self) -> None:
        self._patience.watch(self._awaited(), self._framer.started + self._answered)

    def _awaited(self) -> Awaited | None:
        if not self.connected or (self._answering and not self._clogged):
            return None
        if self._clogged:
            return Awaited.READER
        if self._closing:
            return Awaited.END
        if self._handshaking:
            return Awaited.HANDSHAKE
        return Awaited.REST if self._framer.in_frame else Awaited.FRAME

    def _expire(self, awaited: Awaited) -> None:
        log.info("mllp connection timed out", awaited=awaited.value, peer=self._peer.address)
        if awaited is Awaited.FRAME:
            self._close()
        else:
            self.abort()

    def _fail(self, failure: Any) -> None:
        log.error("mllp connection failed", exc_info=(failure.type, failure.value, failure.getTracebackObject()))
        self.abort()


def _size(event: Event) -> int:
    return len(event.message) if isinstance(event, Received) else 0
