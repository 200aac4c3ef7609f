"""The audit records of patient feeds and queries in HL7 v2 (3.8.5.1, 3.9.5.1, 3.10.5.1, 3.21.5.1, 3.22.5.1, 3.64.5.1).

ITI-30 and ITI-31 have no table of their own; they are recorded as "Patient Record" events, as ITI-8 is.
"""

from collections.abc import Callable, Iterable, Iterator

from hl7v2.er7 import serialize
from hl7v2.message import Message, Repetition, Segment
from ihe.audit import (
    PATIENT_RECORD,
    QUERY,
    Detail,
    EventActionCode,
    ObjectDataLifeCycle,
    ParticipantObject,
    patient,
    query,
)
from ihe.audited import Audit, Event, Recorded
from ihe.citations import Citation
from ihe.datatypes import Code
from pix.update_notifications import Notification

PATIENT_IDS = 3
"""PID-3, and QPD-3 of a PIX query."""
CREATED = frozenset({"A01", "A04", "A05", "A28"})
"""Triggers by which a patient is admitted, registered or added (3.8.5.1; 3.30.6.2)."""
MERGED = frozenset({"A40", "A47"})
IDENTIFIER_TYPE = "urn:ihe:iti:xpid:2017:patientIdentifierType"
LINK_CHANGE = (("PID", 0, "newPatientId"), ("PID", 1, "localPatientId"), ("MRG", 0, "previousPatientId"))
"""Where ADT^A43 has its ids (3.64.4.1.2): segment, repetition, and what the audit record calls it."""


def fed(citation: Citation, type: Code) -> Audit:
    """A feed of ITI-8, ITI-30 or ITI-31: of a merge, a deletion and an update (3.8.5.2)."""
    return _patient_record(citation, type, EventActionCode.UPDATE, _feed)


def link_changed(citation: Citation, type: Code) -> Audit:
    """Notify XAD-PID Link Change: one event that names all ids (3.64.5.1.2)."""
    return _patient_record(citation, type, EventActionCode.UPDATE, _link_change)


def identifiers_queried(citation: Citation, type: Code) -> Audit:
    """PIX Query: the patient asked for and the whole message (3.9.5.1.2)."""
    return _queried(citation, type, lambda message: _ids(message.find("QPD"), PATIENT_IDS))


def demographics_queried(citation: Citation, type: Code) -> Audit:
    """A demographics query: the whole message; whom it found can be found again (Table 3.20.4.1.1.1-1)."""
    return _queried(citation, type, lambda message: ())


def notified(citation: Citation, type: Code, name: str, message_id: Callable[[Notification], str]) -> Audit:
    """PIX Update Notification, of the manager that sends it: every id that it tells (3.10.5.1.1, 3.46.5.1.1)."""

    def describe(told: Notification, _request: object, _result: object) -> Iterator[Event]:
        detail = Detail(name, message_id(told).encode())
        yield Event(objects=tuple(patient([str(each)], detail) for each in told.identifiers))

    return Audit(citation=citation, event=PATIENT_RECORD, type=type, action=EventActionCode.READ, describe=describe)


def cx_text(repetition: Repetition) -> str:
    """A CX without escapes: ``id^^^namespace&oid&ISO``."""
    parts = "&".join(repetition.texts(4)[:3]).rstrip("&")
    return f"{repetition.text()}^^^{parts}"


def _patient_record(
    citation: Citation, type: Code, action: EventActionCode, events: Callable[[Message], Iterable[Event]]
) -> Audit:
    return Audit(
        citation=citation,
        event=PATIENT_RECORD,
        type=type,
        action=action,
        describe=lambda message, _request, _result: events(message),
        recorded=Recorded.WITH_THE_CHANGE,
        tells_the_request_alone=True,
    )


def _queried(citation: Citation, type: Code, patients: Callable[[Message], Iterable[str]]) -> Audit:
    def describe(message: Message, _request: object, _result: object) -> Iterator[Event]:
        named = tuple(patients(message))
        whose = (patient(named),) if named else ()
        yield Event(objects=(*whose, query(type, serialize(message), _message_id(message))))

    return Audit(citation=citation, event=QUERY, type=type, action=EventActionCode.EXECUTE, describe=describe)


def _feed(message: Message) -> Iterator[Event]:
    trigger = message.event
    groups = message.groups("PID")
    for group in groups:
        if trigger in MERGED:
            yield _event(message, _ids(group.find("MRG"), 1), EventActionCode.DELETE)
        action = EventActionCode.CREATE if trigger in CREATED else EventActionCode.UPDATE
        yield _event(message, _ids(group.segments[0], PATIENT_IDS), action)
    if not groups:
        yield Event()


def _event(message: Message, ids: Iterable[str], action: EventActionCode) -> Event:
    named = tuple(ids)
    return Event(objects=(patient(named, _message_id(message)),) if named else (), action=action)


def _link_change(message: Message) -> Iterator[Event]:
    yield Event(objects=tuple(_linked(message)))


def _linked(message: Message) -> Iterator[ParticipantObject]:
    deletion = ObjectDataLifeCycle.LOGICAL_DELETION
    for name, place, called in LINK_CHANGE:
        yield from _called(message, name, place, called)
    yield from _called(message, "MRG", 1, "subsumedLocalPatientId", deletion)


def _called(
    message: Message, name: str, place: int, called: str, life_cycle: ObjectDataLifeCycle | None = None
) -> Iterator[ParticipantObject]:
    found = list(_ids(message.find(name), PATIENT_IDS if name == "PID" else 1))[place : place + 1]
    for each in found:
        yield patient([each], _message_id(message), Detail(IDENTIFIER_TYPE, called.encode()), life_cycle=life_cycle)


def _ids(segment: Segment | None, field: int) -> Iterator[str]:
    if segment is not None:
        yield from [cx_text(each) for each in segment.repetitions(field) if each.text()]


def _message_id(message: Message) -> Detail:
    return Detail("MSH-10", message.control_id.encode())
