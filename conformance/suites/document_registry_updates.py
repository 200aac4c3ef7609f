"""What an update of metadata does to what is registered [ITI-57] (XDS Metadata Update: 3.57.4.1.3.3)."""

import pytest

from conformance.counterparts.metadata import link, membership
from conformance.covering import Suite, covers
from conformance.expectations import related, returned, spelled, succeeded, the_objects
from conformance.refusals import Scene
from conformance.updates import APPROVED, DEPRECATED, change, latest, status_change, submitted, update, updated, version
from ihe.transactions import Actor
from xds.model import AssociationType, LocalizedString

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b", option="Document Metadata Update")
ONLY_DEPRECATED = ("$XDSDocumentEntryStatus", f"('{DEPRECATED.value}')")


@covers("ITI-57-004", "ITI-57-005", "ITI-57-038", "ITI-57-053", "ITI-57-058", "ITI-57-115", "ITI-57-118", "ITI-57-126")
def test_a_new_version(scene: Scene) -> None:
    """A new version is approved and has the next number; the one before is deprecated and still there."""
    old = scene.known()
    new = version(old, title=(LocalizedString("Corrected"),))
    called = scene.documents.update(update(scene, new))
    succeeded(called)
    related(called)
    first, second = latest(scene, old)
    assert (first.version, first.availability_status) == (1, DEPRECATED), first
    assert (second.version, second.availability_status) == (2, APPROVED), second
    assert second.title[0].value == "Corrected", second.title


@covers("ITI-57-114", "ITI-57-117", "ITI-57-125")
def test_a_first_version(scene: Scene) -> None:
    """What was registered is version 1, and its logicalID is its entryUUID."""
    entry = scene.known()
    (first,) = latest(scene, entry)
    assert (first.version, first.logical_id) == (1, entry.entry_uuid), first


@covers("ITI-57-032", "ITI-57-064", "ITI-57-065", "ITI-57-120")
def test_a_status_there_and_back(scene: Scene) -> None:
    """An entry is deprecated by a change of status, and approved again, without a new version."""
    entry = scene.known()
    whose = ("$XDSDocumentEntryPatientId", spelled(scene.patient))
    succeeded(scene.documents.update(status_change(scene, entry.entry_uuid)))
    returned(scene.documents.query("FindDocuments", whose), ())
    returned(scene.documents.query("FindDocuments", whose, ONLY_DEPRECATED), {entry.entry_uuid})
    back = status_change(scene, entry.entry_uuid, original_status=DEPRECATED, new_status=APPROVED)
    succeeded(scene.documents.update(back))
    returned(scene.documents.query("FindDocuments", whose), {entry.entry_uuid})
    assert len(latest(scene, entry)) == 1, "a change of status made a version"


@covers("ITI-57-054", "ITI-57-055", "ITI-57-057")
@pytest.mark.parametrize("propagates", [True, False])
def test_memberships_of_a_new_version(propagates: bool, scene: Scene) -> None:
    """A new version is in the folders of the one before, unless AssociationPropagation is no."""
    entry, folder, packing_slip = scene.entry(), scene.folder(), scene.packing_slip()
    inside, labelled = membership(packing_slip, folder, entry)
    succeeded(scene.documents.register(updated(packing_slip, entry, folder, inside, labelled, previous=None)))
    new = version(entry)
    said = {} if propagates else {"association_propagation": False}
    succeeded(scene.documents.update(update(scene, new, **said)))
    folders = scene.documents.query(
        "GetFoldersForDocument", ("$XDSDocumentEntryEntryUUID", latest(scene, entry)[-1].entry_uuid)
    )
    returned(folders, {folder.entry_uuid} if propagates else ())


@covers("ITI-57-056")
def test_relationships_of_a_new_version(scene: Scene) -> None:
    """A new version has the relationships of the one before."""
    report, addendum = scene.known(), scene.entry()
    scene.registered(addendum, links=(link(AssociationType.APND, addendum.entry_uuid, report.entry_uuid),))
    succeeded(scene.documents.update(update(scene, version(report))))
    newest = latest(scene, report)[-1].entry_uuid
    types = ("$AssociationTypes", f"('{AssociationType.APND.value}')")
    found = the_objects(scene.documents.query("GetRelatedDocuments", ("$XDSDocumentEntryEntryUUID", newest), types))
    ids = {each.entry_uuid for each in found}
    assert {newest, addendum.entry_uuid} <= ids, f"the relationship was not propagated: {ids}"


@covers("ITI-57-067", "ITI-57-072", "ITI-57-076", "ITI-57-073")
def test_a_new_version_of_a_folder(scene: Scene) -> None:
    """A new version of a folder has the entries of the one before, which is deprecated."""
    entry, folder, packing_slip = scene.entry(), scene.folder(), scene.packing_slip()
    inside, labelled = membership(packing_slip, folder, entry)
    succeeded(scene.documents.register(updated(packing_slip, entry, folder, inside, labelled, previous=None)))
    succeeded(scene.documents.update(update(scene, version(folder, title=(LocalizedString("Renamed"),)))))
    whose = ("$XDSFolderPatientId", spelled(scene.patient))
    (current,) = the_objects(scene.documents.query("FindFolders", whose))
    assert current.entry_uuid != folder.entry_uuid, "the former version is still the approved one"
    folders = scene.documents.query("GetFoldersForDocument", ("$XDSDocumentEntryEntryUUID", entry.entry_uuid))
    assert current.entry_uuid in {each.entry_uuid for each in the_objects(folders)}, "the membership was not propagated"


@covers("ITI-57-083", "ITI-57-086")
def test_the_status_of_a_relationship(scene: Scene) -> None:
    """The status of a relationship changes."""
    report, addendum = scene.known(), scene.entry()
    appends = link(AssociationType.APND, addendum.entry_uuid, report.entry_uuid)
    scene.registered(addendum, links=(appends,))
    succeeded(scene.documents.update(status_change(scene, appends.entry_uuid)))
    asked = ("$uuid", report.entry_uuid), ("$XDSAssociationStatus", f"('{DEPRECATED.value}')"), ("$MetadataLevel", "2")
    returned(scene.documents.query("GetAssociations", *asked), {appends.entry_uuid})


@covers("ITI-57-093")
def test_a_submitted_association(scene: Scene) -> None:
    """A submitted Association is found."""
    report, addendum = scene.known(), scene.known()
    appends = link(AssociationType.APND, addendum.entry_uuid, report.entry_uuid)
    succeeded(scene.documents.update(submitted(scene, appends)))
    found = the_objects(scene.documents.query("GetAssociations", ("$uuid", addendum.entry_uuid)))
    assert appends.entry_uuid in {each.entry_uuid for each in found}, "the submitted Association is not there"


@covers("ITI-57-017", "ITI-57-040")
def test_metadata_and_status_in_one_update(scene: Scene) -> None:
    """New metadata and a new status give a new version with that status."""
    old, packing_slip = scene.known(), scene.packing_slip()
    new = version(old)
    succeeded(scene.documents.update(updated(packing_slip, new, change(packing_slip, new.entry_uuid))))
    assert [each.availability_status for each in latest(scene, old)] == [DEPRECATED, DEPRECATED]
