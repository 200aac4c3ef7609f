"""Persons as queries show them, over ``pix.tables``: all records of each, and the ids of these, by one statement.

National ids are those alone whose digits are right. The list of ``DESCRIBED`` is spelled for its length, so that
PostgreSQL plans it once for each; with an array in it, a statement would be planned every time.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, Select, bindparam, func, select

from ihe.identifiers import PatientKey
from pix.model import Identifier
from pix.store_records import Named, Told
from pix.tables import ACTIVE, link, national, record
from statements.among import Among
from statements.compiled import Row
from statements.prepared import Prepared
from statements.selections import Selection

LINKED, TOLD, ATTACHED = link.alias("linked"), record.alias("told"), national.alias("attached")
ID = (TOLD.c.authority, TOLD.c.id, TOLD.c.type_code)
NATIONAL = (ATTACHED.c.authority, ATTACHED.c.id, ATTACHED.c.type_code)
SURVIVOR = func.coalesce(record.c.survivor, record.c.key)


def _with_records(persons: FromClause) -> FromClause:
    """Beside the active links of persons their records, each once for every national id that it carries, or once."""
    carries = (ATTACHED.c.record == TOLD.c.key) & ATTACHED.c.valid
    return persons.join(TOLD, TOLD.c.key == LINKED.c.record).outerjoin(ATTACHED, carries)


def _linked_with(named: FromClause, key: ColumnElement[int]) -> FromClause:
    """Beside records, all active links of their persons."""
    theirs = (LINKED.c.person == link.c.person) & LINKED.c.ended_by.is_(None)
    return named.join(link, (link.c.record == key) & ACTIVE).join(LINKED, theirs)


def _held(persons: FromClause, *conditions: ColumnElement[bool]) -> Select[Row]:
    held = select(LINKED.c.person, *ID, *NATIONAL).select_from(_with_records(persons)).where(*conditions)
    return held.order_by(LINKED.c.person, TOLD.c.key)


BY_PERSON = Prepared(_held(LINKED, Among(LINKED.c.person, "persons"), LINKED.c.ended_by.is_(None)))
BY_OWN = Prepared(
    _held(
        _linked_with(record, record.c.key),
        record.c.authority == bindparam("of"),
        record.c.id == bindparam("named"),
        record.c.announced.is_(True),
        record.c.survivor.is_(None),
    )
)
BY_NATIONAL = Prepared(
    _held(
        _linked_with(national, national.c.record),
        national.c.authority == bindparam("of"),
        national.c.id == bindparam("named"),
    )
)
DESCRIBED = Selection(
    select(record.c.key, SURVIVOR, TOLD.c.key, *ID, TOLD.c.source, TOLD.c.updated, TOLD.c.demographics, *NATIONAL)
    .select_from(_with_records(_linked_with(record, SURVIVOR)))
    .where(record.c.key.in_(bindparam("keys", expanding=True, type_=BigInteger())))
    .order_by(record.c.key, TOLD.c.key)
)


@dataclass(frozen=True, slots=True)
class Described:
    """A person by one of its records: the one that stands for it, what all say, in the order of their keys, and ids."""

    survivor: PatientKey
    told: dict[PatientKey, Told] = field(default_factory=dict)
    nationals: list[Named] = field(default_factory=list)

    @property
    def ids(self) -> list[Named]:
        """The ids of its records, and the national ids that these carry."""
        return [*[each[:3] for each in self.told.values()], *self.nationals]


def held(connection: Connection, persons: Collection[PatientKey]) -> dict[PatientKey, list[Named]]:
    """The ids of the records of each person, and the national ids that these carry."""
    return _by_person(BY_PERSON.rows(connection, {"persons": persons}))


def held_beside(connection: Connection, identifier: Identifier) -> dict[PatientKey, list[Named]]:
    """The same of the persons that have an id: one, unless sources contradict each other; none: nobody announced it."""
    asked = {"of": identifier.authority.oid, "named": identifier.id}
    return _by_person(BY_OWN.rows(connection, asked) or BY_NATIONAL.rows(connection, asked))


def described(connection: Connection, keys: list[PatientKey]) -> Mapping[PatientKey, Described]:
    """The person of each record, or of the one that it was merged into."""
    found: dict[PatientKey, Described] = {}
    if not keys:
        return found
    for key, survivor, one, *said, authority, id, type_code in DESCRIBED.rows(connection, {"keys": keys}):
        person = found.get(key) or found.setdefault(key, Described(survivor))
        if one not in person.told:
            person.told[one] = Told(*said)
        if id is not None:
            person.nationals.append((authority, id, type_code))
    return found


def _by_person(rows: Iterable[Row]) -> dict[PatientKey, list[Named]]:
    own: dict[PatientKey, list[Named]] = {}
    attached: dict[PatientKey, list[Named]] = {}
    for person, *said, authority, id, type_code in rows:
        own.setdefault(person, []).append((said[0], said[1], said[2]))
        if id is not None:
            attached.setdefault(person, []).append((authority, id, type_code))
    return {person: [*ids, *attached.get(person, ())] for person, ids in own.items()}
