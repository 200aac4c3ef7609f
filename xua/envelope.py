"""Where the assertion stands in a SOAP message: Envelope/Header/Security/Assertion, once (ITI TF-2: 3.40.4.1.2).

Signature wrapping lives on a verifier and a reader that look for "the" assertion in different places. Here it has one
place, and a message with a second one anywhere is refused.
"""

from dataclasses import dataclass
from datetime import datetime

from lxml.etree import Comment, Entity, ProcessingInstruction, QName, _Element

from soap.xml import serialize
from xua.errors import AssertionRefused, Subcode
from xua.names import SAML, SOAP, WSSE, WSU
from xua.times import parse_instant

LARGEST_ASSERTION = 64 * 1024

ENVELOPE = f"{{{SOAP}}}Envelope"
HEADER = f"{{{SOAP}}}Header"
SECURITY = f"{{{WSSE}}}Security"
ASSERTION = f"{{{SAML}}}Assertion"
ENCRYPTED_ASSERTION = f"{{{SAML}}}EncryptedAssertion"
TIMESTAMP = f"{{{WSU}}}Timestamp"
ROLE = f"{{{SOAP}}}role"

# A header for another role is for an intermediary; this node is where the message ends (SOAP 1.2 Part 1, 2.2).
OUR_ROLES = (f"{SOAP}/role/ultimateReceiver", f"{SOAP}/role/next")


@dataclass(frozen=True, slots=True)
class Security:
    """The security header of a message: the assertion in its place, and when the message was made and expires."""

    assertion: _Element
    created: datetime | None = None
    expires: datetime | None = None


def find_security(envelope: _Element) -> Security | None:
    """Find the assertion at its exact path; None where the message holds neither a security header nor an assertion.

    AssertionRefused where either stands elsewhere, is repeated, or comes with something that is not understood.
    """
    found = list(envelope.iter(SECURITY, ASSERTION, ENCRYPTED_ASSERTION))
    if not found:
        return None
    if [element.tag for element in found] != [SECURITY, ASSERTION]:
        raise _invalid(f"expected one Security header with one Assertion, found {_local_names(found)}")
    security, assertion = found
    _refuse_elsewhere(envelope, security, assertion)
    _refuse_foreign_role(security)
    created, expires = _timestamp(security)
    return Security(assertion, created, expires)


def cut_out(assertion: _Element) -> bytes:
    """Spell the assertion as a document of its own, with the namespaces that were in scope around it."""
    for node in assertion.iter(Comment, ProcessingInstruction, Entity):
        # Exclusive canonicalization skips comments: one inside a name would cut it short under a valid signature.
        raise _invalid(f"the assertion holds a comment, processing instruction or entity: {type(node).__name__}")
    document = serialize(assertion)
    if len(document) > LARGEST_ASSERTION:
        raise _invalid(f"the assertion has {len(document)} bytes; at most {LARGEST_ASSERTION} are read")
    return document


def security_header(assertion: _Element) -> bytes:
    """Spell the header element that carries an assertion, for those who send.

    Spliced, because moving an element into another tree may rename its prefixes and so break its signature.
    """
    begin = f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:env="{SOAP}" env:mustUnderstand="1">'
    return begin.encode() + serialize(assertion) + b"</wsse:Security>"


def _refuse_elsewhere(envelope: _Element, security: _Element, assertion: _Element) -> None:
    header = security.getparent()
    if header is None:
        raise _invalid("the message is a security header without an envelope")
    if (
        (envelope.tag, header.tag) != (ENVELOPE, HEADER)
        or header.getparent() is not envelope
        or assertion.getparent() is not security
    ):
        raise _invalid("the assertion does not stand at Envelope/Header/Security/Assertion")
    if len(envelope.findall(HEADER)) != 1:
        raise _invalid("the envelope has several headers")


def _refuse_foreign_role(security: _Element) -> None:
    if security.get(ROLE, OUR_ROLES[0]) not in OUR_ROLES:
        raise _invalid("the security header is meant for another role")


def _timestamp(security: _Element) -> tuple[datetime | None, datetime | None]:
    """Read Created and Expires (WSS SOAP Message Security 10); refuse every other companion of the assertion.

    What this node does not process it must not pass over in silence: a message signature or a second token would look
    checked to the sender.
    """
    companions = [child for child in security if child.tag != ASSERTION]
    for unknown in (child for child in companions if child.tag != TIMESTAMP):
        raise AssertionRefused(Subcode.UNSUPPORTED_SECURITY_TOKEN, f"the security header holds {QName(unknown).text}")
    if len(companions) > 1:
        raise _invalid("the security header has several timestamps")
    return (_instant(companions[0], "Created"), _instant(companions[0], "Expires")) if companions else (None, None)


def _instant(timestamp: _Element, name: str) -> datetime | None:
    values = timestamp.findall(f"{{{WSU}}}{name}")
    if not values:
        return None
    try:
        return parse_instant("".join(value.text or "" for value in values).strip())
    except ValueError as error:
        raise _invalid(f"{name} of the timestamp: {error}") from error


def _local_names(elements: list[_Element]) -> str:
    return ", ".join(QName(element).localname for element in elements[:10])


def _invalid(reason: str) -> AssertionRefused:
    return AssertionRefused(Subcode.INVALID_SECURITY, reason)
