"""Updates that a Document Registry refuses, whole [ITI-57] (XDS Metadata Update: 3.57.4.1.3)."""

from dataclasses import replace

import pytest

from conformance.counterparts.metadata import link, membership
from conformance.covering import Suite, covers
from conformance.refusals import Refusal, Scene, refusal, refuses
from conformance.updates import APPROVED, DEPRECATED, change, status_change, submitted, update, updated, version
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID, UniqueId, new_entry_uuid, new_oid
from ihe.transactions import Actor
from xds.model import AssociationType, DocumentEntry, Folder, ObjectType, Submission

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b", option="Document Metadata Update")
UPDATE, OPERATION = (ErrorCode.METADATA_UPDATE_ERROR,), (ErrorCode.METADATA_UPDATE_OPERATION,)
UNRESOLVED, IDENTIFIER = (ErrorCode.UNRESOLVED_REFERENCE,), (ErrorCode.METADATA_IDENTIFIER,)
VERSION, INVALID = (ErrorCode.METADATA_VERSION,), (ErrorCode.INVALID_REQUEST,)
APND = AssociationType.APND


@refusal("ITI-57-042", codes=UPDATE)
def nothing_is_updated(scene: Scene) -> Submission:
    """An update of nothing."""
    return update(scene)


@refusal("ITI-57-009", codes=INVALID, breaking=("ITI-57-008",))
def an_initial_version(scene: Scene) -> Submission:
    """A document that is new."""
    return update(scene, scene.entry())


@refusal("ITI-57-041", codes=OPERATION, breaking=("ITI-57-046", "ITI-57-123"))
def a_symbolic_logical_id(scene: Scene) -> Submission:
    """A logicalID that is no UUID."""
    return update(scene, replace(version(scene.known()), logical_id=EntryUUID("Document01")))


@refusal("ITI-57-041", codes=OPERATION, breaking=("ITI-57-037",))
def no_previous_version(scene: Scene) -> Submission:
    """A new version that does not say of which version."""
    return update(scene, version(scene.known()), previous=None)


@refusal("ITI-57-041", codes=OPERATION, breaking=("ITI-57-033", "ITI-57-035"))
def an_annotation_out_of_place(scene: Scene) -> Submission:
    """A new version whose HasMember has a NewStatus."""
    return update(scene, version(scene.known()), new_status=DEPRECATED)


@refusal("ITI-57-041", codes=OPERATION, breaking=("ITI-57-045",))
def a_trigger_that_starts_elsewhere(scene: Scene) -> Submission:
    """A change of status that does not start at the SubmissionSet."""
    entry, packing_slip = scene.known(), scene.packing_slip()
    elsewhere = replace(change(packing_slip, entry.entry_uuid), source_object=scene.known().entry_uuid)
    return updated(packing_slip, elsewhere)


@refusal("ITI-57-041", codes=OPERATION, breaking=("ITI-57-030",))
def a_change_without_its_end(scene: Scene) -> Submission:
    """A change of status without NewStatus."""
    return status_change(scene, scene.known().entry_uuid, new_status=None)


@refusal("ITI-57-041", codes=OPERATION, breaking=("ITI-57-060",))
def a_change_of_a_symbol(scene: Scene) -> Submission:
    """A change of the status of a symbolic id."""
    return status_change(scene, "Document01")


@refusal("ITI-57-043", codes=OPERATION, breaking=("ITI-57-088",))
def a_trigger_for_nothing(scene: Scene) -> Submission:
    """A SubmitAssociation that leads to a registered entry."""
    packing_slip = scene.packing_slip()
    trigger = link(AssociationType.SUBMIT_ASSOCIATION, packing_slip.entry_uuid, scene.known().entry_uuid)
    return updated(packing_slip, trigger)


@refusal("ITI-57-043", codes=OPERATION)
def an_association_without_trigger(scene: Scene) -> Submission:
    """A relationship that nothing submits."""
    one, two = scene.known(), scene.known()
    return update(scene, version(scene.known()), link(APND, one.entry_uuid, two.entry_uuid))


@refusal("ITI-57-092", codes=UPDATE)
def an_association_to_the_set(scene: Scene) -> Submission:
    """A submitted relationship that ends at the SubmissionSet of the update."""
    entry, packing_slip = scene.known(), scene.packing_slip()
    appends = link(APND, entry.entry_uuid, packing_slip.entry_uuid)
    trigger = link(AssociationType.SUBMIT_ASSOCIATION, packing_slip.entry_uuid, appends.entry_uuid)
    return updated(packing_slip, appends, trigger)


