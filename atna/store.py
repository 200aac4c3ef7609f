"""The audit trail in the database: records are added and found, never changed. Runs in the caller's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
)

from atna.compact import unpack
from atna.dicom import read
from atna.entries import Entry, Subject, number, object_ids, patient_ids, plain, user_ids
from atna.model import AuditMessage
from atna.tables import audit_event, audit_subject
from statements.prepared import Prepared

COLUMNS = Entry._fields[:-1]
"""All but the further subjects."""
PAGE = 500
"""Rows of one statement where many are read."""

# Every transaction that draws a number has its transaction id by then, so the sealer knows whom to wait for.
_NUMBER = case((func.pg_current_xact_id().is_not(None), func.nextval(literal_column("'audit_event_sequence_seq'"))))
APPEND = {
    "sqlite": Prepared(insert(audit_event), COLUMNS),
    "postgresql": Prepared(insert(audit_event).values(sequence=_NUMBER).returning(audit_event.c.sequence), COLUMNS),
}
SUBJECTS = Prepared(insert(audit_subject), audit_subject.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A record of the trail. ``packed`` is its message as it is stored."""

    sequence: int
    at: int
    event: str
    outcome: int
    person: int | None
    patient: int | None
    leaf: bytes
    packed: bytes

    @property
    def xml(self) -> bytes:
        """The message as DICOM audit XML. Raises Damaged."""
        return unpack(self.packed)

    @property
    def message(self) -> AuditMessage:
        """The message. Raises Damaged or NotAnAuditMessage."""
        return read(self.xml)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What records are wanted: those that fit every field. Of ids and codes one must fit; times are microseconds.

    ``until`` is exclusive. ``before`` continues a search: records older than that number.
    """

    patients: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    outcomes: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None
    before: int | None = None
    limit: int = 100


def append(connection: Connection, entries: Iterable[Entry]) -> list[int]:
    """Add records, in the transaction of what they describe; return their numbers."""
    return [_append(connection, each) for each in entries]


def append_all(connection: Connection, entries: Sequence[Entry]) -> None:
    """The same for many whose numbers nobody asks for: by one statement, as far as that can be."""
    APPEND[connection.dialect.name].insert(connection, [each[:-1] for each in entries if not each.subjects])
    for each in entries:
        if each.subjects:
            _append(connection, each)


def _append(connection: Connection, each: Entry) -> int:
    sequence = APPEND[connection.dialect.name].added(connection, dict(zip(COLUMNS, each, strict=False)))
    if each.subjects:
        SUBJECTS.insert(connection, [(one, sequence) for one in sorted(each.subjects)])
    return sequence


def search(connection: Connection, wanted: Search) -> list[Stored]:
    """The newest records that fit, newest first."""
    found: list[Stored] = []
    before = wanted.before
    while len(found) < wanted.limit:
        page = _page(connection, wanted, before)
        found += [each for each in page if _fits(each, wanted)]
        if len(page) < PAGE:
            break
        before = page[-1].sequence
    return found[: wanted.limit]


def record(connection: Connection, sequence: int) -> Stored | None:
    """One record."""
    row = connection.execute(select(audit_event).where(audit_event.c.sequence == sequence)).first()
    return None if row is None else stored(row)


def records(connection: Connection, first: int, last: int) -> Iterator[Stored]:
    """The records from ``first`` to ``last``, in order."""
    while first <= last:
        rows = connection.execute(
            select(audit_event)
            .where(audit_event.c.sequence.between(first, last))
            .order_by(audit_event.c.sequence)
            .limit(PAGE)
        ).all()
        yield from map(stored, rows)
        if len(rows) < PAGE:
            return
        first = rows[-1].sequence + 1


def subjects(connection: Connection, sequences: Sequence[int]) -> dict[int, set[int]]:
    """The further subjects of records."""
    found: dict[int, set[int]] = {}
    wanted = select(audit_subject).where(audit_subject.c.sequence.in_(sequences)).order_by(audit_subject.c.sequence)
    for row in connection.execute(wanted):
        found.setdefault(row.sequence, set()).add(row.subject)
    return found


def stored(row: Row[Any]) -> Stored:
    """A row as a value."""
    return Stored(
        sequence=row.sequence,
        at=row.at,
        event=row.event,
        outcome=row.outcome,
        person=row.person,
        patient=row.patient,
        leaf=bytes(row.leaf),
        packed=bytes(row.message),
    )


def _page(connection: Connection, wanted: Search, before: int | None) -> list[Stored]:
    conditions = [*_conditions(wanted)]
    if before is not None:
        conditions.append(audit_event.c.sequence < before)
    newest = select(audit_event).where(and_(true(), *conditions))
    return list(map(stored, connection.execute(newest.order_by(audit_event.c.sequence.desc()).limit(PAGE))))


def _conditions(wanted: Search) -> Iterator[ColumnElement[bool]]:
    if wanted.patients:
        yield _one_of(audit_event.c.patient, [number(Subject.PATIENT, each) for each in wanted.patients])
    if wanted.users:
        yield audit_event.c.person.in_([number(Subject.PERSON, each) for each in wanted.users])
    if wanted.objects:
        yield _further([number(Subject.OBJECT, each) for each in wanted.objects])
    if wanted.events:
        yield audit_event.c.event.in_(wanted.events)
    if wanted.outcomes:
        yield audit_event.c.outcome.in_(wanted.outcomes)
    if wanted.since is not None:
        yield audit_event.c.at >= wanted.since
    if wanted.until is not None:
        yield audit_event.c.at < wanted.until


def _one_of(column: ColumnElement[Any], numbers: list[int]) -> ColumnElement[bool]:
    return or_(column.in_(numbers), _further(numbers))


def _further(numbers: list[int]) -> ColumnElement[bool]:
    return audit_event.c.sequence.in_(select(audit_subject.c.sequence).where(audit_subject.c.subject.in_(numbers)))


def _fits(found: Stored, wanted: Search) -> bool:
    """Two ids may have one number, so the message has the last word."""
    if not (wanted.patients or wanted.users or wanted.objects):
        return True
    message = found.message
    return (
        _any(tuple(map(plain, wanted.patients)), map(plain, patient_ids(message)))
        and _any(wanted.users, user_ids(message))
        and _any(wanted.objects, object_ids(message))
    )


def _any(wanted: tuple[str, ...], there: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(there)
