"""The stored queries that get objects by their ids, with what belongs to them (ITI TF-2: 3.18.4.1.2.3.7.4-13)."""

from dataclasses import dataclass

import pytest

from conformance.asking import listed, two_codes
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, link, submission
from conformance.counterparts.soap import Called
from conformance.covering import Suite, covers
from conformance.expectations import refused, returned, spelled, succeeded
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.transactions import Actor
from xds.model import Association, AssociationType, AvailabilityStatus, DocumentEntry, Folder, SubmissionSet

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
UUID, UNIQUE = "$XDSDocumentEntryEntryUUID", "$XDSDocumentEntryUniqueId"
BOTH = f"('{AvailabilityStatus.APPROVED.value}','{AvailabilityStatus.DEPRECATED.value}')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a patient has: a report with an addendum, the report in a folder, all of one set."""

    documents: DocumentActors
    packing_slip: SubmissionSet
    report: DocumentEntry
    addendum: DocumentEntry
    folder: Folder
    appends: Association
    in_folder: Association
    memberships: dict[str, str]
    """By the id of a member: the id of the HasMember that leads to it from the set."""

    def get(self, query: str, *asked: tuple[str, str], return_type: str = "LeafClass") -> Called:
        """Ask a stored query."""
        return self.documents.query(query, *asked, return_type=return_type)


@pytest.fixture
def record(documents: DocumentActors, invent: Inventor, patient: CX) -> Record:
    report_code, addendum_code = two_codes(invent, "formatCode")
    normal, restricted = two_codes(invent, "confidentialityCode")
    report = invent.entry(patient, format_code=report_code, confidentiality_code=(normal,))
    addendum = invent.entry(patient, format_code=addendum_code, confidentiality_code=(restricted,))
    folder, packing_slip = invent.folder(patient), invent.submission_set(patient)
    appends = link(AssociationType.APND, addendum.entry_uuid, report.entry_uuid)
    in_folder = link(AssociationType.HAS_MEMBER, folder.entry_uuid, report.entry_uuid)
    labelled = link(AssociationType.HAS_MEMBER, packing_slip.entry_uuid, in_folder.entry_uuid)
    whole = submission(packing_slip, report, addendum, folder, appends, in_folder, labelled)
    succeeded(documents.register(whole))
    members = {each.target_object: each.entry_uuid for each in whole.associations if each not in (appends, in_folder)}
    return Record(
        documents=documents,
        packing_slip=packing_slip,
        report=report,
        addendum=addendum,
        folder=folder,
        appends=appends,
        in_folder=in_folder,
        memberships={str(target): str(id) for target, id in members.items()},
    )


@covers("ITI-18-096", "ITI-18-097")
def test_documents_by_their_ids(record: Record) -> None:
    """GetDocuments by entryUUID and by uniqueId."""
    one, two = record.report, record.addendum
    returned(record.get("GetDocuments", (UUID, one.entry_uuid), (UUID, two.entry_uuid)), _ids(one, two))
    returned(record.get("GetDocuments", (UNIQUE, str(one.unique_id))), _ids(one))


@covers("ITI-18-102", "ITI-42-031", "ITI-42-032")
def test_documents_that_share_a_unique_id(
    record: Record, documents: DocumentActors, invent: Inventor, patient: CX
) -> None:
    """An entry with the uniqueId, hash and size of another one is taken, and GetDocuments returns both."""
    old = record.report
    twin = invent.entry(patient, unique_id=old.unique_id, hash=old.hash, size=old.size)
    succeeded(documents.register(submission(invent.submission_set(patient), twin)))
    returned(record.get("GetDocuments", (UNIQUE, str(old.unique_id))), _ids(old, twin))


@covers("ITI-18-103", "ITI-18-104")
def test_folders_by_their_ids(record: Record) -> None:
    """GetFolders by entryUUID and by uniqueId."""
    folder = record.folder
    returned(record.get("GetFolders", ("$XDSFolderEntryUUID", folder.entry_uuid)), _ids(folder))
    returned(record.get("GetFolders", ("$XDSFolderUniqueId", str(folder.unique_id))), _ids(folder))


