"""From events to rows: the same function makes them as things happen and when the projections are rebuilt."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from consent.events import (
    FORBIDDING,
    STATES,
    ConsentEnded,
    ConsentTakenUp,
    Event,
    Excluded,
    GlassBroken,
    GlassReviewed,
    Masked,
    RecordMoved,
    Related,
    RelationshipEnded,
)
from consent.model import EventType
from consent.tables import document, emergency, exclusion, mask, record, relationship
from ihe.identifiers import PatientKey

SAID = ("state", "since", "opens_at", "closes_at", "delete_at", "event")


def _saying(dialect: Any) -> Any:
    """Say something of a record, whatever was said before; made once, for every new patient has a record.

    Of two who speak at once, the one with the lower number in the log may come last: the other has the last word.
    """
    new = dialect.insert(record)
    return new.on_conflict_do_update(
        index_elements=list(record.primary_key),
        set_={name: new.excluded[name] for name in SAID},
        where=record.c.event <= new.excluded.event,
    )


SAYING: Mapping[str, Any] = {"sqlite": _saying(sqlite), "postgresql": _saying(postgresql)}
PROJECTIONS: tuple[Table, ...] = (record, relationship, exclusion, mask, emergency, document)


def project(connection: Connection, event: Event) -> None:
    """Apply one event to the projections."""
    APPLY[event.type](connection, event, event.detail)


def forget(connection: Connection) -> None:
    """Empty the projections, before every event is applied again."""
    for table in PROJECTIONS:
        connection.execute(delete(table))


def _record_moved(connection: Connection, event: Event, detail: RecordMoved) -> None:
    state = STATES[event.type]
    for key in detail.keys:
        own = {key} if state in FORBIDDING else set()
        for under in sorted({event.patient_key, *own}):
            _state(connection, event, detail, key, under)


def _state(connection: Connection, event: Event, detail: RecordMoved, key: PatientKey, under: PatientKey) -> None:
    row = {
        "patient_key": key,
        "under": under,
        "state": STATES[event.type].value,
        "since": event.at,
        "opens_at": detail.opens_at,
        "closes_at": detail.closes_at,
        "delete_at": detail.delete_at,
        "event": event.number,
    }
    connection.execute(SAYING[connection.dialect.name], row)


def _related(connection: Connection, event: Event, detail: Related) -> None:
    row = {"party": detail.party, "kind": str(detail.kind), "since": detail.since, "until": detail.until}
    connection.execute(
        insert(relationship).values(
            number=event.number, patient_key=event.patient_key, source=detail.source, ended_by=None, **row
        )
    )


def _relationship_ended(connection: Connection, event: Event, detail: RelationshipEnded) -> None:
    over = event.number if detail.until <= event.at else None
    ending = update(relationship).where(relationship.c.number == detail.number, relationship.c.ended_by.is_(None))
    connection.execute(ending.values(until=detail.until, ended_by=over))


def _excluded(connection: Connection, event: Event, detail: Excluded) -> None:
    rows = [{"number": event.number, "patient_key": key, "party": detail.party} for key in detail.keys]
    connection.execute(insert(exclusion), rows)


def _exclusion_lifted(connection: Connection, event: Event, detail: Excluded) -> None:
    these = exclusion.c.party == detail.party, *_in_force(exclusion, event, detail.keys)
    connection.execute(update(exclusion).where(*these).values(lifted_by=event.number, lifted_under=event.patient_key))


def _masked(connection: Connection, event: Event, detail: Masked) -> None:
    rows = [
        {"number": event.number, "patient_key": key, "unique_id": unique_id, "profession": detail.profession}
        for key in detail.keys
        for unique_id in detail.unique_ids
    ]
    connection.execute(insert(mask), rows)


def _unmasked(connection: Connection, event: Event, detail: Masked) -> None:
    hidden = mask.c.unique_id.in_(detail.unique_ids), mask.c.profession == detail.profession
    lifting = update(mask).where(*hidden, *_in_force(mask, event, detail.keys))
    connection.execute(lifting.values(lifted_by=event.number, lifted_under=event.patient_key))


def _in_force(table: Table, event: Event, keys: tuple[PatientKey, ...]) -> tuple[ColumnElement[bool], ...]:
    """Those of these ids, said before, that none of them took back already.

    An earlier word, of fewer ids, stays as it is. What others say at the same moment may have a higher number.
    """
    lifted = table.c.lifted_under
    return table.c.number < event.number, table.c.patient_key.in_(keys), or_(lifted.is_(None), lifted.not_in(keys))


def _glass_broken(connection: Connection, event: Event, detail: GlassBroken) -> None:
    times = {"since": detail.since, "until": detail.until}
    row = {"party": detail.party, "level": detail.level, "reason": event.reason, **times}
    connection.execute(insert(emergency).values(number=event.number, patient_key=event.patient_key, **row))


def _glass_reviewed(connection: Connection, event: Event, detail: GlassReviewed) -> None:
    reviewed = update(emergency).where(emergency.c.number == detail.number)
    connection.execute(reviewed.values(reviewed_by=event.number))


def _consent_taken_up(connection: Connection, event: Event, detail: ConsentTakenUp) -> None:
    row = {"number": event.number, "patient_key": event.patient_key, "unique_id": detail.unique_id, "ended_by": None}
    connection.execute(insert(document).values(row))


def _consent_ended(connection: Connection, event: Event, detail: ConsentEnded) -> None:
    ended = update(document).where(document.c.number == detail.number)
    connection.execute(ended.values(ended_by=event.number))


APPLY: Mapping[EventType, Callable[[Connection, Event, Any], None]] = {
    **dict.fromkeys(STATES, _record_moved),
    EventType.RELATIONSHIP_DECLARED: _related,
    EventType.REPRESENTATIVE_NAMED: _related,
    EventType.RELATIONSHIP_ENDED: _relationship_ended,
    EventType.PARTY_EXCLUDED: _excluded,
    EventType.EXCLUSION_LIFTED: _exclusion_lifted,
    EventType.DOCUMENT_MASKED: _masked,
    EventType.DOCUMENT_UNMASKED: _unmasked,
    EventType.GLASS_BROKEN: _glass_broken,
    EventType.GLASS_REVIEWED: _glass_reviewed,
    EventType.CONSENT_TAKEN_UP: _consent_taken_up,
    EventType.CONSENT_ENDED: _consent_ended,
}
