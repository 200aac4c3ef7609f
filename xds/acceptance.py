"""What the registry makes of a submission that it accepts: UUIDs, approved, first versions (ITI TF-2: 3.42.4.1.3.7)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ihe.identifiers import EntryUUID, is_uuid_urn
from xds.model import Association, AssociationType, AvailabilityStatus, Folder, Submission, SubmissionSet
from xds.model import DocumentEntry as Entry

Object = TypeVar("Object", SubmissionSet, Entry, Folder, Association)
UUIDs = Callable[[EntryUUID], EntryUUID]


def accept(submission: Submission, now: str, new_uuid: Callable[[], EntryUUID]) -> Submission:
    """Replace symbolic ids by UUIDs and set what the registry sets. ``now`` is a DTM with seconds, in UTC."""
    made: dict[EntryUUID, EntryUUID] = {}

    def uuid(id: EntryUUID) -> EntryUUID:
        if not is_uuid_urn(id) and id not in made:
            made[id] = new_uuid()
        return made.get(id, id)

    return Submission(
        submission_set=first_version(submission.submission_set, uuid),
        document_entries=tuple(first_version(each, uuid) for each in submission.document_entries),
        folders=tuple(first_version(each, uuid, last_update_time=now) for each in submission.folders),
        associations=tuple(_linked(each, uuid) for each in submission.associations),
    )


def first_version(each: Object, uuid: UUIDs, **changes: Any) -> Object:
    """The object under its UUID, approved (3.42.4.1.3.3.5), as version 1 of itself (XDS Metadata Update: 4.1.5).

    ``changes`` are fields that the registry sets besides.
    """
    entry_uuid = uuid(each.entry_uuid)
    return replace(
        each,
        entry_uuid=entry_uuid,
        logical_id=entry_uuid,
        version=1,
        availability_status=AvailabilityStatus.APPROVED,
        **changes,
    )


def membership(new_uuid: Callable[[], EntryUUID], source: EntryUUID, target: EntryUUID) -> Association:
    """A HasMember that the registry itself adds."""
    entry_uuid = new_uuid()
    return Association(
        entry_uuid=entry_uuid,
        association_type=AssociationType.HAS_MEMBER,
        source_object=source,
        target_object=target,
        logical_id=entry_uuid,
        version=1,
        availability_status=AvailabilityStatus.APPROVED,
    )


def _linked(association: Association, uuid: UUIDs) -> Association:
    source, target = uuid(association.source_object), uuid(association.target_object)
    return first_version(association, uuid, source_object=source, target_object=target)
