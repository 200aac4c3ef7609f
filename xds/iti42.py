"""Register Document Set-b [ITI-42] (ITI TF-2: 3.42)."""

from typing import Final

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Breach, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.attributes import Sender
from xds.auditing import submitted
from xds.ebrim import Decoded, decode, submitted_patients
from xds.registry import DocumentRegistry
from xds.responses import ResponseStatus, registry_response
from xds.rules import SUBMISSION_RULES

Warnings = tuple[Breach, ...]


def read(request: SOAPRequest) -> Decoded:
    """Read the SubmitObjectsRequest; what cannot be read is refused together with what breaks a rule."""
    return decode(request.body)


def handle(decoded: Decoded, registry: DocumentRegistry, exchange: Exchange) -> Warnings:
    """Register all of the submission, or nothing of it."""
    return registry.register(decoded, Sender.XDS_DOCUMENT_REPOSITORY, registry.access.viewer(exchange))


def encode(request: SOAPRequest, warnings: Warnings, exchange: Exchange) -> SOAPReply:
    """Success, with warnings if there are any; there is no partial success (3.42.4.2.2)."""
    return SOAPReply((registry_response(ResponseStatus.SUCCESS, warnings),))


def refuse(request: SOAPRequest, rejected: Rejected, exchange: Exchange) -> SOAPReply:
    """Failure, with every breach."""
    return SOAPReply((registry_response(ResponseStatus.FAILURE, rejected.breaches),))


ITI_42: Final[Transaction[SOAPRequest, Decoded, Warnings, DocumentRegistry, SOAPReply]] = Transaction(
    id="ITI-42",
    name="Register Document Set-b",
    citation=tf2("3.42"),
    initiator=Actor.DOCUMENT_REPOSITORY,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=(
        SOAPBinding(
            operation="DocumentRegistry_RegisterDocumentSet-b",
            action="urn:ihe:iti:2007:RegisterDocumentSet-b",
            request="{urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0}SubmitObjectsRequest",
            reply_action="urn:ihe:iti:2007:RegisterDocumentSet-bResponse",
            reply="{urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0}RegistryResponse",
        ),
    ),
    decode=read,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=submitted(tf2("3.42.5.1.2"), transaction_code("ITI-42", "Register Document Set-b")),
    rules=SUBMISSION_RULES,
    patients=submitted_patients,
)
