"""What becomes of registered documents: replaced, appended, put into folders (ITI TF-2: 3.42.4.1.3.5-7)."""

from dataclasses import replace

from conformance.counterparts.metadata import link, membership, submission
from conformance.covering import Suite, covers
from conformance.expectations import refused, returned, spelled, succeeded, the_objects
from conformance.refusals import Scene
from ihe.datatypes import CX, Code
from ihe.errors import ErrorCode
from ihe.transactions import Actor
from xds.model import (
    Association,
    AssociationType,
    Author,
    AvailabilityStatus,
    DocumentEntry,
    ExtraSlot,
    Folder,
    LocalizedString,
)

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
DEPRECATED = ("$XDSDocumentEntryStatus", f"('{AvailabilityStatus.DEPRECATED.value}')")
RPLC, XFRM, APND = AssociationType.RPLC, AssociationType.XFRM, AssociationType.APND


def _find(scene: Scene, *more: tuple[str, str]) -> set[str]:
    called = scene.documents.query("FindDocuments", ("$XDSDocumentEntryPatientId", spelled(scene.patient)), *more)
    return {each.entry_uuid for each in the_objects(called)}


@covers("ITI-42-016", "ITI-42-024", "ITI-42-036", "ITI-42-041", "ITI-42-043", "ITI-42-071")
def test_attributes_come_back_as_they_were_sent(scene: Scene) -> None:
    """Every attribute of an entry comes back as it was sent, also what IHE does not define."""
    foreign = CX("LOCAL-1", replace(scene.patient.authority, namespace_id="", universal_id="2.999.8"))
    sent = scene.entry(
        author=(Author(author_person="^Probst^Ada", author_role=("doctor",), author_specialty=("surgery",)),),
        comments=(LocalizedString("A comment, with ümlauts & <signs>"),),
        extra=(ExtraSlot("urn:example:conformance:colour", ("blue", "green")),),
        legal_authenticator="^Welby^Marcus^^^Dr^MD",
        service_start_time="20250102",
        service_stop_time="202501030405",
        source_patient_id=foreign,
        source_patient_info=("PID-5|Doe^Jane", "PID-7|19560527"),
        uri="report.txt",
    )
    scene.registered(sent)
    (found,) = the_objects(scene.documents.query("GetDocuments", ("$XDSDocumentEntryEntryUUID", sent.entry_uuid)))
    assert isinstance(found, DocumentEntry)
    changed = {"availability_status", "logical_id", "version", "home_community_id", "patient_id", "extra"}
    other = [
        name
        for name in DocumentEntry.__dataclass_fields__
        if name not in changed and getattr(found, name) != getattr(sent, name)
    ]
    assert not other, f"these came back otherwise: {[(name, getattr(found, name)) for name in other]}"
    assert found.availability_status is AvailabilityStatus.APPROVED, found.availability_status
    assert set(sent.extra) <= set(found.extra), f"an extra attribute that was not warned of is lost: {found.extra}"


@covers("ITI-42-041")
def test_display_names_do_not_matter(scene: Scene) -> None:
    """A listed code is taken with any display name."""
    code = scene.invent.system.code("classCode")
    scene.registered(scene.entry(class_code=Code(code.code, code.scheme, "another name")))


@covers("ITI-42-057", "ITI-42-058", "ITI-42-055")
def test_what_was_made_of_a_replaced_document(scene: Scene) -> None:
    """Addenda to a replaced document, and transformations of it, are deprecated with it."""
    old, addendum, transformed, new = scene.known(), scene.entry(), scene.entry(), scene.entry()
    scene.registered(
        *(addendum, transformed),
        links=(
            link(APND, addendum.entry_uuid, old.entry_uuid),
            link(XFRM, transformed.entry_uuid, old.entry_uuid),
        ),
    )
    scene.registered(new, links=(link(RPLC, new.entry_uuid, old.entry_uuid),))
    assert _find(scene) == {new.entry_uuid}, "something of the replaced document is still approved"
    assert _find(scene, DEPRECATED) == {old.entry_uuid, addendum.entry_uuid, transformed.entry_uuid}


