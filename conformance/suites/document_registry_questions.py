"""Questions that a Document Registry cannot answer, and how it says so (ITI TF-2: 3.18.4.1.2.3.7; ITI TF-3: 4.2.4)."""

from dataclasses import dataclass

import pytest

from affinity.client.stored_queries import find_query
from affinity.client.xds import stored_query
from conformance.counterparts.documents import DocumentActors
from conformance.covering import Covering, Suite, covers
from conformance.expectations import refused, related, returned, spelled
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.identifiers import new_entry_uuid
from ihe.transactions import Actor
from xds.model import AvailabilityStatus

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XDS.b")
REFERENCE = "FindDocumentsByReferenceId"
MISSING, NUMBER = ErrorCode.STORED_QUERY_MISSING_PARAM, ErrorCode.STORED_QUERY_PARAM_NUMBER
APPROVED = f"('{AvailabilityStatus.APPROVED.value}')"
PATIENT = "'CT-NOBODY^^^&2.999&ISO'"
ID = f"('{new_entry_uuid()}')"
OID = "('2.999.1')"
COMPLETE: dict[str, dict[str, str]] = {
    "FindDocuments": {"$XDSDocumentEntryPatientId": PATIENT, "$XDSDocumentEntryStatus": APPROVED},
    "FindSubmissionSets": {"$XDSSubmissionSetPatientId": PATIENT, "$XDSSubmissionSetStatus": APPROVED},
    "FindFolders": {"$XDSFolderPatientId": PATIENT, "$XDSFolderStatus": APPROVED},
    "GetAll": {
        "$patientId": PATIENT,
        "$XDSDocumentEntryStatus": APPROVED,
        "$XDSSubmissionSetStatus": APPROVED,
        "$XDSFolderStatus": APPROVED,
    },
    "GetAssociations": {"$uuid": ID},
    "GetSubmissionSets": {"$uuid": ID},
    "GetRelatedDocuments": {
        "$XDSDocumentEntryEntryUUID": ID,
        "$AssociationTypes": "('urn:ihe:iti:2007:AssociationType:RPLC')",
    },
    REFERENCE: {
        "$XDSDocumentEntryReferenceIdList": "('a')",
        "$XDSDocumentEntryPatientId": PATIENT,
        "$XDSDocumentEntryStatus": APPROVED,
    },
}
"""By stored query: values for what it requires."""
REQUIRED = {
    ("FindDocuments", "$XDSDocumentEntryPatientId"): 48,
    ("FindDocuments", "$XDSDocumentEntryStatus"): 49,
    ("FindSubmissionSets", "$XDSSubmissionSetPatientId"): 69,
    ("FindSubmissionSets", "$XDSSubmissionSetStatus"): 70,
    ("FindFolders", "$XDSFolderPatientId"): 78,
    ("FindFolders", "$XDSFolderStatus"): 79,
    ("GetAll", "$patientId"): 88,
    ("GetAll", "$XDSDocumentEntryStatus"): 89,
    ("GetAll", "$XDSSubmissionSetStatus"): 90,
    ("GetAll", "$XDSFolderStatus"): 91,
    ("GetAssociations", "$uuid"): 111,
    ("GetSubmissionSets", "$uuid"): 120,
    ("GetRelatedDocuments", "$AssociationTypes"): 154,
}
"""The assertion about each required parameter."""
BY_ID = {
    "GetDocuments": ("DocumentEntry", 98, 99),
    "GetFolders": ("Folder", 105, 106),
    "GetDocumentsAndAssociations": ("DocumentEntry", 114, 115),
    "GetSubmissionSetAndContents": ("SubmissionSet", 131, 132),
    "GetFolderAndContents": ("Folder", 141, 142),
    "GetFoldersForDocument": ("DocumentEntry", 147, 148),
    "GetRelatedDocuments": ("DocumentEntry", 155, 156),
}
"""Queries that take one of two ids: of what, and the assertions about both and about neither."""
QUERY_IDS = range(180, 193)
"""The assertions that give the ids of the stored queries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A stored query with something wrong."""

    id: str
    sentence: str
    covering: Covering
    query: str
    asked: tuple[tuple[str, str], ...]
    code: ErrorCode


def lacking(query: str, parameter: str, assertion: int) -> Question:
    return Question(
        id=f"{query}{parameter}",
        sentence=f"{query} without {parameter}.",
        covering=Covering((f"ITI-18-{assertion:03}", "ITI-18-212")),
        query=query,
        asked=tuple((name, value) for name, value in COMPLETE[query].items() if name != parameter),
        code=MISSING,
    )


def _with_both(query: str, kind: str, assertion: int) -> Question:
    return Question(
        id=f"{query}-both",
        sentence=f"{query} by two kinds of ids.",
        covering=Covering((f"ITI-18-{assertion:03}",)),
        query=query,
        asked=((f"$XDS{kind}EntryUUID", ID), (f"$XDS{kind}UniqueId", OID), *_types(query)),
        code=NUMBER,
    )


def _with_neither(query: str, assertion: int) -> Question:
    return Question(
        id=f"{query}-neither",
        sentence=f"{query} by no id.",
        covering=Covering((f"ITI-18-{assertion:03}",)),
        query=query,
        asked=_types(query),
        code=NUMBER,
    )


def _types(query: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in COMPLETE.get(query, {}).items() if name == "$AssociationTypes")


QUESTIONS = (
    *(lacking(query, parameter, assertion) for (query, parameter), assertion in REQUIRED.items()),
    *(_with_both(query, kind, both) for query, (kind, both, _) in BY_ID.items()),
    *(_with_neither(query, neither) for query, (_, _, neither) in BY_ID.items()),
)


@covers("ITI-18-035")
@pytest.mark.parametrize("case", QUESTIONS, ids=lambda case: case.id)
def test_it_cannot_be_answered(case: Question, documents: DocumentActors) -> None:
    asked = [(name, (value,)) for name, value in case.asked]
    called = documents.ask(stored_query(find_query(case.query).id, asked))
    codes = (case.code,) if case.code is MISSING else (NUMBER, MISSING)
    refused(called, *codes)
    related(called)


@covers("ITI-18-179", "ITI-18-211")
def test_an_unknown_query(documents: DocumentActors) -> None:
    """A stored query that nobody knows."""
    called = documents.ask(stored_query("urn:uuid:00000000-0000-4000-8000-000000000000", []))
    refused(called, ErrorCode.UNKNOWN_STORED_QUERY)


@covers("ITI-18-040", *(f"ITI-18-{number}" for number in QUERY_IDS))
def test_every_query_is_known(documents: DocumentActors) -> None:
    """No stored query of the standard is unknown."""
    queries = {*COMPLETE, *BY_ID} - {REFERENCE}
    for name in sorted(queries):
        query = find_query(name)
        kind, _, _ = BY_ID.get(name, ("", 0, 0))
        asked = COMPLETE.get(name) or {f"$XDS{kind}EntryUUID": ID}
        called = documents.ask(stored_query(query.id, [(key, (value,)) for key, value in asked.items()]))
        assert called.answer is not None, called.told
        codes = {each.get("errorCode") for each in called.body.iter("{*}RegistryError")}
        assert not codes & {"XDSUnknownStoredQuery"}, f"exchange {called.exchange.number}: {name} is unknown"


@covers("ITI-18-197", "ITI-18-208", "ITI-18-210")
def test_a_patient_without_documents(documents: DocumentActors, patient: CX) -> None:
    """A patient without documents is answered with Success and no objects."""
    called = documents.query("FindDocuments", ("$XDSDocumentEntryPatientId", spelled(patient)))
    returned(called, ())
    related(called)
