"""Updates of metadata as tests write them: versions, changes of status, Associations (XDS Metadata Update: 3.57)."""

from dataclasses import replace
from typing import Any, TypeVar

from conformance.counterparts.metadata import link, submission
from conformance.expectations import the_objects
from conformance.refusals import Scene
from ihe.identifiers import EntryUUID, new_entry_uuid
from xds.model import (
    Association,
    AssociationType,
    AvailabilityStatus,
    DocumentEntry,
    Folder,
    Submission,
    SubmissionSet,
    SubmissionSetStatus,
)

APPROVED, DEPRECATED = AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED
STATUSES = f"('{APPROVED.value}','{DEPRECATED.value}')"
Versioned = TypeVar("Versioned", DocumentEntry, Folder)


def version(of: Versioned, **changes: Any) -> Versioned:
    """The next version of a registered first version."""
    return replace(of, entry_uuid=new_entry_uuid(), logical_id=of.entry_uuid, **changes)


def update(scene: Scene, *things: Any, previous: int | None = 1, **annotations: Any) -> Submission:
    """Versions and Associations under a new SubmissionSet; ``previous`` is the PreviousVersion of each version."""
    packing_slip = scene.packing_slip()
    return updated(packing_slip, *things, previous=previous, **annotations)


def updated(packing_slip: SubmissionSet, *things: Any, previous: int | None = 1, **annotations: Any) -> Submission:
    """The same under a SubmissionSet that is there."""
    whole = submission(packing_slip, *things)
    versions = {each.entry_uuid for each in things if isinstance(each, DocumentEntry | Folder)}
    links = tuple(
        replace(each, previous_version=previous, **annotations) if _leads_to(each, packing_slip, versions) else each
        for each in whole.associations
    )
    return replace(whole, associations=links)


def change(packing_slip: SubmissionSet, target: str, **changes: Any) -> Association:
    """A change of status from Approved to Deprecated."""
    said = {"original_status": APPROVED, "new_status": DEPRECATED, **changes}
    kind = AssociationType.UPDATE_AVAILABILITY_STATUS
    return link(kind, packing_slip.entry_uuid, EntryUUID(target), **said)


def status_change(scene: Scene, target: str, **changes: Any) -> Submission:
    """An update that changes one status."""
    packing_slip = scene.packing_slip()
    return updated(packing_slip, change(packing_slip, target, **changes))


def submitted(scene: Scene, association: Association) -> Submission:
    """An update that brings one Association."""
    packing_slip = scene.packing_slip()
    trigger = link(AssociationType.SUBMIT_ASSOCIATION, packing_slip.entry_uuid, association.entry_uuid)
    return updated(packing_slip, association, trigger)


def latest(scene: Scene, thing: DocumentEntry) -> tuple[DocumentEntry, ...]:
    """All versions of an entry that the registry has, the newest last."""
    asked = ("$XDSDocumentEntryLogicalID", thing.entry_uuid), ("$MetadataLevel", "2")
    found = the_objects(scene.documents.query("GetDocuments", *asked))
    entries = [each for each in found if isinstance(each, DocumentEntry)]
    return tuple(sorted(entries, key=lambda each: each.version or 0))


def _leads_to(each: Association, packing_slip: SubmissionSet, versions: set[EntryUUID]) -> bool:
    original = each.submission_set_status in (SubmissionSetStatus.ORIGINAL, None)
    is_member = each.association_type is AssociationType.HAS_MEMBER and each.source_object == packing_slip.entry_uuid
    return original and is_member and each.target_object in versions
