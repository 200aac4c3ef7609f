"""Whose documents a request looks at, and which of those that it names it may see (``xds.visibility``)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, and_, bindparam, exists, select, union

from ihe.access import Sight
from ihe.identifiers import EntryUUID, PatientKey, UniqueId
from statements.selections import Selection
from xds.model import MetadataObject
from xds.patients import Patient
from xds.store import Registered
from xds.tables import TABLE_OF, association, document_entry, folder, object_locator, unique_id_locator
from xds.visibility import Shape, Viewer, shape, values, visible

BATCH = 500
"""Most ids in one statement."""
KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_PLACES = select(object_locator.c.patient_key).where(object_locator.c.entry_uuid.in_(KEYS))
_UNIQUE = select(unique_id_locator.c.patient_key).where(unique_id_locator.c.unique_id.in_(KEYS))


@cache
def _ends() -> Selection:
    """The patients of both ends of the associations from or to objects."""
    of_ends = [
        select(object_locator.c.patient_key)
        .join_from(association, object_locator, object_locator.c.entry_uuid == association.c[other])
        .where(association.c[named].in_(KEYS))
        for named, other in (("source_object", "target_object"), ("target_object", "source_object"))
    ]
    return Selection(select(union(_PLACES, *of_ends).subquery()))


def _versions(table: Table) -> Selection:
    return Selection(select(table.c.patient_key).where(table.c.logical_id.in_(KEYS)).distinct())


PATIENTS_BY_UUID = Selection(_PLACES.distinct())
PATIENTS_BY_UNIQUE_ID = Selection(_UNIQUE.distinct())
PATIENTS_BY_LOGICAL_ID = {each: _versions(each) for each in (document_entry, folder)}
PATIENTS_OF_ENDS = _ends()


def look_up(connection: Connection, query: Selection, keys: Iterable[object]) -> set[PatientKey]:
    """The patients that one of these queries finds."""
    wanted, found = sorted(set(map(str, keys))), set[PatientKey]()
    for start in range(0, len(wanted), BATCH):
        rows = query.rows(connection, {"keys": wanted[start : start + BATCH]})
        found.update(PatientKey(key) for (key,) in rows)
    return found


def knows_patient(connection: Connection, viewer: Viewer | None, patient: Patient) -> bool:
    """Claim that the person may know that there is this patient: something may be seen, or was written by them."""
    if viewer is None:
        return True
    sight = viewer.sight(connection, patient.keys)
    if any(each.keys.intersection(patient.keys) for each in sight.windows):
        return True
    bound = {"keys": list(patient.keys), **values(sight)}
    return bool(_any_of_patient(shape(sight)).first(connection, bound))


@lru_cache(maxsize=256)
def _any_of_patient(shown: Shape) -> Selection:
    entry = document_entry.alias()
    return Selection(select(exists().select_from(entry).where(entry.c.patient_key.in_(KEYS), shown.shows(entry))))


def seen(
    connection: Connection, viewer: Viewer | None, objects: Mapping[EntryUUID, Registered]
) -> Mapping[EntryUUID, Registered]:
    """Those of the objects that the person may see; the others are as unknown."""
    if viewer is None:
        return objects
    sight = viewer.sight(connection, {each.patient_key for each in objects.values()})
    found: set[EntryUUID] = set()
    for kind in MetadataObject:
        found |= _seen_of(connection, sight, kind, (each.entry_uuid for each in objects.values() if each.kind is kind))
    return {uuid: each for uuid, each in objects.items() if uuid in found}


def seen_entries(
    connection: Connection, viewer: Viewer | None, entries: Mapping[EntryUUID, PatientKey]
) -> Collection[EntryUUID]:
    """Those of the DocumentEntries, each given with its patient, that the person may see."""
    if viewer is None:
        return entries.keys()
    sight = viewer.sight(connection, set(entries.values()))
    return _seen_of(connection, sight, MetadataObject.DOCUMENT_ENTRY, entries)


def _seen_of(connection: Connection, sight: Sight, kind: MetadataObject, uuids: Iterable[EntryUUID]) -> set[EntryUUID]:
    wanted, found = sorted(uuids), set[EntryUUID]()
    for start in range(0, len(wanted), BATCH):
        bound = {"keys": wanted[start : start + BATCH], **values(sight)}
        found.update(uuid for (uuid,) in _visible_of(kind, shape(sight)).rows(connection, bound))
    return found


@lru_cache(maxsize=1024)
def _visible_of(kind: MetadataObject, shown: Shape) -> Selection:
    table = TABLE_OF[kind]
    here = and_(object_locator.c.patient_key == table.c.patient_key, object_locator.c.id == table.c.id)
    return Selection(
        select(table.c.entry_uuid)
        .join_from(object_locator, table, here)
        .where(object_locator.c.entry_uuid.in_(KEYS), object_locator.c.kind == kind, visible(kind, shown))
    )


def retrievable(
    connection: Connection, viewer: Viewer | None, repository_unique_id: str, ids: Collection[UniqueId]
) -> Collection[UniqueId]:
    """The uniqueIds under which this repository's documents may be seen: of one visible entry at least."""
    if viewer is None:
        return ids
    sight = viewer.sight(connection, look_up(connection, PATIENTS_BY_UNIQUE_ID, ids))
    wanted, found = sorted(set(ids)), set[UniqueId]()
    for start in range(0, len(wanted), BATCH):
        bound = {"keys": wanted[start : start + BATCH], "repository": repository_unique_id, **values(sight)}
        found.update(id for (id,) in _retrievable(shape(sight)).rows(connection, bound))
    return found


@lru_cache(maxsize=256)
def _retrievable(shown: Shape) -> Selection:
    place = unique_id_locator
    here = and_(place.c.patient_key == document_entry.c.patient_key, place.c.id == document_entry.c.id)
    named = and_(place.c.unique_id.in_(KEYS), document_entry.c.repository_unique_id == bindparam("repository"))
    entries = place.join(document_entry, here)
    return Selection(
        select(place.c.unique_id).select_from(entries).where(named, shown.shows(document_entry)).distinct()
    )


def holders(
    connection: Connection, viewer: Viewer | None, held: Sequence[tuple[UniqueId, PatientKey]]
) -> Collection[tuple[UniqueId, PatientKey]]:
    """Of these uniqueIds, each with each patient who has it: whose the person sees; where none is seen, everybody's."""
    times = Counter(id for id, _ in held)
    shared = {each for each in held if times[each[0]] > 1}
    if viewer is None or not shared:
        return held
    sight, wanted = viewer.sight(connection, {key for _, key in shared}), sorted({id for id, _ in shared})
    shown = set[tuple[UniqueId, PatientKey]]()
    for start in range(0, len(wanted), BATCH):
        bound = {"keys": wanted[start : start + BATCH], **values(sight)}
        shown.update((UniqueId(id), PatientKey(key)) for id, key in _holders(shape(sight)).rows(connection, bound))
    hidden = {id for id, _ in shared} - {id for id, _ in shown}
    return [each for each in held if each not in shared or each in shown or each[0] in hidden]


@lru_cache(maxsize=256)
def _holders(shown: Shape) -> Selection:
    place = unique_id_locator
    here = and_(place.c.patient_key == document_entry.c.patient_key, place.c.id == document_entry.c.id)
    entries = place.join(document_entry, here)
    named = place.c.unique_id.in_(KEYS)
    return Selection(
        select(place.c.unique_id, place.c.patient_key)
        .select_from(entries)
        .where(named, shown.shows(document_entry))
        .distinct()
    )
