"""What the shared care record (Dossier de Soins Partagé) knows of who may see it: values, no storage.

A *party* is a person or an organisation as assertions name them; the record is a patient's, under the key of the XDS
patient id. Times are aware and in UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ihe.exchange import Principal
from ihe.identifiers import PatientKey, UniqueId

Party = NewType("Party", str)
"""``npi:90000022``, ``person:joris.wampach@urn:issuer``, ``organization:1.2.3``; see the functions below."""
EVERYBODY = "*"
"""Hidden from every professional, where a mask names no profession."""


def professional(npi: str) -> Party:
    """A health professional by the national number (XUA: subject:npi; HL7 v2: XCN.1)."""
    return Party(f"npi:{npi}")


def person(name_id: str, issuer: str) -> Party:
    """Somebody by the NameID under which one issuer vouches for them: patients and representatives."""
    return Party(f"person:{name_id}@{issuer}")


def organization(id: str) -> Party:
    """A hospital, laboratory or practice by its OID, with or without ``urn:oid:``."""
    return Party(f"organization:{id.removeprefix('urn:oid:')}")


def parties(principal: Principal) -> frozenset[Party]:
    """Every party as which a verified assertion makes somebody known."""
    return frozenset(_parties(principal))


def _parties(principal: Principal) -> Iterator[Party]:
    yield person(principal.name_id, principal.issuer)
    if principal.npi:
        yield professional(principal.npi)
    yield from map(organization, principal.organization_id)


class RecordState(StrEnum):
    """Where the life of a patient's record stands. What is not OPEN hides everything from professionals."""

    WAITING = "waiting"
    """Created; opens by itself when the waiting period ends, unless the patient objects (opt-out)."""
    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    """The patient objected to sharing; deleted after a delay."""
    DELETED = "deleted"


class RelationshipKind(StrEnum):
    """What somebody is to the patient."""

    PATIENT = "patient"
    """The patient's own account."""
    REPRESENTATIVE = "representative"
    REFERRING_DOCTOR = "referring-doctor"
    TREATING_DOCTOR = "treating-doctor"
    PROFESSIONAL = "professional"
    """Takes part in the care."""


OWN = frozenset({RelationshipKind.PATIENT, RelationshipKind.REPRESENTATIVE})
"""Who acts for the patient: neither masks nor exclusions are for them."""


class EventType(StrEnum):
    """What can happen to a record and to who may see it."""

    RECORD_CREATED = "record-created"
    RECORD_OPENED = "record-opened"
    RECORD_SUSPENDED = "record-suspended"
    RECORD_CLOSED = "record-closed"
    RECORD_DELETED = "record-deleted"
    RELATIONSHIP_DECLARED = "relationship-declared"
    RELATIONSHIP_ENDED = "relationship-ended"
    REPRESENTATIVE_NAMED = "representative-named"
    PARTY_EXCLUDED = "party-excluded"
    EXCLUSION_LIFTED = "exclusion-lifted"
    DOCUMENT_MASKED = "document-masked"
    DOCUMENT_UNMASKED = "document-unmasked"
    GLASS_BROKEN = "glass-broken"
    GLASS_REVIEWED = "glass-reviewed"
    CONSENT_TAKEN_UP = "consent-taken-up"
    """A consent document takes effect; what it does follows as events of the same origin."""
    CONSENT_ENDED = "consent-ended"
    """A consent document was replaced, deprecated or removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does something to a record, why, and when. ``origin``: the transaction, document or command behind it."""

    actor: str
    reason: str
    at: datetime
    origin: str = ""

    def __post_init__(self) -> None:
        if not self.actor.strip() or not self.reason.strip():
            raise ValueError("every change of access rights has an actor and a reason")
        if self.at.tzinfo is None:
            raise ValueError("the time of an act has a zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one patient id said of its record while ``under`` was the surviving id (see ``consent.facts``).

    ``opens_at`` ends the waiting period, ``closes_at`` the consent that opened the record; ``delete_at`` is when a
    closed record is to be deleted.
    """

    key: PatientKey
    under: PatientKey
    state: RecordState
    since: datetime
    event: int = 0
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    delete_at: datetime | None = None

    def state_at(self, now: datetime) -> RecordState:
        """The state once the waiting period and the end of a consent are taken into account."""
        if self.state is RecordState.OPEN and self.closes_at is not None and self.closes_at <= now:
            return RecordState.SUSPENDED
        waited = self.state is RecordState.WAITING and self.opens_at is not None and self.opens_at <= now
        return RecordState.OPEN if waited else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A party has to do with the patient from ``since`` until before ``until`` (None: until it is ended).

    ``source`` tells what it was derived from, such as an encounter; "" where a person declared it.
    """

    number: int
    key: PatientKey
    party: Party
    kind: RelationshipKind
    since: datetime
    until: datetime | None = None
    source: str = ""

    def holds_at(self, now: datetime) -> bool:
        """Claim that it is in force."""
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """The patient shut a party out. ``lifted_under``: the surviving id under which that was taken back."""

    number: int
    key: PatientKey
    party: Party
    lifted_under: PatientKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """The patient hid a document, with all its versions, from every professional or from one profession."""

    number: int
    key: PatientKey
    unique_id: UniqueId
    profession: str = EVERYBODY
    lifted_under: PatientKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A consent document that is in effect, by its uniqueId."""

    number: int
    key: PatientKey
    unique_id: UniqueId


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """Somebody broke the glass: access without a relationship until ``until``, up to confidentiality ``level``."""

    number: int
    key: PatientKey
    party: Party
    since: datetime
    until: datetime
    level: str
    reason: str
    reviewed: bool = False

    def holds_at(self, now: datetime) -> bool:
        """Claim that it is in force."""
        return self.since <= now < self.until
