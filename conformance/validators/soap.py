"""SOAP envelopes: version, shape, WS-Addressing, the assertion in the header, and the payload (ITI TF-2: V)."""

from collections.abc import Iterator, Mapping
from functools import cache

from lxml.etree import QName, _Element

from conformance.catalogue import Level
from conformance.findings import Finding
from conformance.kinds import HL7V3, PAYLOADS
from conformance.validators import ebxml, saml, v3
from conformance.validators.context import Context
from ihe.citations import tf2
from ihe.exchange import Part
from soap.addressing import read_addressing
from soap.envelope import FAULT, Envelope, open_envelope
from soap.faults import SOAPFault
from soap.names import WSA
from xua.envelope import ASSERTION

RELATES_TO = f"{{{WSA}}}RelatesTo"
MESSAGE_ID = f"{{{WSA}}}MessageID"


def validate(
    root: _Element, context: Context, parts: Mapping[str, Part] | None = None
) -> tuple[str | None, tuple[Finding, ...]]:
    """The id of the transaction, and what is wrong with envelope and payload. ``parts`` None: not looked at."""
    try:
        envelope = open_envelope(root)
    except SOAPFault as fault:
        return None, (_refused(fault, "Envelope"),)
    action, found = _addressing(envelope)
    if envelope.security is not None and next(envelope.security.iter(ASSERTION), None) is not None:
        found += saml.in_envelope(root)
    if envelope.body.tag == FAULT:
        return None, tuple(found)
    if action and action not in _actions():
        return None, (*found, _beyond(action))
    transaction, wrong = payload(envelope.body, context, action, parts)
    if envelope.body.tag in PAYLOADS:
        found += _unnamed(envelope, is_answer=transaction is None)
    return transaction, (*found, *wrong)


def payload(
    body: _Element, context: Context, action: str = "", parts: Mapping[str, Part] | None = None
) -> tuple[str | None, tuple[Finding, ...]]:
    """What is wrong with the one element of a Body."""
    if QName(body).namespace == HL7V3:
        return v3.validate(body, context, action)
    if body.tag not in PAYLOADS:
        return None, (ebxml.unknown(body),)
    return ebxml.validate(body, context, action, parts)


def _addressing(envelope: Envelope) -> tuple[str, list[Finding]]:
    try:
        addressing = read_addressing(envelope.headers)
    except SOAPFault as fault:
        return "", [_refused(fault, "Envelope/Header")]
    return addressing.action, [*_wrong_action(envelope.body, addressing.action)]


def _wrong_action(body: _Element, action: str) -> Iterator[Finding]:
    expected = _actions().get(action)
    if expected is not None and body.tag not in (expected, FAULT):
        yield Finding(
            level=Level.SHALL,
            text="The action of the header is not that of the payload",
            location="Envelope/Header/Action",
            observed=f"{action} with {body.tag}",
            expected=expected,
            citation=tf2("V.3.2.2"),
        )


@cache
def _actions() -> dict[str, str]:
    """The payload of each action, of requests and of answers."""
    asked = {binding.action: binding.request for _, binding in ebxml.requests()}
    return asked | {binding.reply_action: binding.reply for _, binding in ebxml.requests()}


def _beyond(action: str) -> Finding:
    return Finding(
        level=Level.MAY,
        text="No transaction that is known here has this action: the payload was not looked at",
        location="Envelope/Header/Action",
        observed=action,
    )


def _unnamed(envelope: Envelope, *, is_answer: bool) -> list[Finding]:
    """An answer names the message that it answers; a request can only be answered so if it has an id."""
    wanted, what = (RELATES_TO, "An answer has RelatesTo") if is_answer else (MESSAGE_ID, "A request has MessageID")
    if any(header.tag == wanted for header in envelope.headers):
        return []
    level = Level.SHALL if is_answer else Level.SHOULD
    return [Finding(level=level, text=what, location="Envelope/Header", citation=tf2("V.3.2.2"))]


def _refused(fault: SOAPFault, location: str) -> Finding:
    return Finding(level=Level.SHALL, text=fault.reason, location=location, code=str(fault.code))
