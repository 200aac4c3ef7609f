"""What kind of message some bytes are, by their first words and their root element."""

import re
from dataclasses import dataclass
from enum import StrEnum

from lxml.etree import QName, _Element

from affinity.catalogue import TRANSACTIONS
from ihe.transactions import SOAPBinding
from mllp.framing import END, START
from soap.xml import XMLRefused, parse

HTTP_HEAD = re.compile(
    rb"(?:[A-Z]+ \S+ HTTP/1\.[01]\r?\n|HTTP/1\.[01] \d{3}|Content-Type:|MIME-Version:)", re.IGNORECASE
)
SYSLOG = re.compile(rb"(?:\d{1,7} )?<\d{1,3}>")
SOAP_ENVELOPES = frozenset(
    f"{{{namespace}}}Envelope"
    for namespace in ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")
)
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
HL7V3 = "urn:hl7-org:v3"
PAYLOADS = frozenset(
    name
    for each in TRANSACTIONS
    for binding in each.bindings
    if isinstance(binding, SOAPBinding)
    for name in (binding.request, binding.reply)
)
"""What stands in the Body of a request or of an answer."""


class Kind(StrEnum):
    """What is validated; the value is the name that people read."""

    HL7V2 = "HL7 v2 message"
    HTTP = "HTTP message"
    SOAP = "SOAP envelope"
    EBXML = "ebXML payload"
    HL7V3 = "HL7 v3 payload"
    CDA = "CDA document"
    SAML = "SAML assertion"
    AUDIT = "audit message"
    SYSLOG = "syslog message"


@dataclass(frozen=True, slots=True)
class Recognised:
    """A kind, the bytes without what was only wrapped around them, and their tree if they are XML."""

    kind: Kind
    data: bytes
    root: _Element | None = None


class NotRecognised(ValueError):
    """Nothing that can be validated here; the text says what the bytes look like."""


def recognise(data: bytes) -> Recognised:
    """Find out what some bytes are. NotRecognised for none of the kinds, and for XML that must not be read."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n\0")
    if start.startswith(START):
        start = start[1:].split(END)[0]
    if start.startswith(b"MSH"):
        return Recognised(Kind.HL7V2, start)
    if HTTP_HEAD.match(start) or start.startswith(b"--"):
        return Recognised(Kind.HTTP, start)
    if SYSLOG.match(start):
        return Recognised(Kind.SYSLOG, start)
    if start.startswith(b"<"):
        return _xml(start)
    raise NotRecognised("it begins neither as HL7 v2 (MSH), nor as XML, an HTTP message or a syslog message")


def _xml(data: bytes) -> Recognised:
    try:
        root = parse(data)
    except XMLRefused as error:
        raise NotRecognised(f"it looks like XML, but {error}") from error
    kind = _kind(root)
    if kind is None:
        raise NotRecognised(f"there is no validator for the element {root.tag}")
    return Recognised(kind, data, root)


def _kind(root: _Element) -> Kind | None:
    name = QName(root)
    namespace, local = name.namespace or "", name.localname
    if root.tag in SOAP_ENVELOPES:
        return Kind.SOAP
    if namespace == HL7V3:
        return Kind.CDA if local == "ClinicalDocument" else Kind.HL7V3
    if root.tag in PAYLOADS:
        return Kind.EBXML
    if next(root.iter(f"{{{SAML}}}Assertion"), None) is not None:
        return Kind.SAML
    return Kind.AUDIT if local == "AuditMessage" else None
