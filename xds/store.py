"""The registry's rows: values in, values out (``xds.tables``). Every function runs inside the caller's transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, and_, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from xds.model import AssociationType, AvailabilityStatus, MetadataObject, ObjectType
from xds.rows import Row
from xds.tables import TABLE_OF, association, document_entry, folder, object_locator, uid_ledger, unique_id_locator

DERIVED = (AssociationType.APND, AssociationType.XFRM)
"""What makes its source obsolete together with its target (ITI TF-3: 4.2.2.2.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An object of the registry, as much as requests that refer to it need.

    ``superseded`` is for DocumentEntries and Folders, the last three fields are for Associations.
    """

    kind: MetadataObject
    entry_uuid: EntryUUID
    patient_key: PatientKey
    id: int
    status: AvailabilityStatus
    logical_id: EntryUUID
    version: int
    unique_id: UniqueId | None = None
    object_type: ObjectType | None = None
    superseded: bool = False
    association_type: AssociationType | None = None
    source_object: EntryUUID | None = None
    target_object: EntryUUID | None = None


INSERTIONS = {kind: insert(table) for kind, table in TABLE_OF.items()}
UNIQUE_ID_INSERTION = insert(unique_id_locator)
LOCATED = (
    select(object_locator.c.entry_uuid, object_locator.c.kind)
    .where(object_locator.c.entry_uuid.in_(bindparam("uuids", expanding=True)))
    .order_by(object_locator.c.entry_uuid)
)
"""Made once: one that is made anew is looked up among the compiled ones, which costs more than SQLite."""
HELD = tuple(field.name for field in fields(Registered) if field.name != "kind")
"""The columns that make a ``Registered``, as far as the table of its kind has them."""
BATCH = 500
"""Most uniqueIds in one statement: both engines bound the parameters of a statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A uniqueId and the content that it stands for; ``hash`` is lower case."""

    unique_id: UniqueId
    kind: MetadataObject
    hash: str | None = None
    size: int | None = None


def find(connection: Connection, uuids: Iterable[EntryUUID]) -> Mapping[EntryUUID, Registered]:
    """Find objects and hold them until the transaction ends, so that nobody deprecates them meanwhile."""
    wanted = sorted(set(uuids))
    if not wanted:
        return {}
    kinds = {row.entry_uuid: row.kind for row in connection.execute(LOCATED, {"uuids": wanted})}
    found: dict[EntryUUID, Registered] = {}
    for kind in MetadataObject:
        of_kind = [uuid for uuid in wanted if kinds.get(uuid) is kind]
        found |= {each.entry_uuid: each for each in _lock(connection, kind, of_kind)}
    return found


def _lock(connection: Connection, kind: MetadataObject, uuids: Collection[EntryUUID]) -> Sequence[Registered]:
    if not uuids:
        return ()
    rows = connection.execute(_holding(kind), {"uuids": list(uuids)})
    return [Registered(kind=kind, **row._mapping) for row in rows]


@cache
def _holding(kind: MetadataObject) -> Select[Any]:
    table = TABLE_OF[kind]
    here = and_(table.c.patient_key == object_locator.c.patient_key, table.c.id == object_locator.c.id)
    return (
        select(*held(kind))
        .join_from(object_locator, table, here)
        .where(object_locator.c.entry_uuid.in_(bindparam("uuids", expanding=True)))
        .order_by(table.c.patient_key, table.c.id)  # everybody locks in one order
        .with_for_update(of=table)
    )


def held(kind: MetadataObject) -> tuple[Column[Any], ...]:
    """The columns to select for a ``Registered`` of this kind."""
    table = TABLE_OF[kind]
    return tuple(table.c[name] for name in HELD if name in table.c)


def claim(connection: Connection, claims: Iterable[Claim]) -> Mapping[UniqueId, Claim]:
    """Take uniqueIds until their last object is removed; return what those already stand for that are taken."""
    ordered = sorted(claims, key=lambda each: each.unique_id)
    rows = [{"unique_id": c.unique_id, "kind": c.kind, "hash": c.hash, "size": c.size} for c in ordered]
    taken = _insert_new(connection, uid_ledger, "unique_id", rows)
    if not taken:
        return {}
    query = select(uid_ledger).where(uid_ledger.c.unique_id.in_(taken)).order_by(uid_ledger.c.unique_id)
    found = connection.execute(query.with_for_update(read=True))  # held, so that no removal releases them meanwhile
    known = {row.unique_id: Claim(**row._mapping) for row in found}
    released = [each for each in ordered if each.unique_id in taken - known.keys()]
    return {**known, **claim(connection, released)} if released else known


def locate(connection: Connection, objects: Mapping[MetadataObject, Sequence[Row]]) -> set[EntryUUID]:
    """Note where objects with these rows are; return the entryUUIDs that other objects have already."""
    rows = [
        {"entry_uuid": row["entry_uuid"], "kind": kind, "patient_key": row["patient_key"], "id": row["id"]}
        for kind, rows_of_kind in objects.items()
        for row in rows_of_kind
    ]
    return _insert_new(connection, object_locator, "entry_uuid", sorted(rows, key=lambda row: str(row["entry_uuid"])))


def _insert_new(connection: Connection, table: Table, key: str, rows: list[Row]) -> set[Any]:
    """Insert rows whose key is free and return the keys that were not. The first of two racing writers wins."""
    if not rows:
        return set()
    inserted = connection.execute(_insertion(table, key, connection.dialect.name), rows)
    return {row[key] for row in rows} - set(inserted.scalars())


@cache
def _insertion(table: Table, key: str, dialect: str) -> Any:
    """The statement, made once: a statement that is made anew has to be looked up among the compiled ones."""
    make: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(table).on_conflict_do_nothing().returning(table.c[key])


def add(connection: Connection, objects: Mapping[MetadataObject, Sequence[Row]]) -> None:
    """Store located objects, and what finds them by uniqueId."""
    for kind, rows in objects.items():
        if rows:
            connection.execute(INSERTIONS[kind], list(rows))
    identified = [
        {"kind": kind} | {name: row[name] for name in ("unique_id", "entry_uuid", "patient_key", "id")}
        for kind, rows in objects.items()
        for row in rows
        if kind is not MetadataObject.ASSOCIATION
    ]
    if identified:
        connection.execute(UNIQUE_ID_INSERTION, identified)


def deprecate(connection: Connection, entry: Registered) -> bool:
    """Make an approved DocumentEntry deprecated; False if somebody else was first."""
    changed = connection.execute(
        update(document_entry)
        .where(
            document_entry.c.patient_key == entry.patient_key,
            document_entry.c.id == entry.id,
            document_entry.c.status == AvailabilityStatus.APPROVED,
        )
        .values(status=AvailabilityStatus.DEPRECATED)
    )
    return changed.rowcount == 1


def derived_from(connection: Connection, originals: Collection[EntryUUID]) -> Mapping[EntryUUID, Registered]:
    """The addenda and transformations of entries, of their addenda and transformations, and so on."""
    found: dict[EntryUUID, Registered] = {}
    step = set(originals)
    while step:
        query = (
            select(association.c.source_object)
            .where(association.c.target_object.in_(step), association.c.association_type.in_(DERIVED))
            .where(association.c.status == AvailabilityStatus.APPROVED)
            .order_by(association.c.source_object)
        )
        step = set(connection.execute(query).scalars()) - found.keys() - set(originals)
        found |= find(connection, step)
    return found


def transformations(connection: Connection, uuids: Collection[EntryUUID]) -> frozenset[EntryUUID]:
    """Which of these entries are, by an approved association, transformations of others (ITI TF-3: 4.2.2.2.2)."""
    if not uuids:
        return frozenset()
    query = (
        select(association.c.source_object)
        .where(association.c.source_object.in_(uuids), association.c.association_type == AssociationType.XFRM)
        .where(association.c.status == AvailabilityStatus.APPROVED)
        .order_by(association.c.source_object)
    )
    return frozenset(connection.execute(query).scalars())


def folders_with(connection: Connection, entry_uuid: EntryUUID) -> tuple[Registered, ...]:
    """The approved Folders that hold an entry now."""
    query = (
        select(association.c.source_object)
        .join(object_locator, object_locator.c.entry_uuid == association.c.source_object)
        .where(association.c.target_object == entry_uuid, object_locator.c.kind == MetadataObject.FOLDER)
        .where(association.c.association_type == AssociationType.HAS_MEMBER)
        .where(association.c.status == AvailabilityStatus.APPROVED)
        .order_by(association.c.source_object)
    )
    sources = find(connection, connection.execute(query).scalars())
    return tuple(each for each in sources.values() if each.status is AvailabilityStatus.APPROVED)


def touch(connection: Connection, folders: Iterable[Registered], last_update_time: str) -> None:
    """Set the lastUpdateTime of Folders whose content changes (ITI TF-2: 3.42.4.1.3.6)."""
    for each in folders:
        here = and_(folder.c.patient_key == each.patient_key, folder.c.id == each.id)
        connection.execute(update(folder).where(here).values(last_update_time=last_update_time))


def patients_of(connection: Connection, ids: Iterable[UniqueId]) -> Mapping[UniqueId, PatientKey]:
    """The patients of DocumentEntries, by uniqueId; a uniqueId without an entry is left out."""
    wanted, found = sorted(set(ids)), dict[UniqueId, PatientKey]()
    table = unique_id_locator.c
    entries = select(table.unique_id, table.patient_key).where(table.kind == MetadataObject.DOCUMENT_ENTRY).distinct()
    for start in range(0, len(wanted), BATCH):
        some = entries.where(table.unique_id.in_(wanted[start : start + BATCH])).order_by(table.unique_id)
        found.update({UniqueId(row.unique_id): PatientKey(row.patient_key) for row in connection.execute(some)})
    return found
