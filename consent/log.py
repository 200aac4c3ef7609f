"""The log of events: added to, read in order, and the source from which the projections are rebuilt."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select

from consent.events import Detail, Event, Excluded, Masked, from_json, instant, to_json
from consent.model import Act, EventType
from consent.projection import forget, project
from consent.tables import event as log
from ihe.identifiers import PatientKey
from ihe.patients import Patient

ADDING = insert(log).returning(log.c.number)
"""Made once: a feed that announces a patient adds an event."""
TURN = select(func.pg_advisory_xact_lock(3420, func.hashint8(bindparam("key"))))
"""3420 is the class of what is said of one id of a patient."""
PIECE = 1000
"""Most events that are read at a time."""


def say(connection: Connection, patient: Patient, type: EventType, act: Act, detail: Detail) -> int:
    """Add an event and apply it, in the caller's transaction; its number."""
    if isinstance(detail, Excluded | Masked):
        _take_turns(connection, detail.keys)
    line = {
        "at": instant(act.at),
        "type": type.value,
        "patient_key": patient.key,
        "actor": act.actor,
        "reason": act.reason,
        "origin": act.origin,
    }
    number: int = connection.execute(ADDING, {"detail": to_json(detail), **line}).scalar_one()
    project(connection, _event(number, detail, line))
    return number


def _take_turns(connection: Connection, keys: Collection[PatientKey]) -> None:
    """Let what one takes back be there, or not be said yet; on SQLite all changes take turns."""
    if connection.dialect.name == "postgresql":
        for key in sorted(keys):
            connection.execute(TURN, {"key": key})


def history(connection: Connection, patient: Patient, most: int = PIECE) -> Sequence[Event]:
    """What happened to a patient's record, newest first."""
    query = select(log).where(log.c.patient_key.in_(patient.keys)).order_by(log.c.number.desc()).limit(most)
    return tuple(_read(row) for row in connection.execute(query))


def said_by(connection: Connection, patient: Patient, origin: str, since: int = 0) -> Sequence[Event]:
    """What one transaction, document or command did to a patient's record, from event ``since`` on, oldest first."""
    this = log.c.patient_key.in_(patient.keys), log.c.origin == origin, log.c.number >= since
    return tuple(map(_read, connection.execute(select(log).where(*this).order_by(log.c.number).limit(PIECE))))


def of_types(connection: Connection, patient: Patient, types: Collection[EventType]) -> Sequence[Event]:
    """The events of some types, newest first."""
    these = log.c.patient_key.in_(patient.keys), log.c.type.in_(sorted(each.value for each in types))
    return tuple(map(_read, connection.execute(select(log).where(*these).order_by(log.c.number.desc()).limit(PIECE))))


def numbered(connection: Connection, numbers: Collection[int]) -> Sequence[Event]:
    """Events by their numbers, in order."""
    query = select(log).where(log.c.number.in_(sorted(numbers))).order_by(log.c.number)
    return tuple(map(_read, connection.execute(query)))


def rebuild(connection: Connection) -> int:
    """Make the projections anew from the log; how many events it has. Nobody else may write meanwhile."""
    forget(connection)
    count = 0
    for event in _lines(connection):
        project(connection, event)
        count += 1
    return count


def _lines(connection: Connection) -> Iterator[Event]:
    last = 0
    while rows := connection.execute(_page(last)).all():
        yield from map(_read, rows)
        last = rows[-1].number


def _page(last: int) -> Select[Any]:
    return select(log).where(log.c.number > last).order_by(log.c.number).limit(PIECE)


def _read(row: Row[Any]) -> Event:
    line = {name: getattr(row, name) for name in ("at", "type", "patient_key", "actor", "reason", "origin")}
    return _event(row.number, from_json(EventType(row.type), row.detail), line)


def _event(number: int, detail: Detail, line: dict[str, Any]) -> Event:
    known = {**line, "type": EventType(line["type"]), "patient_key": PatientKey(line["patient_key"])}
    return Event(number=number, detail=detail, **known)
