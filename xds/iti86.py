"""Remove Documents [ITI-86] (Remove Metadata and Documents supplement: 3.86)."""

from collections.abc import Iterator
from dataclasses import dataclass

from ihe.audit import transaction_code
from ihe.audited import Event
from ihe.citations import supplement
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.auditing import FAILED, OF_REMOVAL, documents, removed_documents
from xds.document_requests import DocumentRequest, decode_requests, status
from xds.repository import DocumentRepository, RemovedDocuments
from xds.responses import RS, ResponseStatus, registry_response

ACTIONS = supplement("RMD", "3.86.4.1.3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """How many of the requested documents were removed, and why the others were not."""

    removed: int
    breaches: tuple[Breach, ...]


def decode(wire: SOAPRequest) -> tuple[DocumentRequest, ...]:
    """Read what is to be removed."""
    return decode_requests(wire.body, supplement("RMD", "3.86.4.1.2"))


def handle(requests: tuple[DocumentRequest, ...], repository: DocumentRepository, exchange: Exchange) -> Removal:
    """Remove what can be removed, in one transaction. A document named twice is removed once, which is no error."""
    holder = repository.holder(ACTIONS)
    misdirected = {each: holder.breaches(each, exchange.forgive) for each in requests}
    ours = [each for each in requests if not misdirected[each]]
    try:
        viewer = repository.access.viewer(exchange)
        removed = repository.remove((each.document_unique_id for each in ours), exchange.received_at, viewer).ids
    except OSError as error:
        raise Rejected(*(_not_deleted(each, error) for each in ours)) from error
    breaches = [breach for found in misdirected.values() for breach in found]
    named = dict.fromkeys(each.document_unique_id for each in ours)
    breaches += [holder.unknown(each) for each in named if each not in removed]
    return Removal(removed=len(removed), breaches=tuple(breaches))


def encode(_wire: SOAPRequest, removal: Removal, _exchange: Exchange) -> SOAPReply:
    """Answer Success, PartialSuccess or Failure (3.86.4.2.2)."""
    return SOAPReply([registry_response(status(removal.removed, removal.breaches), removal.breaches)])


def refuse(_wire: SOAPRequest, rejected: Rejected, _exchange: Exchange) -> SOAPReply:
    """Answer that nothing was removed."""
    return SOAPReply([registry_response(ResponseStatus.FAILURE, rejected.breaches)])


def events(
    _wire: SOAPRequest, requests: tuple[DocumentRequest, ...] | None, removed: RemovedDocuments | None
) -> Iterator[Event]:
    """A success for the documents removed and a failure for the others, each by patient (3.86.5.1)."""
    named, ids = dict.fromkeys(requests or ()), removed.ids if removed else frozenset[str]()
    owners = removed.owners if removed else {}
    yield from documents([each for each in named if each.document_unique_id in ids], owners, OF_REMOVAL)
    yield from documents([each for each in named if each.document_unique_id not in ids], owners, OF_REMOVAL, FAILED)
    if not named:
        yield Event()


def _not_deleted(request: DocumentRequest, error: OSError) -> Breach:
    return Breach(
        code=ErrorCode.REMOVE_DOCUMENTS_ERROR,
        text=f"The bytes of {request.document_unique_id} could not all be deleted ({error.strerror})",
        location=request.document_unique_id,
        citation=ACTIONS,
        remedy="The document cannot be retrieved any more; its bytes are deleted when the repository starts again",
    )


# IHE's published sample still has an older action and element name; the supplement's text decides.
ITI_86 = Transaction(
    id="ITI-86",
    name="Remove Documents",
    citation=supplement("RMD", "3.86"),
    initiator=Actor.DOCUMENT_ADMINISTRATOR,
    responder=Actor.DOCUMENT_REPOSITORY,
    bindings=(
        SOAPBinding(
            operation="DocumentRepository_RemoveDocuments",
            action="urn:ihe:iti:2017:RemoveDocuments",
            request="{urn:ihe:iti:rmd:2017}RemoveDocumentsRequest",
            reply_action="urn:ihe:iti:2017:RemoveDocumentsResponse",
            reply=f"{{{RS}}}RegistryResponse",
        ),
    ),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=removed_documents(supplement("RMD", "3.86.5.1.2"), transaction_code("ITI-86", "Remove Documents"), events),
)
