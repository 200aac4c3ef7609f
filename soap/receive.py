"""Receiving one request body: small ones in memory, others through worker threads to the spool, the sender held back.

The reactor never hashes, never writes to disk, and reads neither MIME nor XML: what is small is kept until the thread
that answers opens it; a fast sender with a slow disk is paused.
"""

# ruff: noqa: N802 (Twisted names its hooks)

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from lxml.etree import _Element
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ihe.exchange import NO_ROOM, REFUSING, Part, Spool
from soap.faults import SOAPFault, busy, sender_fault
from soap.limits import SOAPLimits
from soap.media import MULTIPART, MediaType, accept
from soap.mtom import MTOMReader, Package, PackageReader, SimpleReader
from soap.names import SAML
from soap.xml import XMLRefused, parse

log = structlog.get_logger(__name__)

ASSERTION = f"{{{SAML}}}Assertion"
"""Comments in it stay in the tree, so that who verifies it can refuse them."""

InThread = Callable[..., "Deferred[Any]"]
"""Runs a blocking function elsewhere, like ``twisted.internet.threads.deferToThread``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request body, parsed."""

    root: _Element
    parts: dict[str, Part]
    packaged: bool


class Producer(Protocol):
    """The transport that delivers the body."""

    def pauseProducing(self) -> None:
        """Stop reading from the sender."""

    def resumeProducing(self) -> None:
        """Read on."""


