"""The SOAP 1.2 envelope of a request: its shape, its version, and what it says must be understood (SOAP 1.2 Part 1: 5).

ITI TF-2: V.3.2 (IHE-WSP215) asks for SOAP 1.2 alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lxml.etree import QName, _Element

from soap.faults import FaultCode, SOAPFault, sender_fault
from soap.names import SOAP11, SOAP12, WSA, WSSE
from soap.xml import escape

ENVELOPE = f"{{{SOAP12}}}Envelope"
HEADER = f"{{{SOAP12}}}Header"
BODY = f"{{{SOAP12}}}Body"
FAULT = f"{{{SOAP12}}}Fault"
SECURITY = f"{{{WSSE}}}Security"

_ROLE = f"{{{SOAP12}}}role"
_MUST_UNDERSTAND = f"{{{SOAP12}}}mustUnderstand"
_ENCODING_STYLE = f"{{{SOAP12}}}encodingStyle"
_OUR_ROLES = frozenset({None, "", f"{SOAP12}/role/next", f"{SOAP12}/role/ultimateReceiver"})
_UNDERSTOOD = frozenset({SECURITY}) | {
    f"{{{WSA}}}{name}"
    for name in ("Action", "MessageID", "To", "From", "ReplyTo", "FaultTo", "RelatesTo", "ReferenceParameters")
}
_UPGRADE = (
    b'<env:Upgrade xmlns:env="%b"><env:SupportedEnvelope qname="soap12:Envelope" xmlns:soap12="%b"/></env:Upgrade>'
) % (SOAP12.encode(), SOAP12.encode())


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope in its tree: the header blocks meant for us, and the one child of the Body."""

    root: _Element
    headers: tuple[_Element, ...]
    body: _Element

    @property
    def security(self) -> _Element | None:
        """The wsse:Security block, untouched in its tree; more than one for our role is a fault of the sender."""
        found = [header for header in self.headers if header.tag == SECURITY]
        if len(found) > 1:
            raise sender_fault("There are two wsse:Security headers for one role (WS-Security 1.0: 5)")
        return found[0] if found else None


def open_envelope(root: _Element) -> Envelope:
    """Check version, shape and mustUnderstand, in the order of SOAP 1.2 Part 1, section 2.6, or raise SOAPFault."""
    if root.tag != ENVELOPE:
        raise _no_envelope(root)
    header, body = _children(root)
    headers = tuple([block for block in header if block.get(_ROLE) in _OUR_ROLES]) if header is not None else ()
    _understand(headers)
    return Envelope(root, headers, _payload(body))


def version_mismatch(what: str) -> SOAPFault:
    """The refusal of another SOAP version, with the Upgrade header that names ours (SOAP 1.2 Part 1: 5.4.7)."""
    reason = f"{what}; IHE transactions use SOAP 1.2, media type application/soap+xml (ITI TF-2: V.3.2, IHE-WSP215)"
    return SOAPFault(FaultCode.VERSION_MISMATCH, reason, header=_UPGRADE)


def _no_envelope(root: _Element) -> SOAPFault:
    name = QName(root)
    if name.localname != "Envelope":
        return sender_fault(f"The root element is {name.text}; it must be a SOAP 1.2 Envelope")
    version = "SOAP 1.1" if name.namespace == SOAP11 else f"of the namespace {name.namespace}"
    return version_mismatch(f"The envelope is {version}")


def _children(root: _Element) -> tuple[_Element | None, _Element]:
    """An Envelope holds an optional Header and one Body, in this order, and nothing else (SOAP 1.2 Part 1: 5.1)."""
    match list(root):
        case [body] if body.tag == BODY:
            return None, body
        case [header, body] if (header.tag, body.tag) == (HEADER, BODY):
            return header, body
    raise sender_fault("The Envelope must hold an optional soap:Header, one soap:Body, and nothing else")


def _payload(body: _Element) -> _Element:
    if len(body) != 1:
        raise sender_fault(f"The soap:Body holds {len(body)} elements; an IHE request holds exactly one")
    payload = body[0]
    style = payload.get(_ENCODING_STYLE)
    if style not in (None, f"{SOAP12}/encoding/none"):
        raise SOAPFault(FaultCode.DATA_ENCODING_UNKNOWN, "The payload must be literal; encodingStyle is not understood")
    return payload


def _understand(headers: Iterable[_Element]) -> None:
    """Name every block that must be understood and is not (SOAP 1.2 Part 1: 5.4.8)."""
    strange = [
        QName(block)
        for block in headers
        if block.tag not in _UNDERSTOOD and block.get(_MUST_UNDERSTAND, "").strip() in ("1", "true")
    ]
    if strange:
        names = ", ".join(name.text for name in strange)
        raise SOAPFault(
            FaultCode.MUST_UNDERSTAND,
            f"These headers must be understood and are not: {names}",
            header=b"".join(_not_understood(name) for name in strange),
        )


def _not_understood(name: QName) -> bytes:
    block = b'<soap:NotUnderstood qname="x:%b" xmlns:x="%b"/>'
    return block % (escape(name.localname), escape(name.namespace or ""))
