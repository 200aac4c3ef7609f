"""The projections read back as values; every function runs inside the caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from consent.events import moment
from consent.facts import Facts
from consent.model import Emergency, Exclusion, Given, Mask, Party, Record, RecordState, Relationship, RelationshipKind
from consent.tables import document, emergency, exclusion, mask, record, relationship
from ihe.identifiers import PatientKey, UniqueId
from statements.selections import Selection

KEYS: BindParameter[list[int]] = bindparam("keys", expanding=True)
SHAPES: Mapping[Table, tuple[tuple[str, ...], tuple[str, ...]]] = {
    record: (("under", "event"), ("state", "since", "opens_at", "closes_at", "delete_at")),
    relationship: (("number",), ("party", "kind", "since", "until", "source")),
    exclusion: (("number", "lifted_under"), ("party",)),
    mask: (("number", "lifted_under"), ("unique_id", "profession")),
    emergency: (("number", "reviewed_by"), ("party", "since", "until", "level", "reason")),
}
"""What is read of each table, numbers and texts: brought into columns that all have in common."""
NUMBERS, TEXTS = 2, 5


def _said(table: Table) -> Select[Any]:
    numbers, texts = SHAPES[table]
    columns: list[ColumnElement[Any]] = [literal(table.name), table.c.patient_key]
    columns += [*(table.c[each] for each in numbers), *[cast(null(), BigInteger)] * (NUMBERS - len(numbers))]
    columns += [*(table.c[each] for each in texts), *[cast(null(), Text)] * (TEXTS - len(texts))]
    in_force = (relationship.c.ended_by.is_(None),) if table is relationship else ()
    labelled = [each.label(f"column_{number}") for number, each in enumerate(columns)]
    return select(*labelled).where(table.c.patient_key.in_(KEYS), *in_force)


EVERYTHING = Selection(union_all(*map(_said, SHAPES)))
"""One statement instead of five: each costs more than the rows that it finds."""
GIVEN = (
    select(document)
    .where(document.c.patient_key.in_(KEYS), document.c.ended_by.is_(None))
    .order_by(*document.primary_key)
)
FIRST_TAKEN_UP = select(func.min(document.c.number)).where(document.c.unique_id == bindparam("unique_id"))
BY_SOURCE = (
    select(relationship)
    .where(relationship.c.source == bindparam("source"), relationship.c.ended_by.is_(None))
    .order_by(relationship.c.number)
)
HIDDEN_DOCUMENTS = (
    select(mask)
    .where(mask.c.unique_id.in_(bindparam("documents", expanding=True)), mask.c.lifted_by.is_(None))
    .order_by(mask.c.number, mask.c.patient_key, mask.c.unique_id)
)
BATCH = 500
"""Most ids in one statement."""
UNREVIEWED = select(emergency).where(emergency.c.reviewed_by.is_(None)).order_by(emergency.c.number)


def facts(connection: Connection, keys: Collection[PatientKey]) -> Facts:
    """Everything that was said of these patient ids."""
    found: dict[str, list[Any]] = {table.name: [] for table in SHAPES}
    for row in EVERYTHING.rows(connection, {"keys": sorted(keys)}):
        found[row[0]].append(_named(*row))
    return Facts(
        records=tuple(map(_record, sorted(found[record.name], key=lambda each: (each.patient_key, each.under)))),
        relationships=tuple(map(_relationship, _in_order(found[relationship.name]))),
        exclusions=tuple(map(_exclusion, _in_order(found[exclusion.name]))),
        masks=tuple(map(_mask, _in_order(found[mask.name]))),
        emergencies=tuple(map(_emergency, _in_order(found[emergency.name]))),
    )


def _named(table: str, key: int, *values: Any) -> SimpleNamespace:
    """The row under the names that its own table gives."""
    numbers, texts = next(shape for each, shape in SHAPES.items() if each.name == table)
    named = {**dict(zip(numbers, values, strict=False)), **dict(zip(texts, values[NUMBERS:], strict=False))}
    return SimpleNamespace(patient_key=key, **named)


def _in_order(found: list[SimpleNamespace]) -> list[SimpleNamespace]:
    return sorted(found, key=lambda each: (each.number, each.patient_key))


def relationships_from(connection: Connection, source: str) -> Sequence[Relationship]:
    """The relationships in force that were derived from one source, such as an encounter."""
    return tuple(map(_relationship, connection.execute(BY_SOURCE, {"source": source})))


def consents_given(connection: Connection, keys: Collection[PatientKey]) -> Sequence[Given]:
    """The consent documents of a patient that are in effect."""
    found = connection.execute(GIVEN, {"keys": sorted(keys)})
    return tuple(
        Given(number=each.number, key=PatientKey(each.patient_key), unique_id=UniqueId(each.unique_id))
        for each in found
    )


def first_taken_up(connection: Connection, unique_id: UniqueId) -> int:
    """The event with which a consent document took effect for the first time, whoever's it was; 0: it never did."""
    return connection.execute(FIRST_TAKEN_UP, {"unique_id": unique_id}).scalar() or 0


def masks_on(connection: Connection, documents: Collection[UniqueId]) -> Sequence[Mask]:
    """Who hid these documents, whoever's they are now: some move from one patient to another."""
    wanted, found = sorted(documents), list[Mask]()
    for start in range(0, len(wanted), BATCH):
        found += map(_mask, connection.execute(HIDDEN_DOCUMENTS, {"documents": wanted[start : start + BATCH]}))
    return tuple(found)


def unreviewed_emergencies(connection: Connection, most: int = 1000) -> Sequence[Emergency]:
    """Access in emergencies at which nobody has looked yet, oldest first: the review list."""
    return tuple(map(_emergency, connection.execute(UNREVIEWED.limit(most))))


def _record(row: Any) -> Record:
    return Record(
        key=PatientKey(row.patient_key),
        under=PatientKey(row.under),
        state=RecordState(row.state),
        since=moment(row.since),
        opens_at=moment(row.opens_at) if row.opens_at else None,
        closes_at=moment(row.closes_at) if row.closes_at else None,
        delete_at=moment(row.delete_at) if row.delete_at else None,
        event=row.event,
    )


def _relationship(row: Any) -> Relationship:
    return Relationship(
        number=row.number,
        key=PatientKey(row.patient_key),
        party=Party(row.party),
        kind=RelationshipKind(row.kind),
        since=moment(row.since),
        until=moment(row.until) if row.until else None,
        source=row.source,
    )


def _exclusion(row: Any) -> Exclusion:
    return Exclusion(
        number=row.number, key=PatientKey(row.patient_key), party=Party(row.party), lifted_under=row.lifted_under
    )


def _mask(row: Any) -> Mask:
    return Mask(
        number=row.number,
        key=PatientKey(row.patient_key),
        unique_id=UniqueId(row.unique_id),
        profession=row.profession,
        lifted_under=row.lifted_under,
    )


def _emergency(row: Any) -> Emergency:
    return Emergency(
        number=row.number,
        key=PatientKey(row.patient_key),
        party=Party(row.party),
        since=moment(row.since),
        until=moment(row.until),
        level=row.level,
        reason=row.reason,
        reviewed=row.reviewed_by is not None,
    )
