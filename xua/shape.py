"""The only form an assertion may have: a white list, checked before any signature (SAML Core 2; XML Signature Core 4).

What is not listed is refused, although much of it is legal SAML: every element that nobody reads is a place to hide
another assertion in. The names are SAML's and XML Signature's; ``content`` is a content model over them.
"""

import re
from dataclasses import dataclass
from itertools import islice

from lxml.etree import QName, _Element

from xua.errors import AssertionRefused, Subcode
from xua.names import HL7, clark

MOST_ELEMENTS = 600

_NAME = re.compile(r"\w+:\w+")


@dataclass(frozen=True, slots=True)
class Shape:
    """The attributes and the content of one element; ``content`` None means text and no element."""

    required: frozenset[str]
    allowed: frozenset[str]
    content: re.Pattern[str] | None


def _names(words: str) -> frozenset[str]:
    return frozenset(clark(word) for word in words.split())


def _text(required: str = "", optional: str = "") -> Shape:
    return Shape(_names(required), _names(f"{required} {optional}"), None)


def _elements(content: str, required: str = "", optional: str = "") -> Shape:
    model = _NAME.sub(lambda name: f"(?:{name[0]};)", content).replace(" ", "")
    return Shape(_names(required), _names(f"{required} {optional}"), re.compile(model))


_NAME_ID = _text(optional="NameQualifier SPNameQualifier Format SPProvidedID")

SHAPES = {
    "saml:Assertion": _elements(
        "saml:Issuer ds:Signature saml:Subject saml:Conditions? (saml:AuthnStatement|saml:AttributeStatement)+",
        required="ID IssueInstant Version",
        optional="xsi:type",
    ),
    "saml:Issuer": _NAME_ID,
    "ds:Signature": _elements("ds:SignedInfo ds:SignatureValue ds:KeyInfo?", optional="Id"),
    "ds:SignedInfo": _elements("ds:CanonicalizationMethod ds:SignatureMethod ds:Reference", optional="Id"),
    "ds:CanonicalizationMethod": _elements("ec:InclusiveNamespaces?", required="Algorithm"),
    "ds:SignatureMethod": _elements("", required="Algorithm"),
    "ds:Reference": _elements("ds:Transforms ds:DigestMethod ds:DigestValue", required="URI", optional="Id"),
    "ds:Transforms": _elements("ds:Transform ds:Transform"),
    "ds:Transform": _elements("ec:InclusiveNamespaces?", required="Algorithm"),
    "ec:InclusiveNamespaces": _elements("", required="PrefixList"),
    "ds:DigestMethod": _elements("", required="Algorithm"),
    "ds:DigestValue": _text(),
    "ds:SignatureValue": _text(optional="Id"),
    "ds:KeyInfo": _elements("(ds:KeyName|ds:KeyValue|ds:X509Data)+", optional="Id"),
    "ds:KeyName": _text(),
    "ds:KeyValue": _elements("(ds:RSAKeyValue|dsig11:ECKeyValue)"),
    "ds:RSAKeyValue": _elements("ds:Modulus ds:Exponent"),
    "ds:Modulus": _text(),
    "ds:Exponent": _text(),
    "dsig11:ECKeyValue": _elements("dsig11:NamedCurve dsig11:PublicKey", optional="Id"),
    "dsig11:NamedCurve": _elements("", required="URI"),
    "dsig11:PublicKey": _text(),
    "ds:X509Data": _elements("(ds:X509Certificate|ds:X509IssuerSerial|ds:X509SubjectName|ds:X509SKI)+"),
    "ds:X509Certificate": _text(),
    "ds:X509SubjectName": _text(),
    "ds:X509SKI": _text(),
    "ds:X509IssuerSerial": _elements("ds:X509IssuerName ds:X509SerialNumber"),
    "ds:X509IssuerName": _text(),
    "ds:X509SerialNumber": _text(),
    # Whether SubjectConfirmation, Conditions and what they hold may be absent says the token profile (``xua.claims``).
    "saml:Subject": _elements("saml:NameID saml:SubjectConfirmation*"),
    "saml:NameID": _NAME_ID,
    # A NameID in here would say that somebody else presents the assertion (SAML Core 2.4.1.1).
    "saml:SubjectConfirmation": _elements("saml:SubjectConfirmationData?", required="Method"),
    "saml:SubjectConfirmationData": _elements(
        "ds:KeyInfo*", optional="NotBefore NotOnOrAfter Recipient InResponseTo xsi:type"
    ),
    "saml:Conditions": _elements(
        "(saml:AudienceRestriction|saml:OneTimeUse|saml:ProxyRestriction)*", optional="NotBefore NotOnOrAfter"
    ),
    "saml:AudienceRestriction": _elements("saml:Audience+"),
    "saml:Audience": _text(),
    "saml:OneTimeUse": _elements(""),
    "saml:ProxyRestriction": _elements("saml:Audience*", optional="Count"),
    "saml:AuthnStatement": _elements(
        "saml:SubjectLocality? saml:AuthnContext",
        required="AuthnInstant",
        optional="SessionIndex SessionNotOnOrAfter",
    ),
    "saml:SubjectLocality": _elements("", optional="Address DNSName"),
    "saml:AuthnContext": _elements(
        "(saml:AuthnContextClassRef saml:AuthnContextDeclRef?|saml:AuthnContextDeclRef) saml:AuthenticatingAuthority*"
    ),
    "saml:AuthnContextClassRef": _text(),
    "saml:AuthnContextDeclRef": _text(),
    "saml:AuthenticatingAuthority": _text(),
    "saml:AttributeStatement": _elements("saml:Attribute+"),
    "saml:Attribute": _elements("saml:AttributeValue*", required="Name", optional="NameFormat FriendlyName"),
}

