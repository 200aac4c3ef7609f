"""Writing answers: a small one at once, one with documents chunk by chunk while the client takes them."""

# ruff: noqa: N802 (Twisted names its hooks)

from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from ihe.exchange import SOAPReply
from soap.channel import StreamingRequest
from soap.context import SOAPContext
from soap.faults import FaultCode, SOAPFault, render, render_version_mismatch_for_soap11
from soap.head import ENVELOPE_END, reply_head
from soap.media import SOAP_XML
from soap.mtom import pack
from soap.receive import InThread

WHOLE = 256 * 1024
"""Bytes of an answer with documents that are read at once; of a longer one, piece by piece as the client takes them."""


async def respond(request: StreamingRequest, context: SOAPContext, reply: SOAPReply, in_thread: InThread) -> None:
    """Send an answer: MTOM where the transaction demands it or there are parts, else Simple SOAP (ITI TF-2: V.8.1)."""
    binding = context.binding
    head = reply_head(binding.reply_action, context.addressing.message_id)
    envelope = (head, *reply.body, ENVELOPE_END)
    if not binding.mtom and not reply.parts:
        write(request, 200, f'{SOAP_XML}; charset=UTF-8; action="{binding.reply_action}"', *envelope)
        return
    media_type, length, chunks = pack(b"".join(envelope), reply.parts, binding.reply_action)
    if all([each.is_at_hand for each in reply.parts]):
        write(request, 200, media_type, *chunks)
        return
    if length <= WHOLE:
        write(request, 200, media_type, *await in_thread(list, chunks))
        return
    _begin(request, 200, media_type, length)
    await _Stream(request, chunks, in_thread).run()


def respond_with_fault(
    request: StreamingRequest, fault: SOAPFault, correlation_id: str, relates_to: str | None
) -> None:
    """Send a fault; a SOAP 1.1 client gets VersionMismatch in its own version (SOAP 1.2 Part 1: Appendix A)."""
    if fault.code is FaultCode.VERSION_MISMATCH:
        write(
            request, fault.status, "text/xml; charset=UTF-8", render_version_mismatch_for_soap11(fault, correlation_id)
        )
        return
    if fault.wait:
        request.setHeader(b"Retry-After", str(fault.wait).encode())
    media_type = f'{SOAP_XML}; charset=UTF-8; action="{fault.action}"'
    write(request, fault.status, media_type, render(fault, correlation_id, relates_to))


def write(request: StreamingRequest, status: int, media_type: str, *body: bytes) -> None:
    """Send a complete answer; ``finish`` is the caller's. Its pieces are joined once, in the buffer of the socket."""
    _begin(request, status, media_type, sum(map(len, body)))
    request.write(body[0])
    if request.gone:
        return
    request.channel.writeSequence(body[1:])
    request.channel.send_now()


def _begin(request: StreamingRequest, status: int, media_type: str, length: int) -> None:
    request.setResponseCode(status)
    request.setHeader(b"Content-Type", media_type.encode())
    request.setHeader(b"Content-Length", b"%d" % length)


@implementer(IPushProducer)
class _Stream:
    """Reads the next chunk in a thread, writes it, waits while the client's buffers are full."""

    def __init__(self, request: StreamingRequest, chunks: Iterator[bytes], in_thread: InThread) -> None:
        self._request = request
        self._chunks = chunks
        self._in_thread = in_thread
        self._resumed: Deferred[None] | None = None

    async def run(self) -> None:
        """Write everything, or stop when the client is gone."""
        self._request.registerProducer(self, True)
        try:
            while not self._request.gone:
                chunk: Any = await self._in_thread(next, self._chunks, None)
                if chunk is None:
                    return
                self._request.write(chunk)
                if self._resumed is not None:
                    await self._resumed
        finally:
            if not self._request.gone:
                self._request.unregisterProducer()

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
