"""FHIR Consent: what is written is read again; what one side cannot say is refused (FHIR R4: 6.2)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import fhir_reading, fhir_writing
from consent.statements import (
    ALWAYS,
    Access,
    Attribute,
    Condition,
    ConsentDocument,
    Effect,
    InstanceIdentifier,
    Period,
    PolicyId,
    Statement,
)
from ihe.datatypes import CX, HD, Code
from ihe.errors import ErrorCode, Rejected

PATIENT = CX("L-1", HD("", "1.3.6.1.4.1.21367.13.20.3000", "ISO"))
oids = st.from_regex(r"[12]\.[1-9][0-9]{0,5}(\.[1-9][0-9]{0,5}){0,3}", fullmatch=True)
words = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)
schemes = oids | st.sampled_from(("http://loinc.org", "http://snomed.info/sct"))
codes = st.builds(Code, words, schemes, words | st.just(""))
identifiers = st.builds(InstanceIdentifier, oids, words | st.just(""))
unique_ids = oids | st.builds("{}^{}".format, oids, words)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
whole = moments.map(lambda moment: moment.replace(microsecond=0))


def conditions(attribute: Attribute, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    return st.builds(Condition, st.just(attribute), values)


ACTORS = st.one_of(
    conditions(Attribute.ORGANIZATION_ID, words | identifiers),
    conditions(Attribute.NPI, words | identifiers),
    conditions(Attribute.USER_ID, words | identifiers),
    conditions(Attribute.ROLE, codes),
)
OTHERS = {
    Attribute.PURPOSE_OF_USE: codes,
    Attribute.CONFIDENTIALITY_CODE: codes,
    Attribute.CLASS_CODE: codes,
    Attribute.TYPE_CODE: codes,
    Attribute.UNIQUE_ID: unique_ids,
}


@st.composite
def said(draw: st.DrawFn) -> frozenset[Condition]:
    one = draw(st.none() | ACTORS)
    rest = [draw(st.none() | conditions(attribute, values)) for attribute, values in OTHERS.items()]
    return frozenset(each for each in (one, *rest) if each)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = draw(st.none() | moments)
    length = draw(st.none() | st.timedeltas(timedelta(microseconds=2), timedelta(days=9999)))
    if length is None:
        return Period(start, None)
    return Period(start, (start or draw(whole)) + length)


statements = st.builds(
    Statement,
    rule=st.sampled_from(Effect),
    conditions=said(),
    access=st.sampled_from([frozenset({Access.READ}), frozenset({Access.WRITE}), frozenset(Access)]),
    period=periods(),
)
policies = st.builds(PolicyId, words, oids | st.just(""))


@st.composite
def documents(draw: st.DrawFn) -> ConsentDocument:
    named = [Statement(rule=each) for each in draw(st.lists(policies, max_size=2, unique=True))]
    in_full = draw(st.lists(statements, min_size=0 if named else 1, max_size=4))
    return ConsentDocument(
        id=draw(words),
        patients=(PATIENT,),
        statements=(*named, *in_full),
        description=" ".join(draw(st.lists(words, max_size=3))),
        written=draw(st.none() | moments),
    )


def displays(document: ConsentDocument) -> list[str]:
    values = [each.value for one in document.statements for each in one.conditions]
    return sorted(value.display for value in values if isinstance(value, Code))


@given(document=documents())
def test_what_is_written_is_read_again(document: ConsentDocument) -> None:
    again = fhir_reading.read(json.dumps(fhir_writing.write(document)).encode())
    assert again == document
    assert displays(again) == displays(document), "names of codes, which equality passes over"


def good() -> dict[str, Any]:
    hospital = Condition(Attribute.ORGANIZATION_ID, "urn:oid:2.999.2.1")
    rule = Statement(rule=Effect.DENY, conditions=frozenset({hospital}))
    return fhir_writing.write(ConsentDocument(id="7", patients=(PATIENT,), statements=(rule,)))


def read(resource: dict[str, Any]) -> ConsentDocument:
    return fhir_reading.read(json.dumps(resource).encode())


def nested(change: dict[str, Any]) -> dict[str, Any]:
    resource = good()
    resource["provision"]["provision"][0] |= change
    return resource


ORGANIZATION = {"type": "Organization", "identifier": {"value": "A"}}
REFUSED = {
    "not JSON": (b"{", "Consent"),
    "a text that no database takes": (json.dumps(good() | {"language": "\0"}).encode(), "Consent"),
    "deep": (b"[" * 100_000, "Consent"),
    "another resource": (good() | {"resourceType": "Patient"}, "Consent.resourceType"),
    "a draft": (good() | {"status": "draft"}, "Consent.status"),
    "a modifier": (good() | {"modifierExtension": []}, "Consent.modifierExtension"),
    "implicit rules": (good() | {"implicitRules": "urn:x"}, "Consent.implicitRules"),
    "research": (
        good()
        | {"scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}},
        "Consent.scope",
    ),
    "a patient by URL": (good() | {"patient": {"reference": "Patient/1"}}, "Consent.patient.identifier"),
    "a patient without authority": (good() | {"patient": {"identifier": {"value": "1"}}}, "Consent.patient"),
    "nothing said": (good() | {"provision": {}}, "Consent.provision"),
    "a rule without type": (nested({"type": None}), "Consent.provision.provision.0.type"),
    "an exception of an exception": (nested({"provision": []}), "Consent.provision.provision.0.provision"),
    "when data were made": (nested({"dataPeriod": {}}), "Consent.provision.provision.0.dataPeriod"),
    "related documents": (
        nested({"data": [{"meaning": "related", "reference": {"identifier": {"value": "1"}}}]}),
        "Consent.provision.provision.0.data.0.meaning",
    ),
    "a group": (
        nested({"actor": [{"reference": {"type": "Group", "identifier": {"value": "1"}}}]}),
        "Consent.provision.provision.0.actor.reference.type",
    ),
    "an action for correction": (
        nested(
            {
                "action": [
                    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "correct"}]}
                ]
            }
        ),
        "Consent.provision.provision.0.action",
    ),
    "no action": (nested({"action": []}), "Consent.provision.provision.0.action"),
    "a date that is none": (nested({"period": {"end": "31.12.2026"}}), "Consent.provision.provision.0.period.end"),
    "permissions in a denial": (
        good()
        | {"provision": {"type": "deny", "provision": [{"type": "permit", "actor": [{"reference": ORGANIZATION}]}]}},
        "Consent.provision.provision.0",
    ),
    "combinations": (
        nested({name: [{"system": "s", "code": str(n)} for n in range(23)] for name in ("purpose", "securityLabel")}),
        "Consent.provision.provision.0",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_to_is_refused_with_its_path(name: str) -> None:
    resource, path = REFUSED[name]
    data = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    with pytest.raises(Rejected) as caught:
        fhir_reading.read(data)
    assert caught.value.codes == {ErrorCode.INVALID_DOCUMENT_CONTENT}
    assert path in [each.location for each in caught.value.breaches]


def test_a_permission_with_exceptions_is_both_and_the_exception_outweighs() -> None:
    """As IHE's Privacy Consent on FHIR writes it: the root permits, the provisions below deny."""
    resource = good()
    resource["provision"] |= {"type": "permit", "period": {"start": "2026-01-01"}}
    start = Period(datetime(2026, 1, 1, tzinfo=UTC), None)
    rules = {(each.rule, len(each.conditions), each.period) for each in read(resource).statements}
    assert rules == {(Effect.PERMIT, 0, start), (Effect.DENY, 1, start)}


def test_the_default_rule_is_a_policy_of_the_domain() -> None:
    act_code = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    resource = good() | {"policyRule": {"coding": [{"system": act_code, "code": "OPTOUT"}]}}
    assert read(resource).statements[0] == Statement(rule=PolicyId("OPTOUT", act_code), period=ALWAYS)


def test_a_day_ends_with_its_last_moment() -> None:
    (statement,) = read(nested({"period": {"end": "2026-12-31"}})).statements
    assert statement.period.end == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "attribute", [Attribute.HOME_COMMUNITY_ID, Attribute.AUTHOR_INSTITUTION_ID, Attribute.RELATED_FOLDER_CODE]
)
def test_what_fhir_cannot_say_is_not_left_out(attribute: Attribute) -> None:
    rule = Statement(rule=Effect.PERMIT, conditions=frozenset({Condition(attribute, "x")}))
    with pytest.raises(Rejected) as caught:
        fhir_writing.write(ConsentDocument(id="7", patients=(PATIENT,), statements=(rule,)))
    assert caught.value.breaches[0].observed == attribute.name.lower()