class Reception(Protocol):
    """Takes a body while it arrives."""

    refused: Failure | None
    """Why the body is already known to be refused, while more of it may arrive."""

    def data(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def end(self, then: Callable[[], None]) -> None:
        """All bytes are here: call ``then`` once ``open`` has no other thread to wait for."""

    def open(self) -> Received:
        """Read and parse the body, in the thread that answers; a SOAPFault says what is wrong with it."""

    def throw_away(self) -> None:
        """Remove, in the same thread, what was spooled and no store has adopted."""

    def discard(self) -> None:
        """Nobody needs the body any more; may be called at any time but while it is opened, and again."""


@dataclass(slots=True)
class Memory:
    """How many bytes the envelopes of all receptions of a site cost until they are answered."""

    taken: int = 0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What every reception of a site shares."""

    spool: Spool
    limits: SOAPLimits
    in_thread: InThread
    memory: Memory = field(default_factory=Memory)


def receive(content_type: str, encoding: str, length: int | None, producer: Producer, site: Circumstances) -> Reception:
    """Choose how a body is received from its headers. ``length`` is None when it comes in chunks."""
    try:
        media = accept(content_type, encoding)
        if (length or 0) > site.limits.body:
            raise _too_large(site.limits)
        is_small = length is not None and length <= site.limits.inline
        if is_small and media.name != MULTIPART:
            return InMemory(media, site.limits)
        if is_small:
            return SmallPackage(MTOMReader(media, site.spool, site.limits, length), site.limits)
        kind = MTOMReader if media.name == MULTIPART else SimpleReader
        return Spooled(kind(media, site.spool, site.limits), producer, site)
    except SOAPFault as fault:
        return Refused(fault)


class Refused:
    """The headers alone are reason enough; the body is not kept."""

    def __init__(self, fault: SOAPFault) -> None:
        self.refused: Failure | None = Failure(fault)
        self._fault = fault

    def data(self, chunk: bytes) -> None:
        """Let it pass."""

    def end(self, then: Callable[[], None]) -> None:
        """There is nothing to wait for."""
        then()

    def open(self) -> Received:
        """Raise the reason."""
        raise self._fault

    def throw_away(self) -> None:
        """Nothing was spooled."""

    def discard(self) -> None:
        """Nothing was kept."""


class InMemory:
    """A small envelope."""

    refused: Failure | None = None

    def __init__(self, media: MediaType, limits: SOAPLimits) -> None:
        self._charset = media.parameters.get("charset")
        self._limits = limits
        self._chunks: list[bytes] = []

    def data(self, chunk: bytes) -> None:
        """Keep it."""
        self._chunks.append(chunk)

    def end(self, then: Callable[[], None]) -> None:
        """It is all here."""
        then()

    def open(self) -> Received:
        """Parse it."""
        return Received(root=_parsed(b"".join(self._chunks), self._charset, self._limits), parts={}, packaged=False)

    def throw_away(self) -> None:
        """Nothing was spooled."""

    def discard(self) -> None:
        """It is freed with its request."""


class SmallPackage:
    """A small multipart body, kept until it is whole; the thread that answers takes it apart."""

    refused: Failure | None = None

    def __init__(self, reader: PackageReader, limits: SOAPLimits) -> None:
        self._reader = reader
        self._limits = limits
        self._chunks: list[bytes] = []

    def data(self, chunk: bytes) -> None:
        """Keep it."""
        self._chunks.append(chunk)

    def end(self, then: Callable[[], None]) -> None:
        """It is all here."""
        then()

    def open(self) -> Received:
        """Write its parts to the spool, and parse the envelope."""
        try:
            self._reader.feed(b"".join(self._chunks))
            return _opened(self._reader.close(), self._limits)
        except OSError as error:
            raise _unkept(error) from error

    def throw_away(self) -> None:
        """Remove the parts that no store has adopted."""
        _remove(self._reader)

    def discard(self) -> None:
        """Nobody needs it any more."""
        self._chunks.clear()


class Spooled:
    """A body of any size: one worker at a time takes what has arrived; ``limits.queue`` bytes may wait."""

    def __init__(self, reader: PackageReader, producer: Producer, site: Circumstances) -> None:
        self.refused: Failure | None = None
        self._reader = reader
        self._producer = producer
        self._limits = site.limits
        self._in_thread = site.in_thread
        self._memory = site.memory
        self._charged = 0
        self._waiting: list[bytes] = []
        self._queued = self._arrived = 0
        self._working = self._paused = self._discarded = self._thrown_away = False
        self._then: Callable[[], None] | None = None

    def data(self, chunk: bytes) -> None:
        """Queue it, and hold the sender back while too much is queued."""
        if self.refused is not None or self._discarded:
            return
        self._arrived += len(chunk)
        if self._arrived > self._limits.body:
            self._refuse(Failure(_too_large(self._limits)))
            return
        self._waiting.append(chunk)
        self._queued += len(chunk)
        if self._queued > self._limits.queue and not self._paused:
            self._paused = True
            self._producer.pauseProducing()
        self._work()

    def end(self, then: Callable[[], None]) -> None:
        """Wait for the worker that takes what has arrived."""
        self._then = then
        self._work()

    def open(self) -> Received:
        """Parse the envelope."""
        if self.refused is not None:
            self.refused.raiseException()
        return _opened(self._reader.close(), self._limits)

    def throw_away(self) -> None:
        """Remove the parts that no store has adopted."""
        self._thrown_away = True
        _remove(self._reader)

    def discard(self) -> None:
        """Drop what waits; parts are thrown away once no worker touches them."""
        if self._discarded:
            return
        self._discarded = True
        self._waiting.clear()
        self._release()
        if not self._working:
            self._leave_nothing()

    def _work(self) -> None:
        if self._working:
            return
        if self._waiting:
            chunks, self._waiting = self._waiting, []
            self._working = True
            self._in_thread(self._feed, chunks).addCallbacks(self._fed, self._failed)
        elif self._then is not None:
            then, self._then = self._then, None
            then()

    def _feed(self, chunks: list[bytes]) -> int:
        for chunk in chunks:
            self._reader.feed(chunk)
        return sum(map(len, chunks))

    def _fed(self, size: int) -> None:
        self._working = False
        self._queued -= size
        self._resume()
        if self._discarded:
            self._leave_nothing()
            return
        self._charge()
        self._work()

    def _charge(self) -> None:
        """Count the envelope as far as it has come; many long ones at once are refused before memory is short."""
        grown = self._reader.cost - self._charged
        self._charged += grown
        self._memory.taken += grown
        if grown and self._memory.taken > self._limits.envelopes:
            self._release()
            self._reader.forget()
            self._refuse(Failure(busy("too many long requests are under way")))

    def _release(self) -> None:
        self._memory.taken -= self._charged
        self._charged = 0

    def _leave_nothing(self) -> None:
        self._reader.forget()
        if self._reader.spooled and not self._thrown_away:
            self._in_thread(self._reader.discard)

    def _failed(self, failure: Failure) -> None:
        self._working = False
        if self._discarded:
            self._leave_nothing()
            return
        self._refuse(Failure(_unkept(failure.value)) if isinstance(failure.value, OSError) else failure)

    def _refuse(self, failure: Failure) -> None:
        self.refused = failure
        self._waiting.clear()
        self._queued = 0
        self._resume()
        self._work()

    def _resume(self) -> None:
        if self._paused and self._queued <= self._limits.queue // 2:
            self._paused = False
            self._producer.resumeProducing()


def _opened(package: Package, limits: SOAPLimits) -> Received:
    root = _parsed(package.envelope, package.charset, limits)
    return Received(root=root, parts=dict(package.parts), packaged=package.packaged)


def _parsed(envelope: bytes, charset: str | None, limits: SOAPLimits) -> _Element:
    try:
        return parse(envelope, limits.xml, charset, comments_kept_in=(ASSERTION,))
    except XMLRefused as refusal:
        raise sender_fault(f"The SOAP envelope was refused: {refusal}") from None


def _unkept(error: OSError) -> Exception:
    """What may go better later is said to be so; what nobody foresaw stays what it is."""
    if error.errno not in REFUSING:
        return error
    log.error("incoming documents cannot be kept", error=error.strerror)
    return busy(f"there is no {'room' if error.errno in NO_ROOM else 'disk'} for documents")


def _remove(reader: PackageReader) -> None:
    """The answer stands, whatever becomes of the files: who sweeps the spool finds them."""
    try:
        reader.discard()
    except OSError as error:
        log.error("spooled parts cannot be removed", error=error.strerror)


def _too_large(limits: SOAPLimits) -> SOAPFault:
    return sender_fault(f"The request is larger than the {limits.body} bytes that are accepted", status=413)
