"""The assertion of a captured request, made to hold again: times, id, and a signature by a key that is given."""

import re
import uuid
from collections.abc import Callable

from lxml.etree import _Element

from soap.xml import XMLRefused, parse, serialize
from xua.envelope import ASSERTION
from xua.keys import Certificate, PrivateKey
from xua.names import clark
from xua.signature import SIGNATURE, sign

SPAN = re.compile(rb"<(?:([\w.-]+):)?Assertion[\s>].*?</(?:\1:)?Assertion\s*>", re.DOTALL)
DIGEST = re.compile(rb"(DigestValue>)(.)")

Renew = Callable[[_Element], bytes]
"""Makes a new assertion in place of a captured one."""


def renewed(envelope: bytes, renew: Renew, *, broken: bool) -> bytes:
    """The text with another assertion. ``broken``: the captured signature did not hold, and neither will this one."""
    found = SPAN.search(envelope)
    if found is None:
        return envelope
    try:
        old = next(parse(envelope).iter(ASSERTION))
    except (XMLRefused, StopIteration):
        return envelope
    new = renew(parse(serialize(old)))
    if broken:
        new = DIGEST.sub(lambda each: each[1] + (b"B" if each[2] == b"A" else b"A"), new, count=1)
    return envelope[: found.start()] + new + envelope[found.end() :]


def signer(key: PrivateKey, certificate: Certificate, issuer: str | None, audience: str | None) -> Renew:
    """Signs what the captured assertion says; ``issuer`` and ``audience`` None: as captured."""

    def renew(assertion: _Element) -> bytes:
        for signature in assertion.findall(SIGNATURE):
            assertion.remove(signature)
        assertion.set("ID", f"_{uuid.uuid4()}")
        _say(assertion, clark("saml:Issuer"), issuer)
        _say(assertion, clark("saml:Audience"), audience)
        return serialize(sign(assertion, key, certificate))

    return renew


def instead(assertion: _Element) -> Renew:
    """The same assertion for every request, as a token service issued it."""
    spelled = serialize(assertion)
    return lambda _: spelled


def _say(assertion: _Element, tag: str, text: str | None) -> None:
    for each in assertion.iter(tag):
        each.text = text or each.text


def security_ends(envelope: bytes) -> int:
    """Where the security header with an assertion ends; 0 where there is none."""
    return envelope.find(b"Security>", envelope.rfind(b"Assertion>")) if b"Assertion>" in envelope else 0
