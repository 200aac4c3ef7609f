"""Links from records to persons, and decisions between records, over ``pix.tables``."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, or_, select, union, update

from ihe.identifiers import PatientKey
from pix.decisions import Basis, Decision, Pair, pair
from pix.tables import ACTIVE, decision, event, link, match, national, record
from statements.among import Among
from statements.prepared import Prepared

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
        select(match.c.high).where(match.c.low == THIS),
        select(match.c.low).where(match.c.high == THIS),
        select(_there.c.record)
        .select_from(_here.join(_there, _here.c.person == _there.c.person))
        .where(_here.c.record == THIS, _here.c.ended_by.is_(None), _there.c.ended_by.is_(None)),
    )
)
PERSONS = Prepared(
    select(link.c.record, link.c.person).where(Among(link.c.record, "keys"), ACTIVE).order_by(link.c.record)
)
LINKS = Prepared(
    select(link.c.record, link.c.person, link.c.reason, link.c.event)
    .where(Among(link.c.record, "keys"), ACTIVE)
    .order_by(link.c.record)
)
MEMBERS = Prepared(
    select(link.c.person, link.c.record).where(Among(link.c.person, "persons"), ACTIVE).order_by(link.c.record)
)
HOMES = Prepared(
    select(record.c.key, func.coalesce(record.c.survivor, record.c.key), link.c.person)
    .join(link, (link.c.record == func.coalesce(record.c.survivor, record.c.key)) & ACTIVE)
    .where(Among(record.c.key, "keys"))
    .order_by(record.c.key)
)
WITHIN = Prepared(
    union(
        select(link.c.person)
        .join(record, record.c.key == link.c.record)
        .where(Among(link.c.person, "persons"), ACTIVE, record.c.authority == bindparam("of")),
        select(link.c.person)
        .join(national, national.c.record == link.c.record)
        .where(Among(link.c.person, "persons"), ACTIVE, national.c.authority == bindparam("of"), national.c.valid),
    )
)
BEGIN = Prepared(insert(link), ("number", "record", "person", "reason", "event", "ended_by"))
END = Prepared(update(link).where(link.c.record == THIS, ACTIVE), ("ended_by",))
DECISIONS = Prepared(
    select(decision.c.low, decision.c.high, decision.c.same, decision.c.basis, decision.c.event)
    .where(or_(Among(decision.c.low, "keys"), Among(decision.c.high, "keys")))
    .order_by(decision.c.event)
)
DECLARED = Prepared(
    select(decision.c.low, decision.c.high)
    .join(event, event.c.number == decision.c.event)
    .where(
        or_(Among(decision.c.low, "keys"), Among(decision.c.high, "keys")),
        decision.c.same,
        decision.c.basis == Basis.LISTED.value,
        event.c.actor == bindparam("by"),
    )
    .order_by(decision.c.event)
)
SAID = Prepared(
    select(event.c.number)
    .where(
        event.c.record == bindparam("one"),
        event.c.other == bindparam("other"),
        or_(event.c.type == "declared", event.c.type == "undeclared"),
    )
    .order_by(event.c.number.desc())
)
DECIDE = Prepared(insert(decision), decision.columns)
UNDECIDE = Prepared(delete(decision).where(decision.c.low == bindparam("one"), decision.c.high == bindparam("other")))
FORGET = Prepared(delete(decision).where(or_(decision.c.low == THIS, decision.c.high == THIS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A record is of a person since ``event``; ``reason`` is what joined it (``pix.persons.Reason``)."""

    record: PatientKey
    person: PatientKey
    reason: str
    event: int


def neighbours(connection: Connection, keys: Collection[PatientKey]) -> set[PatientKey]:
    """Every record that one of these may be linked with, or is."""
    rows = NEIGHBOURS.rows_of_each(connection, [{"this": key} for key in sorted(keys)])
    return {other for _, some in rows for (other,) in some}


