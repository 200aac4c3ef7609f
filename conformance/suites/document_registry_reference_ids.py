"""A Document Registry finds documents by what they refer to (ITI TF-2: 3.18.4.1.2.3.7.14)."""

import pytest

from affinity.client.stored_queries import find_query
from affinity.client.xds import stored_query
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, submission
from conformance.covering import Suite, covers
from conformance.expectations import refused, returned, spelled, succeeded
from conformance.suites.document_registry_questions import MISSING, REFERENCE, Question, lacking
from ihe.datatypes import CX
from ihe.transactions import Actor

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b", option="Reference ID")
QUESTIONS = tuple(
    lacking(REFERENCE, parameter, assertion)
    for parameter, assertion in (
        ("$XDSDocumentEntryReferenceIdList", 161),
        ("$XDSDocumentEntryPatientId", 162),
        ("$XDSDocumentEntryStatus", 163),
    )
)


@covers("ITI-18-035")
@pytest.mark.parametrize("case", QUESTIONS, ids=lambda case: case.id)
def test_it_cannot_be_answered(case: Question, documents: DocumentActors) -> None:
    asked = [(name, (value,)) for name, value in case.asked]
    refused(documents.ask(stored_query(find_query(case.query).id, asked)), MISSING)


@covers("ITI-18-158", "ITI-18-159", "ITI-18-164")
def test_reference_ids(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """FindDocumentsByReferenceId finds by a whole CXi value; several slots must all be met."""
    spellings = tuple(f"{number}^^^&2.999.5&ISO^urn:ihe:iti:xds:2013:order" for number in ("A1", "B2"))
    one = invent.entry(patient, reference_id_list=spellings[:1])
    both = invent.entry(patient, reference_id_list=spellings)
    succeeded(documents.register(submission(invent.submission_set(patient), one, both)))
    name = "$XDSDocumentEntryReferenceIdList"
    whose = ("$XDSDocumentEntryPatientId", spelled(patient))
    first, second = ((name, f"('{each}')") for each in spellings)
    returned(
        documents.query(REFERENCE, whose, first),
        {one.entry_uuid, both.entry_uuid},
    )
    returned(documents.query(REFERENCE, whose, second), {both.entry_uuid})
    returned(documents.query(REFERENCE, whose, first, second), {both.entry_uuid})
