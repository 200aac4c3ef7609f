"""Answers: spelled by the thread that made them, sent by the reactor; a long one piece by piece, as it is taken."""

# ruff: noqa: N802 (Twisted names its hooks)

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from ihe.exchange import SOAPReply
from soap.context import SOAPContext
from soap.faults import FaultCode, SOAPFault, render, render_version_mismatch_for_soap11
from soap.head import ENVELOPE_END, reply_head
from soap.media import SOAP_XML
from soap.mtom import pack
from soap.pieces import together
from soap.reception import InThread
from soap.request import StreamingRequest

PIECE = 512 * 1024
"""Bytes of a longer answer that are read at once."""
WHOLE = 256 * 1024
"""Bytes of an answer with documents that are read at once; of a longer one, piece by piece as the client takes them."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A complete answer. ``wait`` is after how many seconds another try is worth it, 0 if that is not known."""

    status: int
    media_type: str
    body: Sequence[bytes]
    wait: int = 0


@dataclass(frozen=True, slots=True)
class Long:
    """An answer that is read while its client takes it."""

    media_type: str
    length: int
    chunks: Iterator[bytes]


def spell(context: SOAPContext, reply: SOAPReply) -> Whole | Long:
    """Spell an answer: MTOM where the transaction demands it or there are parts, else Simple SOAP (ITI TF-2: V.8.1).

    Documents that are small are read here, in the thread that made the answer.
    """
    binding = context.binding
    head = reply_head(binding.reply_action, context.addressing.message_id)
    envelope = (head, *reply.body, ENVELOPE_END)
    if not binding.mtom and not reply.parts:
        return Whole(200, f'{SOAP_XML}; charset=UTF-8; action="{binding.reply_action}"', envelope)
    media_type, length, chunks = pack(b"".join(envelope), reply.parts, binding.reply_action)
    if length > WHOLE and not all([each.is_at_hand for each in reply.parts]):
        return Long(media_type, length, chunks)
    return Whole(200, media_type, tuple(chunks))


def spell_fault(fault: SOAPFault, correlation_id: str, relates_to: str | None) -> Whole:
    """Spell a fault; a SOAP 1.1 client gets VersionMismatch in its own version (SOAP 1.2 Part 1: Appendix A)."""
    if fault.code is FaultCode.VERSION_MISMATCH:
        old = render_version_mismatch_for_soap11(fault, correlation_id)
        return Whole(fault.status, "text/xml; charset=UTF-8", (old,))
    media_type = f'{SOAP_XML}; charset=UTF-8; action="{fault.action}"'
    return Whole(fault.status, media_type, (render(fault, correlation_id, relates_to),), fault.wait)


async def stream(request: StreamingRequest, answer: Long, in_thread: InThread) -> None:
    """Send an answer while it is read; ``finish`` is the caller's."""
    request.begin(200, answer.media_type, answer.length)
    await _Stream(request, answer.chunks, in_thread).run()


@implementer(IPushProducer)
class _Stream:
    """Reads the next piece in a thread while this one is sent; waits while the client's buffers are full."""

    def __init__(self, request: StreamingRequest, chunks: Iterator[bytes], in_thread: InThread) -> None:
        self._request = request
        self._pieces = together(chunks, PIECE)
        self._in_thread = in_thread
        self._resumed: Deferred[None] | None = None

    async def run(self) -> None:
        """Write everything, or stop when the client is gone."""
        self._request.registerProducer(self, True)
        coming = self._read()
        try:
            while piece := await coming:
                coming = self._read()
                self._request.write(piece)
                if self._resumed is not None:
                    await self._resumed
                if self._request.gone:
                    await coming  # a thread is reading: what it reads from is not closed meanwhile
                    return
        finally:
            if not self._request.gone:
                self._request.unregisterProducer()

    def _read(self) -> "Deferred[bytes]":
        return self._in_thread(next, self._pieces, b"")

    def pauseProducing(self) -> None:
        """The client is slower than the disk."""
        if self._resumed is None:
            self._resumed = Deferred()

    def resumeProducing(self) -> None:
        """The client took what was written."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """The client is gone."""
        self.resumeProducing()
