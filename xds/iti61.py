"""Register On-Demand Document Entry [ITI-61] (ITI TF-2: 3.61)."""

from typing import Final

from ihe.audit import transaction_code
from ihe.citations import tf2
from ihe.errors import Breach
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from ihe.transactions import Actor, SOAPBinding, Transaction
from xds.attributes import Sender
from xds.auditing import submitted
from xds.ebrim import Decoded, submitted_patients
from xds.iti42 import encode, read, refuse
from xds.registry import DocumentRegistry
from xds.rules import SUBMISSION_RULES

Warnings = tuple[Breach, ...]


def handle(decoded: Decoded, registry: DocumentRegistry, exchange: Exchange) -> Warnings:
    """Register what can be retrieved on demand; no hash, size or creationTime, because nothing exists yet."""
    return registry.register(decoded, Sender.XDS_ON_DEMAND_SOURCE, registry.access.viewer(exchange))


ITI_61: Final[Transaction[SOAPRequest, Decoded, Warnings, DocumentRegistry, SOAPReply]] = Transaction(
    id="ITI-61",
    name="Register On-Demand Document Entry",
    citation=tf2("3.61"),
    initiator=Actor.ON_DEMAND_DOCUMENT_SOURCE,
    responder=Actor.DOCUMENT_REGISTRY,
    bindings=(
        SOAPBinding(
            operation="DocumentRegistry_RegisterOnDemandDocumentEntry",
            action="urn:ihe:iti:2010:RegisterOnDemandDocumentEntry",
            request="{urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0}SubmitObjectsRequest",
            # 3.61.4.2.2 prints "urn:ihe:iti:2010:Register OnDemandDocumentResponse", which is no URI; IHE_WSP208
            # (ITI TF-2: V.3.2.1.2) makes the action of an answer that of its request with Response behind it.
            reply_action="urn:ihe:iti:2010:RegisterOnDemandDocumentEntryResponse",
            reply="{urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0}RegistryResponse",
        ),
    ),
    decode=read,
    handle=handle,
    encode=encode,
    refuse=refuse,
    audit=submitted(tf2("3.61.5.1.2"), transaction_code("ITI-61", "Register On-Demand Document Entry")),
    rules=SUBMISSION_RULES,
    patients=submitted_patients,
)
