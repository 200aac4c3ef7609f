"""Snapshots: the registered entries of on-demand documents that were retrieved (ITI TF-2: 3.43.4.2.3)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ihe.datatypes import Code
from ihe.identifiers import EntryUUID, UniqueId, new_oid
from xds.model import (
    Association,
    AssociationType,
    DocumentEntry,
    ObjectType,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)

SNAPSHOT = EntryUUID("Snapshot")
"""The symbolic id of the new entry."""
SUBMISSION_SET = EntryUUID("SubmissionSet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """How snapshots are registered: sourceId (an OID) and contentTypeCode of their SubmissionSets."""

    source_id: str
    content_type_code: Code

    def submission(self, made: DocumentEntry, repository_unique_id: str, now: datetime) -> Submission:
        """Make the submission of a snapshot.

        ``made`` is the on-demand entry that was retrieved, with uniqueId, mimeType, hash and size of what it produced.
        """
        dtm = now.astimezone(UTC).strftime("%Y%m%d%H%M%S")
        submission_set = SubmissionSet(
            entry_uuid=SUBMISSION_SET,
            submission_time=dtm,
            author=made.author,
            content_type_code=self.content_type_code,
            patient_id=made.patient_id,
            source_id=self.source_id,
            unique_id=UniqueId(new_oid()),
        )
        return Submission(
            submission_set=submission_set,
            document_entries=(_stable(made, repository_unique_id, dtm),),
            associations=(_membership(), _is_snapshot_of(made.entry_uuid)),
        )


def _stable(made: DocumentEntry, repository_unique_id: str, dtm: str) -> DocumentEntry:
    return replace(
        made,
        entry_uuid=SNAPSHOT,
        object_type=ObjectType.STABLE,
        availability_status=None,
        logical_id=None,
        version=None,
        document_availability=None,
        creation_time=dtm,
        repository_unique_id=repository_unique_id,
    )


def _membership() -> Association:
    return Association(
        entry_uuid=EntryUUID("Membership"),
        association_type=AssociationType.HAS_MEMBER,
        source_object=SUBMISSION_SET,
        target_object=SNAPSHOT,
        submission_set_status=SubmissionSetStatus.ORIGINAL,
    )


def _is_snapshot_of(on_demand: EntryUUID) -> Association:
    return Association(
        entry_uuid=EntryUUID("Origin"),
        association_type=AssociationType.IS_SNAPSHOT_OF,
        source_object=SNAPSHOT,
        target_object=on_demand,
    )
