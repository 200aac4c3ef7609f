"""Retrieve Document Set [ITI-43] (ITI TF-2: 3.43)."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from ihe.audit import transaction_code
from ihe.audited import Event
from ihe.citations import tf2
from ihe.datatypes import CX
from ihe.errors import Breach, Rejected
from ihe.exchange import Exchange, OutgoingPart, SOAPReply, SOAPRequest
from ihe.identifiers import UniqueId, new_uuid
from ihe.transactions import Actor, SOAPBinding, Transaction
from soap.xml import escape
from xds.auditing import FAILED, OF_RETRIEVAL, documents, exported
from xds.document_requests import XDS_B, DocumentRequest, decode_requests, status
from xds.repository import RETRIEVAL, Delivery, DocumentRepository
from xds.responses import ResponseStatus, registry_response
from xds.visibility import Viewer

MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
AT_HAND = 256 * 1024
"""Bytes of documents that an answer holds in memory; what is beyond them is read while the client takes it."""
START = b'<RetrieveDocumentSetResponse xmlns="%s">' % XDS_B.encode()
END = b"</RetrieveDocumentSetResponse>"
ELEMENTS = (
    b"<HomeCommunityId>%s</HomeCommunityId>",
    b"<RepositoryUniqueId>%s</RepositoryUniqueId>",
    b"<DocumentUniqueId>%s</DocumentUniqueId>",
    b"<NewRepositoryUniqueId>%s</NewRepositoryUniqueId>",
    b"<NewDocumentUniqueId>%s</NewDocumentUniqueId>",
    b"<mimeType>%s</mimeType>",
)
DOCUMENT_RESPONSE = (
    b'<DocumentResponse>%s<Document><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:%s"/>'
    b"</Document></DocumentResponse>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """The documents that are here, in the order of the request, and why the others are not; whose they all are."""

    found: tuple[tuple[DocumentRequest, Delivery], ...]
    breaches: tuple[Breach, ...]
    owners: Mapping[UniqueId, Collection[CX]] = field(default_factory=dict)


def decode(wire: SOAPRequest) -> tuple[DocumentRequest, ...]:
    """Read what is to be retrieved."""
    return decode_requests(wire.body, RETRIEVAL)


def handle(requests: tuple[DocumentRequest, ...], repository: DocumentRepository, exchange: Exchange) -> Retrieval:
    """Find every document that can be delivered. One named twice is delivered twice: each request has its answer."""
    holder = repository.holder(RETRIEVAL)
    viewer = repository.access.viewer(exchange)
    known = repository.known([each.document_unique_id for each in requests], viewer)
    found, breaches, room = [], list[Breach](), AT_HAND
    for request in requests:
        if misdirected := holder.breaches(request, exchange.forgive):
            breaches += misdirected
            continue
        try:
            if document := known.seen.get(request.document_unique_id):
                delivery = repository.deliver(document, room)
            else:
                delivery = _on_demand(request, repository, exchange.received_at, viewer)
        except Rejected as rejected:
            breaches += rejected.breaches
            continue
        found.append((request, delivery))
        if delivery.is_at_hand:
            room -= delivery.size
    return Retrieval(found=tuple(found), breaches=tuple(breaches), owners=known.owners)


def encode(_wire: SOAPRequest, retrieval: Retrieval, _exchange: Exchange) -> SOAPReply:
    """Answer Success, PartialSuccess or Failure, and stream each document as a part of its own."""
    parts = tuple([_part(delivery) for _, delivery in retrieval.found])
    answered = zip(retrieval.found, parts, strict=True)
    documents = [_document(request, delivery, part) for (request, delivery), part in answered]
    return _reply(status(len(parts), retrieval.breaches), retrieval.breaches, documents, parts)


def refuse(_wire: SOAPRequest, rejected: Rejected, _exchange: Exchange) -> SOAPReply:
    """Answer a request that cannot be read."""
    return _reply(ResponseStatus.FAILURE, rejected.breaches, [], ())


def events(_wire: SOAPRequest, requests: tuple[DocumentRequest, ...] | None, done: Retrieval | None) -> Iterator[Event]:
    """A success for the documents that leave and a failure for those that do not, each by patient (3.43.6.1)."""
    owners = done.owners if done else {}
    found = [request for request, _ in done.found] if done else []
    yield from documents(found, owners, OF_RETRIEVAL)
    if missing := [each for each in requests or () if each not in found]:
        yield from documents(missing, owners, OF_RETRIEVAL, FAILED, done.breaches if done else ())
    if not requests:
        yield Event()


def _on_demand(
    request: DocumentRequest, repository: DocumentRepository, now: datetime, viewer: Viewer | None
) -> Delivery:
    if made := repository.deliver_on_demand(request.document_unique_id, now, viewer):
        return made
    raise Rejected(repository.holder(RETRIEVAL).unknown(request.document_unique_id))


def _part(delivery: Delivery) -> OutgoingPart:
    # What a sender once called a mimeType goes into a header of the answer only if it looks like one.
    media_type = delivery.mime_type if MEDIA_TYPE.fullmatch(delivery.mime_type) else "application/octet-stream"
    return OutgoingPart(
        content_id=f"{new_uuid()}@affinity",
        media_type=media_type,
        size=delivery.size,
        chunks=delivery.chunks,
        is_at_hand=delivery.is_at_hand,
    )


def _document(request: DocumentRequest, delivery: Delivery, part: OutgoingPart) -> bytes:
    """In the order of the schema; what is not known has no element."""
    values = (
        request.home_community_id,
        request.repository_unique_id,
        request.document_unique_id,
        delivery.new_repository_unique_id,
        delivery.new_unique_id,
        delivery.mime_type,
    )
    said = zip(ELEMENTS, values, strict=True)
    described = b"".join([element % escape(value) for element, value in said if value is not None])
    return DOCUMENT_RESPONSE % (described, part.content_id.encode())


def _reply(
    outcome: ResponseStatus, breaches: tuple[Breach, ...], documents: list[bytes], parts: tuple[OutgoingPart, ...]
) -> SOAPReply:
    return SOAPReply([START, registry_response(outcome, breaches), *documents, END], parts)


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
    missed=attrgetter("breaches"),
)
