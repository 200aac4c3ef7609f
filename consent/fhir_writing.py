"""From statements to a FHIR R4 Consent (FHIR R4: 6.2). What FHIR cannot say is refused, not left out."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Any

from consent.fhir_table import (
    ACTIONS,
    ACTORS,
    CODINGS,
    CONSENT_ACTION,
    R4,
    SCOPE,
    document_of,
    identifier_of,
    system_of,
)
from consent.fhir_times import inclusive_end
from consent.statements import (
    ALWAYS,
    EVERY_ACCESS,
    Attribute,
    Condition,
    ConsentDocument,
    Effect,
    Period,
    PolicyId,
    Statement,
    Value,
    unsupported,
)
from ihe.datatypes import CX, Code
from ihe.errors import Rejected

Plain = dict[str, Any]
PARTICIPANT = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
CATEGORY = {"coding": [{"system": "http://loinc.org", "code": "57016-8"}]}


def write(document: ConsentDocument) -> Plain:
    """Make a Consent of one patient, or raise Rejected with what it cannot say."""
    if len(document.patients) != 1:
        raise Rejected(unsupported("A FHIR Consent is written under one patient id", "Consent.patient", R4))
    return {
        "resourceType": "Consent",
        **({"text": _narrative(document.description)} if document.description else {}),
        **({"identifier": [{"value": document.id}]} if document.id else {}),
        "status": "active",
        "scope": {"coding": [{"system": SCOPE[0], "code": SCOPE[1]}]},
        "category": [CATEGORY],
        "patient": _patient(document.patients[0]),
        **({"dateTime": _instant(document.written)} if document.written else {}),
        **_rules(document.statements),
    }


def _rules(statements: Iterable[Statement]) -> Plain:
    """Policies by their ids beside the provision; what is said in full within it."""
    by_id = [each for each in statements if isinstance(each.rule, PolicyId)]
    in_full = [each for each in statements if isinstance(each.rule, Effect)]
    around = by_id[0].period if by_id else ALWAYS
    for each in by_id:
        if each.conditions or each.access != EVERY_ACCESS or each.period != around:
            raise Rejected(_beyond("A policy that is named by its id applies as a whole", "Consent.policy", each))
    for each in in_full:
        if each.period.within(around) != each.period:
            raise Rejected(_beyond("A rule applies within the period of the policies", "Consent.provision", each))
    provision = {**_period(around), **({"provision": [_rule(each) for each in in_full]} if in_full else {})}
    return {**_policies([each.rule for each in by_id if isinstance(each.rule, PolicyId)]), "provision": provision}


def _policies(policies: Iterable[PolicyId]) -> Plain:
    named = list(policies)
    rules = [each for each in named if "//" in each.scheme]
    if len(rules) > 1:
        raise Rejected(unsupported("A FHIR Consent has one policyRule", "Consent.policyRule", R4))
    by_uri: list[Plain] = [
        {"uri": each.id, **({"authority": system_of(each.scheme)} if each.scheme else {})}
        for each in named
        if each not in rules
    ]
    rule = [{"coding": [{"system": each.scheme, "code": each.id}]} for each in rules]
    return {**({"policy": by_uri} if by_uri else {}), **({"policyRule": rule[0]} if rule else {})}


def _rule(statement: Statement) -> Plain:
    rule: Plain = {"type": statement.rule.value if isinstance(statement.rule, Effect) else None}
    rule |= _period(statement.period)
    if statement.access != EVERY_ACCESS:
        codes = sorted(ACTIONS[act] for act in statement.access)
        rule["action"] = [{"coding": [{"system": CONSENT_ACTION, "code": code}]} for code in codes]
    for condition in sorted(statement.conditions, key=str):
        name, value = _element(condition)
        if name in rule:
            raise Rejected(
                _beyond("A provision asks one thing of an attribute", f"Consent.provision.{name}", statement)
            )
        rule[name] = [value]
    return rule


def _element(condition: Condition) -> tuple[str, Plain]:
    """The element of a provision that says a condition, and what it holds."""
    attribute, value = condition.attribute, condition.value
    if attribute in ACTORS:
        return "actor", {"role": PARTICIPANT, "reference": _reference(ACTORS[attribute], value)}
    if attribute in CODINGS and isinstance(value, Code):
        return CODINGS[attribute], _coding(value)
    if attribute is Attribute.TYPE_CODE and isinstance(value, Code):
        return "code", {"coding": [_coding(value)]}
    if attribute is Attribute.UNIQUE_ID and isinstance(value, str):
        system, text = document_of(value)
        identifier = {"system": system, "value": text}
        return "data", {"meaning": "instance", "reference": {"type": "DocumentReference", "identifier": identifier}}
    text = "A FHIR Consent says this of the one who asks, or of a document"
    raise Rejected(unsupported(text, "Consent.provision", R4, observed=attribute.name.lower()))


def _reference(type_: str, value: Value) -> Plain:
    system, text = identifier_of(value)
    display = {"display": value.display} if isinstance(value, Code) and value.display else {}
    return {"type": type_, "identifier": {**({"system": system} if system else {}), "value": text}, **display}


def _coding(code: Code) -> Plain:
    return {
        "system": system_of(code.scheme),
        "code": code.code,
        **({"display": code.display} if code.display else {}),
    }


def _patient(patient: CX) -> Plain:
    return {"identifier": {"system": system_of(patient.authority.universal_id), "value": patient.id}}


def _period(period: Period) -> Plain:
    bounds = {}
    if period.start:
        bounds["start"] = _instant(period.start)
    if period.end:
        bounds["end"] = inclusive_end(period.end)
    return {"period": bounds} if bounds else {}


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _narrative(description: str) -> Plain:
    return {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(description)}</div>'}


def _beyond(text: str, location: str, statement: Statement) -> Any:
    asked = ", ".join(sorted(map(str, statement.conditions)))
    return unsupported(text, location, R4, observed=asked or str(statement.rule))
