"""The registry's rows: values in, values out (``xds.tables``). Every function runs inside the caller's transaction."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from statements.among import Among
from statements.prepared import Prepared
from xds.model import AssociationType, AvailabilityStatus, MetadataObject, ObjectType
from xds.rows import Row
from xds.tables import TABLE_OF, association, document_entry, folder, object_locator, uid_ledger, unique_id_locator

KINDS = tuple(MetadataObject)
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


HELD = tuple(field.name for field in fields(Registered) if field.name != "kind")
"""The columns that make a ``Registered``, as far as the table of its kind has them."""
VOCABULARIES: Mapping[str, type[Enum]] = {
    "status": AvailabilityStatus,
    "object_type": ObjectType,
    "association_type": AssociationType,
}
"""The columns among them that hold the name of a term."""


def held(kind: MetadataObject) -> tuple[Column[Any], ...]:
    """The columns to select for a ``Registered`` of this kind."""
    table = TABLE_OF[kind]
    return tuple(table.c[name] for name in HELD if name in table.c)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A uniqueId and the content that it stands for; ``hash`` is lower case."""

    unique_id: UniqueId
    kind: MetadataObject
    hash: str | None = None
    size: int | None = None


def _holding(kind: MetadataObject) -> Prepared:
    table = TABLE_OF[kind]
    here = and_(table.c.patient_key == object_locator.c.patient_key, table.c.id == object_locator.c.id)
    return Prepared(
        select(*held(kind))
        .join_from(object_locator, table, here)
        .where(Among(object_locator.c.entry_uuid, "uuids"))
        .order_by(table.c.patient_key, table.c.id)  # everybody locks in one order
        .with_for_update(of=table)
    )


def _insertion_of_new(table: Table, key: str) -> Mapping[str, Prepared]:
    """By dialect: insert rows whose key is free; the first of two racing writers wins."""
    return {
        name: Prepared(make(table).on_conflict_do_nothing().returning(table.c[key]), table.columns)
        for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }


LOCATED = Prepared(
    select(object_locator.c.entry_uuid, object_locator.c.kind)
    .where(Among(object_locator.c.entry_uuid, "uuids"))
    .order_by(object_locator.c.entry_uuid)
)
HOLDING = {kind: _holding(kind) for kind in MetadataObject}
CLAIMING = _insertion_of_new(uid_ledger, "unique_id")
CLAIMED = Prepared(
    select(uid_ledger)
    .where(Among(uid_ledger.c.unique_id, "ids"))
    .order_by(uid_ledger.c.unique_id)
    .with_for_update(read=True)  # held, so that no removal releases them meanwhile
)
LOCATING = _insertion_of_new(object_locator, "entry_uuid")
INSERTIONS = {kind: Prepared(insert(table), table.columns) for kind, table in TABLE_OF.items()}
VALUES_OF = {kind: itemgetter(*(column.name for column in table.columns)) for kind, table in TABLE_OF.items()}
UNIQUE_ID_INSERTION = Prepared(insert(unique_id_locator), unique_id_locator.columns)
DEPRECATION = Prepared(
    update(document_entry)
    .where(
        document_entry.c.patient_key == bindparam("of"),
        document_entry.c.id == bindparam("row"),
        document_entry.c.status == AvailabilityStatus.APPROVED,
    )
    .values(status=AvailabilityStatus.DEPRECATED)
)
DERIVED_FROM = Prepared(
    select(association.c.source_object)
    .where(Among(association.c.target_object, "uuids"))
    .where(or_(*(association.c.association_type == each for each in DERIVED)))
    .where(association.c.status == AvailabilityStatus.APPROVED)
    .order_by(association.c.source_object)
)
TRANSFORMATIONS = Prepared(
    select(association.c.source_object)
    .where(Among(association.c.source_object, "uuids"), association.c.association_type == AssociationType.XFRM)
    .where(association.c.status == AvailabilityStatus.APPROVED)
    .order_by(association.c.source_object)
)
FOLDERS_WITH = Prepared(
    select(association.c.source_object)
    .join(object_locator, object_locator.c.entry_uuid == association.c.source_object)
    .where(association.c.target_object == bindparam("uuid"), object_locator.c.kind == MetadataObject.FOLDER)
    .where(association.c.association_type == AssociationType.HAS_MEMBER)
    .where(association.c.status == AvailabilityStatus.APPROVED)
    .order_by(association.c.source_object)
)
TOUCH = Prepared(
    update(folder)
    .where(folder.c.patient_key == bindparam("of"), folder.c.id == bindparam("row"))
    .values(last_update_time=bindparam("now"))
)
PATIENTS_OF = Prepared(
    select(unique_id_locator.c.unique_id, unique_id_locator.c.patient_key)
    .where(unique_id_locator.c.kind == MetadataObject.DOCUMENT_ENTRY, Among(unique_id_locator.c.unique_id, "ids"))
    .distinct()
    .order_by(unique_id_locator.c.unique_id, unique_id_locator.c.patient_key)
)


