"""Receiving one request body: small ones in memory, others through worker threads to the spool, the sender held back.

The reactor never hashes, never writes to disk, and reads neither MIME nor XML: what is small is kept until the thread
that answers opens it.
"""

from collections.abc import Callable

from twisted.python.failure import Failure

from soap.faults import SOAPFault
from soap.limits import SOAPLimits
from soap.media import MULTIPART, MediaType, accept
from soap.mtom import MTOMReader, PackageReader, SimpleReader
from soap.reception import Circumstances, Producer, Received, Reception, opened, parsed, remove, too_large, unkept
from soap.spooled import Spooled


def receive(content_type: str, encoding: str, length: int | None, producer: Producer, site: Circumstances) -> Reception:
    """Choose how a body is received from its headers. ``length`` is None when it comes in chunks."""
    try:
        media = accept(content_type, encoding)
        if (length or 0) > site.limits.body:
            raise too_large(site.limits)
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
        return Received(root=parsed(b"".join(self._chunks), self._charset, self._limits), parts={}, packaged=False)

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
            return opened(self._reader.close(), self._limits)
        except OSError as error:
            raise unkept(error) from error

    def throw_away(self) -> None:
        """Remove the parts that no store has adopted."""
        remove(self._reader)

    def discard(self) -> None:
        """Nobody needs it any more."""
        self._chunks.clear()
