"""What can be done to a record, each as one event in the caller's transaction (see ``consent`` for the rules).

``patient`` comes from the patient index (``PatientIndex.resolve``): its ``key`` is the surviving id, its ``keys`` all
that were merged into it. Every function returns the number of its event.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from consent.events import (
    ConsentEnded,
    ConsentTakenUp,
    Excluded,
    GlassBroken,
    GlassReviewed,
    Masked,
    RecordMoved,
    Related,
    RelationshipEnded,
    instant,
)
from consent.log import say
from consent.model import EVERYBODY, Act, EventType, Given, Party, RelationshipKind
from ihe.identifiers import UniqueId
from ihe.patients import Patient


def create_record(connection: Connection, patient: Patient, act: Act, opens_at: datetime) -> int:
    """Create a record that opens by itself at ``opens_at``, the end of the waiting period (opt-out)."""
    detail = RecordMoved(keys=(patient.key,), opens_at=instant(opens_at))
    return say(connection, patient, EventType.RECORD_CREATED, act, detail)


def open_record(connection: Connection, patient: Patient, act: Act, until: datetime | None = None) -> int:
    """Open a record, a new one (opt-in) or one that was suspended or closed; it is suspended by itself at ``until``."""
    detail = RecordMoved(keys=patient.keys, closes_at=instant(until) if until else None)
    return say(connection, patient, EventType.RECORD_OPENED, act, detail)


def suspend_record(connection: Connection, patient: Patient, act: Act) -> int:
    """Let no professional look into a record until it is opened again."""
    return say(connection, patient, EventType.RECORD_SUSPENDED, act, RecordMoved(keys=patient.keys))


def close_record(connection: Connection, patient: Patient, act: Act, delete_at: datetime | None = None) -> int:
    """Close a record because the patient objects to sharing; it is to be deleted at ``delete_at``."""
    detail = RecordMoved(keys=patient.keys, delete_at=instant(delete_at) if delete_at else None)
    return say(connection, patient, EventType.RECORD_CLOSED, act, detail)


def delete_record(connection: Connection, patient: Patient, act: Act) -> int:
    """Let nobody look into a record any more, not even the patient."""
    return say(connection, patient, EventType.RECORD_DELETED, act, RecordMoved(keys=patient.keys))


def relate(
    connection: Connection,
    patient: Patient,
    party: Party,
    kind: RelationshipKind,
    act: Act,
    *,
    until: datetime | None = None,
    source: str = "",
) -> int:
    """Begin a relationship; ``source`` tells what it is derived from, so that it can be found again (an encounter)."""
    detail = Related(
        party=party, kind=kind, since=instant(act.at), until=instant(until) if until else None, source=source
    )
    represents = kind is RelationshipKind.REPRESENTATIVE
    type = EventType.REPRESENTATIVE_NAMED if represents else EventType.RELATIONSHIP_DECLARED
    return say(connection, patient, type, act, detail)


def end_relationship(
    connection: Connection, patient: Patient, number: int, act: Act, until: datetime | None = None
) -> int:
    """End a relationship, now or at a later time such as some days after a discharge."""
    detail = RelationshipEnded(number=number, until=instant(until or act.at))
    return say(connection, patient, EventType.RELATIONSHIP_ENDED, act, detail)


def exclude(connection: Connection, patient: Patient, party: Party, act: Act) -> int:
    """Shut a professional or an organisation out, whatever their relationship."""
    return say(connection, patient, EventType.PARTY_EXCLUDED, act, Excluded(keys=patient.keys, party=party))


def lift_exclusion(connection: Connection, patient: Patient, party: Party, act: Act) -> int:
    """Let a party in again as far as relationships and the policy allow."""
    return say(connection, patient, EventType.EXCLUSION_LIFTED, act, Excluded(keys=patient.keys, party=party))


def mask(
    connection: Connection, patient: Patient, documents: Iterable[UniqueId], act: Act, profession: str = EVERYBODY
) -> int:
    """Hide documents from a profession of the policy, or from all."""
    detail = Masked(keys=patient.keys, unique_ids=tuple(documents), profession=profession)
    return say(connection, patient, EventType.DOCUMENT_MASKED, act, detail)


def unmask(
    connection: Connection, patient: Patient, documents: Iterable[UniqueId], act: Act, profession: str = EVERYBODY
) -> int:
    """Take back what ``mask`` said for the same profession."""
    detail = Masked(keys=patient.keys, unique_ids=tuple(documents), profession=profession)
    return say(connection, patient, EventType.DOCUMENT_UNMASKED, act, detail)


def break_glass(
    connection: Connection, patient: Patient, party: Party, act: Act, *, until: datetime, level: str
) -> int:
    """Give one person access in an emergency, until ``until`` and up to a confidentiality (N, R or V)."""
    detail = GlassBroken(party=party, since=instant(act.at), until=instant(until), level=level)
    return say(connection, patient, EventType.GLASS_BROKEN, act, detail)


def review_glass(connection: Connection, patient: Patient, number: int, act: Act) -> int:
    """Note that somebody looked at an access in an emergency; the act's reason says what they found."""
    return say(connection, patient, EventType.GLASS_REVIEWED, act, GlassReviewed(number=number))


def take_up_consent(connection: Connection, patient: Patient, unique_id: UniqueId, act: Act) -> int:
    """Note that a consent document is in effect, before what it does."""
    return say(connection, patient, EventType.CONSENT_TAKEN_UP, act, ConsentTakenUp(unique_id=unique_id))


def end_consent(connection: Connection, patient: Patient, given: Given, act: Act) -> int:
    """Note that a consent document is in effect no more, before what it did is taken back."""
    return say(
        connection, patient, EventType.CONSENT_ENDED, act, ConsentEnded(number=given.number, unique_id=given.unique_id)
    )
