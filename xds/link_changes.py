"""What a changed XAD-PID link does to the registry: new versions of the local id's objects (ITI TF-2: 3.64.4.1.3)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Connection, select

from ihe.citations import tf2
from ihe.datatypes import Code
from ihe.domain import AffinityDomain
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.identifiers import EntryUUID, PatientKey, UniqueId, new_oid
from ihe.patients import LinkChange
from xds import store, versions
from xds.acceptance import first_version, membership
from xds.ebrim_writing import fragment
from xds.linked_objects import Affected, find_affected, source
from xds.model import (
    Association,
    AvailabilityStatus,
    DocumentEntry,
    Folder,
    MetadataObject,
    RegistryObject,
    SubmissionSet,
    SubmissionSetStatus,
)
from xds.propagation import Propagation
from xds.store import Claim, Registered
from xds.tables import association

APPROVED = AvailabilityStatus.APPROVED


class VersioningRegistry(Protocol):
    """The registry as far as new versions need it."""

    @property
    def domain(self) -> AffinityDomain:
        """What the domain has agreed on."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time with its zone."""

    @property
    def new_uuid(self) -> Callable[[], EntryUUID]:
        """Makes an entryUUID."""

    def store_in(
        self,
        connection: Connection,
        objects: tuple[RegistryObject, ...],
        key: PatientKey,
        fragments: Mapping[EntryUUID, bytes],
    ) -> None:
        """Store objects of one patient within the caller's transaction."""


def follow(registry: VersioningRegistry, connection: Connection, change: LinkChange) -> None:
    """Make new versions, and a SubmissionSet that says so; nothing if no object is affected."""
    affected = find_affected(connection, change)
    if not affected.entries:
        return
    now = registry.clock().astimezone(UTC).strftime("%Y%m%d%H%M%S")
    unique_id = UniqueId(new_oid())
    store.claim(connection, [Claim(unique_id=unique_id, kind=MetadataObject.SUBMISSION_SET)])
    submission_set = first_version(_submission_set(registry, change, unique_id, now), lambda _: registry.new_uuid())
    uuids = [each.entry_uuid for each in affected.entries] + [each.entry_uuid for each in affected.folders]
    successors = {uuid: registry.new_uuid() for uuid in uuids}
    objects: tuple[RegistryObject, ...] = (
        submission_set,
        *(_next_entry(each, change, successors[each.entry_uuid]) for each in affected.entries),
        *(_next_folder(each, change, successors[each.entry_uuid], now) for each in affected.folders),
        *_links(registry, connection, submission_set.entry_uuid, affected, successors),
    )
    _supersede(connection, affected, uuids)
    registry.store_in(connection, objects, change.new.key, {each.entry_uuid: fragment(each) for each in objects})


def _links(
    registry: VersioningRegistry,
    connection: Connection,
    submission_set: EntryUUID,
    affected: Affected,
    successors: Mapping[EntryUUID, EntryUUID],
) -> Iterator[Association]:
    """What links the new versions: with the SubmissionSet, with each other, with what has the patient already."""
    for old, new in successors.items():
        yield _version_link(registry, submission_set, affected.known[old], new)
    propagation = Propagation(
        submission_set=submission_set, successors=successors, ends=affected.known, new_uuid=registry.new_uuid
    )
    yield from propagation.propagated(affected.links)
    yield from _referenced_anew(registry, connection, successors)


def _supersede(connection: Connection, affected: Affected, uuids: Iterable[EntryUUID]) -> None:
    lost = [each for each in uuids if not versions.supersede(connection, affected.known[each])]
    if lost:
        raise Rejected(*map(_lost_race, lost))


def _submission_set(registry: VersioningRegistry, change: LinkChange, unique_id: UniqueId, now: str) -> SubmissionSet:
    """As Table 3.64.4.1.3.1.1-1 has it: no author, and the system that said so as the source."""
    codes: Collection[Code] = registry.domain.codes.get("contentTypeCode", ())
    return SubmissionSet(
        entry_uuid=EntryUUID("SubmissionSet"),
        content_type_code=min(codes, key=str, default=None),
        patient_id=change.new.id,
        source_id=change.source_id or registry.domain.repository_unique_id,
        submission_time=now,
        unique_id=unique_id,
    )


def _next_entry(entry: DocumentEntry, change: LinkChange, uuid: EntryUUID) -> DocumentEntry:
    """The next version: of the new patient, and with the local id that is left (3.64.4.1.3.1.4)."""
    merged = change.subsumed is not None and entry.source_patient_id is not None
    subsumed = merged and change.subsumed and source(entry.source_patient_id or change.local) == source(change.subsumed)
    return replace(
        entry,
        entry_uuid=uuid,
        version=(entry.version or 1) + 1,
        availability_status=APPROVED,
        patient_id=change.new.id,
        source_patient_id=change.local if subsumed else entry.source_patient_id,
    )


def _next_folder(folder: Folder, change: LinkChange, uuid: EntryUUID, now: str) -> Folder:
    return replace(
        folder,
        entry_uuid=uuid,
        version=(folder.version or 1) + 1,
        availability_status=APPROVED,
        patient_id=change.new.id,
        last_update_time=now,
    )


def _version_link(
    registry: VersioningRegistry, submission_set: EntryUUID, previous: Registered, new: EntryUUID
) -> Association:
    link = membership(registry.new_uuid, submission_set, new)
    original = SubmissionSetStatus.ORIGINAL if previous.kind is MetadataObject.DOCUMENT_ENTRY else None
    return replace(link, previous_version=previous.version, submission_set_status=original)


def _referenced_anew(
    registry: VersioningRegistry, connection: Connection, successors: Mapping[EntryUUID, EntryUUID]
) -> Iterator[Association]:
    """SubmissionSets that include an entry by reference include its next version instead (3.64.4.1.3.1.4, item 5)."""
    query = (
        select(association.c.entry_uuid, association.c.source_object, association.c.target_object)
        .where(association.c.target_object.in_(successors), association.c.status == APPROVED)
        .where(association.c.submission_set_status == SubmissionSetStatus.REFERENCE)
        .order_by(association.c.patient_key, association.c.id)
    )
    found = connection.execute(query).all()
    held = store.find(connection, (row.entry_uuid for row in found))
    for row in found:
        versions.change_status(connection, held[row.entry_uuid], AvailabilityStatus.DEPRECATED)
        link = membership(registry.new_uuid, row.source_object, successors[row.target_object])
        yield replace(link, submission_set_status=SubmissionSetStatus.REFERENCE)


def _lost_race(uuid: EntryUUID) -> Breach:
    return Breach(
        code=ErrorCode.REGISTRY_BUSY,
        text="Another request changed a document of this patient at the same time",
        location=uuid,
        citation=tf2("3.64.4.1.3.1"),
        remedy="Send the message again",
    )
