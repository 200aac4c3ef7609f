"""How a sender is told that it is not let in: the one mapping of NotAdmitted for each wire."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from affinity.admission import CITATION, NotAdmitted, Reason
from affinity.partners import SourceKind
from affinity.sender_ids import LOCATIONS
from ihe.errors import Breach, ErrorCode, HL7ErrorCode, Rejected
from ihe.transactions import Actor, Transaction
from soap.faults import SOAPFault, sender_fault, too_many

FORBIDDEN = 403
REMEDY = "If the agreement should allow it, ask the operator of this node"

HL7_CODES: Mapping[Reason, tuple[HL7ErrorCode, str]] = MappingProxyType(
    {
        Reason.UNKNOWN: (HL7ErrorCode.TABLE_VALUE_NOT_FOUND, "MSH^1^3"),
        Reason.FOREIGN_SOURCE: (HL7ErrorCode.TABLE_VALUE_NOT_FOUND, "MSH^1^3"),
        Reason.NOT_AGREED: (HL7ErrorCode.UNSUPPORTED_EVENT_CODE, "MSH^1^9"),
        Reason.TOO_FAST: (HL7ErrorCode.APPLICATION_INTERNAL_ERROR, ""),
    }
)
"""The code, and what is to be changed. MSH-3 is a value of table 0361. Only 207 may be sent again unchanged."""
XDS_CODES: Mapping[Actor, ErrorCode] = MappingProxyType(
    {
        Actor.DOCUMENT_REPOSITORY: ErrorCode.REPOSITORY_METADATA_ERROR,
        Actor.DOCUMENT_REGISTRY: ErrorCode.REGISTRY_METADATA_ERROR,
    }
)
"""A sourceId is metadata (ITI TF-3: 4.2.3.3.9)."""


def as_fault(refused: NotAdmitted) -> SOAPFault:
    """What a SOAP node reads that may not send at all, or not this, or not now."""
    text = f"{refused.text} ({CITATION})"
    return too_many(text, refused.wait) if refused.reason is Reason.TOO_FAST else sender_fault(text, status=FORBIDDEN)


def as_metadata_error(refused: NotAdmitted, transaction: Transaction[Any, Any, Any, Any, Any]) -> Rejected:
    """What a SOAP message is answered that names another's id: the transaction's own refusal."""
    kind = refused.observed.kind if refused.observed else None
    code = XDS_CODES.get(transaction.responder) if kind is SourceKind.DOCUMENTS else None
    return _rejected(refused, code or HL7ErrorCode.TABLE_VALUE_NOT_FOUND, LOCATIONS[kind] if kind else "")


def as_hl7(refused: NotAdmitted) -> Rejected:
    """What an HL7 v2 message is answered."""
    return _rejected(refused, *HL7_CODES[refused.reason])


def _rejected(refused: NotAdmitted, code: ErrorCode | HL7ErrorCode, location: str) -> Rejected:
    breach = Breach(
        code=code,
        text=refused.text,
        location=location,
        observed=refused.observed.value[:80] if refused.observed else None,
        citation=CITATION,
        remedy="" if refused.wait else REMEDY,
    )
    return Rejected(breach)
