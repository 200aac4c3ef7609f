"""Which objects of the registry belong to a local patient id whose XAD-PID changes (ITI TF-2: 3.64.4.1.3.1).

Where not all members of a relationship or a Folder change, it is dropped from the new versions: the first approach of
3.64.4.1.3.2. The previous versions keep theirs.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Select, false, select

from ihe.datatypes import CX
from ihe.identifiers import EntryUUID
from ihe.patients import LinkChange
from soap.xml import parse
from xds import store, versions
from xds.ebrim import decode_objects
from xds.fragments import RIM_DECLARATION, spelled, splice
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    DocumentEntry,
    Folder,
    MetadataObject,
    RegistryObject,
)
from xds.store import Registered
from xds.tables import TABLE_OF

APPROVED = AvailabilityStatus.APPROVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """The objects of which there will be new versions, as they are, with their places in the registry."""

    entries: tuple[DocumentEntry, ...]
    folders: tuple[Folder, ...]
    links: tuple[Association, ...]
    known: Mapping[EntryUUID, Registered]


def find_affected(connection: Connection, change: LinkChange) -> Affected:
    """What must follow the change; objects that are deprecated do not (3.64.4.1.3.1.3)."""
    entries = _held_entries(connection, change)
    moved = {each.entry_uuid for each in entries}
    links = versions.approved_links(connection, moved)
    folders = _whole_folders(connection, change, moved, links)
    inside = versions.approved_links(connection, {each.entry_uuid for each in folders})
    every = tuple({each.entry_uuid: each for each in (*links, *inside)}.values())
    ends = {end for each in every for end in (each.source_object, each.target_object)}
    known = store.find(connection, ends | moved)
    successors = moved | {each.entry_uuid for each in folders}
    kept = tuple(each for each in every if _stays_together(each, known, successors, change))
    return Affected(entries=entries, folders=folders, links=kept, known=known)


def _held_entries(connection: Connection, change: LinkChange) -> tuple[DocumentEntry, ...]:
    """The entries of the local ids, read once more as long as some are not held: others may have changed them."""
    held: set[EntryUUID] = set()
    while True:
        entries = tuple(_entries(connection, change))
        free = {each.entry_uuid for each in entries} - held
        if not free:
            return entries
        store.find(connection, free)
        held |= free


def _entries(connection: Connection, change: LinkChange) -> Iterator[DocumentEntry]:
    sources = {source(each) for each in (*_moving(change), change.subsumed) if each}
    for each in _load(connection, change, MetadataObject.DOCUMENT_ENTRY):
        if isinstance(each, DocumentEntry) and each.source_patient_id and source(each.source_patient_id) in sources:
            yield each


def _moving(change: LinkChange) -> tuple[CX, ...]:
    """The local ids whose documents change their patient, if they do: all those of the local patient."""
    return (change.local, *change.earlier) if change.previous.key != change.new.key else ()


def source(id: CX) -> tuple[str, str]:
    """A sourcePatientId as they are compared: the id and the OID of its authority."""
    return (id.id, id.authority.universal_id)


def _whole_folders(
    connection: Connection, change: LinkChange, moved: Collection[EntryUUID], links: Collection[Association]
) -> tuple[Folder, ...]:
    """The Folders all of whose members change their patient; none where the patient stays the same."""
    if not _moving(change):
        return ()
    named = {each.source_object for each in links if each.association_type is AssociationType.HAS_MEMBER}
    store.find(connection, named)  # held before they are read, so that nobody fills or closes them meanwhile
    folders = [
        each
        for each in _load(connection, change, MetadataObject.FOLDER)
        if isinstance(each, Folder) and each.entry_uuid in named
    ]
    return tuple(each for each in folders if _members(connection, each) <= set(moved))


def _members(connection: Connection, folder: Folder) -> set[EntryUUID]:
    links = versions.approved_links(connection, {folder.entry_uuid})
    members = store.find(connection, (each.target_object for each in links if each.source_object == folder.entry_uuid))
    return {each.entry_uuid for each in members.values() if each.status is APPROVED}


def _stays_together(
    link: Association, known: Mapping[EntryUUID, Registered], successors: Collection[EntryUUID], change: LinkChange
) -> bool:
    """Claim that both ends have the new patient afterwards (3.64.4.1.3.1.5)."""
    ends = (link.source_object, link.target_object)
    return all(end in successors or (end in known and known[end].patient_key in change.new.keys) for end in ends)


def _load(connection: Connection, change: LinkChange, kind: MetadataObject) -> tuple[RegistryObject, ...]:
    """The approved latest versions of one kind that the previous patient has."""
    elements = b"".join(
        splice(
            row.fragment,
            status=APPROVED,
            home=row.home,
            version=row.version,
            patient_id=spelled(change.previous.id),
            last_update_time=row.last_update_time if kind is MetadataObject.FOLDER else None,
        )
        for row in connection.execute(_held_by(change, kind))
    )
    listed = parse(b"<rim:RegistryObjectList %s>%s</rim:RegistryObjectList>" % (RIM_DECLARATION, elements))
    return decode_objects(listed)[0]


def _held_by(change: LinkChange, kind: MetadataObject) -> Select[tuple[object, ...]]:
    table = TABLE_OF[kind]
    times = (table.c.last_update_time,) if kind is MetadataObject.FOLDER else ()
    return (
        select(table.c.fragment, table.c.home, table.c.version, *times)
        .where(table.c.patient_key.in_(change.previous.keys), table.c.status == APPROVED, table.c.superseded == false())
        .order_by(table.c.patient_key, table.c.id)
    )
