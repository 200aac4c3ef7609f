"""A Secure Node that sends its audit records: by syslog over TLS or UDP, or by FHIR (ITI TF-2: 3.20)."""

import json
from collections.abc import Callable

from atna.dicom import NotAnAuditMessage, read
from atna.fhir import NotAnAuditEvent
from atna.fhir import read as read_fhir
from atna.model import AuditMessage
from atna.syslog import NotSyslog, decode
from conformance.catalogue import Role
from conformance.clients.judging import accepted, of, sent, sent_again
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.wires import SYSLOG, is_agreed_syslog
from conformance.exchanges import Wire
from conformance.simulators.faults import FaultKind, at_first
from conformance.simulators.simulator import DoorName

RECORDED = of("ITI-20")
APPLICATION_ACTIVITY, APPLICATION_START, USER_AUTHENTICATION = "110100", "110120", "110114"
SECURE = (*SYSLOG, "ITI-20-042", "ITI-20-043")
"""What is shown by a record that comes framed, over TLS."""


def over_syslog() -> ClientSuite:
    """The suite of a node that sends by syslog over TLS."""
    steps = (*_recording(DoorName.SYSLOGS, SECURE), _cut(SECURE))
    return ClientSuite(actor=Role.SECURE_NODE, name="audit-sender", doors=(DoorName.SYSLOGS,), steps=steps)


def over_udp() -> ClientSuite:
    """The suite of a node that sends datagrams; nobody learns whether they arrive."""
    steps = _recording(DoorName.SYSLOG_UDP, SYSLOG)
    return ClientSuite(actor=Role.SECURE_NODE, name="audit-sender-udp", doors=(DoorName.SYSLOG_UDP,), steps=steps)


def over_fhir() -> ClientSuite:
    """The suite of a node that feeds AuditEvents (RESTful ATNA), over TLS."""
    return ClientSuite(
        actor=Role.SECURE_NODE,
        name="audit-sender-fhir",
        doors=(DoorName.HTTPS,),
        paths=("/fhir/AuditEvent",),
        steps=(*_recording(DoorName.HTTPS, ()), _cut(())),
    )


def record(each: Judged) -> AuditMessage | None:
    """The audit message; None: there is none that can be read."""
    content = each.seen.read.payload.content
    try:
        if each.seen.exchange.wire is Wire.SYSLOG:
            return read(decode(content).message.content)
        return read_fhir(json.loads(content))
    except (NotSyslog, NotAnAuditMessage, NotAnAuditEvent, ValueError):
        return None


def tells(claim: Callable[[AuditMessage], bool], what: str) -> Callable[[Judged], bool]:
    """Claim that a request is a record of which ``claim`` holds; ``what`` is for whoever reads the suite."""

    def fits(each: Judged) -> bool:
        told = record(each) if RECORDED(each) else None
        return told is not None and claim(told)

    fits.__doc__ = what
    return fits


def is_start(told: AuditMessage) -> bool:
    """Application Activity, Application Start."""
    return told.event.id.code == APPLICATION_ACTIVITY and _types(told) >= {APPLICATION_START}


def is_of_a_transaction(told: AuditMessage) -> bool:
    """Its EventTypeCode is one of IHE's transactions."""
    return any(each.startswith("ITI-") for each in _types(told))


def nothing_lost(first: Judged, second: Judged) -> str:
    """The record that may not have arrived comes again."""
    same = first.seen.read.payload.content == second.seen.read.payload.content
    return "" if same else "the record at which the connection was cut did not come again before another one"


def _types(told: AuditMessage) -> set[str]:
    return {each.code for each in told.event.types}


def _recording(door: DoorName, covers: tuple[str, ...]) -> tuple[Step, ...]:
    return (
        Step(
            name="start",
            ask="Start the node: it records its own start (Application Activity).",
            judge=sent(tells(is_start, "the start of an application"), is_agreed_syslog, accepted),
            covers=(*covers, "ITI-20-011"),
            door=door,
        ),
        Step(
            name="transaction",
            ask="Let the node do one of its transactions, such as a query or an export: it records it.",
            judge=sent(tells(is_of_a_transaction, "a transaction of IHE"), is_agreed_syslog, accepted),
            covers=covers,
            door=door,
        ),
    )


def _cut(covers: tuple[str, ...]) -> Step:
    return Step(
        name="collector-away",
        ask="Let it do another one. The connection is cut when the record has been sent: the node connects anew and "
        "sends the record again.",
        judge=sent_again(RECORDED, nothing_lost, is_agreed_syslog, accepted),
        covers=(*covers, "ITI-20-005"),
        faults=at_first(FaultKind.DROP, "ITI-20"),
    )
