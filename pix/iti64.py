"""Notify XAD-PID Link Change [ITI-64] (ITI TF-2: 3.64), HL7 v2.5: ADT^A43."""

from typing import Protocol

from sqlalchemy import Connection

from hl7v2.ack import Mode, ack
from hl7v2.message import Message, Segment
from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange
from ihe.identifiers import is_oid
from ihe.patients import LinkChange
from ihe.transactions import Actor, HL7v2Binding, Transaction
from pix import adt
from pix.auditing import link_changed
from pix.identification import IdentifierReader, missing
from pix.manager import PatientIndex
from pix.model import Identifier
from pix.moving import Move

ORDINAL = {1: "XAD-PID", 2: "local patient id"}


class LinkedRegistry(Protocol):
    """A Document Registry whose patients are in the index."""

    @property
    def patients(self) -> PatientIndex:
        """The index, in whose transaction the registry follows."""

    def follow(self, connection: Connection, change: LinkChange) -> None:
        """Make the documents of the local id those of its new patient (ITI TF-2: 3.64.4.1.3)."""


def decode(message: Message) -> Message:
    """Take a message that names both sides of the change."""
    adt.decode(message)
    message["MRG"]
    return message


def handle(message: Message, registry: LinkedRegistry, exchange: Exchange) -> bytes:
    """Move the local id in the index and its documents in the registry, at once; original mode (3.64.4.1.2)."""
    index = registry.patients
    admission = adt.Admission(message=message, index=index, exchange=exchange, mode=Mode.ORIGINAL)
    return index.move(_read(admission), _source_id(message), registry.follow, admission.origin("ITI-64"))


def encode(message: Message, stored: bytes, exchange: Exchange) -> bytes | None:
    """The acknowledgement, the same bytes each time a message is sent again."""
    return adt.encode(stored)


def refuse(message: Message, rejected: Rejected, exchange: Exchange) -> Message | None:
    """AE or AR with one ERR for each breach."""
    return ack(message, rejected, exchange, Mode.ORIGINAL)


def _read(admission: adt.Admission) -> Move:
    """PID-3: the new XAD-PID and the local id. MRG-1: the previous XAD-PID and perhaps a subsumed local id."""
    reader, pid, mrg = admission.reader(), admission.message["PID"], admission.message["MRG"]
    new, local = _two(reader, pid, 3, 2)
    previous, subsumed = _two(reader, mrg, 1, 1)
    if new and not new.authority.issues_xds_ids:
        reader.breaches.append(_not_of(new, "the XAD Assigning Authority"))
    if new and previous and previous.authority != new.authority:
        reader.breaches.append(_not_of(previous, new.authority.namespace_id))
    if local and subsumed and subsumed.authority != local.authority:
        reader.breaches.append(_not_of(subsumed, local.authority.namespace_id))
    reader.verdict()
    if new is None or local is None or previous is None:
        raise Rejected(missing(pid.location(3, 2), "The local patient id", tf2("3.64.4.1.2.3")))
    return Move(local=local, previous=previous, new=new, subsumed=subsumed)


def _two(
    reader: IdentifierReader, segment: Segment, field: int, least: int
) -> tuple[Identifier | None, Identifier | None]:
    """The first two identifiers of a field, which holds at least ``least`` and at most two."""
    found, told = reader.read(segment, field), len(segment.repetitions(field))
    if told > 2:
        reader.breaches.append(_too_many(segment.location(field, 3), told))
    if 0 < told < least:
        location = segment.location(field, told + 1)
        reader.breaches.append(missing(location, f"The {ORDINAL[told + 1]}", tf2("3.64.4.1.2.3")))
    first, second, *_ = (*found, None, None)
    return first, second


def _source_id(message: Message) -> str | None:
    """The OID of the sender, in MSH-3 (ITI TF-2: 3.64.4.1.2.1)."""
    named = (message.header.text(3), message.header.text(3, 2))
    return next((each for each in named if is_oid(each)), None)


def _not_of(identifier: Identifier, expected: str) -> Breach:
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="This identifier is of another assigning authority than its place asks for",
        location=f"{identifier.location.removesuffix('^1')}^4",
        observed=f"{identifier.authority.namespace_id} {identifier.authority.oid}",
        expected=expected,
        citation=tf2("3.64.4.1.2.4" if identifier.location.startswith("MRG") else "3.64.4.1.2.3"),
    )


def _too_many(location: str, told: int) -> Breach:
    return Breach(
        code=HL7ErrorCode.SEGMENT_SEQUENCE_ERROR,
        text="A link change names an XAD-PID and a local patient id, and no more",
        location=location,
        observed=f"{told} identifiers",
        citation=tf2("3.64.4.1.2.3"),
    )


ITI_64 = Transaction(
    id="ITI-64",
    name="Notify XAD-PID Link Change",
    citation=tf2("3.64"),
    initiator=Actor.PIX_MANAGER,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=(HL7v2Binding(triggers=frozenset({"ADT^A43"})),),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=link_changed(tf2("3.64.5.1.2"), transaction_code("ITI-64", "Notify XAD-PID Link Change")),
)
