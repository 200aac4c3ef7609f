"""A Document Registry answers about several patients at once [ITI-51] (ITI TF-2: 3.51)."""

from conformance.asking import listed, two_codes
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, submission
from conformance.covering import Suite, covers
from conformance.expectations import refused, related, returned, spelled, succeeded, the_objects
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.transactions import Actor
from xds.model import AvailabilityStatus

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="MPQ", option="Multi-Patient Query")
FIND = "FindDocumentsForMultiplePatients"
FIND_FOLDERS = "FindFoldersForMultiplePatients"


@covers("ITI-51-005", "ITI-51-006", "ITI-51-023", "ITI-51-026", "ITI-51-036")
def test_documents_of_two_patients(documents: DocumentActors, invent: Inventor, patient: CX, other_patient: CX) -> None:
    """Documents of two patients come in one answer."""
    own, foreign = invent.entry(patient), invent.entry(other_patient)
    for each, whose in ((own, patient), (foreign, other_patient)):
        succeeded(documents.register(submission(invent.submission_set(whose), each)))
    asked = [("$XDSDocumentEntryPatientId", spelled(each)) for each in (patient, other_patient)]
    called = documents.query_patients(FIND, *asked)
    returned(called, {own.entry_uuid, foreign.entry_uuid})
    related(called)
    returned(documents.query_patients(FIND, asked[0]), {own.entry_uuid})


@covers("ITI-51-004", "ITI-51-009", "ITI-51-011")
def test_documents_of_all_patients(documents: DocumentActors, invent: Inventor, patient: CX, other_patient: CX) -> None:
    """A code alone finds documents of every patient."""
    own, foreign = invent.entry(patient), invent.entry(other_patient)
    for each, whose in ((own, patient), (foreign, other_patient)):
        succeeded(documents.register(submission(invent.submission_set(whose), each)))
    assert own.class_code is not None
    narrow = ("$XDSDocumentEntryCreationTimeFrom", own.creation_time or "")
    called = documents.query_patients(FIND, ("$XDSDocumentEntryClassCode", listed(own.class_code)), narrow)
    found = {each.entry_uuid for each in the_objects(called)}
    assert {own.entry_uuid, foreign.entry_uuid} <= found, f"exchange {called.exchange.number}: not both are found"


@covers("ITI-51-008")
def test_a_question_about_nobody_and_nothing(documents: DocumentActors) -> None:
    """A query with neither patients nor codes."""
    codes = (ErrorCode.STORED_QUERY_PARAM_NUMBER, ErrorCode.STORED_QUERY_MISSING_PARAM)
    refused(documents.query_patients(FIND), *codes)


@covers("ITI-51-019")
def test_a_question_about_folders_of_nobody(documents: DocumentActors) -> None:
    """A query for folders with neither patients nor codes."""
    codes = (ErrorCode.STORED_QUERY_PARAM_NUMBER, ErrorCode.STORED_QUERY_MISSING_PARAM)
    refused(documents.query_patients(FIND_FOLDERS), *codes)


@covers("ITI-51-017", "ITI-51-024", "ITI-51-037")
def test_folders_of_two_patients(documents: DocumentActors, invent: Inventor, patient: CX, other_patient: CX) -> None:
    """Folders of two patients come in one answer."""
    folders = [invent.folder(each) for each in (patient, other_patient)]
    for folder, whose in zip(folders, (patient, other_patient), strict=True):
        succeeded(documents.register(submission(invent.submission_set(whose), folder)))
    asked = [("$XDSFolderPatientId", spelled(each)) for each in (patient, other_patient)]
    returned(documents.query_patients(FIND_FOLDERS, *asked), {each.entry_uuid for each in folders})


@covers("ITI-51-013", "ITI-51-014")
def test_other_parameters(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """Other parameters restrict as they do in FindDocuments."""
    one, two = two_codes(invent, "formatCode")
    fitting, other = (invent.entry(patient, format_code=code) for code in (one, two))
    succeeded(documents.register(submission(invent.submission_set(patient), fitting, other)))
    asked = ("$XDSDocumentEntryPatientId", spelled(patient)), ("$XDSDocumentEntryFormatCode", listed(one))
    returned(documents.query_patients(FIND, *asked), {fitting.entry_uuid})
    deprecated = ("$XDSDocumentEntryStatus", f"('{AvailabilityStatus.DEPRECATED.value}')")
    returned(documents.query_patients(FIND, *asked, deprecated), ())
