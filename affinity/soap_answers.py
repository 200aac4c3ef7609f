"""From a SOAP request to its answer: who asks (XUA), then the transaction, both in a worker thread."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from twisted.internet.defer import Deferred

from affinity.admission import Admission, Forgiven, NotAdmitted, Shown, validation
from affinity.auditing import UNAUDITED, Auditing, subject
from affinity.dispatch import OnRefusal, Ports, answer, keep_nothing
from affinity.not_admitted import as_fault, as_metadata_error
from affinity.partners import Agreement, SourceId
from affinity.sender_ids import sender_ids
from ihe.exchange import Exchange, Principal, SOAPReply, SOAPRequest
from ihe.partners import Validation
from ihe.transactions import Actor
from soap.context import SOAPContext, SOAPTransaction
from soap.faults import SOAPFault, sender_fault
from xua.authentication import XUAMode, authenticate
from xua.errors import AssertionRefused, Subcode
from xua.verifier import Verifier

log = structlog.get_logger()

UNAUTHENTICATED = frozenset({Actor.X_ASSERTION_PROVIDER})
"""Who asks for an assertion cannot show one yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SOAPAnswers:
    """Answers the SOAP endpoints of one node. ``defer`` runs blocking work in a worker thread.

    ``url`` is what stands before the paths, as clients write it.
    """

    ports: Ports
    mode: XUAMode
    verifier: Verifier
    clock: Callable[[], datetime]
    defer: Callable[..., Deferred[SOAPReply]]
    validation: Validation = Validation.STRICT
    on_refusal: OnRefusal = keep_nothing
    admission: Admission = field(default_factory=Admission)
    auditing: Auditing = UNAUDITED
    url: str = ""

    def __call__(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> Deferred[SOAPReply]:
        """Answer one request; the Deferred fails with SOAPFault where the assertion is refused."""
        return self.defer(self._answer, transaction, request, context)

    def _answer(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        sources = sender_ids(request)
        agreement = self._sender(transaction, sources, context)
        exchange = self._exchange(agreement, context)

        def check() -> None:
            try:
                self.admission.check_sources(agreement, sources, exchange.peer)
            except NotAdmitted as refused:
                raise as_metadata_error(refused, transaction) from refused

        try:
            principal = self._principal(transaction, agreement, context, exchange.received_at)
            known = replace(exchange, principal=principal)
            reply: SOAPReply = answer(transaction, request, self.ports, known, self.on_refusal, check, self.auditing)
        except AssertionRefused as refused:  # for who it names, or for whom it is about
            self.auditing.unauthenticated(transaction, exchange, refused.reason)
            raise _fault(refused, transaction.id, context) from refused
        return reply

    def _exchange(self, agreement: Agreement | None, context: SOAPContext) -> Exchange:
        return Exchange(
            correlation_id=context.correlation_id,
            received_at=self.clock(),
            peer=context.connection.peer,
            node=subject(context.connection.certificate),
            endpoint=self.url + context.endpoint,
            partner=agreement.partner if agreement else None,
            validation=validation(agreement, self.validation),
            on_forgiven=Forgiven(agreement, context.correlation_id),
        )

    def _sender(
        self, transaction: SOAPTransaction, sources: tuple[SourceId, ...], context: SOAPContext
    ) -> Agreement | None:
        if transaction.responder in UNAUTHENTICATED:
            return None
        connection = context.connection
        try:
            shown = Shown(peer=connection.peer, certificate=connection.certificate)
            return self.admission.admit(shown, sources, transaction.id)
        except NotAdmitted as refused:
            raise as_fault(refused) from refused

    def _principal(
        self, transaction: SOAPTransaction, agreement: Agreement | None, context: SOAPContext, now: datetime
    ) -> Principal | None:
        if transaction.responder in UNAUTHENTICATED:
            return None
        certificate = context.connection.certificate
        principal = authenticate(context.envelope.root, self.mode, self.verifier, now, certificate)
        if principal and agreement and agreement.issuers and principal.issuer not in agreement.issuers:
            name = agreement.partner.name
            raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, f"the issuer is none of those agreed with {name}")
        return principal


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
