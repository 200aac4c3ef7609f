"""Links from records to persons, decisions between records, and tasks for people, over ``pix.tables``."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, or_, select, union, update

from ihe.identifiers import PatientKey
from pix.persons import Pair, pair
from pix.prepared import Among, Prepared
from pix.tables import ACTIVE, decision, event, link, national, task

THIS: BindParameter[int] = bindparam("this")
_mine, _theirs = national.alias(), national.alias()
_here, _there = link.alias(), link.alias()
NEIGHBOURS = Prepared(
    union(
        select(_theirs.c.record)
        .select_from(_mine.join(_theirs, (_mine.c.authority == _theirs.c.authority) & (_mine.c.id == _theirs.c.id)))
        .where(_mine.c.record == THIS, _mine.c.valid, _theirs.c.valid),
        select(decision.c.high).where(decision.c.low == THIS, decision.c.same),
        select(decision.c.low).where(decision.c.high == THIS, decision.c.same),
        select(_there.c.record)
        .select_from(_here.join(_there, _here.c.person == _there.c.person))
        .where(_here.c.record == THIS, _here.c.ended_by.is_(None), _there.c.ended_by.is_(None)),
    )
)
PERSONS = Prepared(
    select(link.c.record, link.c.person).where(Among(link.c.record, "keys"), ACTIVE).order_by(link.c.record)
)
MEMBERS = Prepared(
    select(link.c.person, link.c.record).where(Among(link.c.person, "persons"), ACTIVE).order_by(link.c.record)
)
BEGIN = Prepared(insert(link), ("record", "person", "reason", "event", "ended_by"))
END = Prepared(update(link).where(link.c.record == THIS, ACTIVE), ("ended_by",))
DECISIONS = Prepared(
    select(decision.c.low, decision.c.high, decision.c.same, decision.c.explicit, decision.c.event)
    .where(or_(Among(decision.c.low, "keys"), Among(decision.c.high, "keys")))
    .order_by(decision.c.event)
)
DECLARED = Prepared(
    select(decision.c.low, decision.c.high)
    .join(event, event.c.number == decision.c.event)
    .where(
        or_(Among(decision.c.low, "keys"), Among(decision.c.high, "keys")),
        decision.c.same,
        decision.c.explicit.is_(False),
        event.c.actor == bindparam("by"),
    )
    .order_by(decision.c.event)
)
DECIDE = Prepared(insert(decision), decision.columns)
UNDECIDE = Prepared(delete(decision).where(decision.c.low == bindparam("one"), decision.c.high == bindparam("other")))
FORGET = Prepared(delete(decision).where(or_(decision.c.low == THIS, decision.c.high == THIS)))
OPEN_TASKS = Prepared(
    select(task.c.low, task.c.high)
    .where(
        or_(Among(task.c.low, "keys"), Among(task.c.high, "keys")),
        task.c.kind == bindparam("of"),
        task.c.closed_by.is_(None),
    )
    .order_by(task.c.low, task.c.high)
)
OPEN_TASK = Prepared(insert(task), ("kind", "low", "high", "reason", "opened_by", "closed_by"))
CLOSE_TASK = Prepared(
    update(task).where(
        task.c.low == bindparam("one"),
        task.c.high == bindparam("other"),
        task.c.kind == bindparam("of"),
        task.c.closed_by.is_(None),
    ),
    ("closed_by",),
)
DISAGREEMENT, COLLISION, CROWD = "disagreement", "collision", "crowd"
"""What waits for a human: an id joins two who contradict each other, an id of somebody else, too many of one id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a source declared of two records: one person, or two. ``explicit`` by ADT^A24 or A37."""

    pair: Pair
    same: bool
    explicit: bool
    event: int


def neighbours(connection: Connection, keys: Collection[PatientKey]) -> set[PatientKey]:
    """Every record that one of these may be linked with, or is."""
    return {other for key in keys for (other,) in NEIGHBOURS.rows(connection, {"this": key})}


def persons_of(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, PatientKey]:
    """The person that each record is linked to."""
    return dict(PERSONS.rows(connection, {"keys": keys}))


def members(connection: Connection, persons: Collection[PatientKey]) -> dict[PatientKey, list[PatientKey]]:
    """The records of each person, in order."""
    found: dict[PatientKey, list[PatientKey]] = {}
    for person, key in MEMBERS.rows(connection, {"persons": persons}):
        found.setdefault(person, []).append(key)
    return found


def together(connection: Connection, keys: Collection[PatientKey]) -> set[PatientKey]:
    """These records and all that are linked with one of them."""
    linked = members(connection, set(persons_of(connection, keys).values()))
    return {*keys, *(key for some in linked.values() for key in some)}


def begin(connection: Connection, key: PatientKey, person: PatientKey, reason: str, event: int) -> None:
    """Link a record, which has no active link, to a person."""
    BEGIN.run(connection, {"record": key, "person": person, "reason": reason, "event": event, "ended_by": None})


def end(connection: Connection, key: PatientKey, event: int) -> None:
    """End the record's active link."""
    END.run(connection, {"this": key, "ended_by": event})


def decisions(connection: Connection, keys: Collection[PatientKey]) -> tuple[Decision, ...]:
    """All decisions about these records, oldest first."""
    return tuple(
        Decision(pair=pair(low, high), same=bool(same), explicit=bool(explicit), event=event)
        for low, high, same, explicit, event in DECISIONS.rows(connection, {"keys": keys})
    )


def declared_by(connection: Connection, source: str, keys: Collection[PatientKey]) -> tuple[Pair, ...]:
    """The pairs, with one of these records or two, whose ids this source listed in one message."""
    return tuple(pair(low, high) for low, high in DECLARED.rows(connection, {"keys": keys, "by": source}))


def decide(connection: Connection, decided: Decision) -> None:
    """Keep a decision in place of an earlier one about the same records."""
    low, high = decided.pair
    undecide(connection, decided.pair)
    row = {"low": low, "high": high, "same": decided.same, "explicit": decided.explicit, "event": decided.event}
    DECIDE.run(connection, row)


def undecide(connection: Connection, two: Pair) -> None:
    """Remove the decision about two records."""
    UNDECIDE.run(connection, {"one": two[0], "other": two[1]})


def forget_decisions(connection: Connection, key: PatientKey) -> None:
    """Remove every decision about a record."""
    FORGET.run(connection, {"this": key})


def open_tasks(connection: Connection, keys: Collection[PatientKey], kind: str) -> set[Pair]:
    """The pairs that wait for a human, one of these records or two in each."""
    return {pair(low, high) for low, high in OPEN_TASKS.rows(connection, {"keys": keys, "of": kind})}


def open_task(connection: Connection, kind: str, two: Pair, reason: str, event: int) -> None:
    """Put two records before a human."""
    row = {"kind": kind, "low": two[0], "high": two[1], "reason": reason, "opened_by": event, "closed_by": None}
    OPEN_TASK.run(connection, row)


def close_tasks(connection: Connection, kind: str, pairs: Iterable[Pair], event: int) -> None:
    """Withdraw what no longer needs a human."""
    CLOSE_TASK.run_all(connection, [{"one": low, "other": high, "of": kind, "closed_by": event} for low, high in pairs])
