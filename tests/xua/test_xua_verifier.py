"""A good assertion names its person; each single change that matters is refused, with the standard's code."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from ihe.datatypes import Code
from soap.xml import parse, serialize
from tests.xua.stage import Stage
from xua import profile_files
from xua.assertion import UserAssertion, write
from xua.authentication import XUAMode, authenticate
from xua.errors import TEXTS, AssertionRefused, Subcode
from xua.keys import make_stranger
from xua.names import HL7, SAML, WSU
from xua.people import DEMO_ROLES, PEOPLE, DemoRole, Person
from xua.signature import sign
from xua.sts import Defect, DevelopmentSTS
from xua.trust import IHE_XUA, TrustedIssuer, TrustStore
from xua.verifier import Verifier

Edit = Callable[[etree._Element], None]


@pytest.mark.parametrize("role", DemoRole)
def test_every_demo_person_is_recognised(stage: Stage, role: DemoRole) -> None:
    person = PEOPLE[role]
    principal = stage.verify(stage.message(stage.issue(role)))
    assert (principal.issuer, principal.name_id, principal.subject_id) == (stage.issuer, person.name_id, person.name)
    assert principal.roles == (Code(role.value, DEMO_ROLES),)
    assert principal.organization == (person.organization,)
    assert principal.organization_id == (person.organization_id,)
    assert principal.purpose_of_use == (person.purpose_of_use,)
    assert (principal.resource_id, principal.npi) == ("1234^^^&2.25.77&ISO", person.npi)


DEFECTS = {
    Defect.EXPIRED: Subcode.FAILED_AUTHENTICATION,
    Defect.NOT_YET_VALID: Subcode.FAILED_AUTHENTICATION,
    Defect.WRONG_AUDIENCE: Subcode.FAILED_AUTHENTICATION,
    Defect.NO_AUTHN_STATEMENT: Subcode.INVALID_SECURITY_TOKEN,
    Defect.SECOND_ROLE: Subcode.INVALID_SECURITY_TOKEN,
    Defect.SECOND_PURPOSE: Subcode.INVALID_SECURITY_TOKEN,
    Defect.UNSIGNED: Subcode.FAILED_CHECK,
    Defect.WRONG_KEY: Subcode.FAILED_CHECK,
    Defect.FORGED: Subcode.FAILED_CHECK,
    Defect.WRAPPED: Subcode.INVALID_SECURITY,
}


@pytest.mark.parametrize("defect", Defect)
def test_every_defect_of_the_development_sts_is_refused(stage: Stage, defect: Defect) -> None:
    stage.trust.trust(
        TrustedIssuer(
            entity_id=stage.issuer, certificates=(stage.sts.certificate,), profile=profile_files.shipped()["affinity"]
        )
    )
    assert stage.verify(stage.message(stage.issue()))
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(stage.message(stage.issue(defect=defect)))
    assert caught.value.subcode is DEFECTS[defect]


def set_attribute(path: str, name: str, value: str) -> Edit:
    return lambda assertion: found(assertion, path).set(name, value)


def drop_attribute(path: str, name: str) -> Edit:
    return lambda assertion: found(assertion, path).attrib.__delitem__(name)


def set_text(path: str, value: str) -> Edit:
    def edit(assertion: etree._Element) -> None:
        found(assertion, path).text = value

    return edit


def drop(path: str) -> Edit:
    def edit(assertion: etree._Element) -> None:
        element = found(assertion, path)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return edit


def add(path: str, xml: str) -> Edit:
    return lambda assertion: found(assertion, path).append(parse(xml.encode()))


def found(assertion: etree._Element, path: str) -> etree._Element:
    element = assertion.find(path, {"saml": SAML, "hl7": HL7}) if path != "." else assertion
    assert element is not None, path
    return element


def attribute(name: str, *values: str) -> str:
    listed = "".join(f"<AttributeValue>{value}</AttributeValue>" for value in values)
    return f'<Attribute xmlns="{SAML}" Name="{name}">{listed}</Attribute>'


def coded(element: str, attributes: str) -> str:
    return f'<{element} xmlns="{HL7}" {attributes}/>'


ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
NAME = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
ORGANIZATION = "urn:oasis:names:tc:xspa:1.0:subject:organization"
COMMUNITY = "urn:ihe:iti:xca:2010:homeCommunityId"
NPI = "urn:oasis:names:tc:xspa:1.0:subject:npi"
DATA = "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
CONFIRMATION = "saml:Subject/saml:SubjectConfirmation"
STATEMENT = "saml:AttributeStatement"
AUTHN = "saml:AuthnStatement"

# Signed by the trusted issuer after the change: only the content can be the reason.
SIGNED_CHANGES: dict[str, tuple[Edit, Subcode]] = {
    "SAML 1.1": (set_attribute(".", "Version", "1.1"), Subcode.UNSUPPORTED_SECURITY_TOKEN),
    "issued tomorrow": (set_attribute(".", "IssueInstant", "2031-05-05T09:30:00Z"), Subcode.FAILED_AUTHENTICATION),
    "issued in no time zone": (
        set_attribute(".", "IssueInstant", "2031-05-04T09:30:00"),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "a date that is none": (
        set_attribute("saml:Conditions", "NotBefore", "2031-02-30T00:00:00Z"),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "no subject": (drop("saml:Subject"), Subcode.INVALID_SECURITY_TOKEN),
    "no name": (drop("saml:Subject/saml:NameID"), Subcode.INVALID_SECURITY_TOKEN),
    "an empty name": (set_text("saml:Subject/saml:NameID", ""), Subcode.INVALID_SECURITY_TOKEN),
    "a padded name": (set_text("saml:Subject/saml:NameID", "root "), Subcode.INVALID_SECURITY_TOKEN),
    "a name with a line feed": (set_text("saml:Subject/saml:NameID", "ro\not"), Subcode.INVALID_SECURITY_TOKEN),
    "no confirmation": (drop(CONFIRMATION), Subcode.INVALID_SECURITY_TOKEN),
    "sender-vouches": (
        set_attribute(CONFIRMATION, "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
        Subcode.FAILED_AUTHENTICATION,
    ),
    "a confirmation that has ended": (
        set_attribute(DATA, "NotOnOrAfter", "2031-05-04T09:00:00Z"),
        Subcode.FAILED_AUTHENTICATION,
    ),
    "a confirmation that has not begun": (
        set_attribute(DATA, "NotBefore", "2031-05-04T10:00:00Z"),
        Subcode.FAILED_AUTHENTICATION,
    ),
    "a confirmation bound to an address": (set_attribute(DATA, "Address", "10.0.0.1"), Subcode.INVALID_SECURITY_TOKEN),
    "a confirmation by somebody else": (
        add(CONFIRMATION, f'<NameID xmlns="{SAML}">assistant</NameID>'),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "no conditions": (drop("saml:Conditions"), Subcode.INVALID_SECURITY_TOKEN),
    "no NotBefore": (drop_attribute("saml:Conditions", "NotBefore"), Subcode.INVALID_SECURITY_TOKEN),
    "no end": (drop_attribute("saml:Conditions", "NotOnOrAfter"), Subcode.INVALID_SECURITY_TOKEN),
    "no audience restriction": (drop("saml:Conditions/saml:AudienceRestriction"), Subcode.INVALID_SECURITY_TOKEN),
    "a second restriction that excludes us": (
        add("saml:Conditions", f'<AudienceRestriction xmlns="{SAML}"><Audience>urn:x</Audience></AudienceRestriction>'),
        Subcode.FAILED_AUTHENTICATION,
    ),
    "a condition nobody knows": (
        add("saml:Conditions", f'<Condition xmlns="{SAML}"/>'),
        Subcode.UNSUPPORTED_SECURITY_TOKEN,
    ),
    "no authentication": (drop(AUTHN), Subcode.INVALID_SECURITY_TOKEN),
    "authenticated tomorrow": (
        set_attribute(AUTHN, "AuthnInstant", "2031-05-05T09:30:00Z"),
        Subcode.FAILED_AUTHENTICATION,
    ),
    "a session that has ended": (
        set_attribute(AUTHN, "SessionNotOnOrAfter", "2031-05-04T09:00:00Z"),
        Subcode.FAILED_AUTHENTICATION,
    ),
    "no authentication context": (
        set_text(f"{AUTHN}/saml:AuthnContext/saml:AuthnContextClassRef", " "),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "a decision statement": (
        add(".", f'<AuthzDecisionStatement xmlns="{SAML}" Decision="Permit" Resource="x"/>'),
        Subcode.UNSUPPORTED_SECURITY_TOKEN,
    ),
    "advice": (add(".", f'<Advice xmlns="{SAML}"/>'), Subcode.UNSUPPORTED_SECURITY_TOKEN),
    "two user names": (add(STATEMENT, attribute(NAME, "Dr Zweite")), Subcode.INVALID_SECURITY_TOKEN),
    "two communities": (
        add(STATEMENT, attribute(COMMUNITY, "urn:oid:2.25.1", "urn:oid:2.25.2")),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "a community that is no OID": (add(STATEMENT, attribute(COMMUNITY, "2.25.1")), Subcode.INVALID_SECURITY_TOKEN),
    "an empty organization": (add(STATEMENT, attribute(ORGANIZATION, "")), Subcode.INVALID_SECURITY_TOKEN),
    "a role as text": (add(STATEMENT, attribute(ROLE, "doctor")), Subcode.INVALID_SECURITY_TOKEN),
    "a role without code system": (
        add(STATEMENT, attribute(ROLE, coded("Role", 'code="doctor"'))),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "a role that is a purpose": (
        add(STATEMENT, attribute(ROLE, coded("PurposeOfUse", 'code="TREAT" codeSystem="2.25.1"'))),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "a role of another data type": (
        add(
            STATEMENT,
            attribute(
                ROLE,
                coded(
                    "Role",
                    'code="x" codeSystem="2.25.1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="II"',
                ),
            ),
        ),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "two roles in one value": (
        add(STATEMENT, attribute(ROLE, coded("Role", 'code="x" codeSystem="2.25.1"') * 2)),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "a patient id with a namespace": (
        set_text(
            f"{STATEMENT}/saml:Attribute[@Name='urn:oasis:names:tc:xacml:2.0:resource:resource-id']/saml:AttributeValue",
            "1^^^NAME&2.25.1&ISO",
        ),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "an attribute of an element that has none": (
        set_attribute("saml:Conditions/saml:AudienceRestriction", "ID", "_1"),
        Subcode.INVALID_SECURITY_TOKEN,
    ),
    "a foreign element in a value": (
        add(STATEMENT, attribute("urn:x", '<thing xmlns="urn:x"/>')),
        Subcode.UNSUPPORTED_SECURITY_TOKEN,
    ),
    "text between elements": (set_text("saml:Conditions", "forever"), Subcode.INVALID_SECURITY_TOKEN),
}


@pytest.mark.parametrize("change", SIGNED_CHANGES)
def test_one_change_under_a_good_signature_is_refused(stage: Stage, change: str) -> None:
    edit, subcode = SIGNED_CHANGES[change]
    assertion = stage.issue()
    edit(assertion)
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(stage.message(stage.sign(assertion)))
    assert caught.value.subcode is subcode, caught.value.reason


ACCEPTED_CHANGES: dict[str, Edit] = {
    "nothing": lambda assertion: None,
    "our audience among others": add(
        "saml:Conditions/saml:AudienceRestriction", f'<Audience xmlns="{SAML}">urn:other</Audience>'
    ),
    "conditions that may be ignored": add("saml:Conditions", f'<OneTimeUse xmlns="{SAML}"/>'),
    "an offset instead of Z": set_attribute(".", "IssueInstant", "2031-05-04T11:30:00+02:00"),
    "no confirmation data": drop(DATA),
    "an attribute that nobody reads": add(STATEMENT, attribute("urn:x", "y", "z")),
    "an empty attribute that nobody reads": add(STATEMENT, attribute("urn:x")),
    "a declaration of the context": add(
        f"{AUTHN}/saml:AuthnContext", f'<AuthnContextDeclRef xmlns="{SAML}">urn:x</AuthnContextDeclRef>'
    ),
    "a locality": lambda assertion: found(assertion, AUTHN).insert(
        0, parse(f'<SubjectLocality xmlns="{SAML}" DNSName="ward.example"/>'.encode())
    ),
}


@pytest.mark.parametrize("change", ACCEPTED_CHANGES)
def test_what_the_standard_leaves_open_is_accepted(stage: Stage, change: str) -> None:
    assertion = stage.issue()
    ACCEPTED_CHANGES[change](assertion)
    assert stage.verify(stage.message(stage.sign(assertion))).name_id == PEOPLE[DemoRole.PATIENT].name_id


def test_values_are_gathered_over_attributes_and_statements(stage: Stage) -> None:
    """Repetition at both levels is allowed; recipients shall support it (ITI TF-2: 3.40.4.1.2)."""
    assertion = stage.issue()
    add(
        STATEMENT,
        attribute(ROLE, coded("Role", 'code="a" codeSystem="2.25.1"'), coded("Role", 'code="b" codeSystem="2.25.1"')),
    )(assertion)
    statement = f'<AttributeStatement xmlns="{SAML}">{attribute(ORGANIZATION, "Second house")}</AttributeStatement>'
    add(".", statement)(assertion)
    principal = stage.verify(stage.message(stage.sign(assertion)))
    assert [role.code for role in principal.roles] == ["patient", "a", "b"]
    assert principal.organization == (PEOPLE[DemoRole.PATIENT].organization, "Second house")


def test_a_provider_identifier_may_be_a_ce(stage: Stage) -> None:
    assertion = stage.issue()
    add(STATEMENT, attribute(NPI, coded("npi", 'code="1234567890" codeSystem="2.25.1"')))(assertion)
    assert stage.verify(stage.message(stage.sign(assertion))).npi == "1234567890"


def test_the_alias_reaches_the_principal(stage: Stage) -> None:
    assertion = stage.issue()
    set_attribute("saml:Subject/saml:NameID", "SPProvidedID", "LB")(assertion)
    assert stage.verify(stage.message(stage.sign(assertion))).alias == "LB"


@pytest.mark.parametrize(("seconds", "accepted"), [(-61, False), (-60, True), (0, True), (659, True), (660, False)])
def test_the_clock_skew_widens_the_validity_at_both_ends(stage: Stage, seconds: int, accepted: bool) -> None:
    message = stage.message(stage.issue())
    now = stage.now + timedelta(seconds=seconds)
    if accepted:
        assert stage.verify(message, now=now)
        return
    with pytest.raises(AssertionRefused):
        stage.verify(message, now=now)


def test_a_remembered_token_expires_all_the_same(stage: Stage) -> None:
    message = stage.message(stage.issue())
    assert stage.verify(message)
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(message, now=stage.now + timedelta(hours=1))
    assert caught.value.subcode is Subcode.FAILED_AUTHENTICATION


def test_a_remembered_token_dies_with_the_trust_in_its_issuer(stage: Stage) -> None:
    message = stage.message(stage.issue())
    assert stage.verify(message)
    stage.trust.distrust(stage.issuer)
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(message)
    assert caught.value.subcode is Subcode.INVALID_SECURITY_TOKEN


def test_a_remembered_token_with_another_signature_is_checked_again(stage: Stage) -> None:
    """The canonical bytes are the same, for they leave the signature out: only all bytes may be the key."""
    good = stage.issue()
    assert stage.verify(stage.message(good))
    value = good.find(".//{*}SignatureValue")
    assert value is not None and value.text is not None
    message = stage.message(good).replace(value.text.encode(), b"AAAA" + value.text.encode()[4:])
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(message)
    assert caught.value.subcode is Subcode.FAILED_CHECK


def test_a_pinned_certificate_that_is_over_proves_nothing(stage: Stage) -> None:
    message = stage.message(stage.issue())
    late = stage.now + timedelta(days=31)
    for _remembered in range(2):
        with pytest.raises(AssertionRefused) as caught:
            stage.verify(message, now=late)
        assert caught.value.subcode in {Subcode.FAILED_CHECK, Subcode.FAILED_AUTHENTICATION}
        assert stage.verify(message)


def test_both_keys_count_while_an_issuer_changes_them(stage: Stage) -> None:
    new = DevelopmentSTS(stage.issuer, *make_stranger(stage.now))
    both = (new.certificate, stage.sts.certificate)
    stage.trust.trust(TrustedIssuer(entity_id=stage.issuer, certificates=both))
    for sts in (stage.sts, new):
        assertion = parse(serialize(sts.issue(DemoRole.NURSE, stage.now, stage.audience)))
        assert stage.verify(stage.message(assertion)).name_id == PEOPLE[DemoRole.NURSE].name_id


def test_a_holder_of_key_shows_its_tls_certificate(stage: Stage) -> None:
    holder = stage.sts.certificate.public_bytes(Encoding.DER)
    assertion = stage.issue()
    set_attribute(CONFIRMATION, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")(assertion)
    key_info = (
        '<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>'
        f"{b64encode(holder).decode()}</X509Certificate></X509Data></KeyInfo>"
    )
    add(DATA, key_info)(assertion)
    message = stage.message(stage.sign(assertion))
    assert stage.verify(message, client_certificate=holder)
    for other in (None, holder[:-1] + b"\x00"):
        with pytest.raises(AssertionRefused) as caught:
            stage.verify(message, client_certificate=other)
        assert caught.value.subcode is Subcode.FAILED_AUTHENTICATION


def test_local_policy_may_demand_attributes(stage: Stage) -> None:
    demanded = replace(IHE_XUA.by_claim["home_community_id"], required=True)
    profile = replace(IHE_XUA, name="strict", attributes=(demanded,))
    stage.trust.trust(TrustedIssuer(entity_id=stage.issuer, certificates=(stage.sts.certificate,), profile=profile))
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(stage.message(stage.issue()))
    assert COMMUNITY in caught.value.reason


@pytest.mark.parametrize(
    ("period", "accepted"),
    [
        ("<u:Created>2031-05-04T09:29:50Z</u:Created><u:Expires>2031-05-04T09:34:50Z</u:Expires>", True),
        ("<u:Created>2031-05-04T09:29:50Z</u:Created>", True),
        ("<u:Created>2031-05-04T08:00:00Z</u:Created><u:Expires>2031-05-04T08:05:00Z</u:Expires>", False),
        ("<u:Created>2031-05-04T10:00:00Z</u:Created>", False),
        ("<u:Created>yesterday</u:Created>", False),
    ],
)
def test_the_message_timestamp_is_honoured(stage: Stage, period: str, accepted: bool) -> None:
    timestamp = f'<u:Timestamp xmlns:u="{WSU}">{period}</u:Timestamp>'.encode()
    message = stage.enclose(timestamp + serialize(stage.issue()))
    if accepted:
        assert stage.verify(message)
        return
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(message)
    assert caught.value.subcode in {Subcode.MESSAGE_EXPIRED, Subcode.INVALID_SECURITY}


PLAIN = b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header/><e:Body/></e:Envelope>'


@pytest.mark.parametrize(
    ("mode", "token", "outcome"),
    [
        (XUAMode.OFF, None, "nobody"),
        (XUAMode.OFF, Defect.FORGED, "nobody"),
        (XUAMode.OPTIONAL, None, "nobody"),
        (XUAMode.OPTIONAL, Defect.FORGED, "refused"),
        (XUAMode.REQUIRED, None, "refused"),
        (XUAMode.REQUIRED, Defect.FORGED, "refused"),
    ],
)
def test_the_mode_decides_who_must_say_who_asks(
    stage: Stage, mode: XUAMode, token: Defect | None, outcome: str
) -> None:
    envelope = parse(PLAIN if token is None else stage.message(stage.issue(defect=token)))
    if outcome == "nobody":
        assert authenticate(envelope, mode, stage.verifier, stage.now) is None
        return
    with pytest.raises(AssertionRefused):
        authenticate(envelope, mode, stage.verifier, stage.now)


@pytest.mark.parametrize("mode", [XUAMode.OPTIONAL, XUAMode.REQUIRED])
def test_a_good_assertion_names_the_person_in_either_mode(stage: Stage, mode: XUAMode) -> None:
    envelope = parse(stage.message(stage.issue(DemoRole.NURSE)))
    principal = authenticate(envelope, mode, stage.verifier, stage.now)
    assert principal is not None and principal.name_id == PEOPLE[DemoRole.NURSE].name_id


def test_the_public_text_does_not_tell_the_reason(stage: Stage) -> None:
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(stage.message(stage.issue(defect=Defect.WRONG_AUDIENCE)))
    assert caught.value.text == TEXTS[Subcode.FAILED_AUTHENTICATION]
    assert "another-service" in caught.value.reason and "another-service" not in caught.value.text


def test_at_most_so_many_tokens_are_remembered(stage: Stage) -> None:
    verifier = Verifier(stage.trust, [stage.audience], remembered=2)
    envelopes = [parse(stage.message(stage.issue())) for _ in range(3)]
    for envelope in envelopes * 2:
        assert verifier.verify(envelope, stage.now)
    assert len(verifier._tokens) == 2


def test_an_untrusting_node_believes_nobody(stage: Stage) -> None:
    with pytest.raises(AssertionRefused) as caught:
        Verifier(TrustStore(), [stage.audience]).verify(parse(stage.message(stage.issue())), stage.now)
    assert caught.value.subcode is Subcode.INVALID_SECURITY_TOKEN


words = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=30
)
oids = st.lists(st.integers(0, 99999), min_size=1, max_size=5).map(lambda arcs: ".".join(["2.25", *map(str, arcs)]))
codes = st.builds(Code, words, oids, words)
people = st.builds(
    Person,
    name_id=words,
    name=words,
    role=codes,
    organization=words,
    organization_id=oids.map("urn:oid:{}".format),
    purpose_of_use=codes,
    npi=st.none() | words,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(person=people, community=st.none() | oids.map("urn:oid:{}".format), patient=st.none() | oids)
def test_whatever_is_issued_is_what_is_read(
    stage: Stage, person: Person, community: str | None, patient: str | None
) -> None:
    resource_id = None if patient is None else f"{person.name_id.replace('^', '')}x^^^&{patient}&ISO"
    user = UserAssertion(
        id="_1",
        issuer=stage.issuer,
        issue_instant=stage.now,
        not_before=stage.now,
        not_on_or_after=stage.now + timedelta(minutes=5),
        audience=stage.audience,
        person=person,
        resource_id=resource_id,
        home_community_id=community,
    )
    principal = stage.verify(stage.message(sign(write(user), stage.key, stage.sts.certificate)))
    assert principal.name_id == person.name_id
    assert principal.subject_id == person.name
    assert principal.roles == (person.role,) and principal.roles[0].display == person.role.display
    assert principal.purpose_of_use == (person.purpose_of_use,)
    assert principal.organization == (person.organization,)
    assert (principal.home_community_id, principal.resource_id) == (community, resource_id)
    assert principal.npi == person.npi


def test_a_profile_agreed_with_the_sender_stands_in_place_of_the_issuers(stage: Stage) -> None:
    """The same token, remembered for one sender, is judged anew for another with a stricter profile."""
    demanded = replace(IHE_XUA.by_claim["home_community_id"], required=True)
    strict = replace(IHE_XUA, name="strict", title="Strict", attributes=(demanded,))
    verifier = Verifier(stage.trust, [stage.audience], profiles={"strict": strict, "ihe-xua": IHE_XUA})
    envelope = parse(stage.message(stage.issue()))
    for _remembered in range(2):
        assert verifier.verify(envelope, stage.now) == verifier.verify(envelope, stage.now, profile="ihe-xua")
        with pytest.raises(AssertionRefused, match="Strict demands"):
            verifier.verify(envelope, stage.now, profile="strict")