def find(connection: Connection, uuids: Iterable[EntryUUID]) -> Mapping[EntryUUID, Registered]:
    """Find objects and hold them until the transaction ends, so that nobody deprecates them meanwhile."""
    wanted = sorted(set(uuids))
    if not wanted:
        return {}
    kinds: dict[EntryUUID, str] = dict(LOCATED.rows(connection, {"uuids": wanted}))
    found: dict[EntryUUID, Registered] = {}
    for kind in KINDS if kinds else ():
        of_kind = [uuid for uuid, name in kinds.items() if name == kind.name]
        if of_kind:
            found |= {each.entry_uuid: each for each in _held(connection, kind, of_kind)}
    return found


def _held(connection: Connection, kind: MetadataObject, uuids: Collection[EntryUUID]) -> Iterator[Registered]:
    names = [column.name for column in held(kind)]
    for row in HOLDING[kind].rows(connection, {"uuids": uuids}):
        values = dict(zip(names, row, strict=True))
        for name, vocabulary in VOCABULARIES.items():
            if name in values:
                values[name] = vocabulary[values[name]]
        yield Registered(kind=kind, **values | {"superseded": bool(values.get("superseded"))})


def claim(connection: Connection, claims: Iterable[Claim]) -> Mapping[UniqueId, Claim]:
    """Take uniqueIds until their last object is removed; return what those already stand for that are taken."""
    ordered = sorted(claims, key=attrgetter("unique_id"))
    if not ordered:
        return {}
    rows = [(c.unique_id, c.kind.name, c.hash, c.size) for c in ordered]
    free = {id for (id,) in CLAIMING[connection.dialect.name].inserted(connection, rows)}
    taken = {each.unique_id for each in ordered} - free
    if not taken:
        return {}
    known = {
        id: Claim(unique_id=id, kind=MetadataObject[kind], hash=hash, size=size)
        for id, kind, hash, size in CLAIMED.rows(connection, {"ids": taken})
    }
    released = [each for each in ordered if each.unique_id in taken - known.keys()]
    return {**known, **claim(connection, released)} if released else known


def locate(connection: Connection, objects: Mapping[MetadataObject, Sequence[Row]]) -> set[EntryUUID]:
    """Note where objects with these rows are; return the entryUUIDs that other objects have already."""
    rows = [
        (row["entry_uuid"], kind.name, row["patient_key"], row["id"])
        for kind, rows_of_kind in objects.items()
        for row in rows_of_kind
    ]
    rows.sort()
    free = {uuid for (uuid,) in LOCATING[connection.dialect.name].inserted(connection, rows)}
    return {uuid for uuid, *_ in rows} - free


def add(connection: Connection, objects: Mapping[MetadataObject, Sequence[Row]]) -> None:
    """Store located objects, and what finds them by uniqueId."""
    for kind, rows in objects.items():
        if rows:
            INSERTIONS[kind].insert(connection, list(map(VALUES_OF[kind], rows)))
    identified = [
        (row["unique_id"], row["entry_uuid"], kind.name, row["patient_key"], row["id"])
        for kind, rows in objects.items()
        if kind is not MetadataObject.ASSOCIATION
        for row in rows
    ]
    UNIQUE_ID_INSERTION.insert(connection, identified)


def deprecate(connection: Connection, entry: Registered) -> bool:
    """Make an approved DocumentEntry deprecated; False if somebody else was first."""
    return DEPRECATION.changed(connection, {"of": entry.patient_key, "row": entry.id}) == 1


def derived_from(connection: Connection, originals: Collection[EntryUUID]) -> Mapping[EntryUUID, Registered]:
    """The addenda and transformations of entries, of their addenda and transformations, and so on."""
    found: dict[EntryUUID, Registered] = {}
    step = set(originals)
    while step:
        rows = DERIVED_FROM.rows(connection, {"uuids": sorted(step)})
        step = {uuid for (uuid,) in rows} - found.keys() - set(originals)
        found |= find(connection, step)
    return found


def transformations(connection: Connection, uuids: Collection[EntryUUID]) -> frozenset[EntryUUID]:
    """Which of these entries are, by an approved association, transformations of others (ITI TF-3: 4.2.2.2.2)."""
    if not uuids:
        return frozenset()
    return frozenset(uuid for (uuid,) in TRANSFORMATIONS.rows(connection, {"uuids": uuids}))


def folders_with(connection: Connection, entry_uuid: EntryUUID) -> tuple[Registered, ...]:
    """The approved Folders that hold an entry now."""
    sources = find(connection, (uuid for (uuid,) in FOLDERS_WITH.rows(connection, {"uuid": entry_uuid})))
    return tuple(each for each in sources.values() if each.status is AvailabilityStatus.APPROVED)


def touch(connection: Connection, folders: Iterable[Registered], last_update_time: str) -> None:
    """Set the lastUpdateTime of Folders whose content changes (ITI TF-2: 3.42.4.1.3.6)."""
    for each in folders:
        TOUCH.run(connection, {"of": each.patient_key, "row": each.id, "now": last_update_time})


def patients_of(connection: Connection, ids: Iterable[UniqueId]) -> list[tuple[UniqueId, PatientKey]]:
    """The uniqueIds that have DocumentEntries, each with each patient who has one."""
    wanted = sorted(set(ids))
    return [(UniqueId(id), PatientKey(key)) for id, key in PATIENTS_OF.rows(connection, {"ids": wanted})]
