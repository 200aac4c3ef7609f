"""Stored queries of a registry that keeps versions (XDS Metadata Update: 3.18.4.1.2.3.5.1, 3.18.4.1.2.3.7)."""

from conformance.counterparts.metadata import link, membership
from conformance.covering import Suite, covers
from conformance.expectations import refused, returned, spelled, succeeded, the_objects
from conformance.refusals import Scene
from conformance.updates import DEPRECATED, STATUSES, latest, status_change, update, updated, version
from ihe.errors import ErrorCode
from ihe.transactions import Actor
from xds.model import AssociationType, DocumentAvailability, DocumentEntry, Folder

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b", option="Document Metadata Update")
LEVEL_1, LEVEL_2 = ("$MetadataLevel", "1"), ("$MetadataLevel", "2")
ONLY_DEPRECATED = ("$XDSAssociationStatus", f"('{DEPRECATED.value}')")


@covers("ITI-18-MU-001", "ITI-18-MU-002", "ITI-18-MU-007", "ITI-18-MU-020")
def test_former_versions_of_entries(scene: Scene) -> None:
    """Former versions are returned at $MetadataLevel 2 alone."""
    old = scene.known()
    succeeded(scene.documents.update(update(scene, version(old))))
    newest = latest(scene, old)[-1].entry_uuid
    asked = ("$XDSDocumentEntryPatientId", spelled(scene.patient)), ("$XDSDocumentEntryStatus", STATUSES)
    for level in ((), (LEVEL_1,)):
        returned(scene.documents.query("FindDocuments", *asked, *level), {newest})
    returned(scene.documents.query("FindDocuments", *asked, LEVEL_2), {old.entry_uuid, newest})


@covers("ITI-18-MU-023", "ITI-18-MU-024", "ITI-18-MU-029")
def test_versions_of_an_entry(scene: Scene) -> None:
    """GetDocuments by $XDSDocumentEntryLogicalID returns the versions of that entry."""
    old, other = scene.known(), scene.known()
    succeeded(scene.documents.update(update(scene, version(old))))
    assert [each.version for each in latest(scene, old)] == [1, 2]
    both = (("$XDSDocumentEntryLogicalID", old.entry_uuid), ("$XDSDocumentEntryEntryUUID", other.entry_uuid))
    refused(scene.documents.query("GetDocuments", *both, LEVEL_2), ErrorCode.STORED_QUERY_PARAM_NUMBER)


@covers("ITI-18-MU-003", "ITI-18-MU-026", "ITI-18-MU-027")
def test_versions_of_a_folder(scene: Scene) -> None:
    """GetFolders by $XDSFolderLogicalID returns the versions of that folder."""
    folder, other = scene.folder(), scene.folder()
    scene.registered(folder, other)
    succeeded(scene.documents.update(update(scene, version(folder))))
    named = ("$XDSFolderLogicalID", folder.entry_uuid)
    found = the_objects(scene.documents.query("GetFolders", named, LEVEL_2))
    assert len(found) == 2, f"two versions are due: {found}"
    assert {each.logical_id for each in found if isinstance(each, Folder)} == {folder.entry_uuid}
    both = (named, ("$XDSFolderEntryUUID", other.entry_uuid))
    refused(scene.documents.query("GetFolders", *both, LEVEL_2), ErrorCode.STORED_QUERY_PARAM_NUMBER)


@covers("ITI-18-MU-004", "ITI-18-MU-009", "ITI-18-MU-010")
def test_availability(scene: Scene) -> None:
    """$XDSDocumentEntryDocumentAvailability tells documents apart that are online and offline."""
    reference = "R1^^^&2.999.5&ISO^urn:ihe:iti:xds:2013:order"
    online, offline = (
        scene.known(document_availability=each, reference_id_list=(reference,)) for each in DocumentAvailability
    )
    whose = ("$XDSDocumentEntryPatientId", spelled(scene.patient))
    asked = ("$XDSDocumentEntryDocumentAvailability", f"('{DocumentAvailability.OFFLINE.value}')")
    referring = ("$XDSDocumentEntryReferenceIdList", f"('{reference}')")
    returned(scene.documents.query("FindDocuments", whose, LEVEL_1), {online.entry_uuid})
    returned(scene.documents.query("FindDocuments", whose, LEVEL_2), {online.entry_uuid, offline.entry_uuid})
    returned(scene.documents.query("FindDocuments", whose, asked, LEVEL_2), {offline.entry_uuid})
    by_reference = scene.documents.query("FindDocumentsByReferenceId", whose, referring, asked, LEVEL_2)
    returned(by_reference, {offline.entry_uuid})


