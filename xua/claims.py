"""What a verified assertion says: who, and under which conditions (SAML Core 2.4 to 2.7; ITI TF-2: 3.40.4.1.2).

Reads nothing but what the signature covered.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime

from lxml.etree import _Element

from ihe.exchange import Principal
from xua.attributes import read_claims
from xua.errors import AssertionRefused, Subcode
from xua.names import clark
from xua.times import parse_instant
from xua.trust import TrustedIssuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From ``not_before`` until before ``not_on_or_after``; None where the issuer set no bound."""

    not_before: datetime | None
    not_on_or_after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectConfirmation:
    """How the presenter shows that the assertion may be used: the method, its period, the keys of a holder-of-key."""

    method: str
    period: Period
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """A principal and the conditions under which it may be believed; none of them is judged here.

    ``audiences`` holds one set per AudienceRestriction. ``not_from_future`` are the instants that lie in the past of an
    honest assertion; ``sessions`` end when the person logs out at the issuer.
    """

    principal: Principal
    period: Period
    not_from_future: tuple[datetime, ...]
    sessions: tuple[Period, ...]
    audiences: tuple[frozenset[str], ...]
    confirmations: tuple[SubjectConfirmation, ...]


def read_assertion(signed: _Element, issuer: TrustedIssuer) -> Claims:
    """Read a verified assertion as it was signed. AssertionRefused where it breaks ITI TF-2: 3.40."""
    try:
        return _read(signed, issuer)
    except ValueError as error:
        raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, str(error)) from error


def entity_id(assertion: _Element) -> str:
    """The issuer's name, exactly as written: SAML compares it character by character (SAML Core 8.3.6)."""
    return assertion.findtext(clark("saml:Issuer"), "")


def _read(assertion: _Element, issuer: TrustedIssuer) -> Claims:
    if assertion.tag != clark("saml:Assertion") or entity_id(assertion) != issuer.entity_id:
        raise ValueError("what was signed is not an assertion of its issuer")
    if assertion.get("Version") != "2.0":
        raise AssertionRefused(Subcode.UNSUPPORTED_SECURITY_TOKEN, "the assertion is not of SAML 2.0")
    statements = assertion.findall(clark("saml:AuthnStatement"))
    if not statements:
        raise ValueError("the assertion has no AuthnStatement")
    for statement in statements:
        _check_context(statement)
    conditions = _child(assertion, "saml:Conditions")
    instants = [_instant(assertion, "IssueInstant")] + [_instant(each, "AuthnInstant") for each in statements]
    return Claims(
        principal=_principal(assertion, issuer),
        period=_period(conditions),
        not_from_future=tuple(instant for instant in instants if instant is not None),
        sessions=tuple(
            Period(not_before=None, not_on_or_after=_instant(each, "SessionNotOnOrAfter")) for each in statements
        ),
        audiences=_audiences(conditions),
        confirmations=tuple(_confirmation(each) for each in assertion.iter(clark("saml:SubjectConfirmation"))),
    )


def _principal(assertion: _Element, issuer: TrustedIssuer) -> Principal:
    attributes = list(assertion.iter(clark("saml:Attribute")))
    names = {attribute.get("Name", "") for attribute in attributes}
    missing = issuer.profile.required - names
    if missing:
        raise ValueError(f"{issuer.profile.name} demands the attributes {sorted(missing)}")
    name_id = _child(_child(assertion, "saml:Subject"), "saml:NameID")
    return Principal(
        issuer=issuer.entity_id,
        assertion_id=assertion.get("ID", ""),
        name_id=_identifier(name_id.text or ""),
        alias=name_id.get("SPProvidedID"),
        **read_claims(attributes),
    )


def _identifier(text: str) -> str:
    """A name is compared as it stands, so white space that nobody sees must not tell two names apart."""
    if not text or text != text.strip() or not text.isprintable():
        raise ValueError("the NameID is empty or holds white space at its ends or control characters")
    return text


def _check_context(statement: _Element) -> None:
    """AuthnContextClassRef or AuthnContextDeclRef is named (ITI TF-2: 3.40.4.1.2)."""
    context = _child(statement, "saml:AuthnContext")
    if not (context[0].text or "").strip():
        raise ValueError("the AuthnStatement does not say how the person was authenticated")


def _audiences(conditions: _Element) -> tuple[frozenset[str], ...]:
    restrictions = conditions.findall(clark("saml:AudienceRestriction"))
    if not restrictions:
        raise ValueError("the assertion has no AudienceRestriction")
    # OneTimeUse and ProxyRestriction may be ignored (ITI TF-2: 3.40.4.1.2).
    return tuple(frozenset((each.text or "").strip() for each in restriction) for restriction in restrictions)


def _confirmation(confirmation: _Element) -> SubjectConfirmation:
    data = confirmation.find(clark("saml:SubjectConfirmationData"))
    bounds = confirmation if data is None else data
    keys = confirmation.iter(clark("ds:X509Certificate"))
    return SubjectConfirmation(
        method=confirmation.get("Method", ""),
        period=_period(bounds),
        certificates=tuple(b64decode(key.text or "") for key in keys),
    )


def _period(element: _Element) -> Period:
    return Period(not_before=_instant(element, "NotBefore"), not_on_or_after=_instant(element, "NotOnOrAfter"))


def _instant(element: _Element, name: str) -> datetime | None:
    value = element.get(name)
    try:
        return None if value is None else parse_instant(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _child(element: _Element, name: str) -> _Element:
    child = element.find(clark(name))
    if child is None:
        raise ValueError(f"{name} is missing")
    return child
