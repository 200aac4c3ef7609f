"""How a sender is told that the database cannot take its request now: retryable, in the words of each transaction."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from affinity.outages import InDoubt, Trouble, Unavailable
from atna.trail import AuditUnavailable
from ihe.citations import tf2, tf3
from ihe.errors import Breach, ErrorCode, HL7ErrorCode, Rejected
from ihe.transactions import Actor, Transaction
from soap.faults import FaultCode, SOAPFault, busy

GATEWAY_TIMEOUT = 504
RETRY = "Send the same message again later"
IN_DOUBT = (
    "The connection to the database was lost while the request was stored, so nobody knows whether it was. Send the "
    "same message again, with the same ids: what was stored is not stored twice"
)

XDS_CODES: Mapping[Actor, tuple[ErrorCode, ErrorCode]] = MappingProxyType(
    {
        Actor.DOCUMENT_REPOSITORY: (ErrorCode.REPOSITORY_BUSY, ErrorCode.REPOSITORY_OUT_OF_RESOURCES),
        Actor.DOCUMENT_REGISTRY: (ErrorCode.REGISTRY_BUSY, ErrorCode.REGISTRY_OUT_OF_RESOURCES),
    }
)
"""Too much activity, and no room (ITI TF-3: Table 4.2.4.1-2)."""


def underlying(error: Exception) -> Unavailable | None:
    """What was the matter with the database, where that is why a request or its audit record failed.

    An audit record in doubt is none: what it would have described is not answered.
    """
    if isinstance(error, AuditUnavailable):
        cause = error.__cause__
        return Unavailable(Trouble.AWAY) if isinstance(cause, InDoubt) else _own(cause)
    return _own(error)


def _own(error: BaseException | None) -> Unavailable | None:
    return error if isinstance(error, Unavailable) else None


def as_rejection(unavailable: Unavailable, transaction: Transaction[Any, Any, Any, Any, Any]) -> Rejected:
    """The transaction's own refusal; of HL7 a rejection, which may be sent again (ITI TF-2: Table C.2.3.1-2)."""
    if transaction.responder in XDS_CODES:
        is_busy, is_full = XDS_CODES[transaction.responder]
        code: ErrorCode | HL7ErrorCode = is_full if unavailable.trouble is Trouble.FULL else is_busy
        citation = tf3("Table 4.2.4.1-2")
    else:
        # "could not be performed at the application storage level, e.g., database locked"
        code, citation = HL7ErrorCode.APPLICATION_RECORD_LOCKED, tf2("C.2.3.2")
    text = f"The request was not processed: {unavailable.trouble.value}"
    return Rejected(Breach(code=code, text=text, citation=citation, remedy=RETRY))


def as_fault(unavailable: Unavailable) -> SOAPFault:
    """What a SOAP node reads before its transaction has begun: 503 and Retry-After."""
    return busy(unavailable.trouble.value)


def in_doubt() -> SOAPFault:
    """What a SOAP node reads where neither success nor failure would be true: 504."""
    return SOAPFault(FaultCode.RECEIVER, IN_DOUBT, status=GATEWAY_TIMEOUT)
