"""A Document Repository keeps documents as they came, and gives them back [ITI-41, ITI-43] (ITI TF-2: 3.41, 3.43)."""

from dataclasses import replace
from hashlib import sha1

from affinity.client.bindings import soap_binding
from affinity.client.xds import provide_and_register
from conformance.counterparts.documents import DocumentActors, delivered
from conformance.counterparts.metadata import Document, Inventor, submission
from conformance.counterparts.soap import Called
from conformance.covering import Suite, covers
from conformance.expectations import has_nothing, refused, related, spelled, succeeded, the_objects
from ihe.datatypes import CX
from ihe.errors import ErrorCode
from ihe.identifiers import new_oid
from ihe.transactions import Actor
from xds.iti41 import ITI_41
from xds.model import DocumentEntry

SUITE = Suite(actor=Actor.DOCUMENT_REPOSITORY, profile="XDS.b", needs=(Actor.DOCUMENT_REGISTRY,))
BINARY = bytes(range(256)) * 40 + b"\r\n--boundary\r\n\r\n"
"""Every octet, and what looks like the end of a part."""


def _provided(documents: DocumentActors, invent: Inventor, patient: CX, *what: Document) -> Called:
    whole = submission(invent.submission_set(patient), *(each.entry for each in what))
    return documents.provide(whole, what)


def _registered(documents: DocumentActors, patient: CX) -> dict[str, DocumentEntry]:
    found = the_objects(documents.query("FindDocuments", ("$XDSDocumentEntryPatientId", spelled(patient))))
    return {str(each.unique_id): each for each in found if isinstance(each, DocumentEntry)}