@covers("ITI-42-056")
def test_a_transforming_replacement(scene: Scene) -> None:
    """XFRM_RPLC deprecates what it replaces."""
    old, new = scene.known(), scene.entry()
    scene.registered(new, links=(link(AssociationType.XFRM_RPLC, new.entry_uuid, old.entry_uuid),))
    assert (_find(scene), _find(scene, DEPRECATED)) == ({new.entry_uuid}, {old.entry_uuid})


@covers("ITI-42-060", "ITI-42-061", "ITI-42-067")
def test_folders_of_a_replaced_document(scene: Scene) -> None:
    """What replaces a document is in its folders, and the new set has that membership as member."""
    entry, folder = scene.entry(), scene.folder()
    _in_folder(scene, entry, folder)
    new = scene.entry()
    packing_slip = scene.registered(new, links=(link(RPLC, new.entry_uuid, entry.entry_uuid),))
    asked = ("$XDSDocumentEntryEntryUUID", new.entry_uuid)
    returned(scene.documents.query("GetFoldersForDocument", asked), {folder.entry_uuid})
    of_set = the_objects(scene.documents.query("GetAssociations", ("$uuid", packing_slip.entry_uuid)))
    of_entry = the_objects(scene.documents.query("GetAssociations", ("$uuid", new.entry_uuid)))
    members = {each.target_object for each in of_set if isinstance(each, Association)}
    links = (each for each in of_entry if isinstance(each, Association))
    inside = {each.entry_uuid for each in links if each.source_object == folder.entry_uuid}
    assert inside and inside <= members, f"the membership {inside} is none of the set's members"


@covers("ITI-42-066")
def test_a_folder_is_touched(scene: Scene) -> None:
    """Putting a document into a registered folder sets its lastUpdateTime to the present."""
    folder, entry = scene.folder(last_update_time="2020"), scene.entry()
    scene.registered(folder)
    before = _updated(scene, folder)
    packing_slip = scene.packing_slip()
    inside, labelled = membership(packing_slip, folder, entry)
    succeeded(scene.documents.register(submission(packing_slip, entry, inside, labelled)))
    after = _updated(scene, folder)
    assert before.startswith("20") and before != "2020", f"lastUpdateTime {before} is that of the sender"
    assert after >= before, f"lastUpdateTime went from {before} to {after}"


@covers("ITI-42-053")
def test_an_addendum_to_a_new_document(scene: Scene) -> None:
    """An addendum to another entry of the same submission is taken."""
    report, addendum = scene.entry(), scene.entry()
    appends = link(APND, addendum.entry_uuid, report.entry_uuid)
    succeeded(scene.documents.register(scene.submit(report, addendum, appends)))


@covers("ITI-42-020", "ITI-42-021")
def test_a_refused_replacement(scene: Scene) -> None:
    """A replacement beside something wrong leaves the replaced document as it was."""
    old, new = scene.known(), scene.entry()
    wrong = scene.entry(hash="none")
    replaces = link(RPLC, new.entry_uuid, old.entry_uuid)
    refused(scene.documents.register(scene.submit(new, wrong, replaces)), ErrorCode.REGISTRY_METADATA_ERROR)
    assert _find(scene) == {old.entry_uuid}, "the refused submission changed what is approved"


def _in_folder(scene: Scene, entry: DocumentEntry, folder: Folder) -> None:
    packing_slip = scene.packing_slip()
    inside, labelled = membership(packing_slip, folder, entry)
    succeeded(scene.documents.register(submission(packing_slip, entry, folder, inside, labelled)))


def _updated(scene: Scene, folder: Folder) -> str:
    (found,) = the_objects(scene.documents.query("GetFolders", ("$XDSFolderEntryUUID", folder.entry_uuid)))
    assert isinstance(found, Folder)
    return found.last_update_time or ""
