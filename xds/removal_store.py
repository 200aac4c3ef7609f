"""What the registry's tables say about objects that shall go, and their removal; inside the caller's transaction."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, Table, and_, delete, or_, select, tuple_, update

from ihe.identifiers import EntryUUID, UniqueId
from xds.model import MetadataObject
from xds.store import Registered, held
from xds.tables import TABLE_OF, association, object_locator, uid_ledger, unique_id_locator

VERSIONED = (MetadataObject.DOCUMENT_ENTRY, MetadataObject.FOLDER)


def associations_of(connection: Connection, uuids: Collection[EntryUUID]) -> Sequence[Registered]:
    """Every association from or to one of these objects, whatever its status."""
    query = (
        select(*held(MetadataObject.ASSOCIATION))
        .where(or_(association.c.source_object.in_(uuids), association.c.target_object.in_(uuids)))
        .order_by(association.c.patient_key, association.c.id)
    )
    return _registered(connection, MetadataObject.ASSOCIATION, query)


def versions_of(connection: Connection, logical_ids: Collection[EntryUUID]) -> Sequence[Registered]:
    """Every version of these logical DocumentEntries and Folders, the oldest first."""
    found: list[Registered] = []
    for kind in VERSIONED:
        table = TABLE_OF[kind]
        query = select(*held(kind)).where(table.c.logical_id.in_(logical_ids)).order_by(table.c.version)
        found += _registered(connection, kind, query)
    return found


def _registered(connection: Connection, kind: MetadataObject, query: object) -> Sequence[Registered]:
    return [Registered(kind=kind, **row._mapping) for row in connection.execute(query)]  # type: ignore[call-overload]


def remove(connection: Connection, objects: Iterable[Registered]) -> None:
    """Delete objects, what finds them, and the claims on uniqueIds that no object has any more."""
    gone = tuple(objects)
    for kind, table in TABLE_OF.items():
        places = [(each.patient_key, each.id) for each in gone if each.kind is kind]
        if places:
            connection.execute(delete(table).where(tuple_(table.c.patient_key, table.c.id).in_(places)))
    uuids = [each.entry_uuid for each in gone]
    connection.execute(delete(object_locator).where(object_locator.c.entry_uuid.in_(uuids)))
    connection.execute(delete(unique_id_locator).where(unique_id_locator.c.entry_uuid.in_(uuids)))
    _release(connection, {each.unique_id for each in gone if each.unique_id})


def _release(connection: Connection, unique_ids: Collection[UniqueId]) -> None:
    """Give back uniqueIds. Whoever claims one meanwhile waits for this transaction, as it waits for theirs."""
    ids = sorted(unique_ids)
    if not ids:
        return
    held_rows = select(uid_ledger.c.unique_id).where(uid_ledger.c.unique_id.in_(ids)).order_by(uid_ledger.c.unique_id)
    connection.execute(held_rows.with_for_update())
    used = select(unique_id_locator.c.unique_id).where(unique_id_locator.c.unique_id.in_(ids)).distinct()
    free = sorted({*ids} - {*connection.execute(used.order_by(unique_id_locator.c.unique_id)).scalars()})
    connection.execute(delete(uid_ledger).where(uid_ledger.c.unique_id.in_(free)))


def reinstate_latest(connection: Connection, logical_ids: Collection[EntryUUID]) -> None:
    """Let the highest version that remains of a logical object be the latest one; its status stays as it is."""
    newest = {each.logical_id: each for each in versions_of(connection, logical_ids)}
    for each in newest.values():
        table: Table = TABLE_OF[each.kind]
        place = and_(table.c.patient_key == each.patient_key, table.c.id == each.id)
        connection.execute(update(table).where(place).values(superseded=False))
