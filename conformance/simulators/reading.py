"""What a client has sent, read once: of which transaction it is, and what there is to answer and to judge."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxml.etree import _Element

from affinity.catalogue import AnyTransaction
from conformance.exchanges import Payload
from conformance.validators.context import Context
from conformance.validators.ebxml import transaction_of as of_payload
from conformance.validators.hl7v2 import transaction_of as of_message
from hl7v2.er7 import Malformed, NotHL7, parse
from hl7v2.message import Message
from ihe.exchange import Part
from ihe.transactions import SOAPBinding
from pix.iti46 import ITI_46
from soap.addressing import read_addressing
from soap.envelope import Envelope, open_envelope
from soap.faults import SOAPFault
from soap.limits import DEFAULT_LIMITS
from soap.media import MULTIPART, accept
from soap.mtom import MTOMReader, Package, PackageReader, SimpleReader
from soap.xml import XMLRefused
from soap.xml import parse as parse_xml
from xua.trust13 import ISSUE_TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One request. Of SOAP the ``envelope``, the ``body``, the ``documents`` by Content-ID; of HL7 v2 the ``message``.

    ``transaction`` None: it is none that is known here, or it cannot be read; ``name`` is empty then.
    """

    payload: Payload
    name: str = ""
    transaction: AnyTransaction | None = None
    binding: SOAPBinding | None = None
    action: str = ""
    message_id: str = ""
    envelope: Envelope | None = None
    body: _Element | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    message: Message | None = None


Reader = Callable[[Payload], Read]
"""Makes sense of a request."""


@dataclass(slots=True)
class Kept:
    """A sink that keeps one part in memory, under its Content-ID, in ``into``."""

    into: dict[str, bytes]
    content: bytearray = field(default_factory=bytearray)

    def write(self, chunk: bytes) -> None:
        """Keep it."""
        self.content += chunk

    def finish(self, content_id: str, media_type: str) -> Part:
        """What was received."""
        whole = self.into[content_id] = bytes(self.content)
        return Part(
            content_id=content_id,
            media_type=media_type,
            size=len(whole),
            sha1=hashlib.sha1(whole).hexdigest(),
            sha256=hashlib.sha256(whole).hexdigest(),
            spooled="",
        )

    def discard(self) -> None:
        """It goes with the message."""


def read_hl7(payload: Payload) -> Read:
    """A message that came over MLLP."""
    try:
        message = parse(payload.content)
    except (NotHL7, Malformed):
        return Read(payload=payload)
    transaction = of_message(message)
    name = transaction.id if transaction else ""
    return Read(payload=payload, name=name, transaction=transaction, message_id=message.control_id, message=message)


def read_notification(payload: Payload) -> Read:
    """A message for a PIX Consumer: the trigger of ITI-10 is that of ITI-30, too."""
    read = read_hl7(payload)
    is_told = read.message is not None and read.message.trigger == "ADT^A31"
    return Read(
        payload=payload, name="ITI-10" if is_told else read.name, message_id=read.message_id, message=read.message
    )


def read_syslog(payload: Payload) -> Read:
    """A syslog message, whatever it holds."""
    return Read(payload=payload, name="ITI-20")


def read_told(payload: Payload) -> Read:
    """A request of HTTP for a PIX Consumer: ITI-46 has the action and the payload of an update of ITI-44."""
    read = read_http(payload)
    binding = next((each for each in _soap(ITI_46) if read.binding and each.action == read.binding.action), None)
    return replace(read, name=ITI_46.id, transaction=None, binding=binding) if binding is not None else read


def read_http(payload: Payload) -> Read:
    """A request of HTTP: SOAP, or an audit record for RESTful ATNA."""
    if "fhir+json" in payload.header("Content-Type") or "fhir+xml" in payload.header("Content-Type"):
        return Read(payload=payload, name="ITI-20")
    if not payload.content:
        return Read(payload=payload)
    try:
        return _read_soap(payload)
    except (SOAPFault, XMLRefused):
        return Read(payload=payload)


def _read_soap(payload: Payload) -> Read:
    documents: dict[str, bytes] = {}
    package = unpack(payload, documents)
    envelope = open_envelope(parse_xml(package.envelope, encoding=package.charset))
    addressing = read_addressing(envelope.headers)
    transaction, name, binding = _transaction(envelope.body, addressing.action)
    return Read(
        payload=payload,
        name=name,
        transaction=transaction,
        binding=binding,
        action=addressing.action,
        message_id=addressing.message_id or "",
        envelope=envelope,
        body=envelope.body,
        parts=package.parts,
        documents=documents,
    )


def unpack(payload: Payload, documents: dict[str, bytes]) -> Package:
    """Take a message of SOAP over HTTP apart, its documents into ``documents``. SOAPFault: it cannot be."""
    media = accept(payload.header("Content-Type"))
    kind = MTOMReader if media.name == MULTIPART else SimpleReader
    reader: PackageReader = kind(media, lambda: Kept(documents), DEFAULT_LIMITS)
    reader.feed(payload.content)
    return reader.close()


def _transaction(body: _Element, action: str) -> tuple[AnyTransaction | None, str, SOAPBinding | None]:
    issued = next((each for each in _soap(ISSUE_TOKEN) if each.action == action), None)
    found = of_payload(body, Context(), action)
    if issued is not None:
        return ISSUE_TOKEN, "ITI-40", issued
    if found is None:
        return None, "", None
    bindings = [each for each in _soap(found) if each.request == body.tag]
    chosen = next((each for each in bindings if each.action == action), next(iter(bindings), None))
    return found, found.id, chosen


def _soap(transaction: Any) -> tuple[SOAPBinding, ...]:
    return tuple(each for each in transaction.bindings if isinstance(each, SOAPBinding))