@covers("ITI-18-108", "ITI-18-109", "ITI-18-110")
def test_associations_of_an_object(record: Record) -> None:
    """GetAssociations returns what starts or ends at the object, and nothing else."""
    report = record.report.entry_uuid
    returned(
        record.get("GetAssociations", ("$uuid", report)),
        {record.appends.entry_uuid, record.in_folder.entry_uuid, record.memberships[report]},
    )
    outgoing = {record.appends.entry_uuid, record.memberships[record.addendum.entry_uuid]}
    returned(record.get("GetAssociations", ("$uuid", record.addendum.entry_uuid)), outgoing)


@covers("ITI-18-112", "ITI-18-113")
def test_a_document_and_its_associations(record: Record) -> None:
    """GetDocumentsAndAssociations returns the entry and every association at either end of it."""
    report = record.report
    expected: set[str] = {report.entry_uuid, record.appends.entry_uuid, record.in_folder.entry_uuid}
    expected.add(record.memberships[report.entry_uuid])
    for asked in ((UUID, report.entry_uuid), (UNIQUE, str(report.unique_id))):
        returned(record.get("GetDocumentsAndAssociations", asked), expected)


@covers("ITI-18-117", "ITI-18-118", "ITI-18-119")
def test_the_sets_of_a_document(record: Record) -> None:
    """GetSubmissionSets returns the set with its HasMember; a folder is no set."""
    report = record.report.entry_uuid
    expected = {record.packing_slip.entry_uuid, record.memberships[report]}
    returned(record.get("GetSubmissionSets", ("$uuid", report)), expected)


@covers("ITI-18-122", "ITI-18-123", "ITI-18-124", "ITI-18-125", "ITI-18-126")
def test_a_set_and_its_contents(record: Record) -> None:
    """GetSubmissionSetAndContents returns entries, folders, memberships, and what leads to them."""
    packing_slip = record.packing_slip
    expected = {packing_slip.entry_uuid, *record.memberships, *record.memberships.values()}
    by_ids = (("EntryUUID", packing_slip.entry_uuid), ("UniqueId", str(packing_slip.unique_id)))
    for name, id in by_ids:
        returned(record.get("GetSubmissionSetAndContents", (f"$XDSSubmissionSet{name}", id)), expected)


@covers("ITI-18-127", "ITI-18-128", "ITI-18-129")
@pytest.mark.parametrize("attribute", ["formatCode", "confidentialityCode"])
def test_a_set_and_some_of_its_contents(attribute: str, record: Record, invent: Inventor) -> None:
    """GetSubmissionSetAndContents by a code leaves out other entries, and what leads to them."""
    asked = (_parameter(attribute), listed(two_codes(invent, attribute)[1]))
    whose = ("$XDSSubmissionSetEntryUUID", record.packing_slip.entry_uuid)
    kept = (record.addendum, record.folder)
    expected = {record.packing_slip.entry_uuid, *_ids(*kept), *(record.memberships[id] for id in _ids(*kept))}
    returned(record.get("GetSubmissionSetAndContents", whose, asked), expected)


@covers("ITI-18-134", "ITI-18-135", "ITI-18-136")
def test_a_folder_and_its_contents(record: Record) -> None:
    """GetFolderAndContents returns the folder, its entries and the memberships."""
    folder = record.folder
    expected = {*_ids(folder, record.report), record.in_folder.entry_uuid}
    for name, id in (("EntryUUID", folder.entry_uuid), ("UniqueId", str(folder.unique_id))):
        returned(record.get("GetFolderAndContents", (f"$XDSFolder{name}", id)), expected)


@covers("ITI-18-137", "ITI-18-138", "ITI-18-139")
@pytest.mark.parametrize("attribute", ["formatCode", "confidentialityCode"])
def test_a_folder_and_none_of_its_contents(attribute: str, record: Record, invent: Inventor) -> None:
    """GetFolderAndContents by a code that its entry does not have returns the folder alone."""
    asked = (_parameter(attribute), listed(two_codes(invent, attribute)[1]))
    whose = ("$XDSFolderEntryUUID", record.folder.entry_uuid)
    returned(record.get("GetFolderAndContents", whose, asked), _ids(record.folder))