@refusal("ITI-57-019", codes=UPDATE)
def two_versions_of_one_object(scene: Scene) -> Submission:
    """Two new versions of one entry."""
    old = scene.known()
    return update(scene, version(old), version(old))


@refusal("ITI-57-012", codes=UPDATE)
def a_version_of_an_association(scene: Scene) -> Submission:
    """A new version of an Association."""
    whole = update(scene, version(scene.known()))
    return replace(whole, associations=tuple(replace(each, logical_id=new_entry_uuid()) for each in whole.associations))


@refusal("ITI-57-047", codes=UNRESOLVED)
def a_version_of_nothing(scene: Scene) -> Submission:
    """A new version of what nobody registered."""
    return update(scene, version(scene.entry()))


@refusal("ITI-57-116", codes=IDENTIFIER)
def a_folder_becomes_an_entry(scene: Scene) -> Submission:
    """A new version of a folder that is an entry."""
    folder = scene.folder()
    scene.registered(folder)
    return update(scene, scene.entry(logical_id=folder.entry_uuid))


@refusal("ITI-57-048", codes=IDENTIFIER)
def another_unique_id(scene: Scene) -> Submission:
    """A new version with another uniqueId."""
    return update(scene, version(scene.known(), unique_id=UniqueId(new_oid())))


@refusal("ITI-57-070", codes=IDENTIFIER)
def another_unique_id_of_a_folder(scene: Scene) -> Submission:
    """A new version of a folder with another uniqueId."""
    folder = scene.folder()
    scene.registered(folder)
    return update(scene, version(folder, unique_id=UniqueId(new_oid())))


@refusal("ITI-57-049", codes=IDENTIFIER)
def another_object_type(scene: Scene) -> Submission:
    """A new version of a Stable entry that is On-Demand."""
    promised = {"object_type": ObjectType.ON_DEMAND, "creation_time": None, "hash": None, "size": None}
    return update(scene, version(scene.known(), **promised))


@refusal("ITI-57-050", codes=VERSION)
def not_the_latest_version(scene: Scene) -> Submission:
    """A new version of a version that is not the latest."""
    return update(scene, version(scene.known()), previous=7)


@refusal("ITI-57-071", codes=VERSION)
def not_the_latest_version_of_a_folder(scene: Scene) -> Submission:
    """A new version of a folder of a version that is not the latest."""
    folder = scene.folder()
    scene.registered(folder)
    return update(scene, version(folder), previous=7)


@refusal("ITI-57-069", codes=UPDATE)
def a_version_of_a_deprecated_folder(scene: Scene) -> Submission:
    """A new version of a deprecated folder."""
    folder = _deprecated_folder(scene)
    return update(scene, version(folder))


@refusal("ITI-57-026", codes=UPDATE)
def unlike_propagation(scene: Scene) -> Submission:
    """New versions of an entry and of its folder that differ in AssociationPropagation."""
    entry, folder = _entry_in_folder(scene)
    new_entry, new_folder = version(entry), version(folder)
    whole = update(scene, new_entry, new_folder)
    links = (
        replace(each, association_propagation=False) if each.target_object == new_entry.entry_uuid else each
        for each in whole.associations
    )
    return replace(whole, associations=tuple(links))


@refusal("ITI-57-063", codes=UNRESOLVED, breaking=("ITI-57-027",))
def a_change_of_nothing(scene: Scene) -> Submission:
    """A change of the status of what nobody registered."""
    return status_change(scene, new_entry_uuid())


@refusal("ITI-57-014", codes=OPERATION, breaking=("ITI-57-028",))
def a_change_of_a_set(scene: Scene) -> Submission:
    """A change of the status of a SubmissionSet."""
    return status_change(scene, scene.registered(scene.entry()).entry_uuid)


@refusal("ITI-57-029", "ITI-57-119", codes=UPDATE)
def a_change_of_a_former_version(scene: Scene) -> Submission:
    """A change of the status of a version that is not the latest."""
    old = scene.known()
    assert scene.documents.update(update(scene, version(old))).answer is not None
    return status_change(scene, old.entry_uuid, original_status=DEPRECATED, new_status=APPROVED)


@refusal("ITI-57-031", "ITI-57-062", codes=UPDATE)
def another_original_status(scene: Scene) -> Submission:
    """A change from a status that the entry does not have."""
    return status_change(scene, scene.known().entry_uuid, original_status=DEPRECATED, new_status=APPROVED)


