"""Links from records to persons, decisions between records, and tasks for people, over ``pix.tables``."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, or_, select, union, update

from ihe.identifiers import PatientKey
from pix.persons import Pair, pair
from pix.tables import ACTIVE, decision, link, national, task

KEYS: BindParameter[list[int]] = bindparam("keys", expanding=True)
_mine, _theirs = national.alias(), national.alias()
_here, _there = link.alias(), link.alias()
NEIGHBOURS = union(
    select(_theirs.c.record)
    .select_from(_mine.join(_theirs, (_mine.c.authority == _theirs.c.authority) & (_mine.c.id == _theirs.c.id)))
    .where(_mine.c.record.in_(KEYS), _mine.c.valid, _theirs.c.valid),
    select(decision.c.high).where(decision.c.low.in_(KEYS), decision.c.same),
    select(decision.c.low).where(decision.c.high.in_(KEYS), decision.c.same),
    select(_there.c.record)
    .select_from(_here.join(_there, _here.c.person == _there.c.person))
    .where(_here.c.record.in_(KEYS), _here.c.ended_by.is_(None), _there.c.ended_by.is_(None)),
)
ACTIVE_LINKS = select(link.c.record, link.c.person).where(link.c.record.in_(KEYS), ACTIVE).order_by(link.c.record)
MEMBERS = select(link.c.record, link.c.person).where(link.c.person.in_(bindparam("persons", expanding=True)), ACTIVE)
DECISIONS = select(decision).where(decision.c.low.in_(KEYS) | decision.c.high.in_(KEYS)).order_by(decision.c.event)
INSERT = insert(link)
DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a source declared of two records: one person, or two. ``explicit`` by ADT^A24 or A37."""

    pair: Pair
    same: bool
    explicit: bool
    event: int


def neighbours(connection: Connection, keys: Collection[PatientKey]) -> set[PatientKey]:
    """Every record that one of these may be linked with, or is."""
    return {PatientKey(key) for key in connection.scalars(NEIGHBOURS, {"keys": list(keys)})}


def persons_of(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, PatientKey]:
    """The person that each record is linked to."""
    rows = connection.execute(ACTIVE_LINKS, {"keys": list(keys)})
    return {PatientKey(row.record): PatientKey(row.person) for row in rows}


def members(connection: Connection, persons: Collection[PatientKey]) -> dict[PatientKey, list[PatientKey]]:
    """The records of each person, in order."""
    found: dict[PatientKey, list[PatientKey]] = {}
    for row in connection.execute(MEMBERS.order_by(link.c.record), {"persons": list(persons)}):
        found.setdefault(PatientKey(row.person), []).append(PatientKey(row.record))
    return found


def begin(connection: Connection, key: PatientKey, person: PatientKey, reason: str, event: int) -> None:
    """Link a record, which has no active link, to a person."""
    connection.execute(INSERT, {"record": key, "person": person, "reason": reason, "event": event, "ended_by": None})


def end(connection: Connection, key: PatientKey, event: int) -> None:
    """End the record's active link."""
    connection.execute(update(link).where(link.c.record == key, ACTIVE).values(ended_by=event))


def decisions(connection: Connection, keys: Collection[PatientKey]) -> tuple[Decision, ...]:
    """All decisions about these records, oldest first."""
    return tuple(
        Decision(
            pair=pair(PatientKey(row.low), PatientKey(row.high)), same=row.same, explicit=row.explicit, event=row.event
        )
        for row in connection.execute(DECISIONS, {"keys": list(keys)})
    )


def decide(connection: Connection, decided: Decision) -> None:
    """Keep a decision in place of an earlier one about the same records."""
    low, high = decided.pair
    connection.execute(delete(decision).where(decision.c.low == low, decision.c.high == high))
    row = {"low": low, "high": high, "same": decided.same, "explicit": decided.explicit, "event": decided.event}
    connection.execute(insert(decision), row)


def forget_decisions(connection: Connection, key: PatientKey) -> None:
    """Remove every decision about a record."""
    connection.execute(delete(decision).where(or_(decision.c.low == key, decision.c.high == key)))


def open_tasks(connection: Connection, keys: Collection[PatientKey], kind: str) -> set[Pair]:
    """The pairs among these records that wait for a human."""
    among = select(task.c.low, task.c.high).where(
        task.c.low.in_(keys), task.c.high.in_(keys), task.c.kind == kind, task.c.closed_by.is_(None)
    )
    return {pair(PatientKey(row.low), PatientKey(row.high)) for row in connection.execute(among.order_by(task.c.low))}


def open_task(connection: Connection, kind: str, two: Pair, reason: str, event: int) -> None:
    """Put two records before a human."""
    row = {"kind": kind, "low": two[0], "high": two[1], "reason": reason, "opened_by": event, "closed_by": None}
    connection.execute(insert(task), row)


def close_tasks(connection: Connection, kind: str, pairs: Iterable[Pair], event: int) -> None:
    """Withdraw what no longer needs a human."""
    for low, high in pairs:
        waiting = (task.c.low == low, task.c.high == high, task.c.kind == kind, task.c.closed_by.is_(None))
        connection.execute(update(task).where(*waiting).values(closed_by=event))
