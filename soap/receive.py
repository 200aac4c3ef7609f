"""Receiving one request body: small ones in memory, others through worker threads to the spool, the sender held back.

The reactor never hashes and never writes to disk, and reads no more of MIME than a small envelope that comes alone; a
fast sender with a slow disk is paused.
"""

# ruff: noqa: N802 (Twisted names its hooks)

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import structlog
from lxml.etree import _Element
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
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

    def end(self) -> "Deferred[Received]":
        """All bytes are here; gives the parsed body or fails with SOAPFault."""

    def discard(self) -> None:
        """Nobody needs the parts any more; may be called at any time and again."""


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
        if length is not None and length <= site.limits.inline and media.name != MULTIPART:
            return InMemory(media, site.limits)
        reader = MTOMReader if media.name == MULTIPART else SimpleReader
        reading = partial(Spooled, reader(media, site.spool, site.limits), producer)
        if length is None or length > site.limits.inline:
            return reading(site)
        return SmallPackage(media.parameters["boundary"], reading, site)
    except SOAPFault as fault:
        return Refused(fault)


class Refused:
    """The headers alone are reason enough; the body is not kept."""

    def __init__(self, fault: SOAPFault) -> None:
        self.refused: Failure | None = Failure(fault)

    def data(self, chunk: bytes) -> None:
        """Let it pass."""

    def end(self) -> "Deferred[Received]":
        """Fail with the reason."""
        return fail(self.refused)

    def discard(self) -> None:
        """Nothing was kept."""


class InMemory:
    """A small envelope: no thread is worth its price."""

    refused: Failure | None = None

    def __init__(self, media: MediaType, limits: SOAPLimits) -> None:
        self._charset = media.parameters.get("charset")
        self._limits = limits
        self._chunks: list[bytes] = []

    def data(self, chunk: bytes) -> None:
        """Keep it."""
        self._chunks.append(chunk)

    def end(self) -> "Deferred[Received]":
        """Parse at once."""
        package = Package(envelope=b"".join(self._chunks), charset=self._charset, parts={}, packaged=False)
        try:
            return succeed(_parsed(package, self._limits))
        except SOAPFault as fault:
            return fail(fault)

    def discard(self) -> None:
        """Nothing was spooled."""


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
        self._working = self._paused = self._discarded = False
        self._ended: Deferred[Received] | None = None

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

    def end(self) -> "Deferred[Received]":
        """Wait for the workers, then parse, in a thread as well."""
        self._ended = Deferred()
        self._work()
        return self._ended

    def discard(self) -> None:
        """Drop what waits; parts are thrown away once no worker touches them."""
        if self._discarded:
            return
        self._discarded = True
        self._waiting.clear()
        self._release()
        if not self._working:
            self._throw_away()

    def _work(self) -> None:
        if self._working:
            return
        if self._waiting:
            chunks, self._waiting = self._waiting, []
            self._working = True
            self._in_thread(self._feed, chunks).addCallbacks(self._fed, self._failed)
        elif self._ended is not None and not self._ended.called:
            self._conclude(self._ended)

    def _feed(self, chunks: list[bytes]) -> int:
        for chunk in chunks:
            self._reader.feed(chunk)
        return sum(map(len, chunks))

    def _fed(self, size: int) -> None:
        self._working = False
        self._queued -= size
        self._resume()
        if self._discarded:
            self._throw_away()
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

    def _conclude(self, ended: "Deferred[Received]") -> None:
        if self.refused is not None:
            ended.errback(self.refused)
            return
        self._working = True
        self._in_thread(lambda: _parsed(self._reader.close(), self._limits)).addBoth(self._concluded, ended)

    def _concluded(self, result: object, ended: "Deferred[Received]") -> None:
        self._working = False
        ended.callback(result)  # A Failure goes down the errback chain.
        if self._discarded:
            self._throw_away()

    def _throw_away(self) -> None:
        self._reader.forget()
        if self._reader.spooled:
            self._in_thread(self._reader.discard)

    def _failed(self, failure: Failure) -> None:
        self._working = False
        if self._discarded:
            self._throw_away()
            return
        if isinstance(failure.value, OSError) and failure.value.errno in REFUSING:
            log.error("incoming documents cannot be kept", error=failure.value.strerror)
            is_full = failure.value.errno in NO_ROOM
            failure = Failure(busy(f"there is no {'room' if is_full else 'disk'} for documents"))
        self._refuse(failure)

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


class SmallPackage:
    """A small multipart body, kept until it is whole: an envelope alone needs no disk and no thread to be read in."""

    def __init__(self, boundary: str, reading: Callable[[Circumstances], Spooled], site: Circumstances) -> None:
        self.refused: Failure | None = None
        self._delimiter = b"--" + boundary.encode()
        self._reading = reading
        self._site = site
        self._chunks: list[bytes] = []
        self._read: Spooled | None = None

    def data(self, chunk: bytes) -> None:
        """Keep it."""
        self._chunks.append(chunk)

    def end(self) -> "Deferred[Received]":
        """Read it, where it has parts in a thread."""
        body = b"".join(self._chunks)
        # Each part begins with a delimiter; the one that ends the last has two hyphens more (RFC 2046: 5.1.1).
        is_alone = body.count(self._delimiter) - body.count(self._delimiter + b"--") <= 1
        self._read = self._reading(replace(self._site, in_thread=maybeDeferred) if is_alone else self._site)
        self._read.data(body)
        return self._read.end()

    def discard(self) -> None:
        """Nobody needs it any more."""
        self._chunks.clear()
        if self._read is not None:
            self._read.discard()


def _parsed(package: Package, limits: SOAPLimits) -> Received:
    try:
        root = parse(package.envelope, limits.xml, package.charset, comments_kept_in=(ASSERTION,))
    except XMLRefused as refusal:
        raise sender_fault(f"The SOAP envelope was refused: {refusal}") from None
    return Received(root=root, parts=dict(package.parts), packaged=package.packaged)


def _too_large(limits: SOAPLimits) -> SOAPFault:
    return sender_fault(f"The request is larger than the {limits.body} bytes that are accepted", status=413)
