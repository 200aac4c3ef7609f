"""The patient's view of the audit trail: who had to do with the record, when, with what, why, from which system.

Everything is derived from audit records (``atna``), and from access in emergencies (``consent``), which comes first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, select

from atna import store as trail
from atna.entries import FOUND_ROLES, event_code, instant, is_human
from atna.model import ActiveParticipant, AuditMessage
from atna.participants import ORGANIZATION
from consent import store
from consent.model import Emergency, Party, person, professional
from ihe.audit import EventOutcomeIndicator
from ihe.patients import Patient
from pix import store_records
from pix.store_links import current_persons, members
from pix.tenures import Tenure, tenures
from xds.tables import document_entry

MOST = 1000
"""Most accesses that one view shows; ``since`` and ``until`` page through more."""
MOST_DOCUMENTS = 5000
JUST_BEFORE = timedelta(minutes=1)
"""A message is recorded with the moment at which it came, and changes the index a little later."""


class Activity(StrEnum):
    """What was done, in the patient's terms."""

    SEARCHED = "searched"
    READ = "read"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    LOOKED_UP = "looked-up"
    FED = "fed"
    BROKE_GLASS = "broke-glass"
    EXPORTED = "exported"
    OTHER = "other"


EMERGENCY_OVERRIDE_STARTED = "110127"
ACTIVITIES = {
    "ITI-18": Activity.SEARCHED,
    "ITI-51": Activity.SEARCHED,
    "ITI-43": Activity.READ,
    "ITI-41": Activity.ADDED,
    "ITI-42": Activity.ADDED,
    "ITI-61": Activity.ADDED,
    "ITI-57": Activity.CHANGED,
    "ITI-62": Activity.REMOVED,
    "ITI-86": Activity.REMOVED,
    "ITI-9": Activity.LOOKED_UP,
    "ITI-45": Activity.LOOKED_UP,
    "ITI-21": Activity.LOOKED_UP,
    "ITI-22": Activity.LOOKED_UP,
    "ITI-47": Activity.LOOKED_UP,
    "ITI-8": Activity.FED,
    "ITI-30": Activity.FED,
    "ITI-31": Activity.FED,
    "ITI-44": Activity.FED,
    "ITI-64": Activity.FED,
    "ITI-10": Activity.FED,
    "ITI-46": Activity.FED,
    EMERGENCY_OVERRIDE_STARTED: Activity.BROKE_GLASS,
    "110106": Activity.EXPORTED,
}
SHOWN = tuple(event for event, activity in ACTIVITIES.items() if activity is not Activity.FED)
"""Events that are shown without being asked for: not what systems tell each other of every patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One audit record. ``name``, ``role`` and ``organization`` are "" where the record has none: a system alone.

    ``purposes`` are display names or codes; ``reason`` is what somebody gave as the reason of an emergency.
    """

    number: int
    at: datetime
    activity: Activity
    event: str
    name: str
    role: str
    organization: str
    system: str
    purposes: tuple[str, ...]
    documents: tuple[str, ...]
    refused: bool
    emergency: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """That somebody opened the record in an emergency. ``reviewed``: the agency has looked at it."""

    since: datetime
    until: datetime
    party: Party
    reason: str
    level: str
    reviewed: bool
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a patient is told: emergencies first, then every access, the newest first."""

    notices: tuple[Notice, ...]
    accesses: tuple[Access, ...]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of the trail; ``until`` is exclusive, ``everything`` shows what systems tell each other as well."""

    since: datetime | None = None
    until: datetime | None = None
    everything: bool = False
    limit: int = MOST


def view(connection: Connection, patient: Patient, wanted: Wanted) -> View:
    """Derive the view of one patient, over all ids of the person and all their documents."""
    emergencies = store.facts(connection, patient.keys).of(patient.keys).emergencies
    found = _records(connection, patient, wanted)
    shown = tuple(access(each.sequence, each.message, emergencies) for each in found)
    return View(notices=tuple(notices(emergencies, shown)), accesses=shown, complete=len(found) < wanted.limit)


