"""The comparisons of an APPC policy and what they mean here (ITI Suppl. APPC: 5.6.2.1.3 to 5.6.2.1.7)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from lxml.etree import QName, _Element

from consent.statements import (
    ALWAYS,
    ATTRIBUTES,
    Access,
    Attribute,
    Condition,
    InstanceIdentifier,
    Kind,
    Period,
    Value,
    unsupported,
)
from consent.xacml import APPC, EQUALITIES, FUNCTION, HL7, Conjunction, Findings, Match, shortened
from ihe.datatypes import CX, Code
from ihe.identifiers import is_oid

PATIENT_ID = "urn:ihe:iti:ser:2016:patient-id"
RESOURCE_TYPE = "urn:ihe:iti:appc:2016:resource-type"
DOCUMENT_ENTRY = "urn:ihe:iti:appc:2016:document-entry"
ACTION_ID = "urn:oasis:names:tc:xacml:1.0:action:action-id"
ENVIRONMENT = "urn:oasis:names:tc:xacml:1.0:environment:"
XML_TYPE = "http://www.w3.org/2001/XMLSchema#"
NAMES_OF_ACCESS = {
    Access.READ: frozenset(
        {"urn:ihe:iti:2007:RegistryStoredQueryResponse", "urn:ihe:iti:2007:RetrieveDocumentSetResponse"}
    ),
    Access.WRITE: frozenset(
        {"urn:ihe:iti:2007:RegisterDocumentSet-b", "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"}
    ),
}
"""What an act must name: for readers the list of documents and the documents belong together (5.6.2.1.6.1)."""
BESIDE = frozenset(
    {
        "urn:ihe:iti:2007:CrossGatewayQueryResponse",
        "urn:ihe:iti:2007:CrossGatewayRetrieveResponse",
        "urn:ihe:iti:2009:MultiPatientStoredQueryResponse",
        "urn:ihe:iti:2010:RegisterOnDemandDocumentEntry",
        "urn:ihe:rad:2009:RetrieveImagingDocumentSetResponse",
        "urn:ihe:rad:2011:CrossGatewayRetrieveImagingDocumentSetResponse",
    }
)
"""Other actions of the table, which may stand beside those of an act and change nothing of it."""
COMPARISONS = {
    "equal": (0, 1),
    "less-than-or-equal": (0, None),
    "less-than": (1, None),
    "greater-than-or-equal": (None, 1),
    "greater-than": (None, 0),
}
"""``value FUNCTION now``: how many units after the value the period starts, and how many before which it ends."""
NAMED = {Kind.STRING, Kind.URI, Kind.IDENTIFIER}
"""Types in which published consents spell one identifier or another (divergence: the tables fix one for each)."""


def conditions(matches: Conjunction, findings: Findings) -> frozenset[Condition]:
    """What matches ask of the one who asks and of a document; the patient is asked for elsewhere."""
    found = [_condition(each, findings) for each in matches]
    return frozenset(each for each in found if each)


def patient(match: Match) -> CX | None:
    """The patient that a match names; None if it names none."""
    if match.attribute != PATIENT_ID or EQUALITIES.get(match.function) is not Kind.IDENTIFIER:
        return None
    value = _identifier(match.value)
    return value.cx if value and value.extension else None


def access(
    alternatives: Iterable[Conjunction], effect: str, location: _Element, findings: Findings
) -> frozenset[Access]:
    """The acts of a rule: each named as a whole, for half of one could only be granted or denied as a whole."""
    named = frozenset().union(*(_actions(each, findings) for each in alternatives))
    found = frozenset(act for act, uris in NAMES_OF_ACCESS.items() if uris <= named)
    covered = frozenset().union(BESIDE if found else (), *(NAMES_OF_ACCESS[act] for act in found))
    if left := named - covered:
        text = f"A rule that {effect} names every action of reading, or of writing, by its URI (5.6.2.1.6.1)"
        findings.refuse(location, text, ", ".join(sorted(left)), " or ".join(map(_listed, NAMES_OF_ACCESS.values())))
    return found


def period(matches: Conjunction, findings: Findings) -> Period:
    """The time in which all matches hold; times without a zone are UTC."""
    found = ALWAYS
    for match in matches:
        found = found.within(_compared(match, findings))
    return found


def _listed(uris: Iterable[str]) -> str:
    return " and ".join(sorted(uris))


def _condition(match: Match, findings: Findings) -> Condition | None:
    if match.attribute == PATIENT_ID and patient(match):
        return None
    if match.attribute == RESOURCE_TYPE and (match.value.text or "").strip() == DOCUMENT_ENTRY:
        return None
    attribute = ATTRIBUTES.get(match.attribute)
    if attribute is None:
        _refuse(match, "Access can be decided by this attribute", match.attribute, findings)
        return None
    value = _typed_value(match, attribute, findings)
    return Condition(attribute, value) if value else None


def _typed_value(match: Match, attribute: Attribute, findings: Findings) -> Value | None:
    kind = EQUALITIES.get(match.function)
    if kind is None or kind.value != match.data_type:
        text = "An attribute is compared by the equality of its data type (5.6.2.1.3)"
        _refuse(match, text, f"{match.function} of {match.data_type}", findings)
        return None
    if kind is not attribute.kind and not {kind, attribute.kind} <= NAMED:
        _refuse(match, f"The data type of this attribute is {attribute.kind.value}", match.data_type, findings)
        return None
    value = _value(match.value, kind)
    if not value:
        _refuse(match, "A value is whole", match.attribute, findings)
    return value


def _refuse(match: Match, text: str, observed: str, findings: Findings) -> None:
    findings.breaches.append(unsupported(text, match.location, APPC, shortened(observed)))


def _value(element: _Element, kind: Kind) -> Value | None:
    if kind is Kind.CODE:
        return _code(element)
    return _identifier(element) if kind is Kind.IDENTIFIER else None if len(element) else (element.text or "").strip()


def _only(element: _Element, name: str, attributes: frozenset[str]) -> _Element | None:
    """The one child, if it is what it should be and has no attribute that could change its meaning."""
    children = list(element)
    if len(children) != 1 or QName(children[0]) != QName(HL7, name) or not attributes >= set(children[0].attrib):
        return None
    return children[0]


def _code(element: _Element) -> Code | None:
    says = {"code", "codeSystem", "codeSystemName", "codeSystemVersion", "displayName"}
    value = _only(element, "CodedValue", frozenset(says))
    code, scheme = (value.get("code", ""), value.get("codeSystem", "")) if value is not None else ("", "")
    return Code(code, scheme, value.get("displayName", "")) if value is not None and code and is_oid(scheme) else None


def _identifier(element: _Element) -> InstanceIdentifier | None:
    says = {"root", "extension", "assigningAuthorityName", "displayable"}
    value = _only(element, "InstanceIdentifier", frozenset(says))
    if value is None or not is_oid(value.get("root", "")):
        return None
    return InstanceIdentifier(value.get("root", ""), value.get("extension", ""))


def _actions(matches: Conjunction, findings: Findings) -> frozenset[str]:
    """The action that a conjunction names: two at once are never done."""
    found = set()
    for match in matches:
        if match.attribute != ACTION_ID or EQUALITIES.get(match.function) is not Kind.URI:
            _refuse(match, "An action is named by its action-id (5.6.2.1.6.1)", match.attribute, findings)
        found.add((match.value.text or "").strip())
    if len(found) > 1:
        _refuse(matches[0], "One action at a time", ", ".join(sorted(found)), findings)
    return frozenset(found)


def _compared(match: Match, findings: Findings) -> Period:
    for kind, unit in (("dateTime", timedelta(microseconds=1)), ("date", timedelta(days=1))):
        comparison = match.function.removeprefix(f"{FUNCTION}{kind}-")
        if (match.attribute, match.data_type) == (f"{ENVIRONMENT}current-{kind}", XML_TYPE + kind):
            moment = _moment((match.value.text or "").strip(), kind)
            if comparison in COMPARISONS and moment:
                start, end = COMPARISONS[comparison]
                return Period(_moved(moment, start, unit), _moved(moment, end, unit))
    _refuse(
        match, "A time limit compares the current date or dateTime", f"{match.function} {match.attribute}", findings
    )
    return ALWAYS


def _moved(moment: datetime, units: int | None, unit: timedelta) -> datetime | None:
    return None if units is None else moment + units * unit


def _moment(text: str, kind: str) -> datetime | None:
    try:
        if kind == "date":
            return datetime.combine(date.fromisoformat(text.removesuffix("Z")), datetime.min.time(), UTC)
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
