"""HL7 v2 messages: delimiters, MSH, what the transaction of the trigger asks, and hl7apy's opinion of the structure.

A request is read by the very handler of its transaction, up to the point where it would ask the patient index.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

from affinity.catalogue import TRANSACTIONS, hl7v2_transactions
from affinity.hl7_answers import HL7v2Transaction, check_header, choose
from conformance.catalogue import Level
from conformance.findings import Finding, of_breach
from conformance.validators.context import ANYWHERE, Context
from hl7v2.er7 import Malformed, NotHL7, parse
from hl7v2.message import Message
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.exchange import Exchange

ANSWERS = re.compile(r"ACK|RSP|RTB|ORR|MCF")
"""Message types that answer (HL7 table 0076)."""
ACKNOWLEDGEMENT_CODES = frozenset({"AA", "AE", "AR", "CA", "CE", "CR"})
FEEDERS = tf2("3.8.4.1.3")
"""Which source feeds which authority's ids is a matter of the domain."""


class Understood(Exception):
    """The message was read to its end: now the index would be asked."""


class NobodysIndex:
    """In place of the patient index: whatever is asked of it, the message has been understood by then."""

    def __init__(self, context: Context) -> None:
        self.domain = context.domain or ANYWHERE

    @property
    def patients(self) -> "NobodysIndex":
        """The registry knows patients by the same index."""
        return self

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def understood(*_: object, **__: object) -> NoReturn:
            raise Understood

        return understood


def transaction_of(message: Message) -> HL7v2Transaction | None:
    """The transaction of a request; None for an answer, and for what no transaction here takes."""
    try:
        return choose(message, hl7v2_transactions(TRANSACTIONS))
    except Rejected:
        return None


def validate(data: bytes, context: Context) -> tuple[str | None, tuple[Finding, ...]]:
    """The id of the message's transaction, and what is wrong with it."""
    try:
        message = parse(data)
    except NotHL7 as error:
        return None, (Finding(level=Level.SHALL, text=str(error), citation=tf2("C.2.2")),)
    except Malformed as malformed:
        return None, tuple(map(of_breach, malformed.breaches))
    transaction = transaction_of(message)
    name = transaction.id if transaction else None
    found = dict.fromkeys((*_breaches(message, transaction, context), *context.second_opinion(message)))
    wrong = tuple(of_breach(each, name) for each in found)
    return name, wrong if transaction or ANSWERS.match(message.trigger) else (_beyond(message), *wrong)


def _breaches(message: Message, transaction: HL7v2Transaction | None, context: Context) -> Iterator[Breach]:
    yield from _raised(lambda: check_header(message))
    if transaction is not None:
        found = _raised(lambda: _read(message, transaction, context))
        yield from (each for each in found if context.domain or not _is_of_a_domain(each))
    elif ANSWERS.match(message.trigger):
        yield from _answer(message)


def _beyond(message: Message) -> Finding:
    return Finding(
        level=Level.MAY,
        text="No transaction that is known here has this trigger: what it has to say was not looked at",
        location="MSH^1^9",
        observed=message.trigger,
    )


def _raised(check: Callable[[], object]) -> tuple[Breach, ...]:
    try:
        check()
    except Rejected as rejected:
        return rejected.breaches
    return ()


def _read(message: Message, transaction: HL7v2Transaction, context: Context) -> None:
    exchange = Exchange(correlation_id="0" * 20, received_at=datetime.now(UTC))
    index: Any = NobodysIndex(context)
    try:
        transaction.handle(transaction.decode(message), index, exchange)
    except Understood:
        return


def _is_of_a_domain(breach: Breach) -> bool:
    return breach.code is HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER or breach.citation == FEEDERS


def _answer(message: Message) -> Iterator[Breach]:
    """An answer says to which message, and how that went (ITI TF-2: C.2.3.1)."""
    msa = message.find("MSA")
    if msa is None:
        yield _missing("An answer holds MSA", "MSA^1")
        return
    if not msa.text(2):
        yield _missing("MSA-2 names the message that is answered", "MSA^1^2")
    if msa.text(1) not in ACKNOWLEDGEMENT_CODES:
        yield Breach(
            code=HL7ErrorCode.TABLE_VALUE_NOT_FOUND,
            text="MSA-1 holds a code of HL7 table 0008",
            location="MSA^1^1",
            observed=msa.text(1),
            expected=", ".join(sorted(ACKNOWLEDGEMENT_CODES)),
            citation=tf2("C.2.3.1"),
        )
    if msa.text(1)[1:] in ("E", "R") and "ERR" not in message:
        yield _missing("An answer that refuses says why in ERR", "ERR^1")


def _missing(text: str, location: str) -> Breach:
    return Breach(code=HL7ErrorCode.REQUIRED_FIELD_MISSING, text=text, location=location, citation=tf2("C.2.3.1"))
