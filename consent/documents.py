"""Consent documents as they come and go: what each does to a record, and how that is taken back.

Everything that a document did carries its uniqueId in the event's origin. When it ends, each of these things is taken
back unless somebody else said the same meanwhile: a person, or a document that is still in effect.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from consent import log, recording, store
from consent.effects import CloseRecord, Deed, Hide, LetIn, OpenRecord, ShutOut
from consent.events import STATES, Event, Excluded, Masked, RecordMoved
from consent.model import EVERYBODY, Act, EventType, Given, RelationshipKind
from ihe.identifiers import PatientKey, UniqueId
from ihe.patients import Patient

ORIGIN = "document:"
OF_RECORD = frozenset(STATES)


def origin(unique_id: UniqueId) -> str:
    """What the events of a document carry."""
    return f"{ORIGIN}{unique_id}"


def take_up(
    connection: Connection,
    patient: Patient,
    unique_id: UniqueId,
    done: Sequence[Deed],
    act: Act,
    keep_closed: timedelta | None = None,
) -> None:
    """Let a document take effect. ``keep_closed`` is how long after an opposition the record is deleted."""
    own = replace(act, origin=origin(unique_id))
    recording.take_up_consent(connection, patient, unique_id, own)
    do(connection, patient, done, own, keep_closed)


def take_up_again(
    connection: Connection,
    patient: Patient,
    unique_id: UniqueId,
    done: Sequence[Deed],
    act: Act,
    keep_closed: timedelta | None = None,
) -> None:
    """Let a document take effect that is not new: it comes back, or comes from another patient.

    It has no say on whether the record is open where that was decided after the document was submitted.
    """
    if _decided_since(connection, patient, store.first_taken_up(connection, unique_id)):
        done = [each for each in done if not isinstance(each, OpenRecord | CloseRecord)]
    take_up(connection, patient, unique_id, done, act, keep_closed)


def _decided_since(connection: Connection, patient: Patient, number: int) -> bool:
    """Whether the record was opened, suspended, closed or deleted after an event, by what still holds."""
    moves = log.of_types(connection, patient, OF_RECORD - {EventType.RECORD_CREATED})
    ended = _ends(connection, patient)
    return any(each.number > max(number, ended.get(each.origin, 0)) for each in moves)


def do(
    connection: Connection, patient: Patient, done: Sequence[Deed], act: Act, keep_closed: timedelta | None = None
) -> None:
    """Do what statements ask for, once and for all: no document stands behind it with which it would end."""
    for each in done:
        _do(connection, patient, each, act, keep_closed)


def _do(connection: Connection, patient: Patient, deed: Deed, act: Act, keep_closed: timedelta | None) -> None:
    match deed:
        case OpenRecord(until=until):
            recording.open_record(connection, patient, act, until)
        case CloseRecord():
            delete_at = None if keep_closed is None else act.at + keep_closed
            recording.close_record(connection, patient, act, delete_at)
        case LetIn(party=party, until=until):
            kind = RelationshipKind.PROFESSIONAL
            recording.relate(connection, patient, party, kind, act, until=until, source=act.origin)
        case ShutOut(party=party):
            recording.exclude(connection, patient, party, act)
        case Hide(unique_id=hidden):
            recording.mask(connection, patient, (hidden,), act)


def end(connection: Connection, patient: Patient, given: Given, act: Act) -> None:
    """End the effect of a document."""
    own = replace(act, origin=origin(given.unique_id))
    done = log.said_by(connection, patient, own.origin, given.number)
    recording.end_consent(connection, patient, given, own)
    for each in store.relationships_from(connection, own.origin):
        recording.end_relationship(connection, patient, each.number, own)
    _let_in_again(connection, patient, done, own)
    _show_again(connection, patient, done, own)
    _return_to_before(connection, patient, done, own)


def _let_in_again(connection: Connection, patient: Patient, done: Sequence[Event], act: Act) -> None:
    """Lift exclusions; what others said of the same parties is said again, for lifting takes back all of it."""
    mine = {each.number: each.detail for each in done if isinstance(each.detail, Excluded)}
    parties = {each.party for each in mine.values()}
    known = store.facts(connection, patient.keys).of(patient.keys).exclusions
    others = {each.number for each in known if each.party in parties and each.number not in mine}
    for party in sorted(parties):
        recording.lift_exclusion(connection, patient, party, act)
    for event in log.numbered(connection, others):
        if isinstance(event.detail, Excluded):
            recording.exclude(connection, patient, event.detail.party, _again(event, act))


def _show_again(connection: Connection, patient: Patient, done: Sequence[Event], act: Act) -> None:
    mine = {each.number: each.detail for each in done if isinstance(each.detail, Masked)}
    hidden = {unique_id for each in mine.values() for unique_id in each.unique_ids}
    known = store.facts(connection, patient.keys).of(patient.keys).masks
    others = {
        each.number
        for each in known
        if each.unique_id in hidden and each.profession == EVERYBODY and each.number not in mine
    }
    if hidden:
        recording.unmask(connection, patient, sorted(hidden), act)
    for event in log.numbered(connection, others):
        if isinstance(event.detail, Masked):
            again = sorted(hidden.intersection(event.detail.unique_ids))
            recording.mask(connection, patient, again, _again(event, act))


def _return_to_before(connection: Connection, patient: Patient, done: Sequence[Event], act: Act) -> None:
    """The state that each id's record would have without the document, if the document had the last word on it.

    Each id for itself: what one of them allowed before they were merged is not the word of the other, who forbade it.
    """
    moves = log.of_types(connection, patient, OF_RECORD)
    mine = {each.number for each in done}
    ended = _ends(connection, patient)
    others = [each for each in moves if each.number not in mine and each.number > ended.get(each.origin, 0)]
    for key in patient.keys:
        last = _last_word(moves, key)
        if last is not None and last.number in mine:
            _return(connection, patient, key, _last_word(others, key), act)


def _last_word(moves: Iterable[Event], key: PatientKey) -> Event | None:
    """The first of these, which are the newest first, that is about the record of an id."""
    return next((each for each in moves if isinstance(each.detail, RecordMoved) and key in each.detail.keys), None)


def _return(connection: Connection, patient: Patient, key: PatientKey, before: Event | None, act: Act) -> None:
    if before is not None and isinstance(before.detail, RecordMoved):
        log.say(connection, patient, before.type, act, replace(before.detail, keys=(key,)))
    else:
        log.say(connection, patient, EventType.RECORD_SUSPENDED, act, RecordMoved(keys=(key,)))


def _ends(connection: Connection, patient: Patient) -> dict[str, int]:
    """When documents ended, by their origin: what they did before that counts no more."""
    ended: dict[str, int] = {}
    for event in log.of_types(connection, patient, {EventType.CONSENT_ENDED}):
        ended.setdefault(event.origin, event.number)
    return ended


def _again(event: Event, act: Act) -> Act:
    """The act of an earlier event, said anew."""
    return Act(actor=event.actor, reason=event.reason, at=act.at, origin=event.origin)
