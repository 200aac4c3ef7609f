"""HL7 v3 payloads of PIXV3 and PDQV3: content, wrapper, and what the interaction asks (ITI TF-2: 3.44 to 3.47, O)."""

from collections.abc import Iterator
from dataclasses import replace

from lxml.etree import _Element

from conformance.findings import Finding, of_breach
from conformance.validators.content import deviations, untold
from conformance.validators.context import Context
from conformance.validators.ebxml import answered, transaction_of
from conformance.validators.v3_rules import RULES
from conformance.validators.v3_wrapping import ADVICE
from ihe.citations import tf2
from ihe.errors import Breach, Rejected, Severity
from ihe.exchange import SOAPRequest
from ihe.rules import breaches
from pix.v3_elements import name_of


def validate(body: _Element, context: Context, action: str = "") -> tuple[str | None, tuple[Finding, ...]]:
    """The id of the transaction of a request, and what is wrong with it."""
    transaction = transaction_of(body, context, action)
    name = transaction.id if transaction else None
    about = name or answered(body)
    found = [*_breaches(body)]
    if transaction is not None:
        try:
            transaction.decode(SOAPRequest(body))
        except Rejected as rejected:
            found += rejected.breaches
    wrong = tuple(of_breach(each, about) for each in found)
    return name, (*wrong, *untold(deviations(body, "hl7v3", tf2("Q")), wrong))


def _breaches(body: _Element) -> Iterator[Breach]:
    yield from breaches(body, RULES.get(name_of(body), ()))
    advice = breaches(body, ADVICE)
    yield from (replace(each, severity=Severity.WARNING) for each in advice)
