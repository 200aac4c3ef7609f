"""Provide and Register Document Set-b [ITI-41] (ITI TF-2: 3.41)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Exchange, Part, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.attachments import Attachments, decode_attachments, received
from xds.auditing import submitted
from xds.document_requests import XDS_B
from xds.ebrim import Decoded, submitted_patients
from xds.ebrim import decode as decode_metadata
from xds.model import DocumentEntry
from xds.repository import DocumentRepository
from xds.responses import RS, ResponseStatus, registry_response, submission_status
from xds.rules import SUBMISSION_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSet:
    """What a request brings: metadata as far as it can be read, and documents."""

    metadata: Decoded
    attachments: Attachments


def decode(wire: SOAPRequest) -> DocumentSet:
    """Read the Submission Request and every Document."""
    return DocumentSet(metadata=decode_metadata(wire.body), attachments=decode_attachments(wire))


def handle(provided: DocumentSet, repository: DocumentRepository, exchange: Exchange) -> tuple[Breach, ...]:
    """Store documents and metadata, or nothing; return the warnings. Rejected holds every breach of both actors."""
    submission = provided.metadata.submission
    if submission is None:
        raise Rejected(*provided.metadata.breaches)
    entries = submission.document_entries
    with received(provided.attachments, repository.store.create) as parts:
        found = list(provided.attachments.breaches({each.entry_uuid: each.unique_id for each in entries}))
        found += [breach for entry in entries for breach in _misdescribed(entry, parts)]
        completed = tuple([_complete(entry, parts, repository.unique_id) for entry in entries])
        metadata = Decoded(replace(submission, document_entries=completed), provided.metadata.breaches)
        viewer = repository.access.viewer(exchange)
        return repository.register(metadata, parts, found, exchange.received_at, viewer)


def encode(_wire: SOAPRequest, warnings: tuple[Breach, ...], _exchange: Exchange) -> SOAPReply:
    """Answer Success, with the registry's warnings (3.41.4.1.3.2)."""
    return SOAPReply([registry_response(submission_status(warnings), warnings)])


def refuse(_wire: SOAPRequest, rejected: Rejected, _exchange: Exchange) -> SOAPReply:
    """Answer Failure: nothing was stored (ITI TF-3: Table 4.2.4.2-1)."""
    return SOAPReply([registry_response(ResponseStatus.FAILURE, rejected.breaches)])


def _misdescribed(entry: DocumentEntry, parts: Mapping[str, Part]) -> Iterator[Breach]:
    """Compare what an entry says of its document with the document (3.41.4.1.3)."""
    part = parts.get(entry.entry_uuid)
    if part and entry.hash is not None and entry.hash.lower() != part.sha1:
        yield _differs(entry, "hash", entry.hash, part.sha1)
    if part and entry.size is not None and entry.size != part.size:
        yield _differs(entry, "size", str(entry.size), str(part.size))


def _differs(entry: DocumentEntry, attribute: str, observed: str, expected: str) -> Breach:
    return Breach(
        code=ErrorCode.REPOSITORY_METADATA_ERROR,
        text=f"The {attribute} of a DocumentEntry is that of the received document",
        location=f"{entry.entry_uuid} {attribute}",
        observed=observed,
        expected=expected,
        citation=tf2("3.41.4.1.3"),
        remedy="If your document is right, it was changed on its way: compare the bytes that you sent",
    )


def _complete(entry: DocumentEntry, parts: Mapping[str, Part], repository_unique_id: str) -> DocumentEntry:
    """Add what the repository knows: "add or replace" repositoryUniqueId, add hash and size (3.41.4.1.3.2)."""
    part = parts.get(entry.entry_uuid)
    if part is None:
        return replace(entry, repository_unique_id=repository_unique_id)
    return replace(entry, repository_unique_id=repository_unique_id, hash=entry.hash or part.sha1, size=part.size)


ITI_41 = Transaction(
    id="ITI-41",
    name="Provide and Register Document Set-b",
    citation=tf2("3.41"),
    initiator=Actor.DOCUMENT_SOURCE,
    responder=Actor.DOCUMENT_REPOSITORY,
    bindings=(
        SOAPBinding(
            operation="DocumentRepository_ProvideAndRegisterDocumentSet-b",
            action="urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
            request=f"{{{XDS_B}}}ProvideAndRegisterDocumentSetRequest",
            reply_action="urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse",
            reply=f"{{{RS}}}RegistryResponse",
            mtom=True,
        ),
    ),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=submitted(tf2("3.41.5.1.2"), transaction_code("ITI-41", "Provide and Register Document Set-b")),
    rules=SUBMISSION_RULES,
    patients=lambda provided: submitted_patients(provided.metadata),
)
