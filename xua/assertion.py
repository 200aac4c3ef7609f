"""Write an X-User Assertion as ITI TF-2: 3.40.4.1.2 profiles it, not yet signed."""

from dataclasses import dataclass
from datetime import datetime

from lxml.etree import Element, SubElement, _Element

from ihe.datatypes import Code
from xua.names import BEARER, HL7, SAML, XSI, clark
from xua.people import Person
from xua.profiles import AttributeRule
from xua.times import format_instant
from xua.trust import IHE_XUA

PASSWORD_OVER_TLS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
URI_NAMES = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAssertion:
    """Everything that one assertion will say. ``authenticated_by`` None leaves out the AuthnStatement."""

    id: str
    issuer: str
    issue_instant: datetime
    not_before: datetime
    not_on_or_after: datetime
    audience: str
    person: Person
    resource_id: str | None = None
    home_community_id: str | None = None
    authenticated_by: str | None = PASSWORD_OVER_TLS
    more_roles: tuple[Code, ...] = ()
    more_purposes: tuple[Code, ...] = ()


def write(user: UserAssertion) -> _Element:
    """Build the Assertion element."""
    nsmap = {"saml2": SAML, "xsi": XSI}
    assertion = Element(clark("saml:Assertion"), nsmap=nsmap)
    assertion.attrib.update({"ID": user.id, "IssueInstant": format_instant(user.issue_instant), "Version": "2.0"})
    _add(assertion, "Issuer", user.issuer)
    _add_subject(assertion, user)
    _add_conditions(assertion, user)
    if user.authenticated_by is not None:
        statement = _add(assertion, "AuthnStatement", AuthnInstant=format_instant(user.issue_instant))
        _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", user.authenticated_by)
    _add_attributes(assertion, user)
    return assertion


def _add(parent: _Element, name: str, text: str | None = None, **attributes: str) -> _Element:
    child = SubElement(parent, clark(f"saml:{name}"), attributes)
    child.text = text
    return child


def _add_subject(assertion: _Element, user: UserAssertion) -> None:
    subject = _add(assertion, "Subject")
    _add(subject, "NameID", user.person.name_id, Format=PERSISTENT)
    confirmation = _add(subject, "SubjectConfirmation", Method=BEARER)
    _add(confirmation, "SubjectConfirmationData", NotOnOrAfter=format_instant(user.not_on_or_after))


def _add_conditions(assertion: _Element, user: UserAssertion) -> None:
    begin, end = format_instant(user.not_before), format_instant(user.not_on_or_after)
    conditions = _add(assertion, "Conditions", NotBefore=begin, NotOnOrAfter=end)
    _add(_add(conditions, "AudienceRestriction"), "Audience", user.audience)


def _add_attributes(assertion: _Element, user: UserAssertion) -> None:
    """One Attribute for each claim that is known, in the order of the table that readers use."""
    person = user.person
    known: dict[str, tuple[str | Code | None, ...]] = {
        "subject_id": (person.name,),
        "organization": (person.organization,),
        "organization_id": (person.organization_id,),
        "roles": (person.role, *user.more_roles),
        "purpose_of_use": (person.purpose_of_use, *user.more_purposes),
        "home_community_id": (user.home_community_id,),
        "resource_id": (user.resource_id,),
        "npi": (person.npi,),
    }
    statement = _add(assertion, "AttributeStatement")
    for claim, values in known.items():
        rule = IHE_XUA.by_claim[claim]
        if any(values):
            _add_values(_add(statement, "Attribute", Name=rule.name, NameFormat=URI_NAMES), rule, values)


def _add_values(attribute: _Element, rule: AttributeRule, values: tuple[str | Code | None, ...]) -> None:
    for value in values:
        if isinstance(value, Code):
            _add_code(attribute, rule.element or "", value)
        elif value is not None:
            _add(attribute, "AttributeValue", value)


def _add_code(attribute: _Element, element: str, value: Code) -> None:
    ce = SubElement(_add(attribute, "AttributeValue"), clark(element), nsmap={"hl7": HL7})
    ce.attrib[f"{{{XSI}}}type"] = "hl7:CE"
    ce.attrib.update({"code": value.code, "codeSystem": value.scheme, "displayName": value.display})
