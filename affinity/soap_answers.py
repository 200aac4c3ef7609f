"""From a SOAP request to its answer, in a worker thread: who asks (XUA), then the transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from affinity import unavailable
from affinity.admission import Admission, Forgiven, NotAdmitted, Reason, Shown, validation
from affinity.auditing import subject
from affinity.dispatch import OnRefusal, Ports, answer, keep_nothing
from affinity.metrics import ACCESS_DENIED
from affinity.not_admitted import as_fault, as_metadata_error
from affinity.outages import InDoubt, Unavailable
from affinity.outcomes import UNAUDITED, Auditing
from affinity.partners import Agreement, SourceId
from affinity.sender_ids import sender_ids
from affinity.spans import in_request
from atna.trail import AuditUnavailable
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
    """Answers the SOAP endpoints of one node. ``url`` is what stands before the paths, as clients write it."""

    ports: Ports
    mode: XUAMode
    verifier: Verifier
    clock: Callable[[], datetime]
    validation: Validation = Validation.STRICT
    on_refusal: OnRefusal = keep_nothing
    admission: Admission = field(default_factory=Admission)
    auditing: Auditing = UNAUDITED
    url: str = ""

    def __call__(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        """Answer one request; a SOAPFault refuses the assertion."""
        reply: SOAPReply = in_request(context.traceparent, self._answer_or_fault, transaction, request, context)
        return reply

    def _answer_or_fault(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        try:
            return self._answer(transaction, request, context)
        except InDoubt as error:
            log.error("commit in doubt", transaction=transaction.id, correlation=context.correlation_id)
            raise unavailable.in_doubt() from error
        except (AuditUnavailable, Unavailable) as error:
            if (found := unavailable.underlying(error)) is None:
                raise
            raise unavailable.as_fault(found) from error

    def _answer(self, transaction: SOAPTransaction, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        sources, now = sender_ids(request), self.clock()
        try:
            agreement = self._sender(transaction, sources, context)
            principal = self._principal(transaction, agreement, context, now)
        except NotAdmitted as refused:
            if refused.reason is not Reason.TOO_FAST:  # who floods us shall not flood the audit trail as well
                self.auditing.not_admitted(self._exchange(context, now, None, None), refused.text)
            raise as_fault(refused) from refused
        except AssertionRefused as refused:
            self.auditing.unauthenticated(transaction, self._exchange(context, now, None, None), refused)
            raise _fault(refused, transaction.id, context) from refused

        def check() -> None:
            try:
                self.admission.check_sources(agreement, sources, context.connection.peer)
            except NotAdmitted as refused:
                raise as_metadata_error(refused, transaction) from refused

        exchange = self._exchange(context, now, agreement, principal)
        try:
            reply: SOAPReply = answer(transaction, request, self.ports, exchange, self.on_refusal, check, self.auditing)
        except AssertionRefused as refused:
            raise _fault(refused, transaction.id, context) from refused
        return reply

    def _exchange(
        self, context: SOAPContext, now: datetime, agreement: Agreement | None, principal: Principal | None
    ) -> Exchange:
        """What is known of an exchange; before its sender is, there is neither agreement nor principal."""
        return Exchange(
            correlation_id=context.correlation_id,
            received_at=now,
            peer=context.connection.peer,
            node=subject(context.connection.certificate),
            endpoint=self.url + context.endpoint,
            partner=agreement.partner if agreement else None,
            principal=principal,
            validation=validation(agreement, self.validation),
            on_forgiven=Forgiven(agreement, context.correlation_id),
        )

    def _sender(
        self, transaction: SOAPTransaction, sources: tuple[SourceId, ...], context: SOAPContext
    ) -> Agreement | None:
        if transaction.responder in UNAUTHENTICATED:
            return None
        connection = context.connection
        shown = Shown(peer=connection.peer, certificate=connection.certificate)
        return self.admission.admit(shown, sources, transaction.id)

    def _principal(
        self, transaction: SOAPTransaction, agreement: Agreement | None, context: SOAPContext, now: datetime
    ) -> Principal | None:
        if transaction.responder in UNAUTHENTICATED:
            return None
        certificate = context.connection.certificate
        profile = agreement.token_profile if agreement else None
        principal = authenticate(context.envelope.root, self.mode, self.verifier, now, certificate, profile)
        if principal and agreement and agreement.issuers and principal.issuer not in agreement.issuers:
            name = agreement.partner.name
            raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, f"the issuer is none of those agreed with {name}")
        return principal


def _fault(refused: AssertionRefused, transaction: str, context: SOAPContext) -> SOAPFault:
    """The sender reads the general text of the subcode; the precise reason stays with the operator."""
    ACCESS_DENIED.labels("assertion", refused.subcode.name.lower()).inc()
    log.warning(
        "assertion refused",
        transaction=transaction,
        reason=refused.reason,
        subcode=refused.subcode.name,
        peer=context.connection.peer,
        correlation=context.correlation_id,
    )
    return sender_fault(refused.text, refused.subcode.value)
