"""What receives a request body: what it promises, what all of a site share, how an envelope is opened."""

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
from soap.mtom import Package, PackageReader
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


def opened(package: Package, limits: SOAPLimits) -> Received:
    """A package whose envelope is parsed; SOAPFault where it cannot be."""
    root = parsed(package.envelope, package.charset, limits)
    return Received(root=root, parts=dict(package.parts), packaged=package.packaged)


def parsed(envelope: bytes, charset: str | None, limits: SOAPLimits) -> _Element:
    """The tree of an envelope; SOAPFault where there is none."""
    try:
        return parse(envelope, limits.xml, charset, comments_kept_in=(ASSERTION,))
    except XMLRefused as refusal:
        raise sender_fault(f"The SOAP envelope was refused: {refusal}") from None


def unkept(error: OSError) -> Exception:
    """What may go better later is said to be so; what nobody foresaw stays what it is."""
    if error.errno not in REFUSING:
        return error
    log.error("incoming documents cannot be kept", error=error.strerror)
    return busy(f"there is no {'room' if error.errno in NO_ROOM else 'disk'} for documents")


def remove(reader: PackageReader) -> None:
    """The answer stands, whatever becomes of the files: who sweeps the spool finds them."""
    try:
        reader.discard()
    except OSError as error:
        log.error("spooled parts cannot be removed", error=error.strerror)


def too_large(limits: SOAPLimits) -> SOAPFault:
    """The refusal of a body beyond the limit."""
    return sender_fault(f"The request is larger than the {limits.body} bytes that are accepted", status=413)
