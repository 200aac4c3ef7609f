"""What the validators say of a message that a client has sent, and which assertions they can speak for."""

import json
from collections.abc import Iterable, Iterator
from functools import cache

from affinity.catalogue import TRANSACTIONS
from atna.fhir import NotAnAuditEvent
from atna.fhir import read as read_fhir
from conformance.catalogue import Assertion, Level, Role, catalogue
from conformance.exchanges import Wire
from conformance.findings import Finding
from conformance.kinds import NotRecognised
from conformance.simulators.desk import Seen
from conformance.validating import validate
from conformance.validators.context import Context
from ihe.citations import supplement

TOLD_TO_CONSUMERS = frozenset({"ITI-10", "ITI-46"})
"""Their payloads look like those of ITI-30 and ITI-44, whose rules are others: only their steps judge them."""


def findings(seen: Seen, context: Context) -> tuple[Finding, ...]:
    """What is wrong with the request of an exchange."""
    exchange = seen.exchange
    if seen.read.name in TOLD_TO_CONSUMERS or not exchange.request.content:
        return ()
    if exchange.wire is Wire.HTTP and seen.read.name == "ITI-20":
        return tuple(_audit_event(exchange.request.content))
    try:
        return validate(exchange.request.as_bytes(), context).findings
    except NotRecognised as error:
        return (Finding(level=Level.SHALL, text=f"Nothing that can be read: {error}"),)


def checked(transactions: Iterable[str]) -> frozenset[str]:
    """The assertions about who sends such requests that a rule of their transactions checks."""
    wanted = frozenset(transactions)
    return frozenset(each.id for each in _ruled() for one in wanted if _speaks_of(each, one))


def initiators(transaction: str) -> frozenset[str]:
    """Who is meant where an assertion is about the sender of this transaction."""
    own = {str(each.initiator) for each in TRANSACTIONS if each.id == transaction}
    return frozenset(own | {Role.INITIATOR.value, Role.ANY.value})


@cache
def _ruled() -> tuple[Assertion, ...]:
    return tuple(each for each in catalogue() if each.rule)


def _speaks_of(assertion: Assertion, transaction: str) -> bool:
    if assertion.transaction not in (None, transaction) or assertion.actor not in initiators(transaction):
        return False
    return assertion.rule in _rules(transaction)


@cache
def _rules(transaction: str) -> frozenset[str]:
    return frozenset(rule.name for each in TRANSACTIONS if each.id == transaction for rule in each.rules)


def _audit_event(content: bytes) -> Iterator[Finding]:
    try:
        read_fhir(json.loads(content))
    except (NotAnAuditEvent, ValueError) as error:
        citation = supplement("RESTful ATNA", "3.20.4.2.2")
        yield Finding(level=Level.SHALL, text=f"It is no AuditEvent: {error}", citation=citation)
