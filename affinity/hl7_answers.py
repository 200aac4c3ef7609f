"""From HL7 v2 bytes to the answer's bytes: the trigger chooses the transaction (ITI TF-2: C.2)."""

import re
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from affinity.admission import Admission, Forgiven, NotAdmitted, Reason, Shown
from affinity.auditing import spelled
from affinity.dispatch import OnRefusal, Ports, answer, keep_nothing
from affinity.hl7_sources import HL7Sources
from affinity.metrics import NO_TRANSACTION, count_refusal
from affinity.not_admitted import as_hl7
from affinity.outages import InDoubt
from affinity.outcomes import UNAUDITED, Auditing
from affinity.partners import Agreement
from affinity.sender_ids import sender_ids
from affinity.spans import in_request
from hl7v2.ack import ack
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange
from ihe.partners import Validation
from ihe.transactions import HL7v2Binding, Transaction
from mllp.replies import HangUp, Peer

log = structlog.get_logger()

PROCESSING_IDS = frozenset({"", "P", "D", "T", "1"})
"""HL7 table 0103: production, debugging, training; and ``1``, which the patient feed of the NIST toolkit sends."""
VERSION = re.compile(r"(?:2\.[0-9][0-9A-Z.]{0,4})?")
"""HL7 table 0104. Senders write versions near the one that IHE asks for, so all of HL7 v2 pass."""