# Plain text, or one HL7 v3 data type written in attributes alone: CE, II (ITI TF-2: 3.40.4.1.2).
_VALUE = Shape(frozenset(), _names("xsi:type xsi:nil"), re.compile(r"(?:hl7:\w+;)?", re.ASCII))
_HL7_VALUE = Shape(
    frozenset(),
    _names(
        "code codeSystem codeSystemName codeSystemVersion displayName"
        " root extension assigningAuthorityName displayable xsi:type"
    ),
    re.compile(""),
)
_BY_TAG = {clark(name): (name, shape) for name, shape in SHAPES.items()}
_BY_TAG[clark("saml:AttributeValue")] = ("saml:AttributeValue", _VALUE)


def check_shape(assertion: _Element) -> None:
    """Refuse an assertion that is not exactly of the listed form."""
    elements = list(islice(assertion.iter(), MOST_ELEMENTS + 1))
    if len(elements) > MOST_ELEMENTS:
        raise _invalid(f"the assertion has more than {MOST_ELEMENTS} elements")
    for element in elements:
        _check_element(element)


def _check_element(element: _Element) -> None:
    name, shape = _BY_TAG.get(element.tag) or _extension(element.tag)
    given = element.keys()
    if (given or shape.required) and not (shape.required.issubset(given) and shape.allowed.issuperset(given)):
        raise _invalid(f"{name} has the attributes {given[:8]}")
    if shape.content is None:
        if len(element):
            raise _invalid(f"{name} holds elements")
        return
    names, loose = "", element.text or ""
    if len(element):
        for child in element:
            names += (_BY_TAG.get(child.tag) or _extension(child.tag))[0] + ";"
            loose += child.tail or ""
    if shape.content.fullmatch(names) is None:
        raise _invalid(f"{name} holds {names[:200]}")
    if loose and not loose.isspace() and (names or shape is not _VALUE):
        raise _invalid(f"{name} holds text between its elements")


def _extension(tag: str) -> tuple[str, Shape]:
    """The shape of an element that is not listed: a value of HL7, else an extension that we do not understand."""
    name = QName(tag)
    if name.namespace == HL7:
        return f"hl7:{name.localname}", _HL7_VALUE
    raise AssertionRefused(Subcode.UNSUPPORTED_SECURITY_TOKEN, f"the element {tag[:120]} is not supported")


def _invalid(reason: str) -> AssertionRefused:
    return AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, reason)