def access(number: int, message: AuditMessage, emergencies: Iterable[Emergency] = ()) -> Access:
    """What one audit record tells the patient."""
    human = next((each for each in message.participants if is_human(each)), None)
    organization = next((each for each in message.participants if ORGANIZATION in each.roles), None)
    event, at = event_code(message), message.event.time
    activity = ACTIVITIES.get(event, Activity.OTHER)
    parties = _parties(human) if human else frozenset()
    within = any(each.holds_at(at) and each.party in parties for each in emergencies)
    return Access(
        number=number,
        at=at,
        activity=activity,
        event=event,
        name=_name(human),
        role=", ".join(each.display or each.code for each in human.roles) if human else "",
        organization=_name(organization),
        system=_system(message),
        purposes=tuple(each.display or each.code for each in message.event.purpose_of_use),
        documents=tuple(each.id for each in message.objects if each.id and each.role in FOUND_ROLES),
        refused=message.event.outcome is not EventOutcomeIndicator.SUCCESS,
        emergency=within or activity is Activity.BROKE_GLASS,
        reason=(message.event.outcome_description or "") if activity is Activity.BROKE_GLASS else "",
    )


def notices(emergencies: Iterable[Emergency], accesses: Sequence[Access]) -> Iterator[Notice]:
    """The emergencies, the newest first, with a name where an access has one."""
    for each in sorted(emergencies, key=lambda one: one.since, reverse=True):
        names = (one.name for one in accesses if one.emergency and each.holds_at(one.at) and one.name)
        yield Notice(
            since=each.since,
            until=each.until,
            party=each.party,
            reason=each.reason,
            level=each.level,
            reviewed=each.reviewed,
            name=next(names, ""),
        )


def _records(connection: Connection, patient: Patient, wanted: Wanted) -> list[trail.Stored]:
    """Records that name the patient, or a document of the patient: a retrieval knows the document alone."""
    part = trail.Search(
        events=() if wanted.everything else SHOWN,
        since=_micro(wanted.since),
        until=_micro(wanted.until),
        limit=wanted.limit,
    )
    named = (each for one in _ids(connection, patient) for each in trail.search(connection, _under(part, one)))
    documents = _documents(connection, patient)
    read = trail.search(connection, replace(part, objects=documents)) if documents else []
    merged = {each.sequence: each for each in (*named, *read)}
    return sorted(merged.values(), key=lambda each: each.sequence, reverse=True)[: wanted.limit]


def _under(part: trail.Search, tenure: Tenure) -> trail.Search:
    """The same search, while an id was the patient's: before and after it may have been somebody else's."""
    since, until = _micro(tenure.since - JUST_BEFORE), _micro(tenure.until)
    return replace(
        part,
        patients=(f"{tenure.id}^^^&{tenure.authority}&ISO",),
        since=max((each for each in (part.since, since) if each is not None), default=None),
        until=min((each for each in (part.until, until) if each is not None), default=None),
    )


def _ids(connection: Connection, patient: Patient) -> Iterator[Tenure]:
    """Every id that the person has or had, merged ones included."""
    persons = current_persons(connection, {patient.key}).values()
    keys = {key for each in members(connection, set(persons)).values() for key in each} | set(patient.keys)
    more = {each for key in keys for each in store_records.subsumed_by(connection, key)}
    return tenures(connection, keys | more)


def _documents(connection: Connection, patient: Patient) -> tuple[str, ...]:
    this = document_entry.c
    query = select(this.unique_id).where(this.patient_key.in_(sorted(patient.keys))).order_by(this.id.desc())
    return tuple(dict.fromkeys(connection.scalars(query.limit(MOST_DOCUMENTS))))


def _parties(human: ActiveParticipant) -> frozenset[Party]:
    """As whom the access rights know somebody: by number, and by ``alias<user@issuer>`` (ITI TF-2: 3.40.4.2)."""
    _, _, rest = (human.user_name or "").partition("<")
    name_id, _, issuer = rest.removesuffix(">").partition("@")
    return frozenset({professional(human.user_id), person(name_id, issuer)})


def _name(participant: ActiveParticipant | None) -> str:
    """Somebody's own name before a number or a user name."""
    if participant is None:
        return ""
    if ORGANIZATION in participant.roles:
        return participant.user_name or participant.user_id
    return participant.alternative_user_id or participant.user_id


def _system(message: AuditMessage) -> str:
    """The system at the other end: certificate subject or source ids, and its address."""
    own = {message.source.id}
    machines = [each for each in message.participants if each.network_access_point and each.user_id not in own]
    asking = next((each for each in machines if each.is_requestor), next(iter(machines), None))
    if asking is None:
        return message.source.id
    named = asking.alternative_user_id or (asking.user_id if "://" not in asking.user_id else "")
    return f"{named} ({asking.network_access_point})" if named else str(asking.network_access_point)


def _micro(at: datetime | None) -> int | None:
    return None if at is None else instant(at)
