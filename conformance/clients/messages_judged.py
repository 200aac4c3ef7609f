"""What the validators say of a message that a client has sent, and which assertions they can speak for."""

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
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
from conformance.validators.v3_rules import RULES
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


def checked(transaction: str, messages: Iterable[str]) -> frozenset[str]:
    """The assertions about who sends such requests that validators have looked at.

    ``messages`` are the names of the payloads that came (``PRPA_IN201301UV02``): some rules are about one of them.
    """
    came, senders = frozenset(messages), initiators(transaction)
    about = (each for each in catalogue() if each.transaction in (None, transaction) and each.actor in senders)
    return frozenset(each.id for each in about if _is_looked_at(each, transaction, came))


def initiators(transaction: str) -> frozenset[str]:
    """Who is meant where an assertion is about the sender of this transaction."""
    own = {str(each.initiator) for each in TRANSACTIONS if each.id == transaction}
    return frozenset(own | {Role.INITIATOR.value, Role.ANY.value})


def _is_looked_at(assertion: Assertion, transaction: str, messages: frozenset[str]) -> bool:
    """Claim that a rule of the transaction, or the content model of a message that came, has looked at it.

    Of HL7 v3 ``assertion.messages`` are messages; of ebXML attributes, all of which are looked at in any message.
    """
    v3 = frozenset(messages & RULES.keys())
    meant = not v3 or not assertion.messages or _any_fits(v3, assertion.messages)
    by_rule = meant and assertion.rule in _rules(transaction).union(rule.name for one in v3 for rule in RULES[one])
    return by_rule or _any_fits(messages, tuple(path.partition("/")[0] for path in assertion.content))


def _any_fits(messages: frozenset[str], patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(message, pattern) for message in messages for pattern in patterns)


@cache
def _rules(transaction: str) -> frozenset[str]:
    return frozenset(rule.name for each in TRANSACTIONS if each.id == transaction for rule in each.rules)


def _audit_event(content: bytes) -> Iterator[Finding]:
    try:
        read_fhir(json.loads(content))
    except (NotAnAuditEvent, ValueError) as error:
        citation = supplement("RESTful ATNA", "3.20.4.2.2")
        yield Finding(level=Level.SHALL, text=f"It is no AuditEvent: {error}", citation=citation)