@refusal("ITI-57-020", codes=UPDATE)
def two_changes_of_one_status(scene: Scene) -> Submission:
    """Two changes of one status."""
    entry, packing_slip = scene.known(), scene.packing_slip()
    return updated(packing_slip, *(change(packing_slip, entry.entry_uuid) for _ in range(2)))


@refusal("ITI-57-089", codes=UNRESOLVED)
def an_association_to_nothing(scene: Scene) -> Submission:
    """A submitted relationship to what nobody registered."""
    return submitted(scene, link(APND, scene.known().entry_uuid, new_entry_uuid()))


@refusal("ITI-57-090", codes=UPDATE)
def an_association_of_a_folder(scene: Scene) -> Submission:
    """A submitted addendum to a folder."""
    folder = scene.folder()
    scene.registered(folder)
    return submitted(scene, link(APND, scene.known().entry_uuid, folder.entry_uuid))


@refusal("ITI-57-091", codes=UPDATE)
def an_association_to_a_deprecated_entry(scene: Scene) -> Submission:
    """A submitted addendum to a deprecated entry."""
    old = scene.known()
    assert scene.documents.update(status_change(scene, old.entry_uuid)).answer is not None
    return submitted(scene, link(APND, scene.known().entry_uuid, old.entry_uuid))


@refusal("ITI-57-094", codes=(ErrorCode.PATIENT_ID_RECONCILIATION,))
def an_association_between_patients(scene: Scene) -> Submission:
    """A submitted relationship between entries of two patients."""
    foreign = scene.invent.entry(scene.other_patient)
    scene.registered(foreign)
    return submitted(scene, link(APND, scene.known().entry_uuid, foreign.entry_uuid))


@refusal("ITI-57-051", "ITI-57-006", codes=UPDATE, breaking=("ITI-57-002",))
def a_version_without_its_hash(scene: Scene) -> Submission:
    """A new version that lacks a required attribute."""
    return update(scene, version(scene.known(), class_code=None))


@refusal("ITI-57-023", codes=UPDATE)
def a_good_and_a_bad_operation(scene: Scene) -> Submission:
    """A good change of status beside a bad one."""
    one, two, packing_slip = scene.known(), scene.known(), scene.packing_slip()
    bad = change(packing_slip, two.entry_uuid, original_status=DEPRECATED, new_status=APPROVED)
    return updated(packing_slip, change(packing_slip, one.entry_uuid), bad)


def _entry_in_folder(scene: Scene) -> tuple[DocumentEntry, Folder]:
    entry, folder, packing_slip = scene.entry(), scene.folder(), scene.packing_slip()
    inside, labelled = membership(packing_slip, folder, entry)
    scene.documents.register(updated(packing_slip, entry, folder, inside, labelled, previous=None))
    return entry, folder


def _deprecated_folder(scene: Scene) -> Folder:
    folder = scene.folder()
    scene.registered(folder)
    assert scene.documents.update(status_change(scene, folder.entry_uuid)).answer is not None
    return folder


REFUSALS = (
    nothing_is_updated,
    an_initial_version,
    a_symbolic_logical_id,
    no_previous_version,
    an_annotation_out_of_place,
    a_trigger_that_starts_elsewhere,
    a_change_without_its_end,
    a_change_of_a_symbol,
    a_trigger_for_nothing,
    an_association_without_trigger,
    an_association_to_the_set,
    two_versions_of_one_object,
    a_version_of_an_association,
    a_version_of_nothing,
    a_folder_becomes_an_entry,
    another_unique_id,
    another_unique_id_of_a_folder,
    another_object_type,
    not_the_latest_version,
    not_the_latest_version_of_a_folder,
    a_version_of_a_deprecated_folder,
    unlike_propagation,
    a_change_of_nothing,
    a_change_of_a_set,
    a_change_of_a_former_version,
    another_original_status,
    two_changes_of_one_status,
    an_association_to_nothing,
    an_association_of_a_folder,
    an_association_to_a_deprecated_entry,
    an_association_between_patients,
    a_version_without_its_hash,
    a_good_and_a_bad_operation,
)


@covers("ITI-57-039", "ITI-57-023", "ITI-57-100")
@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.id)
def test_it_is_refused(case: Refusal, scene: Scene) -> None:
    refuses(scene, case, scene.documents.update)
