"""A Document Repository removes documents [ITI-86] (RMD supplement: 3.86)."""

from conformance.counterparts.documents import DocumentActors, delivered
from conformance.counterparts.metadata import Document, Inventor, submission
from conformance.covering import Suite, covers
from conformance.expectations import refused, related, succeeded
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.identifiers import new_oid
from ihe.transactions import Actor

SUITE = Suite(
    actor=Actor.DOCUMENT_REPOSITORY, profile="RMD", option="Remove Documents", needs=(Actor.DOCUMENT_REGISTRY,)
)


def _provided(documents: DocumentActors, invent: Inventor, patient: CX, number: int) -> list[Document]:
    several = [invent.document(patient) for _ in range(number)]
    whole = submission(invent.submission_set(patient), *(each.entry for each in several))
    succeeded(documents.provide(whole, several))
    return several


@covers("ITI-86-008", "ITI-86-012", "ITI-86-013", "ITI-86-018", "ITI-86-019")
def test_documents_are_removed(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """Removed documents can no longer be retrieved."""
    several = _provided(documents, invent, patient, 2)
    wanted = [(invent.repository, str(each.entry.unique_id)) for each in several]
    called = documents.remove_documents(*wanted)
    succeeded(called)
    related(called)
    refused(documents.retrieve(*wanted), ErrorCode.DOCUMENT_UNIQUE_ID_ERROR)


@covers("ITI-86-009", "ITI-86-021")
def test_documents_of_another_repository(documents: DocumentActors) -> None:
    """A repositoryUniqueId that is another one's."""
    refused(documents.remove_documents(("2.999.4242", new_oid())), ErrorCode.UNKNOWN_REPOSITORY_ID)


@covers("ITI-86-010", "ITI-86-022", "ITI-86-023")
def test_documents_that_nobody_has(documents: DocumentActors, invent: Inventor) -> None:
    """A uniqueId that the repository does not hold."""
    missing = new_oid()
    called = documents.remove_documents((invent.repository, missing))
    refused(called, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, naming=missing)


@covers("ITI-86-020", "ITI-86-022")
def test_some_of_several(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """One document that is there and one that is not: the one is removed, with PartialSuccess."""
    one, kept = _provided(documents, invent, patient, 2)
    gone = (invent.repository, str(one.entry.unique_id))
    called = documents.remove_documents(gone, (invent.repository, new_oid()))
    assert called.body.get("status", "").endswith(":PartialSuccess"), called.told
    refused(documents.retrieve(gone), ErrorCode.DOCUMENT_UNIQUE_ID_ERROR)
    unique_id = str(kept.entry.unique_id)
    assert delivered(documents.retrieve((invent.repository, unique_id))) == {unique_id: kept.content}
