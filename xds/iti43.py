"""Retrieve Document Set [ITI-43] (ITI TF-2: 3.43)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from ihe.audit import transaction_code
from ihe.audited import Event
from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.errors import Breach, Rejected
from ihe.exchange import Exchange, OutgoingPart, SOAPReply, SOAPRequest
from ihe.identifiers import UniqueId
from ihe.transactions import Actor, SOAPBinding, Transaction
from soap.xml import escape
from xds.auditing import FAILED, OF_RETRIEVAL, documents, exported
from xds.document_requests import XDS_B, DocumentRequest, decode_requests, status
from xds.repository import Delivery, DocumentRepository
from xds.repository_store import Document
from xds.responses import ResponseStatus, registry_response
from xds.visibility import Viewer

SECTION = tf2("3.43.5")
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """The documents that are here, in the order of the request, and why the others are not; whose they all are."""

    found: tuple[tuple[DocumentRequest, Delivery], ...]
    breaches: tuple[Breach, ...]
    owners: Mapping[UniqueId, CX] = field(default_factory=dict)


def decode(wire: SOAPRequest) -> tuple[DocumentRequest, ...]:
    """Read what is to be retrieved."""
    return decode_requests(wire.body, SECTION)


def handle(requests: tuple[DocumentRequest, ...], repository: DocumentRepository, exchange: Exchange) -> Retrieval:
    """Find every document that can be delivered. One named twice is delivered twice: each request has its answer."""
    holder = repository.holder(SECTION)
    viewer = repository.access.viewer(exchange)
    known = repository.known([each.document_unique_id for each in requests], viewer)
    found, breaches = [], list[Breach]()
    for request in requests:
        breaches += (misdirected := tuple(holder.breaches(request, exchange.forgive)))
        if misdirected:
            continue
        try:
            document = known.seen.get(request.document_unique_id)
            found.append((request, _deliver(request, document, repository, (exchange.received_at, viewer))))
        except Rejected as rejected:
            breaches += rejected.breaches
    return Retrieval(found=tuple(found), breaches=tuple(breaches), owners=known.owners)


def encode(_wire: SOAPRequest, retrieval: Retrieval, _exchange: Exchange) -> SOAPReply:
    """Answer Success, PartialSuccess or Failure, and stream each document as a part of its own."""
    parts = tuple(_part(delivery) for _, delivery in retrieval.found)
    answered = zip(retrieval.found, parts, strict=True)
    documents = [piece for (request, delivery), part in answered for piece in _document(request, delivery, part)]
    return _reply(status(len(parts), retrieval.breaches), retrieval.breaches, documents, parts)


def refuse(_wire: SOAPRequest, rejected: Rejected, _exchange: Exchange) -> SOAPReply:
    """Answer a request that cannot be read."""
    return _reply(ResponseStatus.FAILURE, rejected.breaches, [], ())


def events(_wire: SOAPRequest, requests: tuple[DocumentRequest, ...] | None, done: Retrieval | None) -> Iterator[Event]:
    """A success for the documents that leave and a failure for those that do not, each by patient (3.43.6.1)."""
    owners = done.owners if done else {}
    found = [request for request, _ in done.found] if done else []
    missing = [each for each in requests or () if each not in found]
    yield from documents(found, owners, OF_RETRIEVAL)
    yield from documents(missing, owners, OF_RETRIEVAL, FAILED, done.breaches if done else ())
    if not requests:
        yield Event()


def _deliver(
    request: DocumentRequest,
    document: Document | None,
    repository: DocumentRepository,
    asking: tuple[datetime, Viewer | None],
) -> Delivery:
    if document:
        return repository.deliver(document)
    if made := repository.deliver_on_demand(request.document_unique_id, *asking):
        return made
    raise Rejected(repository.holder(SECTION).unknown(request))


def _part(delivery: Delivery) -> OutgoingPart:
    # What a sender once called a mimeType goes into a header of the answer only if it looks like one.
    media_type = delivery.mime_type if MEDIA_TYPE.fullmatch(delivery.mime_type) else "application/octet-stream"
    return OutgoingPart(
        content_id=f"{uuid4()}@affinity", media_type=media_type, size=delivery.size, chunks=delivery.chunks
    )


def _document(request: DocumentRequest, delivery: Delivery, part: OutgoingPart) -> Iterator[bytes]:
    yield b"<DocumentResponse>"
    yield from _element("HomeCommunityId", request.home_community_id)
    yield from _element("RepositoryUniqueId", request.repository_unique_id)
    yield from _element("DocumentUniqueId", request.document_unique_id)
    yield from _element("NewRepositoryUniqueId", delivery.new_repository_unique_id)
    yield from _element("NewDocumentUniqueId", delivery.new_unique_id)
    yield from _element("mimeType", delivery.mime_type)
    href = b"cid:" + escape(part.content_id)
    yield b'<Document><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="%s"/></Document>' % href
    yield b"</DocumentResponse>"


def _element(name: str, text: str | None) -> Iterator[bytes]:
    if text is not None:
        yield b"<%s>%s</%s>" % (name.encode(), escape(text), name.encode())


def _reply(
    outcome: ResponseStatus, breaches: tuple[Breach, ...], documents: list[bytes], parts: tuple[OutgoingPart, ...]
) -> SOAPReply:
    start = b'<RetrieveDocumentSetResponse xmlns="%s">' % XDS_B.encode()
    return SOAPReply(
        [start, registry_response(outcome, breaches), *documents, b"</RetrieveDocumentSetResponse>"], parts
    )


ITI_43 = Transaction(
    id="ITI-43",
    name="Retrieve Document Set",
    citation=tf2("3.43"),
    initiator=Actor.DOCUMENT_CONSUMER,
    responder=Actor.DOCUMENT_REPOSITORY,
    bindings=(
        SOAPBinding(
            operation="DocumentRepository_RetrieveDocumentSet",
            action="urn:ihe:iti:2007:RetrieveDocumentSet",
            request=f"{{{XDS_B}}}RetrieveDocumentSetRequest",
            reply_action="urn:ihe:iti:2007:RetrieveDocumentSetResponse",
            reply=f"{{{XDS_B}}}RetrieveDocumentSetResponse",
            mtom=True,
        ),
    ),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=exported(tf2("3.43.6.1.2"), transaction_code("ITI-43", "Retrieve Document Set"), events),
)
