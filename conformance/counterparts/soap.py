"""A caller of web services: builds the envelope, sends it, reads what came back without judging it."""

import io
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha1, sha256

from lxml.etree import _Element

from conformance.counterparts.wires import Call, HTTPWire
from conformance.exchanges import Exchange
from ihe.exchange import OutgoingPart, Part
from ihe.transactions import Actor, Initiated, SOAPBinding
from soap.client import FaultReceived, NoAnswer, SOAPAnswer, read_answer
from soap.faults import SOAPFault
from soap.head import ENVELOPE_END, request_head
from soap.media import SOAP_XML
from soap.mtom import pack
from soap.xml import XMLRefused, serialize

Content = bytes | _Element
Security = Callable[[str], bytes]
"""A ready wsse:Security header block for a call of this URL; empty where the system asks for none."""


@dataclass(slots=True)
class _Kept:
    """A Sink in memory: documents of a conformance test are small."""

    content: bytearray = field(default_factory=bytearray)

    def write(self, chunk: bytes) -> None:
        self.content += chunk

    def finish(self, content_id: str, media_type: str) -> Part:
        return Part(
            content_id=content_id,
            media_type=media_type,
            size=len(self.content),
            sha1=sha1(self.content, usedforsecurity=False).hexdigest(),
            sha256=sha256(self.content).hexdigest(),
            spooled="",
        )

    def discard(self) -> None:
        """Nothing is on a disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What came of a call: an answer, or a fault, or neither, and then ``broken`` says why.

    ``documents`` are the bytes of the parts, in their order in the package.
    """

    exchange: Exchange
    message_id: str
    answer: SOAPAnswer | None = None
    fault: FaultReceived | None = None
    broken: str = ""
    documents: tuple[tuple[Part, bytes], ...] = ()

    @property
    def body(self) -> _Element:
        """The body element of the answer. AssertionError tells what came instead."""
        if self.answer is None:
            raise AssertionError(f"{self.told}, where an answer was due")
        return self.answer.body

    @property
    def told(self) -> str:
        """What came, in a few words."""
        if self.fault is not None:
            return f"exchange {self.exchange.number}: a SOAP Fault {self.fault}"
        return f"exchange {self.exchange.number}: {self.broken or 'an answer'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SOAPCaller:
    """Plays one actor on web services towards one responder."""

    wire: HTTPWire
    initiator: Actor
    security: Security

    def call(
        self,
        transaction: Initiated | object,
        binding: SOAPBinding,
        url: str,
        content: Iterable[bytes],
        parts: tuple[OutgoingPart, ...] = (),
    ) -> Called:
        """Ask in the way that the transaction prescribes."""
        message_id = f"urn:uuid:{uuid.uuid4()}"
        envelope = b"".join((request_head(binding.action, message_id, url, self.security(url)), *content, ENVELOPE_END))
        call = Call(
            transaction=str(getattr(transaction, "id", "")),
            initiator=self.initiator,
            responder=str(getattr(transaction, "responder", "")),
        )
        if binding.mtom or parts:
            content_type, _, chunks = pack(envelope, parts, binding.action)
            return self.post(call, url, content_type, b"".join(chunks), message_id)
        content_type = f'{SOAP_XML}; charset=UTF-8; action="{binding.action}"'
        return self.post(call, url, content_type, envelope, message_id)

    def post(self, call: Call, url: str, content_type: str, message: bytes, message_id: str = "") -> Called:
        """Send a ready message, also a wrong one."""
        exchange = self.wire.post(call, url, (("Content-Type", content_type),), message)
        return _read(exchange, message_id, url)


def as_bytes(content: Content) -> bytes:
    """A body that a test may have changed as an element."""
    return content if isinstance(content, bytes) else serialize(content)


def _read(exchange: Exchange, message_id: str, url: str) -> Called:
    if exchange.answer is None:
        return Called(exchange=exchange, message_id=message_id, broken=f"no answer: {exchange.failure}")
    sinks: list[_Kept] = []

    def spool() -> _Kept:
        sinks.append(_Kept())
        return sinks[-1]

    status = int(exchange.answer.start_line.split(" ")[1])
    content_type = exchange.answer.header("Content-Type")
    try:
        answer = read_answer(url, status, content_type, io.BytesIO(exchange.answer.content), spool=spool)
    except FaultReceived as fault:
        return Called(exchange=exchange, message_id=message_id, fault=fault)
    except (NoAnswer, SOAPFault, XMLRefused, ValueError) as error:
        return Called(exchange=exchange, message_id=message_id, broken=f"HTTP {status}, not SOAP: {error}")
    kept = tuple(zip(answer.parts.values(), (bytes(each.content) for each in sinks), strict=False))
    return Called(exchange=exchange, message_id=message_id, answer=answer, documents=kept)
