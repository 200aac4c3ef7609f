"""What a verified assertion says: who, and under which conditions (SAML Core 2.4 to 2.7; ITI TF-2: 3.40.4.1.2).

Reads nothing but what the signature covered.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml.etree import _Element

from ihe.exchange import Principal
from xua.attributes import read_claims
from xua.errors import AssertionRefused, Subcode
from xua.names import clark
from xua.profiles import REPEATED, ConditionsRule, SubjectRule, TokenProfile
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
    issuer = _first(assertion, "saml:Issuer")
    return "" if issuer is None else issuer.text or ""


def _read(assertion: _Element, issuer: TrustedIssuer) -> Claims:
    if assertion.tag != clark("saml:Assertion") or entity_id(assertion) != issuer.entity_id:
        raise ValueError("what was signed is not an assertion of its issuer")
    if assertion.get("Version") != "2.0":
        raise AssertionRefused(Subcode.UNSUPPORTED_SECURITY_TOKEN, "the assertion is not of SAML 2.0")
    statements = _statements(assertion, issuer.profile.subject)
    issued = _instant(assertion, "IssueInstant")
    instants = (issued, *(_instant(each, "AuthnInstant") for each in statements))
    conditions = _first(assertion, "saml:Conditions")
    return Claims(
        principal=_principal(assertion, issuer),
        period=_validity(conditions, issued, issuer.profile.conditions),
        not_from_future=tuple(instant for instant in instants if instant is not None),
        sessions=tuple(
            Period(not_before=None, not_on_or_after=_instant(each, "SessionNotOnOrAfter")) for each in statements
        ),
        audiences=_audiences(assertion, conditions, issuer.profile.conditions),
        confirmations=_confirmations(assertion, issuer.profile.subject),
    )


def _principal(assertion: _Element, issuer: TrustedIssuer) -> Principal:
    name_id = _child(_child(assertion, "saml:Subject"), "saml:NameID")
    _check_name_id(name_id, issuer.profile.subject)
    return Principal(
        issuer=issuer.entity_id,
        assertion_id=assertion.get("ID", ""),
        name_id=_identifier(name_id.text or ""),
        alias=name_id.get("SPProvidedID"),
        patient_bound=issuer.profile.patient_bound,
        **_claims(assertion, issuer.profile),
    )


def _claims(assertion: _Element, profile: TokenProfile) -> dict[str, Any]:
    """Every claim as its field of the Principal; one value too where a profile holds a field of several to one."""
    read = read_claims(assertion.iter(clark("saml:Attribute")), profile)
    return {claim: _several(claim, value) for claim, value in read.items()}


def _several(claim: str, value: Any) -> Any:
    return (value,) if claim in REPEATED and not isinstance(value, tuple) else value


def _check_name_id(name_id: _Element, rule: SubjectRule) -> None:
    for name, allowed in (("Format", rule.name_id_formats), ("NameQualifier", rule.name_qualifiers)):
        if allowed and name_id.get(name) not in allowed:
            raise ValueError(f"the {name} of the NameID is {name_id.get(name)!r}, none of {sorted(allowed)}")


def _identifier(text: str) -> str:
    """A name is compared as it stands, so white space that nobody sees must not tell two names apart."""
    if not text or text != text.strip() or not text.isprintable():
        raise ValueError("the NameID is empty or holds white space at its ends or control characters")
    return text


def _statements(assertion: _Element, rule: SubjectRule) -> list[_Element]:
    """The AuthnStatements; each names its AuthnContextClassRef or AuthnContextDeclRef (ITI TF-2: 3.40.4.1.2)."""
    statements = list(assertion.iterchildren(clark("saml:AuthnStatement")))
    if not statements:
        raise ValueError("the assertion has no AuthnStatement")
    for statement in statements:
        context = (_child(statement, "saml:AuthnContext")[0].text or "").strip()
        if not context:
            raise ValueError("the AuthnStatement does not say how the person was authenticated")
        if rule.authn_contexts and context not in rule.authn_contexts:
            raise ValueError(f"the authentication context {context[:120]!r} is not accepted")
    return statements


def _validity(conditions: _Element | None, issued: datetime | None, rule: ConditionsRule) -> Period:
    """From NotBefore until NotOnOrAfter, or as long as the profile lets an assertion without end live."""
    period = Period(not_before=None, not_on_or_after=None) if conditions is None else _period(conditions)
    if rule.period_required and (period.not_before is None or period.not_on_or_after is None):
        raise ValueError("Conditions with NotBefore and NotOnOrAfter are missing")
    if rule.lifetime is None or issued is None:
        return period
    if period.not_on_or_after is None:
        return Period(not_before=period.not_before or issued, not_on_or_after=issued + rule.lifetime)
    if period.not_on_or_after - issued > rule.lifetime:
        raise ValueError(f"the assertion is valid for longer than {rule.lifetime_minutes} minutes")
    return period


def _audiences(assertion: _Element, conditions: _Element | None, rule: ConditionsRule) -> tuple[frozenset[str], ...]:
    # OneTimeUse and ProxyRestriction may be ignored (ITI TF-2: 3.40.4.1.2).
    restrictions = () if conditions is None else conditions.iterchildren(clark("saml:AudienceRestriction"))
    named = tuple(frozenset((each.text or "").strip() for each in restriction) for restriction in restrictions)
    if not named and rule.audience_required:
        raise ValueError("the assertion has no AudienceRestriction")
    return named or (_audience_attribute(assertion, rule.audience_attribute),)


def _audience_attribute(assertion: _Element, name: str | None) -> frozenset[str]:
    values = frozenset(
        (value.text or "").strip()
        for attribute in assertion.iter(clark("saml:Attribute"))
        for value in attribute
        if attribute.get("Name") == name
    )
    if not values - {""}:
        raise ValueError(f"neither an AudienceRestriction nor the attribute {name} says for whom the assertion is")
    return values


def _confirmations(assertion: _Element, rule: SubjectRule) -> tuple[SubjectConfirmation, ...]:
    found = tuple(_confirmation(each) for each in assertion.iter(clark("saml:SubjectConfirmation")))
    if not found and rule.confirmation_required:
        raise ValueError("the Subject has no SubjectConfirmation")
    return found


def _confirmation(confirmation: _Element) -> SubjectConfirmation:
    data = _first(confirmation, "saml:SubjectConfirmationData")
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


def _first(element: _Element, name: str) -> _Element | None:
    """The first child of that name; lxml's paths take several times as long to find it."""
    return next(element.iterchildren(clark(name)), None)


def _child(element: _Element, name: str) -> _Element:
    child = _first(element, name)
    if child is None:
        raise ValueError(f"{name} is missing")
    return child
