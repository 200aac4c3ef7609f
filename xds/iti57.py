"""Update Document Set [ITI-57] (XDS Metadata Update supplement: 3.57)."""

from typing import Final

from ihe.audit import EventActionCode, transaction_code
from ihe.citations import supplement
from ihe.errors import Breach
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.auditing import submitted
from xds.ebrim import Decoded, submitted_patients
from xds.iti42 import encode, read, refuse
from xds.registry import DocumentRegistry
from xds.rules_update import UPDATE_RULES
from xds.updates import update

Warnings = tuple[Breach, ...]


def handle(decoded: Decoded, registry: DocumentRegistry, exchange: Exchange) -> Warnings:
    """Make all changes that the update asks for, or none (3.57.4.1.3.2)."""
    return update(registry, decoded, registry.access.viewer(exchange))


ITI_57: Final[Transaction[SOAPRequest, Decoded, Warnings, DocumentRegistry, SOAPReply]] = Transaction(
    id="ITI-57",
    name="Update Document Set",
    citation=supplement("XDS Metadata Update", "3.57"),
    initiator=Actor.DOCUMENT_ADMINISTRATOR,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=(
        SOAPBinding(
            operation="DocumentRegistry_UpdateDocumentSet",
            action="urn:ihe:iti:2010:UpdateDocumentSet",
            request="{urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0}SubmitObjectsRequest",
            reply_action="urn:ihe:iti:2010:UpdateDocumentSetResponse",
            reply="{urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0}RegistryResponse",
        ),
    ),
    decode=read,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=submitted(
        supplement("XDS Metadata Update", "3.57.7.1.2"),
        transaction_code("ITI-57", "Update Document Set"),
        EventActionCode.UPDATE,
    ),
    rules=UPDATE_RULES,
    patients=submitted_patients,
)