@covers("ITI-41-002", "ITI-41-022", "ITI-41-041", "ITI-41-045", "ITI-41-046", "ITI-41-047", "ITI-41-064")
def test_a_document_is_registered(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A document is registered with its hash, its size and the repository's id."""
    document = invent.document(patient)
    called = _provided(documents, invent, patient, document)
    succeeded(called)
    related(called)
    (entry,) = _registered(documents, patient).values()
    assert entry.size == len(document.content), f"size {entry.size}, not {len(document.content)}"
    digest = sha1(document.content, usedforsecurity=False).hexdigest()
    assert (entry.hash or "").lower() == digest, f"hash {entry.hash}, not {digest}"
    assert entry.repository_unique_id == invent.repository, f"repositoryUniqueId {entry.repository_unique_id}"


@covers("ITI-41-052", "ITI-41-053", "ITI-43-006", "ITI-43-016", "ITI-43-017", "ITI-43-018", "ITI-43-019", "ITI-43-035")
def test_the_bytes_come_back(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """The bytes that are retrieved are those that were submitted."""
    made = invent.document(patient, mime_type="application/octet-stream")
    types = invent.system.codes.get("mimeType", ("text/plain",))
    document = Document(entry=_of_type(made.entry, types[0]), content=BINARY)
    succeeded(_provided(documents, invent, patient, document))
    unique_id = str(document.entry.unique_id)
    called = documents.retrieve((invent.repository, unique_id))
    succeeded(called)
    related(called)
    assert delivered(called) == {unique_id: BINARY}, f"exchange {called.exchange.number}: other bytes came back"
    types_back = {each.findtext("{*}mimeType") for each in called.body.iterfind("{*}DocumentResponse")}
    assert types_back == {types[0]}, f"exchange {called.exchange.number}: {types_back}"


@covers("ITI-41-023", "ITI-43-043")
def test_several_documents(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """Several documents of one submission, retrieved by one request."""
    several = [invent.document(patient) for _ in range(3)]
    succeeded(_provided(documents, invent, patient, *several))
    called = documents.retrieve(*((invent.repository, str(each.entry.unique_id)) for each in several))
    succeeded(called)
    assert delivered(called) == {str(each.entry.unique_id): each.content for each in several}


@covers("ITI-41-021", "ITI-41-024", "ITI-41-026", "ITI-41-060")
def test_a_wrong_hash(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """An entry whose hash is not that of the document."""
    document = invent.document(patient, hash="0" * 40)
    refused(_provided(documents, invent, patient, document), ErrorCode.REPOSITORY_METADATA_ERROR)
    _is_nowhere(documents, invent, patient, document)


@covers("ITI-41-025", "ITI-41-026")
def test_a_wrong_size(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """An entry whose size is not that of the document."""
    document = invent.document(patient, size=1)
    refused(_provided(documents, invent, patient, document), ErrorCode.REPOSITORY_METADATA_ERROR)
    _is_nowhere(documents, invent, patient, document)


@covers("ITI-41-044", "ITI-41-057")
def test_what_the_registry_refuses(documents: DocumentActors, invent: Inventor) -> None:
    """A document of a patient whom the registry does not know."""
    nobody = CX("CT-NOBODY", invent.system.patients.domain)
    document = invent.document(nobody)
    refused(_provided(documents, invent, nobody, document), ErrorCode.UNKNOWN_PATIENT_ID)


@covers("ITI-41-021")
def test_an_entry_without_document(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """An entry without its document."""
    document = invent.document(patient)
    whole = submission(invent.submission_set(patient), document.entry)
    body = provide_and_register(whole, ["nothing@conformance"])
    start = body.index(b"<xdsb:Document ")
    url = invent.system.url(Actor.DOCUMENT_REPOSITORY)
    without = body[:start] + body[body.index(b"</xdsb:Document>") + len(b"</xdsb:Document>") :]
    called = documents.caller.call(ITI_41, soap_binding(ITI_41), url, (without,))
    refused(called, ErrorCode.MISSING_DOCUMENT)
    has_nothing(documents, patient)


@covers("ITI-41-050", "ITI-41-049")
def test_the_same_document_again(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """A document with a uniqueId that is there: the same bytes are no error, others are."""
    document = invent.document(patient)
    succeeded(_provided(documents, invent, patient, document))
    again = invent.document(patient, unique_id=document.entry.unique_id)
    succeeded(_provided(documents, invent, patient, Document(entry=again.entry, content=document.content)))
    other = Document(entry=invent.document(patient, unique_id=again.entry.unique_id).entry, content=b"other bytes")
    codes = (ErrorCode.NON_IDENTICAL_HASH, ErrorCode.NON_IDENTICAL_SIZE)
    refused(_provided(documents, invent, patient, other), *codes)
    called = documents.retrieve((invent.repository, str(document.entry.unique_id)))
    assert set(delivered(called).values()) == {document.content}, "the first document is no longer what it was"


@covers("ITI-43-026", "ITI-43-046", "ITI-43-047", "ITI-43-049")
def test_a_document_that_nobody_has(documents: DocumentActors, invent: Inventor) -> None:
    """A uniqueId that the repository does not hold."""
    called = documents.retrieve((invent.repository, new_oid()))
    refused(called, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR)


@covers("ITI-43-026", "ITI-43-046")
def test_another_repository(documents: DocumentActors, invent: Inventor) -> None:
    """A repositoryUniqueId that is another one's."""
    refused(documents.retrieve(("2.999.4242", new_oid())), ErrorCode.UNKNOWN_REPOSITORY_ID)


@covers("ITI-43-045", "ITI-43-048", "ITI-43-049", "ITI-43-052")
def test_some_of_several_documents(documents: DocumentActors, invent: Inventor, patient: CX) -> None:
    """One document that is there and one that is not: PartialSuccess, with the one and an error about the other."""
    document, missing = invent.document(patient), new_oid()
    succeeded(_provided(documents, invent, patient, document))
    unique_id = str(document.entry.unique_id)
    called = documents.retrieve((invent.repository, unique_id), (invent.repository, missing))
    status = called.body.find("{*}RegistryResponse")
    assert status is not None and status.get("status", "").endswith(":PartialSuccess"), called.told
    assert delivered(called) == {unique_id: document.content}
    locations = {each.get("location") for each in called.body.iter("{*}RegistryError")}
    assert locations == {missing}, f"exchange {called.exchange.number}: errors at {locations}"


def _is_nowhere(documents: DocumentActors, invent: Inventor, patient: CX, document: Document) -> None:
    has_nothing(documents, patient)
    called = documents.retrieve((invent.repository, str(document.entry.unique_id)))
    refused(called, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR)


def _of_type(entry: DocumentEntry, mime_type: str) -> DocumentEntry:
    return replace(entry, mime_type=mime_type)