@covers("ITI-18-MU-006", "ITI-18-MU-011", "ITI-18-MU-012", "ITI-18-MU-013", "ITI-18-MU-016", "ITI-18-MU-030")
def test_statuses_of_relationships(scene: Scene) -> None:
    """$XDSAssociationStatus tells relationships apart that are approved and deprecated."""
    report, addendum, appends = _addendum(scene)
    named = ("$XDSDocumentEntryEntryUUID", report.entry_uuid)
    types = ("$AssociationTypes", f"('{AssociationType.APND.value}')")
    both = {report.entry_uuid, addendum.entry_uuid, appends}
    query = scene.documents.query
    returned(query("GetRelatedDocuments", named, types, ONLY_DEPRECATED, LEVEL_2), ())
    succeeded(scene.documents.update(status_change(scene, appends)))
    returned(query("GetAssociations", ("$uuid", report.entry_uuid), ONLY_DEPRECATED, LEVEL_2), {appends})
    returned(query("GetDocumentsAndAssociations", named, ONLY_DEPRECATED, LEVEL_2), {report.entry_uuid, appends})
    returned(query("GetRelatedDocuments", named, types, ONLY_DEPRECATED, LEVEL_2), both)
    returned(query("GetRelatedDocuments", named, types, LEVEL_1), ())
    statuses = ((f"$XDS{kind}Status", STATUSES) for kind in ("DocumentEntry", "SubmissionSet", "Folder"))
    found = the_objects(query("GetAll", ("$patientId", spelled(scene.patient)), *statuses, ONLY_DEPRECATED, LEVEL_2))
    kept = {each.entry_uuid for each in found if not hasattr(each, "unique_id")}
    assert kept == {appends}, f"other Associations than the deprecated one: {kept}"


@covers("ITI-18-MU-014", "ITI-18-MU-015")
def test_statuses_of_memberships(scene: Scene) -> None:
    """$XDSAssociationStatus tells memberships in folders apart."""
    entry, folder, packing_slip = scene.entry(), scene.folder(), scene.packing_slip()
    inside, labelled = membership(packing_slip, folder, entry)
    succeeded(scene.documents.register(updated(packing_slip, entry, folder, inside, labelled, previous=None)))
    of_entry = ("$XDSDocumentEntryEntryUUID", entry.entry_uuid)
    of_folder = ("$XDSFolderEntryUUID", folder.entry_uuid)
    query = scene.documents.query
    returned(query("GetFoldersForDocument", of_entry, ONLY_DEPRECATED, LEVEL_2), ())
    succeeded(scene.documents.update(status_change(scene, inside.entry_uuid)))
    returned(query("GetFoldersForDocument", of_entry, LEVEL_1), ())
    returned(query("GetFoldersForDocument", of_entry, ONLY_DEPRECATED, LEVEL_2), {folder.entry_uuid})
    contents = {folder.entry_uuid, entry.entry_uuid, inside.entry_uuid}
    returned(query("GetFolderAndContents", of_folder, ONLY_DEPRECATED, LEVEL_2), contents)
    approved = ("$XDSAssociationStatus", STATUSES.replace(DEPRECATED.value, "urn:none"))
    returned(query("GetFolderAndContents", of_folder, approved, LEVEL_2), {folder.entry_uuid})


def _addendum(scene: Scene) -> tuple[DocumentEntry, DocumentEntry, str]:
    report, addendum = scene.known(), scene.entry()
    appends = link(AssociationType.APND, addendum.entry_uuid, report.entry_uuid)
    scene.registered(addendum, links=(appends,))
    return report, addendum, appends.entry_uuid