HL7v2Transaction = Transaction[Message, Any, Any, Any, Message | bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HL7Answers:
    """Answers the MLLP ports of one node. ``defer`` runs blocking work in a worker thread, validation included."""

    transactions: tuple[HL7v2Transaction, ...]
    ports: Ports
    sources: HL7Sources
    clock: Callable[[], datetime]
    defer: Callable[..., Awaitable[bytes | None]]
    validation: Validation = Validation.STRICT
    on_refusal: OnRefusal = keep_nothing
    admission: Admission = field(default_factory=Admission)
    auditing: Auditing = UNAUDITED

    def __call__(self, message: bytes, peer: Peer) -> Awaitable[bytes | None]:
        """Answer one message; None where its sender wants no acknowledgement. Fails with NotHL7, Malformed, HangUp."""
        return self.defer(in_request, None, self._answer, message, peer)

    def _answer(self, received: bytes, peer: Peer) -> bytes | None:
        message = parse(received, self.sources.charset)
        exchange = Exchange(
            correlation_id=uuid.uuid4().hex,
            received_at=self.clock(),
            peer=peer.address,
            node=peer.subject,
            validation=self.validation,
        )
        counted_as = NO_TRANSACTION
        try:
            transaction = choose(message, self.transactions)
            counted_as = transaction.id
            agreement = self._sender(message, peer, transaction.id)
            exchange = _under(agreement, exchange)
            self._look_at(message, exchange)
        except Rejected as rejected:
            codes = sorted(str(code) for code in rejected.codes)
            log.info("refused", trigger=message.trigger[:20], codes=codes, correlation=exchange.correlation_id)
            count_refusal(counted_as, rejected)
            if not _comes_too_fast(rejected):
                self._audit(message, exchange, rejected)
            self.on_refusal(message, rejected)
            reply: Message | bytes | None = ack(message, rejected, exchange)
        else:
            reply = self._run(transaction, message, exchange)
        return serialize(reply) if isinstance(reply, Message) else reply

    def _run(self, transaction: HL7v2Transaction, message: Message, exchange: Exchange) -> Message | bytes | None:
        """Raises HangUp where any answer might be wrong: its sender sends again, and is answered from the receipt."""
        reply: Message | bytes | None
        try:
            reply = answer(transaction, message, self.ports, exchange, self.on_refusal, auditing=self.auditing)
        except InDoubt as error:
            log.error("commit in doubt", transaction=transaction.id, correlation=exchange.correlation_id)
            raise HangUp("a commit in doubt") from error
        return reply

    def _sender(self, message: Message, peer: Peer, transaction: str) -> Agreement | None:
        shown, sources = Shown(peer=peer.address, certificate=peer.certificate), sender_ids(message)
        try:
            agreement = self.admission.admit(shown, sources, transaction)
            self.admission.check_sources(agreement, sources, peer.address)
        except NotAdmitted as refused:
            raise as_hl7(refused) from refused
        return agreement

    def _look_at(self, message: Message, exchange: Exchange) -> None:
        """Check what stands outside of any transaction; of a partner that is only recorded, refuse nothing of it."""
        for check in (check_header, self.sources.validate):
            try:
                check(message)
            except Rejected as rejected:
                if exchange.validation is not Validation.RECORD_ONLY:
                    raise
                for each in rejected.breaches:
                    exchange.on_forgiven(f"HL7 {each.code.value}")

    def _audit(self, message: Message, exchange: Exchange, rejected: Rejected) -> None:
        """Record the refusal of a message before its transaction began; what is no transaction here is only logged."""
        if isinstance(cause := rejected.__cause__, NotAdmitted) and cause.reason is Reason.TOO_FAST:
            return  # who floods us shall not flood the audit trail as well
        try:
            transaction = choose(message, self.transactions)
        except Rejected:
            return
        with self.auditing.open(transaction, message, exchange) as audited:
            audited.refused(spelled(rejected))


def _comes_too_fast(rejected: Rejected) -> bool:
    """Claim that nothing else is wrong: who floods us shall not flood the audit trail as well."""
    cause = rejected.__cause__
    return isinstance(cause, NotAdmitted) and cause.reason is Reason.TOO_FAST


def _under(agreement: Agreement | None, exchange: Exchange) -> Exchange:
    if agreement is None:
        return exchange
    return replace(
        exchange,
        partner=agreement.partner,
        validation=agreement.partner.validation,
        on_forgiven=Forgiven(agreement, exchange.correlation_id),
    )


def check_header(message: Message) -> None:
    """Refuse a version and a processing id that HL7 does not have; what is left out is forgiven (ITI TF-2: C.2.3.2)."""
    breaches = []
    if message.processing_id not in PROCESSING_IDS:
        breaches.append(_unsupported_value(message, 11, HL7ErrorCode.UNSUPPORTED_PROCESSING_ID, "P, D, T"))
    if not VERSION.fullmatch(message.version):
        breaches.append(_unsupported_value(message, 12, HL7ErrorCode.UNSUPPORTED_VERSION_ID, "2.3.1 or 2.5"))
    if breaches:
        raise Rejected(*breaches)


def choose(message: Message, transactions: Iterable[HL7v2Transaction]) -> HL7v2Transaction:
    """Find the transaction of a message. ADT^A40 is ITI-8 in version 2.3.1, ITI-30 in 2.5: MSH-12 decides the tie."""
    trigger, version = message.trigger, message.version
    candidates = [
        (binding, transaction)
        for transaction in transactions
        for binding in transaction.bindings
        if isinstance(binding, HL7v2Binding) and trigger in binding.triggers
    ]
    for binding, transaction in candidates:
        if version.startswith(binding.versions):
            return transaction
    if candidates:
        return candidates[0][1]
    raise Rejected(_unsupported(message, transactions))


def _unsupported_value(message: Message, field: int, code: HL7ErrorCode, expected: str) -> Breach:
    return Breach(
        code=code,
        text=f"MSH-{field} is not one that is processed here",
        location=f"MSH^1^{field}^1^1",
        observed=message.header.text(field)[:20],
        expected=expected,
        citation=tf2("C.2.3.2"),
    )


def _unsupported(message: Message, transactions: Iterable[HL7v2Transaction]) -> Breach:
    bindings = [each for transaction in transactions for each in transaction.bindings]
    triggers = sorted({trigger for each in bindings if isinstance(each, HL7v2Binding) for trigger in each.triggers})
    types = {trigger.split("^")[0] for trigger in triggers}
    known_type = message.trigger.split("^")[0] in types
    return Breach(
        code=HL7ErrorCode.UNSUPPORTED_EVENT_CODE if known_type else HL7ErrorCode.UNSUPPORTED_MESSAGE_TYPE,
        text="No transaction here takes this message type and trigger event",
        location=f"MSH^1^9^1^{2 if known_type else 1}",
        observed=message.trigger[:20],
        expected=", ".join(triggers),
        citation=tf2("C.2.3"),
    )
