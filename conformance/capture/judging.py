"""What is wrong with a captured message: the validators, told of a document by its digest and size alone."""

from datetime import UTC, datetime

from conformance.capture.recorded import Message, header
from conformance.kinds import Kind, NotRecognised
from conformance.validating import Report, validate
from conformance.validators import http
from conformance.validators.context import Context
from soap.xml import XMLRefused, parse
from xua.envelope import ASSERTION, cut_out
from xua.errors import AssertionRefused
from xua.keys import load_shown_certificate
from xua.names import clark
from xua.signature import SIGNATURE, verify_signature

JUDGED = ("application/soap+xml", "multipart/related", "text/xml")
CERTIFICATE = f".//{clark('ds:X509Certificate')}"


def judge(message: Message, context: Context) -> Report | None:
    """Validate one message; None: it is of no kind that is validated (a WSDL, a page for people)."""
    if not message.head:
        return _judged(message.text.content(), context)
    content_type = header(message.head, "content-type")
    if not content_type.lower().startswith(JUDGED):
        return None
    transaction, findings = http.validate_body(content_type, message.body(), context)
    return Report(kind=Kind.HTTP, transaction=transaction, findings=findings)


def _judged(content: bytes, context: Context) -> Report | None:
    try:
        return validate(content, context)
    except NotRecognised:
        return None


def signature(message: Message) -> str:
    """``valid`` or ``broken``: whether the assertion of a request agrees with the certificate beside it; else empty."""
    text = message.text.content()
    if b"Assertion" not in text:
        return ""
    try:
        found = next(parse(_envelope(text)).iter(ASSERTION), None)
    except XMLRefused:
        return ""
    if found is None or found.find(SIGNATURE) is None:
        return ""
    return "valid" if _agrees(cut_out(found)) else "broken"


def _envelope(text: bytes) -> bytes:
    """The XML of a message, without the MIME around it."""
    end = text.rfind(b"Envelope>")
    begin = text.find(b"<?xml")
    first = text.find(b"Envelope")
    begin = begin if 0 <= begin < first else text.rfind(b"<", 0, first)
    return text[begin : end + len(b"Envelope>")]


def _agrees(assertion: bytes) -> bool:
    root = parse(assertion)
    encoded = root.findtext(CERTIFICATE)
    if encoded is None:
        return True
    try:
        certificate = load_shown_certificate(encoded)
        verify_signature(root, [certificate], max(datetime.now(UTC), certificate.not_valid_before_utc))
    except (AssertionRefused, ValueError, IndexError):
        return False
    return True
