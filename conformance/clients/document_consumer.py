"""A Document Consumer, such as a HIS: finds, retrieves, checks what it gets (ITI TF-2: 3.18, 3.43)."""

from lxml.etree import _Element

from conformance.clients.document_source import is_mtom
from conformance.clients.judging import accepted, of, sent, sent_again
from conformance.clients.secured import EXPIRED, HTTPS_DOORS, STRANGER
from conformance.clients.steps import ClientSuite, Judged, Step
from conformance.clients.wires import SOAP, has_its_action
from conformance.clients.world import World
from conformance.simulators.faults import FaultKind, at_first
from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.transactions import Actor
from soap.xml import serialize
from xds.document_requests import XDS_B
from xds.fragments import RIM
from xds.iti43 import ITI_43
from xds.stored_queries import FIND_DOCUMENTS

QUERIED, RETRIEVED = of("ITI-18"), of("ITI-43")
ASKED = (*SOAP, "TF2-V-010", "ITI-18-005", "ITI-18-041", "ITI-18-198", "ITI-18-207")
"""What is shown by a query in which validators find nothing, in Simple SOAP and with its action."""
FETCHED = (*SOAP, "TF2-V-010", "ITI-43-003", "ITI-43-004", "ITI-43-036", "ITI-43-042", "ITI-43-055")
"""What is shown by a retrieval of the document that is registered, in MTOM and with its action."""


def suite() -> ClientSuite:
    """The suite."""
    return ClientSuite(
        actor=Actor.DOCUMENT_CONSUMER,
        name="document-consumer",
        doors=HTTPS_DOORS,
        paths=("/xds/registry", "/xds/repository"),
        steps=(*_finding(), *_retrieving(), *_refused(), EXPIRED, STRANGER),
        needs_documents=True,
    )


def query_of(each: Judged) -> _Element | None:
    """The AdhocQuery of a request."""
    body = each.seen.read.body
    return body.find(f"{{{RIM}}}AdhocQuery") if body is not None else None


def is_simple_soap(each: Judged, _: World) -> str:
    """The request is Simple SOAP (3.18.4.1.2)."""
    kind = each.seen.read.payload.header("Content-Type").lower()
    return "" if kind.startswith("application/soap+xml") else f"the request is no Simple SOAP: {kind[:80]}"


def finds_documents(each: Judged, world: World) -> str:
    """The query is FindDocuments about the patient who has some."""
    query = query_of(each)
    if query is None or query.get("id") != FIND_DOCUMENTS.id:
        return "the query is not FindDocuments"
    values = [value.text or "" for value in query.iter(f"{{{RIM}}}Value")]
    return "" if f"'{world.patient}'" in values else f"it does not ask about {world.patient}"


def asks_for_the_document(each: Judged, world: World) -> str:
    """The document that is registered is retrieved from the repository that has it."""
    wanted = (world.domain.repository_unique_id, world.documents[0].unique_id)
    return "" if wanted in requested(each) else f"it does not ask for document {wanted[1]} of repository {wanted[0]}"


def requested(each: Judged) -> frozenset[tuple[str, str]]:
    """The documents of a retrieval: repositoryUniqueId and documentUniqueId."""
    body = each.seen.read.body
    if body is None or body.tag != f"{{{XDS_B}}}RetrieveDocumentSetRequest":
        return frozenset()
    try:
        decoded = ITI_43.decode(SOAPRequest(body))
    except Rejected:
        return frozenset()
    return frozenset((one.repository_unique_id, str(one.document_unique_id)) for one in decoded)


def same_documents(first: Judged, second: Judged) -> str:
    """The same is asked for."""
    return "" if requested(first) & requested(second) else "what was asked for next are other documents"


def narrower(first: Judged, second: Judged) -> str:
    """The query is another one, or it asks for references."""
    bodies = [each.seen.read.body for each in (first, second)]
    spelled = [serialize(body) for body in bodies if body is not None]
    return "the same query came again" if len(set(spelled)) < len(spelled) else ""


def anything(_: Judged, __: Judged) -> str:
    """Whatever comes after the fault."""
    return ""


def _finding() -> tuple[Step, ...]:
    return (
        Step(
            name="find-documents",
            ask="Find the approved documents of patient {patient} (FindDocuments).",
            judge=sent(QUERIED, is_simple_soap, has_its_action, finds_documents, accepted),
            covers=(*ASKED, "ITI-18-046", "ITI-18-047"),
        ),
    )


def _retrieving() -> tuple[Step, ...]:
    return (
        Step(
            name="retrieve",
            ask="Retrieve the document that you have found ({document}) from repository {repository}.",
            judge=sent(RETRIEVED, is_mtom, has_its_action, asks_for_the_document, accepted),
            covers=FETCHED,
        ),
        Step(
            name="altered-document",
            ask="Retrieve it again. A bit of the document changes on the way, so its hash is not that of the metadata: "
            "the client notices, shows nobody the document, and retrieves it once more.",
            judge=sent_again(RETRIEVED, same_documents, asks_for_the_document, accepted),
            faults=at_first(FaultKind.ALTERED_DOCUMENT, "ITI-43"),
        ),
        Step(
            name="cut-package",
            ask="Retrieve it again. The MIME package ends in the middle of the document: the client retrieves it anew.",
            judge=sent_again(RETRIEVED, same_documents, accepted),
            faults=at_first(FaultKind.TRUNCATED, "ITI-43"),
        ),
    )


def _refused() -> tuple[Step, ...]:
    return (
        Step(
            name="unknown-patient",
            ask="Find documents. The registry answers XDSUnknownPatientId: the client tells a person. Then find those "
            "of {patient}.",
            judge=sent_again(QUERIED, anything, finds_documents, accepted),
            faults=at_first(FaultKind.REFUSE, "ITI-18", detail="XDSUnknownPatientId"),
        ),
        Step(
            name="too-many-results",
            ask="Find documents. The registry answers XDSTooManyResults: ask for less, or for references (ObjectRef).",
            judge=sent_again(QUERIED, narrower, accepted),
            faults=at_first(FaultKind.REFUSE, "ITI-18", detail="XDSTooManyResults"),
        ),
        Step(
            name="no-answer",
            ask="Find documents of {patient}. The connection is cut: the client asks again.",
            judge=sent_again(QUERIED, anything, finds_documents, accepted),
            faults=at_first(FaultKind.DROP, "ITI-18"),
        ),
    )
