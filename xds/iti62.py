"""Remove Metadata [ITI-62] (Remove Metadata and Documents supplement: 3.62)."""

from collections.abc import Iterator
from typing import Final

from lxml.etree import _Element

from ihe.audit import transaction_code
from ihe.citations import supplement
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.identifiers import EntryUUID
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.auditing import removed_metadata
from xds.ebrim_writing import LCM
from xds.fragments import RIM
from xds.registry import DocumentRegistry
from xds.removal import REMOVAL_RULES, Removed, remove
from xds.responses import RS, ResponseStatus, registry_response

MOST = 10_000
"""ObjectRefs of one request: a bound on what one transaction holds."""
DELETE_ALL = "urn:oasis:names:tc:ebxml-regrep:DeletionScopeType:DeleteAll"
"""The default of the schema, so that a sender that writes it says nothing."""


def decode(request: SOAPRequest) -> tuple[EntryUUID, ...]:
    """Read the entryUUIDs of a RemoveObjectsRequest; Rejected where it asks for anything else (3.62.4.1.2)."""
    references = request.body.findall(f"{{{RIM}}}ObjectRefList/{{{RIM}}}ObjectRef")
    faults = tuple(_faults(request.body, references))
    if faults:
        raise Rejected(*faults)
    return tuple(EntryUUID(each.get("id", "").strip()) for each in references)


def _faults(request: _Element, references: list[_Element]) -> Iterator[Breach]:
    if len(request.findall(f"{{{RIM}}}ObjectRefList")) != 1 or not references:
        yield _fault("A RemoveObjectsRequest has one ObjectRefList, with one ObjectRef or more", "ObjectRefList")
    if len(references) > MOST:
        yield _fault("A request removes no more objects", "ObjectRefList", f"{len(references)}", f"at most {MOST}")
    if request.find(f"{{{RIM}}}AdhocQuery") is not None:
        yield _fault("What is removed is named by ObjectRefs, never by an AdhocQuery", "AdhocQuery")
    scope = request.get("deletionScope", DELETE_ALL)
    if scope != DELETE_ALL:
        yield _fault("The attribute deletionScope is not used", "deletionScope", scope)


def _fault(text: str, location: str, observed: str | None = None, expected: str | None = None) -> Breach:
    return Breach(
        code=ErrorCode.REGISTRY_ERROR,
        text=text,
        location=location,
        observed=observed,
        expected=expected,
        citation=supplement("RMD", "3.62.4.1.2"),
    )


def handle(uuids: tuple[EntryUUID, ...], registry: DocumentRegistry, exchange: Exchange) -> Removed:
    """Remove all that is named, or nothing."""
    viewer = registry.access.viewer(exchange)
    return remove(registry.database, registry.patients, uuids, registry.witness, viewer)


def encode(request: SOAPRequest, removed: Removed, exchange: Exchange) -> SOAPReply:
    """Success; there is no partial success (3.62.4.2.2)."""
    return SOAPReply((registry_response(ResponseStatus.SUCCESS),))


def refuse(request: SOAPRequest, rejected: Rejected, exchange: Exchange) -> SOAPReply:
    """Failure, with every breach."""
    return SOAPReply((registry_response(ResponseStatus.FAILURE, rejected.breaches),))


# The action has the transaction's former name, Delete Document Set (3.62.4.1.2).
ITI_62: Final[Transaction[SOAPRequest, tuple[EntryUUID, ...], Removed, DocumentRegistry, SOAPReply]] = Transaction(
    id="ITI-62",
    name="Remove Metadata",
    citation=supplement("RMD", "3.62"),
    initiator=Actor.DOCUMENT_ADMINISTRATOR,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=(
        SOAPBinding(
            operation="DocumentRegistry_DeleteDocumentSet",
            action="urn:ihe:iti:2010:DeleteDocumentSet",
            request=f"{{{LCM}}}RemoveObjectsRequest",
            reply_action="urn:ihe:iti:2010:DeleteDocumentSetResponse",
            reply=f"{{{RS}}}RegistryResponse",
        ),
    ),
    decode=decode,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=removed_metadata(supplement("RMD", "3.62.5.1.2"), transaction_code("ITI-62", "Remove Metadata")),
    rules=REMOVAL_RULES,
)
