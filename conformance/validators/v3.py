"""HL7 v3 payloads of PIXV3 and PDQV3: the wrapper, and what the interaction asks (ITI TF-2: 3.44 to 3.47, O)."""

from lxml.etree import _Element

from conformance.findings import Finding, of_breach
from conformance.validators.context import Context
from conformance.validators.ebxml import transaction_of
from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.rules import breaches
from pix.v3_elements import child
from pix.v3_wrappers import WRAPPER_RULES


def validate(body: _Element, context: Context, action: str = "") -> tuple[str | None, tuple[Finding, ...]]:
    """The id of the transaction of a request, and what is wrong with it; of an answer the wrapper is looked at."""
    transaction = transaction_of(body, context, action)
    if transaction is None:
        rules = WRAPPER_RULES if child(body, "controlActProcess") is not None else ()
        return None, tuple(map(of_breach, breaches(body, rules)))
    try:
        transaction.decode(SOAPRequest(body))
    except Rejected as rejected:
        return transaction.id, tuple(of_breach(each, transaction.id) for each in rejected.breaches)
    return transaction.id, ()
