"""What is known about one SOAP request beside its body."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from lxml.etree import _Element

from ihe.exchange import SOAPReply, SOAPRequest
from ihe.transactions import SOAPBinding, Transaction
from soap.addressing import Addressing
from soap.envelope import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a request came from: the address of the TCP peer, and its TLS certificate in DER form, if it showed one."""

    peer: str
    certificate: bytes | None = None
    secure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SOAPContext:
    """One request: its envelope in its own tree, its addressing, its connection.

    ``correlation_id`` is in every fault and belongs into every log line about this request.
    """

    correlation_id: str
    endpoint: str
    binding: SOAPBinding
    envelope: Envelope
    addressing: Addressing
    connection: Connection
    traceparent: str | None = None
    """The trace of which the sender says that this is a part (W3C Trace Context); its word, and no more."""

    @property
    def security(self) -> _Element | None:
        """The wsse:Security header, untouched in the tree in which it arrived."""
        return self.envelope.security


SOAPTransaction: TypeAlias = "Transaction[SOAPRequest, object, object, object, SOAPReply]"
Answer: TypeAlias = "Callable[[SOAPTransaction, SOAPRequest, SOAPContext], SOAPReply]"
"""How the composition root answers, in a worker thread. It may raise SOAPFault; whatever else it raises is answered
with an incident id."""
