"""What a simulator has answered: accepted, or refused and why, in any of the transactions."""

from lxml.etree import _Element

from affinity.client.hl7_answers import acknowledgement
from affinity.client.responses import verdict
from conformance.exchanges import Exchange, Payload, Wire
from conformance.simulators.reading import unpack
from hl7v2.er7 import Malformed, NotHL7, parse
from ihe.errors import Rejected
from pix.v3_elements import attribute, child, children, words
from soap.client import NoAnswer
from soap.envelope import BODY, FAULT
from soap.faults import SOAPFault
from soap.xml import XMLRefused
from soap.xml import parse as parse_xml

ACCEPTED = frozenset({"AA", "CA"})


def refusal(exchange: Exchange) -> str:
    """Why the request was not accepted; empty if it was, or if its wire has no answers."""
    if exchange.wire is Wire.SYSLOG:
        return ""
    if exchange.answer is None:
        return exchange.failure or "it was not answered"
    return _of_message(exchange.answer) if exchange.wire is Wire.MLLP else _of_http(exchange.answer)


def _of_message(answer: Payload) -> str:
    try:
        told = acknowledgement(parse(answer.content))
    except (NotHL7, Malformed, Rejected) as error:
        return f"the answer cannot be read: {error}"
    return "" if told.accepted else f"{told.code}: {'; '.join(map(str, told.errors)) or told.text}"


def _of_http(answer: Payload) -> str:
    status = answer.start_line.split(" ", 2)[1]
    if "soap+xml" not in answer.header("Content-Type") and "related" not in answer.header("Content-Type"):
        return "" if status.startswith("2") else f"HTTP {status}"
    try:
        package = unpack(answer, {})
        body = parse_xml(package.envelope, encoding=package.charset).find(BODY)
    except (SOAPFault, XMLRefused) as error:
        return f"the answer cannot be read: {error}"
    content = body[0] if body is not None and len(body) else None
    if content is None or content.tag == FAULT:
        return f"a SOAP Fault: {words(content)}" if content is not None else "an empty Body"
    code = attribute(content, "acknowledgement/typeCode", "code")
    if code is not None:
        told = "; ".join(map(words, children(child(content, "acknowledgement"), "acknowledgementDetail")))
        return "" if code in ACCEPTED else f"{code}: {told}"
    return _of_registry(content)


def _of_registry(content: _Element) -> str:
    try:
        told = verdict(content)
    except NoAnswer:
        return ""  # an assertion, say: an answer without a status is no refusal
    return "" if told.succeeded else f"{told.status}: {'; '.join(map(str, told.errors))}"
