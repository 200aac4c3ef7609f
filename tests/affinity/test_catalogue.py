"""The catalogue reaches every transaction: no two of them hide each other."""

from collections import Counter

import pytest
from lxml.etree import Element

from affinity.catalogue import TRANSACTIONS, AnyTransaction, hl7v2_transactions, soap_endpoints
from ihe.exchange import SOAPReply, SOAPRequest
from ihe.transactions import HL7v2Binding, SOAPBinding
from soap.context import Connection, SOAPContext
from soap.service import Call, SOAPService

ENDPOINTS = soap_endpoints(TRANSACTIONS)
BINDINGS = [
    (path, transaction, binding)
    for path, transactions in ENDPOINTS.items()
    for transaction in transactions
    for binding in transaction.bindings
    if isinstance(binding, SOAPBinding)
]
ENVELOPE = "{http://www.w3.org/2003/05/soap-envelope}"
ADDRESSING = "{http://www.w3.org/2005/08/addressing}"


@pytest.mark.parametrize(("path", "transaction", "binding"), BINDINGS, ids=[each[2].action for each in BINDINGS])
def test_each_action_reaches_its_own_transaction(path: str, transaction: AnyTransaction, binding: SOAPBinding) -> None:
    reached: list[AnyTransaction] = []

    def answer(found: AnyTransaction, request: SOAPRequest, context: SOAPContext) -> SOAPReply:
        reached.append(found)
        return SOAPReply(())

    envelope = Element(f"{ENVELOPE}Envelope")
    header, body = Element(f"{ENVELOPE}Header"), Element(f"{ENVELOPE}Body")
    action = Element(f"{ADDRESSING}Action")
    action.text = binding.action
    header.append(action)
    body.append(Element(binding.request))
    envelope.extend([header, body])
    call = Call(
        root=envelope, packaged=True, correlation_id="1", endpoint=path, connection=Connection(peer="127.0.0.1")
    )
    _, run = SOAPService(ENDPOINTS[path], answer).call(call)
    run()
    assert reached == [transaction]


def test_a_trigger_and_a_version_name_one_transaction() -> None:
    bindings = [each for transaction in hl7v2_transactions(TRANSACTIONS) for each in transaction.bindings]
    named = Counter(
        (trigger, version)
        for binding in bindings
        if isinstance(binding, HL7v2Binding)
        for trigger in binding.triggers
        for version in binding.versions or ("",)
    )
    assert [pair for pair, count in named.items() if count > 1] == []
