"""What can be said of a record, as the log keeps it: each event becomes a line of JSON and rows of the projections.

``keys`` are the patient ids for which it holds: an event that forbids is kept for every id that the patient has, so
that it still holds for each of them if a merge is taken back; one that allows is kept for the surviving id alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from consent.model import EventType, Party, RecordState, RelationshipKind
from ihe.identifiers import PatientKey, UniqueId

STATES = {
    EventType.RECORD_CREATED: RecordState.WAITING,
    EventType.RECORD_OPENED: RecordState.OPEN,
    EventType.RECORD_SUSPENDED: RecordState.SUSPENDED,
    EventType.RECORD_CLOSED: RecordState.CLOSED,
    EventType.RECORD_DELETED: RecordState.DELETED,
}
"""The state to which each event of a record's life leads."""
FORBIDDING = frozenset({RecordState.SUSPENDED, RecordState.CLOSED, RecordState.DELETED})
"""What an id keeps as its own, also when it was said of several ids as one patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMoved:
    """The record's life goes on; times are ISO 8601 in UTC."""

    keys: tuple[PatientKey, ...]
    opens_at: str | None = None
    closes_at: str | None = None
    delete_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A relationship begins."""

    party: Party
    kind: RelationshipKind
    since: str
    until: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipEnded:
    """The relationship with this number ends at ``until``."""

    number: int
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A party is shut out, or let in again."""

    keys: tuple[PatientKey, ...]
    party: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """Documents are hidden from a profession (``*``: all), or shown again."""

    keys: tuple[PatientKey, ...]
    unique_ids: tuple[UniqueId, ...]
    profession: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassBroken:
    """Access in an emergency begins; the reason is that of the act."""

    party: Party
    since: str
    until: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassReviewed:
    """Somebody looked at the access in an emergency with this number; what was found is the reason of the act."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTakenUp:
    """A consent document takes effect."""

    unique_id: UniqueId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEnded:
    """The effect of a consent document that began with the event of this number ends."""

    number: int
    unique_id: UniqueId


Detail = (
    RecordMoved
    | Related
    | RelationshipEnded
    | Excluded
    | Masked
    | GlassBroken
    | GlassReviewed
    | ConsentTakenUp
    | ConsentEnded
)
DETAILS: Mapping[EventType, type[Detail]] = {
    **dict.fromkeys(STATES, RecordMoved),
    EventType.RELATIONSHIP_DECLARED: Related,
    EventType.REPRESENTATIVE_NAMED: Related,
    EventType.RELATIONSHIP_ENDED: RelationshipEnded,
    EventType.PARTY_EXCLUDED: Excluded,
    EventType.EXCLUSION_LIFTED: Excluded,
    EventType.DOCUMENT_MASKED: Masked,
    EventType.DOCUMENT_UNMASKED: Masked,
    EventType.GLASS_BROKEN: GlassBroken,
    EventType.GLASS_REVIEWED: GlassReviewed,
    EventType.CONSENT_TAKEN_UP: ConsentTakenUp,
    EventType.CONSENT_ENDED: ConsentEnded,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the log. ``patient_key`` is the surviving id at that time."""

    number: int
    at: str
    type: EventType
    patient_key: PatientKey
    actor: str
    reason: str
    origin: str
    detail: Detail


def to_json(detail: Detail) -> str:
    """The detail as the log keeps it."""
    return json.dumps({name: value for name, value in asdict(detail).items() if value is not None})


def from_json(type: EventType, text: str) -> Detail:
    """The detail that ``to_json`` wrote."""
    shape, plain = DETAILS[type], json.loads(text)
    return shape(**{each.name: _value(plain[each.name]) for each in fields(shape) if each.name in plain})


def _value(plain: Any) -> Any:
    return tuple(plain) if isinstance(plain, list) else plain


def instant(at: datetime) -> str:
    """A time as the tables hold it: in UTC, so that texts sort as times do."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """The time that ``instant`` wrote."""
    return datetime.fromisoformat(text)
