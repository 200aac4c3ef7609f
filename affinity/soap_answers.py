"""From a SOAP request to its answer: who asks (XUA), then the transaction, both in a worker thread."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from twisted.internet.defer import Deferred

from affinity.dispatch import OnRefusal, Ports, answer, keep_nothing
from ihe.exchange import Exchange, Principal, SOAPReply, SOAPRequest, Validation
from ihe.transactions import Actor
from soap.context import SOAPContext, SOAPTransaction
from soap.faults import SOAPFault, sender_fault
from xua.authentication import XUAMode, authenticate
from xua.errors import AssertionRefused
from xua.verifier import Verifier

log = structlog.get_logger()

UNAUTHENTICATED = frozenset({Actor.X_ASSERTION_PROVIDER})
"""Who asks for an assertion cannot show one yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SOAPAnswers:
    """Answers the SOAP endpoints of one node. ``defer`` runs blocking work in a worker thread."""

    ports: Ports
    mode: XUAMode
    verifier: Verifier
    clock: Callable[[], datetime]
    defer: Callable[..., Deferred[SOAPReply]]
    validation: Validation = Validation.STRICT
    on_refusal: OnRefusal = keep_nothing

    def __call__(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> Deferred[SOAPReply]:
        """Answer one request; the Deferred fails with SOAPFault where the assertion is refused."""
        return self.defer(self._answer, transaction, request, context)

    def _answer(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        now = self.clock()
        try:
            exchange = Exchange(
                correlation_id=context.correlation_id,
                received_at=now,
                peer=context.connection.peer,
                principal=self._principal(transaction, context, now),
                validation=self.validation,
            )
            reply: SOAPReply = answer(transaction, request, self.ports, exchange, self.on_refusal)
        except AssertionRefused as refused:
            raise _fault(refused, transaction.id, context) from refused
        return reply

    def _principal(self, transaction: SOAPTransaction, context: SOAPContext, now: datetime) -> Principal | None:
        if transaction.responder in UNAUTHENTICATED:
            return None
        return authenticate(context.envelope.root, self.mode, self.verifier, now, context.connection.certificate)


def _fault(refused: AssertionRefused, transaction: str, context: SOAPContext) -> SOAPFault:
    """The sender reads the general text of the subcode; the precise reason stays with the operator."""
    log.warning(
        "assertion refused",
        transaction=transaction,
        reason=refused.reason,
        subcode=refused.subcode.name,
        peer=context.connection.peer,
        correlation=context.correlation_id,
    )
    return sender_fault(refused.text, refused.subcode.value)
