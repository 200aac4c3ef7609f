"""An audit message made ready to be stored: everything that costs time, before the transaction that holds it.

People, patients and documents are found by a number made of their id, so that the columns tell nobody's name and cost
eight bytes each. What is found by a number is compared again with the message itself.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from atna import merkle
from atna.compact import pack
from atna.dicom import read
from atna.dicom_writing import Frame, frame
from atna.model import ActiveParticipant, AuditMessage
from ihe.audit import ALSO_KNOWN_AS, DESTINATION, SOURCE, ObjectTypeCode, ObjectTypeCodeRole, ParticipantObject

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SYSTEMS = frozenset({"110150", "110151", SOURCE.code, DESTINATION.code})
"""RoleIDCodes of programs: Application, Application Launcher, Source Role ID, Destination Role ID."""
PATIENT = ObjectTypeCodeRole.PATIENT
FOUND_ROLES = frozenset({ObjectTypeCodeRole.REPORT, ObjectTypeCodeRole.JOB})
"""Documents and other objects of the registry, and SubmissionSets (ITI TF-2: 3.43.6.1, 3.42.5.1)."""


class Subject(StrEnum):
    """What a number stands for."""

    PERSON = "person"
    PATIENT = "patient"
    OBJECT = "object"


class Entry(NamedTuple):
    """One row of ``audit_event`` but its number, and the further subjects by which it is found."""

    at: int
    event: str
    outcome: int
    person: int | None
    patient: int | None
    leaf: bytes
    message: bytes
    subjects: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A message without its time, the description of its outcome and its objects, and what finds it by the rest.

    ``agents`` are patients, as far as participants may be patients.
    """

    frame: Frame
    event: str
    outcome: int
    person: int | None
    agents: frozenset[int]

    def filled(self, time: datetime, description: str | None, objects: tuple[ParticipantObject, ...]) -> Entry:
        """The entry of the whole message."""
        return self.entry(time, objects, self.frame.filled(time, description, objects))

    def entry(self, time: datetime, objects: tuple[ParticipantObject, ...], xml: bytes) -> Entry:
        """The entry of a message that is written already."""
        patients, others = _named(objects)
        patient, subjects = None, self.agents
        if patients:
            first, *further = dict.fromkeys(patients)
            patient = number(Subject.PATIENT, first)
            subjects = subjects.union([number(Subject.PATIENT, each) for each in further]) if further else subjects
        if others:
            subjects = subjects.union([number(Subject.OBJECT, each) for each in others])
        at = instant(time)
        return Entry(at, self.event, self.outcome, self.person, patient, merkle.leaf(xml), pack(xml), subjects)


def template(message: AuditMessage) -> Template:
    """What messages have in common that differ in time, description and objects alone."""
    users = user_ids(message)
    return Template(
        frame=frame(message),
        event=event_code(message),
        outcome=message.event.outcome,
        person=number(Subject.PERSON, users[0]) if users else None,
        agents=frozenset([number(Subject.PATIENT, each) for each in agent_ids(message)]),
    )


def entry(message: AuditMessage) -> Entry:
    """Write a message and take from it what it is found by."""
    event = message.event
    return template(message).filled(event.time, event.outcome_description, message.objects)


def entry_of(xml: bytes) -> Entry:
    """The same for a message that is written already. Raises NotAnAuditMessage."""
    message = read(xml)
    return template(message).entry(message.event.time, message.objects, xml)


def number(kind: Subject, identifier: str) -> int:
    """The number that stands for an id; it says nothing about the id to who does not know it."""
    if kind is Subject.PATIENT:
        identifier = plain(identifier)
    digest = blake2b(identifier.encode(), digest_size=8, person=kind.encode()).digest()
    return int.from_bytes(digest, "big", signed=True)


_CX = re.compile(r"([^^&]+)\^\^\^[^^&]*&([^^&]+)&(ISO|URI)(?:\^[^^&]+)?")


def plain(identifier: str) -> str:
    """A CX without namespace and type: some write ``id^^^NS&oid&ISO^PI`` where others ask for ``id^^^&oid&ISO``."""
    found = _CX.fullmatch(identifier)
    return f"{found[1]}^^^&{found[2]}&{found[3]}" if found else identifier


def instant(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - EPOCH) // MICROSECOND


def event_code(message: AuditMessage) -> str:
    """What an operator calls the event: the code of its first type, or of the event itself."""
    types = message.event.types
    return (types[0] if types else message.event.id).code


def user_ids(message: AuditMessage) -> tuple[str, ...]:
    """The humans who asked; where none is known, the system that asked."""
    humans: list[str] = []
    systems: list[str] = []
    for each in message.participants:
        if each.is_requestor:
            (humans if is_human(each) else systems).append(each.user_id)
    return tuple(humans or systems[:1])


def is_human(participant: ActiveParticipant) -> bool:
    """Claim that a participant who asked is no program: none of its roles is one of a system."""
    return participant.is_requestor and SYSTEMS.isdisjoint([role.code for role in participant.roles])


def patient_ids(message: AuditMessage) -> list[str]:
    """Every id by which the event names a patient (CX form)."""
    return _named(message.objects)[0]


def object_ids(message: AuditMessage) -> list[str]:
    """The ids of documents, submission sets and other objects of the registry."""
    return _named(message.objects)[1]


def _named(objects: tuple[ParticipantObject, ...]) -> tuple[list[str], list[str]]:
    """Ids of patients, and of what else records are found by."""
    patients: list[str] = []
    others: list[str] = []
    for each in objects:
        if not each.id:
            continue
        if each.role in FOUND_ROLES:
            others.append(each.id)
        elif each.role is PATIENT and each.type_code is ObjectTypeCode.PERSON:
            patients.append(each.id)
            for detail in each.details:
                if detail.type == ALSO_KNOWN_AS:
                    patients.append(detail.value.decode("utf-8", "replace"))
    return patients, others


def agent_ids(message: AuditMessage) -> list[str]:
    """Participants who may be patients: who took part is found as a patient, too (RESTful ATNA: 3.81.4.1.2.2)."""
    return [each.user_id for each in message.participants if "^^^" in each.user_id]
