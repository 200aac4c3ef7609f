"""Privacy Consent Documents: every published sample has its verdict, and no condition is lost (ITI Suppl. APPC)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from consent import appc
from consent.statements import Access, Attribute, Condition, Effect, Period, PolicyId, Statement
from ihe.datatypes import CX, HD, Code
from ihe.errors import ErrorCode, Rejected

GOOD = (Path(__file__).parent / "appc.xml").read_text()
SCHEMA = "IHE/APPC/ihe-appc-xacml-combined-schema-1.0.xsd"
HOSPITAL = Condition(Attribute.ORGANIZATION_ID, "urn:oid:2.999.2.1")
DENIED = Statement(rule=Effect.DENY, conditions=frozenset({HOSPITAL}))
FOREIGN = "The root of a Privacy Consent Document is one XACML 2.0 PolicySet"

VERDICTS = {
    # What a referenced policy means is the domain's to say, so that these read, and take effect if it is known.
    "APPC-consent/ihe_use-case-1-facility-specific_v4.xml": "1 statement, urn:example:policy:extensive-access",
    # Three people, for a folder and for the documents in it: six alternatives.
    "APPC-consent/ihe_use-case-2-episode-of-care_v4.xml": "6 statements, urn:example:policy:episode-of-care",
    "APPC-consent/ihe_use-case-3-collect-from-location_v4.xml": "2 statements, permit",
    "APPC-consent/ihe_use-case-5-blacklist-org_v5.xml": "1 statement, urn:example:policy:deny-access",
    # Questions to decision points and their answers; none is a consent, though some hold policies.
    "XACML-policy/hieos_request-denyConfidentialityCode.xml": FOREIGN,
    "XACML-policy/hieos_request-permitEmergency.xml": FOREIGN,
    "XACML-policy/ihe_XACMLAuthorizationDecisionQuery_Request.xml": FOREIGN,
    "XACML-policy/ipf_add-request-ppq.xml": FOREIGN,
    "XACML-policy/ipf_chadr-request-1.xml": FOREIGN,
    "XACML-policy/ipf_chadr-response-1.xml": FOREIGN,
    "XACML-policy/ipf_iti79-request-1.xml": FOREIGN,
    "XACML-policy/ipf_iti79-response-1.xml": FOREIGN,
    "XACML-policy/ipf_query-per-patient-id.xml": FOREIGN,
    "XACML-policy/ipf_query-response.xml": FOREIGN,
}
WITHIN = {
    # The policies inside: they name the patient by attributes that APPC does not have.
    "XACML-policy/ipf_add-request-ppq.xml": {"urn:e-health-suisse:2015:epr-spid"},
    "XACML-policy/ipf_query-response.xml": {
        "urn:ihe:iti:xds-b:2007:patient-id",
        "urn:ihe-d:cookbook:2013:resource-type",
        "urn:ihe:iti:xds-b:2007:document-entry:format-code",
    },
}


def verdict(data: bytes) -> str:
    try:
        document = appc.read(data)
    except Rejected as rejected:
        assert rejected.codes == {ErrorCode.INVALID_DOCUMENT_CONTENT}
        return rejected.breaches[0].text
    rules = {each.rule.id if isinstance(each.rule, PolicyId) else each.rule.value for each in document.statements}
    count = len(document.statements)
    return f"{count} statement{'s'[: count > 1]}, {', '.join(rules)}"


def test_every_sample_has_its_verdict(shared: Path) -> None:
    folders = ("APPC-consent", "XACML-policy")
    samples = [each for name in folders for each in sorted((shared / "samples" / name).glob("*.xml"))]
    assert {f"{each.parent.name}/{each.name}": verdict(each.read_bytes()) for each in samples} == VERDICTS


@pytest.mark.parametrize("name", sorted(WITHIN))
def test_what_a_policy_of_another_scheme_asks_is_named(shared: Path, name: str) -> None:
    root = etree.fromstring((shared / "samples" / name).read_bytes())
    inner = next(root.iter("{urn:oasis:names:tc:xacml:2.0:policy:schema:os}PolicySet"))
    with pytest.raises(Rejected) as caught:
        appc.read(etree.tostring(inner))
    assert WITHIN[name] <= {each.observed for each in caught.value.breaches}


def test_the_golden_consent_is_valid_and_read_as_it_says(shared: Path) -> None:
    etree.XMLSchema(etree.parse(shared / "schemas" / SCHEMA)).assertValid(etree.fromstring(GOOD))
    document = appc.read(GOOD.encode())
    assert document.patients == (CX("78", HD("", "2.999.1", "ISO")),)
    assert document.statements == (DENIED,)


def changed(old: str, new: str, count: int = 1) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, count).encode()


EMPTY_RULE = '<Rule RuleId="urn:uuid:9a8575d5-fc15-4d9a-87e8-955624dea03c" Effect="Deny"><Target/></Rule>'
URI = "http://www.w3.org/2001/XMLSchema#anyURI"


def rule(target: str = "", after: str = "", effect: str = "Permit", attributes: str = "") -> str:
    return f'<Rule RuleId="a" Effect="{effect}"{attributes}><Target>{target}</Target>{after}</Rule>'


def match(section: str, function: str, data_type: str, attribute: str, value: str, more: str = "") -> str:
    return (
        f'<{section}s><{section}><{section}Match MatchId="{function}">'
        f'<AttributeValue DataType="{data_type}">{value}</AttributeValue>'
        f'<{section}AttributeDesignator DataType="{data_type}" AttributeId="{attribute}"{more}/>'
        f"</{section}Match></{section}></{section}s>"
    )


def environment(function: str, kind: str, value: str) -> str:
    name = f"urn:oasis:names:tc:xacml:1.0:function:{kind}-{function}"
    attribute = f"urn:oasis:names:tc:xacml:1.0:environment:current-{kind}"
    return match("Environment", name, f"http://www.w3.org/2001/XMLSchema#{kind}", attribute, value)


def coded(attribute: str, code: str = "N", scheme: str = "2.16.840.1.113883.5.25", more: str = "") -> str:
    value = f'<hl7:CodedValue code="{code}" codeSystem="{scheme}"{more}/>'
    return match("Resource", "urn:hl7-org:v3:function:CV-equal", "urn:hl7-org:v3#CV", attribute, value)


def action(*uris: str) -> str:
    each = [
        match(
            "Action",
            "urn:oasis:names:tc:xacml:1.0:function:anyURI-equal",
            URI,
            "urn:oasis:names:tc:xacml:1.0:action:action-id",
            uri,
        )
        for uri in uris
    ]
    return (
        "<Actions>" + "".join(one.removeprefix("<Actions>").removesuffix("</Actions>") for one in each) + "</Actions>"
    )


CLASS = "urn:ihe:iti:appc:2016:document-entry:class-code"
QUERY = "urn:ihe:iti:2007:RegistryStoredQueryResponse"
RETRIEVE = "urn:ihe:iti:2007:RetrieveDocumentSetResponse"
SUBMIT = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
REGISTER = "urn:ihe:iti:2007:RegisterDocumentSet-b"
PERIODS = {
    ("dateTime", "less-than-or-equal", "2026-01-01T09:00:00Z"): Period(datetime(2026, 1, 1, 9, tzinfo=UTC), None),
    ("dateTime", "less-than", "2026-01-01T09:00:00+01:00"): Period(datetime(2026, 1, 1, 8, 0, 0, 1, UTC), None),
    ("date", "less-than", "2026-01-01"): Period(datetime(2026, 1, 2, tzinfo=UTC), None),
    ("date", "greater-than", "2026-01-01"): Period(None, datetime(2026, 1, 1, tzinfo=UTC)),
    ("date", "greater-than-or-equal", "2026-01-01Z"): Period(None, datetime(2026, 1, 2, tzinfo=UTC)),
    ("date", "equal", "2026-01-01"): Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
}


def only(data: bytes) -> Statement:
    (statement,) = appc.read(data).statements
    return statement


@pytest.mark.parametrize(("written", "period"), PERIODS.items())
def test_time_limits_are_kept_to_the_moment(written: tuple[str, str, str], period: Period) -> None:
    kind, function, value = written
    read = only(changed(EMPTY_RULE, rule(environment(function, kind, value))))
    assert read.period == period


@pytest.mark.parametrize(
    ("uris", "access"),
    [
        ((QUERY, RETRIEVE), {Access.READ}),
        ((SUBMIT, REGISTER), {Access.WRITE}),
        ((QUERY, RETRIEVE, SUBMIT, REGISTER, "urn:ihe:iti:2009:MultiPatientStoredQueryResponse"), set(Access)),
    ],
)
def test_actions_name_an_act_as_a_whole(uris: tuple[str, ...], access: set[Access]) -> None:
    assert only(changed(EMPTY_RULE, rule(action(*uris)))).access == access


def test_a_rule_asks_for_all_that_surrounds_it() -> None:
    read = only(changed(EMPTY_RULE, rule(coded(CLASS, "REPORTS", "1.2.3"))))
    category = Condition(Attribute.CLASS_CODE, Code("REPORTS", "1.2.3"))
    assert read == Statement(rule=Effect.PERMIT, conditions=frozenset({HOSPITAL, category}))


REFUSED = {
    "a condition": (EMPTY_RULE, rule(after="<Condition/>"), "An element here is understood"),
    "an obligation": ("</Policy>", "<Obligations/></Policy>", "An element here is understood"),
    "a variable": (EMPTY_RULE, '<VariableDefinition VariableId="v"/>' + EMPTY_RULE, "An element here is understood"),
    "defaults": ("<Target/>\n    <Rule", "<PolicyDefaults/><Target/><Rule", "An element here is understood"),
    "combiner parameters": (EMPTY_RULE, "<RuleCombinerParameters/>" + EMPTY_RULE, "An element here is understood"),
    "a foreign element": (EMPTY_RULE, '<x xmlns="urn:x"/>' + EMPTY_RULE, "An element here is understood"),
    "first-applicable": ("rule-combining-algorithm:deny-o", "rule-combining-algorithm:first-o", "Rules are combined"),
    "permit-overrides": ("policy-combining-algorithm:deny", "policy-combining-algorithm:permit", "Rules are combined"),
    "a third effect": (EMPTY_RULE, rule(effect="Maybe"), "The effect of a rule"),
    "an unknown attribute": (EMPTY_RULE, rule(coded("urn:x:mood")), "Access can be decided by this attribute"),
    "a creation time": (
        EMPTY_RULE,
        rule(coded("urn:ihe:iti:appc:2016:document-entry:creation-time")),
        "Access can be decided by this attribute",
    ),
    "a folder's type": (
        EMPTY_RULE,
        rule(
            match(
                "Resource",
                "urn:oasis:names:tc:xacml:1.0:function:anyURI-equal",
                URI,
                "urn:ihe:iti:appc:2016:resource-type",
                "urn:ihe:iti:appc:2016:folder",
            )
        ),
        "Access can be decided by this attribute",
    ),
    "a code without scheme": (EMPTY_RULE, rule(coded(CLASS, "A", "")), "A value is whole"),
    "a code of another version": (EMPTY_RULE, rule(coded(CLASS, more=' flavour="x"')), "A value is whole"),
    "a code compared as text": (
        EMPTY_RULE,
        rule(
            match(
                "Resource",
                "urn:oasis:names:tc:xacml:1.0:function:string-equal",
                "http://www.w3.org/2001/XMLSchema#string",
                CLASS,
                "A",
            )
        ),
        "The data type of this attribute",
    ),
    "a regular expression": (
        "function:anyURI-equal",
        "function:regexp-string-match",
        "An attribute is compared by the equality",
    ),
    "two types in one match": (
        f'SubjectAttributeDesignator DataType="{URI}"',
        'SubjectAttributeDesignator DataType="x"',
        "A value and the",
    ),
    "must be present": ('organization-id"/>', 'organization-id" MustBePresent="true"/>', "MustBePresent"),
    "an issuer": ('organization-id"/>', 'organization-id" Issuer="x"/>', "An attribute here is understood"),
    "another subject": ('organization-id"/>', 'organization-id" SubjectCategory="x"/>', "The subject of a rule"),
    "no patient": ("urn:ihe:iti:ser:2016:patient-id", "urn:ihe:iti:appc:2016:author-institution:id", "The target of"),
    "a patient without id": (' extension="78"', "", "The target of the root names the patient"),
    "only queries": (EMPTY_RULE, rule(action(QUERY)), "A rule that permits names every action"),
    "only retrieves denied": (
        EMPTY_RULE,
        rule(action(RETRIEVE), effect="Deny"),
        "A rule that denies names every action",
    ),
    "gateways alone": (EMPTY_RULE, rule(action("urn:ihe:iti:2007:CrossGatewayQueryResponse")), "A rule that permits"),
    "a stored query": (
        EMPTY_RULE,
        rule(
            match(
                "Action",
                "urn:oasis:names:tc:xacml:1.0:function:anyURI-equal",
                URI,
                "urn:ihe:iti:2016:RegistryStoredQuery:queryId",
                "urn:uuid:1",
            )
        ),
        "An action is named by its action-id",
    ),
    "a time of day": (EMPTY_RULE, rule(environment("greater-than", "time", "09:00:00")), "A time limit compares"),
    "a date that is none": (EMPTY_RULE, rule(environment("equal", "date", "2026-13-01")), "A time limit compares"),
    "a selector": (
        "</SubjectMatch>",
        '</SubjectMatch><SubjectMatch MatchId="x"><AttributeSelector/></SubjectMatch>',
        "An element",
    ),
    "no alternative": (EMPTY_RULE, rule("<Resources><Resource/></Resources>"), "A Subject, Resource, Action"),
    "an id that is no UUID": ("urn:uuid:e3585197-9e3d", "urn:oid:e3585197-9e3d", "The root policy set's id"),
    "no rule": (EMPTY_RULE, "", "A consent has at least one rule"),
    "a version of a reference": (
        "</PolicySet>",
        '<PolicyIdReference Version="1.*">urn:a</PolicyIdReference></PolicySet>',
        "An attribute here",
    ),
    "a DTD": ("<PolicySet", '<!DOCTYPE a [<!ENTITY b "c">]><PolicySet', "A consent is well-formed XML"),
    "half a document": ("</PolicySet>", "", "A consent is well-formed XML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_to_is_refused_and_named(name: str) -> None:
    old, new, text = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        appc.read(changed(old, new))
    assert any(each.text.startswith(text) for each in caught.value.breaches), caught.value.breaches
    assert all(each.location and each.citation for each in caught.value.breaches)


def test_every_breach_is_told_at_once() -> None:
    bad = rule(coded("urn:x:mood") + environment("equal", "time", "09:00:00"), "<Condition/>")
    with pytest.raises(Rejected) as caught:
        appc.read(changed(EMPTY_RULE, bad))
    assert len(caught.value.breaches) == 3


def test_a_rule_for_another_patient_is_not_lost() -> None:
    other = '<hl7:InstanceIdentifier root="2.999.1" extension="79"/>'
    target = match(
        "Resource", "urn:hl7-org:v3:function:II-equal", "urn:hl7-org:v3#II", "urn:ihe:iti:ser:2016:patient-id", other
    )
    assert [each.id for each in appc.read(changed(EMPTY_RULE, rule(target))).patients] == ["78", "79"]


def test_nesting_multiplies_nothing_beyond_the_bound() -> None:
    """Twenty sets, one in the other, of two alternatives each would be a million combinations."""
    two = coded(CLASS, "A", "1.2.3").removesuffix("</Resources>") + coded(CLASS, "B", "1.2.3").removeprefix(
        "<Resources>"
    )
    algorithm = "urn:oasis:names:tc:xacml:1.0:policy-combining-algorithm:deny-overrides"
    begin = f'<PolicySet PolicySetId="s" PolicyCombiningAlgId="{algorithm}"><Target>{two}</Target>'
    inner = GOOD[GOOD.index("  <Policy ") : GOOD.index("</PolicySet>")]
    with pytest.raises(Rejected) as caught:
        appc.read(changed(inner, begin * 20 + inner + "</PolicySet>" * 20))
    assert "combinations" in caught.value.breaches[0].text


def test_many_rules_of_many_alternatives_are_bounded() -> None:
    days = "".join(environment("equal", "date", "2026-01-01")[14:-15] for _ in range(100))
    many = rule(f"<Environments>{days}</Environments>") * 21
    with pytest.raises(Rejected) as caught:
        appc.read(changed(EMPTY_RULE, many))
    assert "fewer than 2000" in caught.value.breaches[0].text


def test_alternatives_that_multiply_are_bounded() -> None:
    many = "".join(
        environment("equal", "date", "2026-01-01").removeprefix("<Environments>").removesuffix("</Environments>")
        for _ in range(501)
    )
    with pytest.raises(Rejected) as caught:
        appc.read(changed(EMPTY_RULE, rule(f"<Environments>{many}</Environments>")))
    assert "combinations" in caught.value.breaches[0].text