def persons_of(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, PatientKey]:
    """The person that each record is linked to."""
    return dict(PERSONS.rows(connection, {"keys": sorted(keys)}))


def links_of(connection: Connection, keys: Collection[PatientKey]) -> tuple[Link, ...]:
    """The active link of each record."""
    rows = LINKS.rows(connection, {"keys": keys})
    return tuple(
        Link(record=PatientKey(record), person=PatientKey(person), reason=reason, event=event)
        for record, person, reason, event in rows
    )


def members(connection: Connection, persons: Collection[PatientKey]) -> dict[PatientKey, list[PatientKey]]:
    """The records of each person, in order."""
    found: dict[PatientKey, list[PatientKey]] = {}
    for person, key in MEMBERS.rows(connection, {"persons": persons}):
        found.setdefault(person, []).append(key)
    return found


def current_persons(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, PatientKey]:
    """The person that each record is linked to, or the record that it was merged into."""
    return {key: person for key, (_, person) in homes(connection, keys).items()}


def homes(connection: Connection, keys: Collection[PatientKey]) -> dict[PatientKey, tuple[PatientKey, PatientKey]]:
    """For each record the one that it was merged into, itself where it was not, and the person of that one."""
    return {key: (survivor, person) for key, survivor, person in HOMES.rows(connection, {"keys": keys})}


def persons_within(
    connection: Connection, persons: Collection[PatientKey], authorities: Collection[str]
) -> set[PatientKey]:
    """Those of the persons who have an id of one of the authorities, of their own or a valid national one."""
    found: set[PatientKey] = set()
    for authority in authorities:
        found.update(person for (person,) in WITHIN.rows(connection, {"persons": persons, "of": authority}))
    return found


def together(connection: Connection, keys: Collection[PatientKey]) -> set[PatientKey]:
    """These records and all that are linked with one of them."""
    linked = members(connection, set(persons_of(connection, keys).values()))
    return {*keys, *(key for some in linked.values() for key in some)}


def begin(connection: Connection, key: PatientKey, person: PatientKey, reason: str, event: int) -> None:
    """Link a record, which has no active link, to a person."""
    row = {"record": key, "person": person, "reason": reason, "event": event, "ended_by": None}
    BEGIN.run(connection, {"number": event, **row})


def end(connection: Connection, key: PatientKey, event: int) -> None:
    """End the record's active link."""
    END.run(connection, {"this": key, "ended_by": event})


def decisions(connection: Connection, keys: Collection[PatientKey]) -> tuple[Decision, ...]:
    """All decisions about these records, oldest first."""
    return tuple(
        Decision(pair=pair(low, high), same=bool(same), basis=Basis(basis), event=event)
        for low, high, same, basis, event in DECISIONS.rows(connection, {"keys": sorted(keys)})
    )


def said_of(connection: Connection, two: Pair) -> list[int]:
    """The events that said of these very records what they are, or took that back, latest first."""
    return [number for (number,) in SAID.rows(connection, {"one": two[0], "other": two[1]})]


def declared_by(connection: Connection, source: str, keys: Collection[PatientKey]) -> tuple[Pair, ...]:
    """The pairs, with one of these records or two, whose ids this source listed in one message."""
    return tuple(pair(low, high) for low, high in DECLARED.rows(connection, {"keys": keys, "by": source}))


def decide(connection: Connection, decided: Decision) -> None:
    """Keep a decision in place of an earlier one about the same records."""
    low, high = decided.pair
    undecide(connection, decided.pair)
    row = {"low": low, "high": high, "same": decided.same, "basis": decided.basis.value, "event": decided.event}
    DECIDE.run(connection, row)


def undecide(connection: Connection, two: Pair) -> None:
    """Remove the decision about two records."""
    UNDECIDE.run(connection, {"one": two[0], "other": two[1]})


def forget_decisions(connection: Connection, key: PatientKey) -> None:
    """Remove every decision about a record."""
    FORGET.run(connection, {"this": key})
