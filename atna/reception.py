"""What others send to our Audit Record Repository becomes records of the trail (ITI TF-2: 3.20.4.1.3).

Nothing is dropped: what is no audit message is kept whole, inside a record of our own that says what is wrong with it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from atna import dicom, fhir
from atna.departures import departures
from atna.entries import Entry, entry, entry_of, instant
from atna.fhir_coding import JSON
from atna.framing import Broken, Oversize, Received
from atna.model import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    Detail,
    EventActionCode,
    EventIdentification,
    EventOutcomeIndicator,
    NetworkAccessPointTypeCode,
    ParticipantObject,
)
from atna.syslog import NotSyslog, decode
from ihe.audit import DESTINATION, SOURCE, ObjectTypeCode, ObjectTypeCodeRole
from ihe.datatypes import Code
from soap.xml import XMLRefused, parse

SECURITY_ALERT = Code("110113", "DCM", "Security Alert")
UNREADABLE = Code("unreadable-audit-record", "urn:affinity:audit", "Unreadable audit record")
SYSLOG_MESSAGE = Code("syslog-message", "urn:affinity:audit", "Syslog message")


class Transport(StrEnum):
    """How something came."""

    TLS = "tls"
    UDP = "udp"
    FHIR = "fhir"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One message as it came. ``peer`` is the subject of the sender's certificate, else its address."""

    data: bytes
    at: datetime
    peer: str
    address: str
    transport: Transport
    complaint: str | None = None
    """What is already known to be wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """A record of the trail, and what is noted beside it about its way to us."""

    entry: Entry
    at: int
    peer: str
    transport: str
    header: bytes
    complaint: str | None


def arrival(event: Received | Oversize | Broken, template: Arrival) -> Arrival:
    """What the framer found, as something that arrived."""
    match event:
        case Received(message):
            return replace(template, data=message)
        case Oversize(prefix, size):
            return replace(template, data=prefix, complaint=f"longer than allowed: {size} octets, cut")
        case Broken(prefix):
            return replace(template, data=prefix, complaint="not framed by octet counting (RFC 5425: 4.3)")


def receive(arrived: Arrival, source: AuditSource) -> Reception:
    """Make a record of anything. ``source`` is this node, for what it has to say itself."""
    try:
        return _audit_message(arrived)
    except (NotSyslog, dicom.NotAnAuditMessage, XMLRefused) as error:
        return _unreadable(arrived, str(error), source)
    except Exception as error:  # the last edge: one message that nobody foresaw must not keep all others out
        return _unreadable(arrived, f"it cannot be read: {type(error).__name__}", source)


def receive_event(resource: JSON, arrived: Arrival) -> Reception:
    """Make a record of an AuditEvent; what came is noted beside it. Raises NotAnAuditEvent: who sent it is told."""
    try:
        made = entry_of(dicom.write(fhir.read(resource)))
    except (dicom.NotAnAuditMessage, ValueError, OverflowError) as error:
        raise fhir.NotAnAuditEvent(str(error)) from None
    return _reception(arrived, made, arrived.data, None)


def _unreadable(arrived: Arrival, reason: str, source: AuditSource) -> Reception:
    complaint = "; ".join(filter(None, (arrived.complaint, reason)))
    return _reception(arrived, entry(_wrapped(arrived, complaint, source)), b"", complaint)


def _audit_message(arrived: Arrival) -> Reception:
    decoded = decode(arrived.data)
    content = decoded.message.content
    made = entry_of(content)
    header = arrived.data[: max(arrived.data.find(content), 0)]
    wrong = [*decoded.deviations, *departures(parse(content, dicom.LIMITS))]
    complaint = "; ".join(filter(None, (arrived.complaint, *map(str, wrong))))
    return _reception(arrived, made, header, complaint or None)


def _reception(arrived: Arrival, made: Entry, header: bytes, complaint: str | None) -> Reception:
    return Reception(
        entry=made,
        at=instant(arrived.at),
        peer=arrived.peer,
        transport=arrived.transport.value,
        header=header,
        complaint=complaint,
    )


def _wrapped(arrived: Arrival, complaint: str, source: AuditSource) -> AuditMessage:
    event = EventIdentification(
        id=SECURITY_ALERT,
        action=EventActionCode.EXECUTE,
        time=arrived.at,
        outcome=EventOutcomeIndicator.MINOR_FAILURE,
        types=(UNREADABLE,),
        outcome_description=complaint,
    )
    sender = ActiveParticipant(
        user_id=arrived.peer,
        is_requestor=True,
        roles=(SOURCE,),
        network_access_point=arrived.address,
        network_access_point_type=NetworkAccessPointTypeCode.IP_ADDRESS,
    )
    ourselves = ActiveParticipant(user_id=source.id, is_requestor=False, roles=(DESTINATION,))
    kept = ParticipantObject(
        id=f"syslog over {arrived.transport.value}",
        id_type=SYSLOG_MESSAGE,
        type_code=ObjectTypeCode.SYSTEM_OBJECT,
        role=ObjectTypeCodeRole.SECURITY_RESOURCE,
        details=(Detail("message", arrived.data),),
    )
    return AuditMessage(event=event, participants=(sender, ourselves), source=source, objects=(kept,))
