"""ebXML payloads: submissions, updates, removals, stored queries, retrievals, and their answers (ITI TF-3: 4.2)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from lxml.etree import QName, _Element

from affinity.catalogue import TRANSACTIONS, AnyTransaction
from conformance.catalogue import Level
from conformance.findings import Finding, of_breach
from conformance.validators.context import ANYWHERE, Context
from conformance.validators.ebxml_answers import (
    ADHOC_QUERY_RESPONSE,
    REGISTRY_RESPONSE,
    RETRIEVED,
    STATUS_ADVICE,
    STATUS_RULES,
    submissions_succeed_or_fail,
)
from conformance.validators.query_answers import QUERY_ANSWER_RULES
from conformance.validators.retrieved import RETRIEVAL_RULES, package_breaches
from ihe.errors import Breach, Rejected, Severity
from ihe.exchange import Part, SOAPRequest
from ihe.rules import Rule, breaches
from ihe.transactions import SOAPBinding
from xds.attributes import Sender
from xds.ebrim import Decoded, decode_objects
from xds.fragments import RIM
from xds.iti41 import DocumentSet
from xds.rules import all_breaches

SENDERS: Mapping[str, Sender] = {
    "ITI-41": Sender.XDS_DOCUMENT_SOURCE,
    "ITI-42": Sender.XDS_DOCUMENT_REPOSITORY,
    "ITI-61": Sender.XDS_ON_DEMAND_SOURCE,
}
"""Whose column of ITI TF-3: Table 4.3.1-3 counts."""
OF_ANSWERS: Mapping[str, tuple[Rule[_Element], ...]] = {
    ADHOC_QUERY_RESPONSE: QUERY_ANSWER_RULES,
    RETRIEVED: RETRIEVAL_RULES,
    REGISTRY_RESPONSE: (submissions_succeed_or_fail,),
}
"""What is asked of an answer beside its status and errors."""
MOST = 200
"""No report of one answer names more: the first are what a person mends."""


def transaction_of(body: _Element, context: Context, action: str = "") -> AnyTransaction | None:
    """The transaction of a request, by its action where several have the same body element; None for an answer.

    Without an action the first counts that can read it: a query of ITI-51 is none of ITI-18.
    """
    found = [(each, binding) for each, binding in requests() if binding.request == body.tag]
    named = [each for each, binding in found if binding.action == action or each.id == context.transaction]
    candidates = [each for each, _ in found]
    readable = (each for each in candidates if len(candidates) > 1 and _reads(each, body))
    return next(iter(named), None) or next(readable, None) or next(iter(candidates), None)


def _reads(transaction: AnyTransaction, body: _Element) -> bool:
    try:
        transaction.decode(SOAPRequest(body))
    except Rejected:
        return False
    return True


def answered(body: _Element, action: str = "") -> str | None:
    """The id of the transaction that a payload answers; None if several do. A bare query's answer is of ITI-18."""
    replies = ((each.id, binding) for each, binding in requests() if binding.reply == body.tag)
    found = dict.fromkeys(name for name, binding in replies if action in ("", binding.reply_action))
    return next(iter(found)) if len(found) == 1 or (found and body.tag == ADHOC_QUERY_RESPONSE) else None


def requests() -> Iterator[tuple[AnyTransaction, SOAPBinding]]:
    """Every SOAP binding with its transaction."""
    for each in TRANSACTIONS:
        yield from ((each, binding) for binding in each.bindings if isinstance(binding, SOAPBinding))


def validate(
    body: _Element, context: Context, action: str = "", parts: Mapping[str, Part] | None = None
) -> tuple[str | None, tuple[Finding, ...]]:
    """The id of the payload's transaction, and what is wrong with it. ``parts`` None: documents are not judged."""
    transaction = transaction_of(body, context, action)
    if transaction is None:
        about = answered(body, action)
        return None, tuple(of_breach(each, about) for each in islice(_answer(body, parts), MOST))
    found = tuple(_request(transaction, SOAPRequest(body, parts or {}), context, documents=parts is not None))
    return transaction.id, tuple(of_breach(each, transaction.id) for each in found)


def _request(transaction: AnyTransaction, wire: SOAPRequest, context: Context, *, documents: bool) -> Iterator[Breach]:
    try:
        read = transaction.decode(wire)
    except Rejected as rejected:
        yield from rejected.breaches
        return
    if isinstance(read, DocumentSet):
        yield from _submission(transaction.id, read.metadata, context)
        submission = read.metadata.submission
        if documents and submission is not None:
            yield from read.attachments.breaches(
                {each.entry_uuid: each.unique_id for each in submission.document_entries}
            )
    elif isinstance(read, Decoded):
        yield from _submission(transaction.id, read, context)


def _submission(transaction: str, decoded: Decoded, context: Context) -> Iterator[Breach]:
    sender = SENDERS.get(transaction)
    if sender is None:  # an update: what it may hold depends on what the registry has
        yield from decoded.breaches
    else:
        yield from all_breaches(decoded, sender, context.domain or ANYWHERE)


def _answer(body: _Element, parts: Mapping[str, Part] | None) -> Iterator[Breach]:
    """Status, errors, and what was returned (ITI TF-3: 4.2.4)."""
    unread = [each for objects in body.iter(f"{{{RIM}}}RegistryObjectList") for each in decode_objects(objects)[1]]
    places = {each.location for each in unread}  # what cannot be read is not missing as well
    found = breaches(body, (*STATUS_RULES, *OF_ANSWERS.get(str(body.tag), ())))
    yield from (each for each in found if each.location not in places)
    yield from unread
    yield from (replace(each, severity=Severity.WARNING) for each in breaches(body, STATUS_ADVICE))
    if body.tag == RETRIEVED and parts is not None:
        yield from package_breaches(body, parts)


def unknown(body: _Element) -> Finding:
    """A payload that neither asks nor answers anything of Document Sharing."""
    return Finding(
        level=Level.MAY,
        text="The payload is of no transaction that is known here: it was not looked at",
        location=QName(body).text,
    )
