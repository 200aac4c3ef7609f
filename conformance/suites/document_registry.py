"""A Document Registry takes submissions whole or not at all, and keeps their rules [ITI-42] (ITI TF-2: 3.42.4.1.3)."""

from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, link, submission
from conformance.covering import Suite, covers
from conformance.expectations import has_nothing, refused, related, returned, spelled, succeeded, the_objects
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.identifiers import EntryUUID
from ihe.transactions import Actor
from xds.model import AssociationType, AvailabilityStatus

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
DEPRECATED = f"('{AvailabilityStatus.DEPRECATED.value}')"


@covers("ITI-42-017", "ITI-42-077", "ITI-42-082", "ITI-42-074", "ITI-42-076", "ITI-18-045")
def test_what_was_registered_is_found(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A registered document is found by the next query of its patient."""
    entry = invent.entry(patient)
    registered = documents.register(submission(invent.submission_set(patient), entry))
    succeeded(registered)
    related(registered)
    returned(documents.query("FindDocuments", ("$XDSDocumentEntryPatientId", spelled(patient))), {entry.entry_uuid})


@covers("ITI-42-069", "ITI-42-070")
def test_symbolic_ids_become_uuids(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A symbolic id becomes one urn:uuid in every place."""
    entry = invent.entry(patient, entry_uuid=EntryUUID("Document01"))
    packing_slip = invent.submission_set(patient, entry_uuid=EntryUUID("SubmissionSet01"))
    succeeded(documents.register(submission(packing_slip, entry)))
    found = the_objects(
        documents.query("GetSubmissionSetAndContents", ("$XDSSubmissionSetUniqueId", str(packing_slip.unique_id)))
    )
    uuids = {each.entry_uuid for each in found}
    assert all(each.startswith("urn:uuid:") for each in uuids), f"not every id is a urn:uuid: {uuids}"
    assert len(found) == 3, f"an entry, a set and their association are due: {found}"


@covers("ITI-42-033", "ITI-42-018", "ITI-42-019")
def test_an_unknown_patient_is_refused(documents: DocumentActors, invent: Inventor) -> None:
    """Documents of a patient whom no feed announced are refused."""
    nobody = CX("CT-NOBODY", invent.system.patients.domain)
    called = documents.register(submission(invent.submission_set(nobody), invent.entry(nobody)))
    refused(called, ErrorCode.UNKNOWN_PATIENT_ID, naming=nobody.id)
    related(called)


@covers("ITI-42-037", "ITI-42-019", "ITI-42-020")
def test_two_patients_in_a_submission_are_refused(
    documents: DocumentActors, invent: Inventor, patient: CX, other_patient: CX
) -> None:
    """A submission about two patients is refused, and nothing of it is kept."""
    strange = invent.entry(other_patient)
    called = documents.register(submission(invent.submission_set(patient), invent.entry(patient), strange))
    refused(called, ErrorCode.PATIENT_ID_DOES_NOT_MATCH)
    has_nothing(documents, patient)
    has_nothing(documents, other_patient)


@covers("ITI-42-055", "ITI-18-034")
def test_a_replaced_document_is_deprecated(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A replacement is approved, and what it replaces is deprecated."""
    old, new = invent.entry(patient), invent.entry(patient)
    succeeded(documents.register(submission(invent.submission_set(patient), old)))
    replaces = link(AssociationType.RPLC, new.entry_uuid, old.entry_uuid)
    succeeded(documents.register(submission(invent.submission_set(patient), new, replaces)))
    whose = ("$XDSDocumentEntryPatientId", spelled(patient))
    returned(documents.query("FindDocuments", whose), {new.entry_uuid})
    returned(documents.query("FindDocuments", whose, ("$XDSDocumentEntryStatus", DEPRECATED)), {old.entry_uuid})
