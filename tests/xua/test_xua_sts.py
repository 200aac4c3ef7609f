"""The development STS: what it issues is what the schemas and our own verifier expect, by hand or by WS-Trust 1.3."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml.etree import _Element

from ihe.citations import tf2
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.exchange import Exchange, SOAPReply, SOAPRequest
from soap.xml import parse, schema, serialize
from tests.xua.stage import AUDIENCE, ISSUER, NOW, Stage
from xua.envelope import ASSERTION, security_header
from xua.errors import TEXTS, AssertionRefused, Subcode
from xua.keys import make_stranger
from xua.names import HL7, SAML, WSA, WSP, WST, XSI
from xua.people import DEMO_ROLES, PEOPLE, DemoRole
from xua.profile_files import shipped
from xua.sts import Defect, open_sts
from xua.trust import TrustedIssuer
from xua.trust13 import DEFECT, ISSUE_TOKEN

EXCHANGE = Exchange(correlation_id="1", received_at=NOW)
PATIENT_ID = "1^^^&2.25.1&ISO"


def request(
    role: str | None = "nurse", audience: str = AUDIENCE, request_type: str = f"{WST}/Issue", more: str = ""
) -> SOAPRequest:
    ce = f'<Role xmlns="{HL7}" code="{role}" codeSystem="{DEMO_ROLES}"/>'
    claims = (
        f'<wst:Claims Dialect="urn:x" xmlns="{SAML}"><Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role">'
        f"<AttributeValue>{ce}</AttributeValue></Attribute>"
        '<Attribute Name="urn:oasis:names:tc:xacml:2.0:resource:resource-id">'
        f"<AttributeValue>{PATIENT_ID.replace('&', '&amp;')}</AttributeValue></Attribute></wst:Claims>"
    )
    body = (
        f'<wst:RequestSecurityToken xmlns:wst="{WST}" xmlns:wsp="{WSP}" xmlns:wsa="{WSA}" Context="c&amp;1">'
        f"<wst:RequestType>\n{request_type}\n</wst:RequestType>"
        f"<wsp:AppliesTo><wsa:EndpointReference><wsa:Address>{audience}</wsa:Address></wsa:EndpointReference>"
        f"</wsp:AppliesTo>{more}{claims if role else ''}</wst:RequestSecurityToken>"
    )
    return SOAPRequest(parse(body.encode()))


def answer(stage: Stage, wire: SOAPRequest) -> _Element:
    issued = ISSUE_TOKEN.handle(ISSUE_TOKEN.decode(wire), stage.sts, EXCHANGE)
    reply: SOAPReply = ISSUE_TOKEN.encode(wire, issued, EXCHANGE)
    return parse(b"".join(reply.body))


@pytest.mark.parametrize("role", DemoRole)
def test_a_token_asked_for_by_ws_trust_is_accepted_by_the_service(stage: Stage, role: DemoRole) -> None:
    collection = answer(stage, request(role.value))
    assertion = next(collection.iter(ASSERTION))
    principal = stage.verify(stage.message(assertion))
    assert principal.name_id == PEOPLE[role].name_id and principal.resource_id == PATIENT_ID


def test_the_response_says_what_was_asked(stage: Stage) -> None:
    collection = answer(stage, request())
    response = collection[0]
    assert response.get("Context") == "c&1"
    assert response.findtext(f".//{{{WSA}}}Address") == AUDIENCE
    assert response.findtext(".//{*}Created") == "2031-05-04T09:30:00.000Z"
    assert response.findtext(".//{*}Expires") == "2031-05-04T09:40:00.000Z"


def test_without_claims_the_treating_doctor_is_meant(stage: Stage) -> None:
    assertion = next(answer(stage, request(role=None)).iter(ASSERTION))
    assert stage.verify(stage.message(assertion)).name_id == PEOPLE[DemoRole.TREATING_DOCTOR].name_id


@pytest.mark.parametrize(
    "wire",
    [
        request(role="astronaut"),
        request(audience=""),
        request(request_type=f"{WST}/Renew"),
        request(request_type=""),
        request(more=f"<wst:KeyType>{WST}/SymmetricKey</wst:KeyType>"),
        request(more="<wst:TokenType>urn:oasis:names:tc:SAML:1.0:assertion</wst:TokenType>"),
    ],
)
def test_what_the_sts_does_not_issue_is_an_invalid_request(wire: SOAPRequest) -> None:
    with pytest.raises(AssertionRefused) as caught:
        ISSUE_TOKEN.decode(wire)
    assert caught.value.subcode is Subcode.INVALID_REQUEST


def test_a_refusal_is_a_fault(stage: Stage) -> None:
    rejected = Rejected(Breach(code=ErrorCode.REGISTRY_ERROR, text="no", citation=tf2("3.40")))
    with pytest.raises(AssertionRefused) as caught:
        ISSUE_TOKEN.refuse(request(), rejected, EXCHANGE)
    assert caught.value.subcode is Subcode.REQUEST_FAILED


@pytest.mark.parametrize("role", DemoRole)
def test_what_is_issued_validates_against_the_official_schema(stage: Stage, shared: Path, role: DemoRole) -> None:
    saml = schema(shared / "schemas" / "combined" / "saml-xacml-hl7.xsd")
    saml.assertValid(stage.issue(role))


def test_the_trust_response_validates_against_the_official_schema(stage: Stage, shared: Path) -> None:
    trust = schema(shared / "schemas" / "ws" / "ws-trust-1.3.xsd")
    collection = answer(stage, request())
    for typed in collection.iterfind(f".//{{{HL7}}}*"):
        # This schema does not know the types of HL7; the one for assertions, above, does.
        del typed.attrib[f"{{{XSI}}}type"]
    trust.assertValid(collection)


def test_the_fault_codes_are_those_of_the_official_schema(shared: Path) -> None:
    wsse = shared / "schemas" / "ws" / "oasis-200401-wss-wssecurity-secext-1.0.xsd"
    listed = {each.get("value", "") for each in parse(wsse.read_bytes()).iterfind(".//{*}enumeration")}
    ours = {f"wsse:{code.value.partition('}')[2]}" for code in Subcode if "secext" in code.value}
    assert ours == listed and set(TEXTS) == set(Subcode)


def test_the_sts_is_opened_from_pem(stage: Stage) -> None:
    key = stage.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    sts = open_sts(ISSUER, key, stage.certificate_pem)
    assert stage.verify(stage.message(sts.issue(DemoRole.NURSE, NOW, AUDIENCE)))


def test_the_sts_signs_with_no_certificate_that_somebody_might_trust_for_real(stage: Stage) -> None:
    key, stranger = make_stranger(NOW)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="development STS signs with a certificate of O=Affinity development"):
        open_sts(ISSUER, pem, stranger.public_bytes(Encoding.PEM))


@pytest.mark.parametrize("defect", Defect)
def test_every_defect_can_be_asked_for_by_ws_trust(stage: Stage, defect: Defect) -> None:
    asked = f'<Attribute xmlns="{SAML}" Name="{DEFECT}"><AttributeValue>{defect}</AttributeValue></Attribute>'
    assertion = next(answer(stage, request(role=None, more=f"<wst:Claims>{asked}</wst:Claims>")).iter(ASSERTION))
    stage.trust.trust(
        TrustedIssuer(entity_id=ISSUER, certificates=(stage.sts.certificate,), profile=shipped()["affinity"])
    )
    with pytest.raises(AssertionRefused):
        stage.verify(stage.message(assertion))


def test_a_defect_that_nobody_knows_is_an_invalid_request() -> None:
    asked = f'<Attribute xmlns="{SAML}" Name="{DEFECT}"><AttributeValue>x</AttributeValue></Attribute>'
    with pytest.raises(AssertionRefused) as caught:
        ISSUE_TOKEN.decode(request(more=f"<wst:Claims>{asked}</wst:Claims>"))
    assert caught.value.subcode is Subcode.INVALID_REQUEST


def test_no_two_assertions_share_an_id(stage: Stage) -> None:
    assert len({stage.issue().get("ID") for _ in range(3)}) == 3


def test_the_header_is_marked_as_one_that_must_be_understood(stage: Stage) -> None:
    header: Any = parse(security_header(stage.issue()))
    assert header.get("{http://www.w3.org/2003/05/soap-envelope}mustUnderstand") == "1"
    assert serialize(header[0]).startswith(b"<saml2:Assertion")
