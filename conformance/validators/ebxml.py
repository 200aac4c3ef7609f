"""ebXML payloads: submissions, updates, removals, stored queries, retrievals, and their answers (ITI TF-3: 4.2)."""

from collections.abc import Iterator, Mapping

from lxml.etree import QName, _Element

from affinity.catalogue import TRANSACTIONS, AnyTransaction
from conformance.catalogue import Level
from conformance.findings import Finding, of_breach
from conformance.validators.context import ANYWHERE, Context
from ihe.citations import tf3
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Part, SOAPRequest
from ihe.transactions import SOAPBinding
from xds.attributes import Sender
from xds.ebrim import Decoded, decode_objects
from xds.fragments import RIM
from xds.iti41 import DocumentSet
from xds.responses import RS, ResponseStatus
from xds.rules import all_breaches

SENDERS: Mapping[str, Sender] = {
    "ITI-41": Sender.XDS_DOCUMENT_SOURCE,
    "ITI-42": Sender.XDS_DOCUMENT_REPOSITORY,
    "ITI-61": Sender.XDS_ON_DEMAND_SOURCE,
}
"""Whose column of ITI TF-3: Table 4.3.1-3 counts."""
STATUSES = frozenset(each.value for each in ResponseStatus)
ERROR_CODES = frozenset(each.value for each in ErrorCode)


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
    """The id of the transaction that a payload answers; None if several have this answer."""
    found = {
        each.id for each, binding in requests() if binding.reply == body.tag and action in ("", binding.reply_action)
    }
    return next(iter(found)) if len(found) == 1 else None


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
        return None, tuple(map(of_breach, _answer(body)))
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


def _answer(body: _Element) -> Iterator[Breach]:
    """Status, errors and objects of an answer (ITI TF-3: 4.2.4)."""
    response = body if body.get("status") else next(body.iter(f"{{{RS}}}RegistryResponse"), body)
    status = response.get("status", "")
    if status not in STATUSES:
        yield _wrong("An answer has one of the statuses of ebRS", "@status", status, ", ".join(sorted(STATUSES)))
    errors = list(response.iter(f"{{{RS}}}RegistryError"))
    if status == ResponseStatus.FAILURE.value and not errors:
        yield _wrong("An answer that fails says why in a RegistryError", "RegistryErrorList", "", "a RegistryError")
    for number, error in enumerate(errors, 1):
        yield from _error(number, error)
    for objects in body.iter(f"{{{RIM}}}RegistryObjectList"):
        yield from decode_objects(objects)[1]


def _error(number: int, error: _Element) -> Iterator[Breach]:
    where = f"RegistryError[{number}]"
    if error.get("errorCode") not in ERROR_CODES:
        yield _wrong(
            "An error code is one of ITI TF-3: Table 4.2.4.1-2", f"{where}/@errorCode", error.get("errorCode", ""), ""
        )
    if not error.get("codeContext"):
        yield _wrong("A RegistryError has a codeContext for people", f"{where}/@codeContext", "", "a sentence")


def _wrong(text: str, location: str, observed: str, expected: str) -> Breach:
    return Breach(
        code=ErrorCode.REGISTRY_ERROR,
        text=text,
        location=location,
        observed=observed or None,
        expected=expected or None,
        citation=tf3("4.2.4"),
    )


def unknown(body: _Element) -> Finding:
    """A payload that neither asks nor answers anything of Document Sharing."""
    return Finding(
        level=Level.MAY,
        text="The payload is of no transaction that is known here: it was not looked at",
        location=QName(body).text,
    )