@covers("ITI-18-144", "ITI-18-145", "ITI-18-146")
def test_the_folders_of_a_document(record: Record) -> None:
    """GetFoldersForDocument returns folders, and no sets."""
    for asked in ((UUID, record.report.entry_uuid), (UNIQUE, str(record.report.unique_id))):
        returned(record.get("GetFoldersForDocument", asked), _ids(record.folder))


@covers("ITI-18-149", "ITI-18-150", "ITI-18-151", "ITI-18-152", "ITI-18-153")
def test_related_documents(record: Record) -> None:
    """GetRelatedDocuments returns relationships of the wanted types in both directions, with their ends."""
    types = {kind: ("$AssociationTypes", f"('{kind.value}')") for kind in AssociationType}
    expected = {*_ids(record.report, record.addendum), record.appends.entry_uuid}
    for each in (record.report, record.addendum):
        asked = ((UUID, each.entry_uuid), types[AssociationType.APND])
        returned(record.get("GetRelatedDocuments", *asked), expected)
    for other in (AssociationType.RPLC, AssociationType.HAS_MEMBER):
        returned(record.get("GetRelatedDocuments", (UUID, record.report.entry_uuid), types[other]), ())


@covers("ITI-18-085", "ITI-18-086")
def test_everything_of_a_patient(record: Record, patient: CX) -> None:
    """GetAll returns sets, entries, folders and every association at one of them."""
    expected: set[str] = {record.packing_slip.entry_uuid, record.appends.entry_uuid, record.in_folder.entry_uuid}
    expected |= {*record.memberships, *record.memberships.values()}
    returned(record.get("GetAll", *_all_of(patient)), expected)


@covers("ITI-18-093", "ITI-18-094")
@pytest.mark.parametrize("attribute", ["formatCode", "confidentialityCode"])
def test_everything_but_some_documents(attribute: str, record: Record, invent: Inventor, patient: CX) -> None:
    """GetAll by a code restricts the entries, and neither sets nor folders."""
    asked = (_parameter(attribute), listed(two_codes(invent, attribute)[1]))
    called = record.get("GetAll", *_all_of(patient), asked, return_type="ObjectRef")
    succeeded(called)
    refs = {each.get("id") for each in called.body.iterfind("{*}RegistryObjectList/{*}ObjectRef")}
    assert record.report.entry_uuid not in refs, f"exchange {called.exchange.number}: an entry that does not fit"
    missing = {*_ids(record.addendum, record.folder), record.packing_slip.entry_uuid} - refs
    assert not missing, f"exchange {called.exchange.number}: {missing} is missing"


@covers("ITI-18-101", "ITI-18-107", "ITI-18-116")
@pytest.mark.parametrize("query", ["GetDocuments", "GetDocumentsAndAssociations"])
def test_metadata_of_two_patients(
    query: str, record: Record, documents: DocumentActors, invent: Inventor, other_patient: CX
) -> None:
    """Metadata of two patients does not come in one answer."""
    foreign = invent.entry(other_patient)
    succeeded(documents.register(submission(invent.submission_set(other_patient), foreign)))
    called = record.get(query, (UUID, record.report.entry_uuid), (UUID, foreign.entry_uuid))
    refused(called, ErrorCode.RESULT_NOT_SINGLE_PATIENT)
    assert not list(called.body.iterfind("{*}RegistryObjectList/*")), f"exchange {called.exchange.number}: metadata"


def _ids(*things: DocumentEntry | Folder) -> set[str]:
    return {each.entry_uuid for each in things}


def _parameter(attribute: str) -> str:
    return f"$XDSDocumentEntry{attribute[0].upper()}{attribute[1:]}"


def _all_of(patient: CX) -> tuple[tuple[str, str], ...]:
    kinds = ("DocumentEntry", "SubmissionSet", "Folder")
    return (("$patientId", spelled(patient)), *((f"$XDS{kind}Status", BOTH) for kind in kinds))
