"""Submissions that do not hang together, which a Document Registry refuses (ITI TF-3: 4.1.4, 4.2.2)."""

from dataclasses import replace

import pytest

from conformance.counterparts.metadata import link, submission
from conformance.covering import Suite, covers
from conformance.refusals import CHECKED, KEPT_OUT, Refusal, Scene, refusal, refuses, related_to, wrong_entry
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID, new_entry_uuid
from ihe.transactions import Actor
from xds.model import AssociationType, ObjectType, Submission, SubmissionSetStatus

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
UNRESOLVED = ErrorCode.UNRESOLVED_REFERENCE
XFRM, APND = AssociationType.XFRM, AssociationType.APND
UPPER = EntryUUID(new_entry_uuid().upper().replace("URN:UUID", "urn:uuid"))


@refusal("TF3-4.2-109")
def two_of_one_id(scene: Scene) -> Submission:
    """Two objects with one id."""
    first = scene.entry()
    return scene.submit(first, scene.entry(entry_uuid=first.entry_uuid))


@refusal(CHECKED, breaking=("TF3-4.1-024", "TF3-4.2-040"))
def unlinked_entry(scene: Scene) -> Submission:
    """An entry that is no member of the set."""
    whole = scene.submit(scene.entry(), scene.entry())
    return replace(whole, associations=whole.associations[:1])


@refusal(CHECKED, breaking=("TF3-4.1-025", "TF3-4.2-045"))
def unlinked_folder(scene: Scene) -> Submission:
    """A folder that is no member of the set."""
    whole = scene.submit(scene.entry(), scene.folder())
    return replace(whole, associations=whole.associations[:1])


@refusal(CHECKED, breaking=("TF3-4.1-026", "TF3-4.2-048"))
def unlinked_membership(scene: Scene) -> Submission:
    """A membership that is no member of the set."""
    entry, folder = scene.entry(), scene.folder()
    return scene.submit(entry, folder, link(AssociationType.HAS_MEMBER, folder.entry_uuid, entry.entry_uuid))


@refusal(CHECKED, breaking=("TF3-4.1-016", "TF3-4.2-013"))
def folder_in_folder(scene: Scene) -> Submission:
    """A folder in a folder."""
    outer, inner, packing_slip = scene.folder(), scene.folder(), scene.packing_slip()
    inside = link(AssociationType.HAS_MEMBER, outer.entry_uuid, inner.entry_uuid)
    labelled = link(AssociationType.HAS_MEMBER, packing_slip.entry_uuid, inside.entry_uuid)
    return submission(packing_slip, outer, inner, inside, labelled)


@refusal(CHECKED, breaking=("TF3-4.2-041",))
def unlabelled_reference(scene: Scene) -> Submission:
    """A document included by reference that is called original."""
    known, packing_slip = scene.known(), scene.packing_slip()
    original = SubmissionSetStatus.ORIGINAL
    included = link(
        AssociationType.HAS_MEMBER, packing_slip.entry_uuid, known.entry_uuid, submission_set_status=original
    )
    return submission(packing_slip, scene.entry(), included)


@refusal("TF3-4.2-062")
def to_itself(scene: Scene) -> Submission:
    """An addendum to itself."""
    entry = scene.entry()
    return scene.submit(entry, link(APND, entry.entry_uuid, entry.entry_uuid))


@refusal("TF3-4.2-065")
def addendum_to_new_transformation(scene: Scene) -> Submission:
    """An addendum to a new transformation."""
    plain, transformed, addendum = scene.entry(), scene.entry(), scene.entry()
    return scene.submit(
        *(plain, transformed, addendum),
        link(XFRM, transformed.entry_uuid, plain.entry_uuid),
        link(APND, addendum.entry_uuid, transformed.entry_uuid),
    )


@refusal("TF3-4.2-264", codes=(ErrorCode.REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE,))
def twice_the_same_unique_id(scene: Scene) -> Submission:
    """A uniqueId that occurs twice."""
    entry = scene.entry()
    return scene.submit(entry, scene.entry(unique_id=entry.unique_id, hash=entry.hash, size=entry.size))


@refusal("TF3-4.1-023")
def nothing(scene: Scene) -> Submission:
    """A submission of nothing."""
    return scene.submit()


@refusal("ITI-42-052", codes=(UNRESOLVED,), breaking=("TF3-4.2-024",))
def symbolic(scene: Scene) -> Submission:
    """A symbolic id that leads nowhere."""
    return related_to(APND, EntryUUID("Document99"))(scene)


@refusal(CHECKED, breaking=("ITI-57-044",))
def an_association_of_updates(scene: Scene) -> Submission:
    """An Association that changes a status, in a submission of new documents."""
    entry, packing_slip = scene.known(), scene.packing_slip()
    kind = AssociationType.UPDATE_AVAILABILITY_STATUS
    return submission(packing_slip, scene.entry(), link(kind, packing_slip.entry_uuid, entry.entry_uuid))


@refusal(CHECKED, breaking=("ITI-57-124",))
def a_later_version(scene: Scene) -> Submission:
    """An entry whose logicalID is another one's."""
    return scene.submit(scene.entry(logical_id=scene.known().entry_uuid))


REFUSALS = (
    an_association_of_updates,
    a_later_version,
    two_of_one_id,
    nothing,
    unlinked_entry,
    unlinked_folder,
    unlinked_membership,
    folder_in_folder,
    unlabelled_reference,
    symbolic,
    to_itself,
    addendum_to_new_transformation,
    twice_the_same_unique_id,
    wrong_entry("uuid_form", "TF3-4.2-108", "A UUID in upper case.", entry_uuid=UPPER),
    wrong_entry("on_demand", "ITI-42-006", "An On-Demand entry.", object_type=ObjectType.ON_DEMAND),
)


@covers(*KEPT_OUT)
@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.id)
def test_it_is_refused(case: Refusal, scene: Scene) -> None:
    refuses(scene, case)
