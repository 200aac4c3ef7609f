"""Envelope and WS-Addressing of a request: one good message, one change, one verdict."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from soap.addressing import Addressing, read_addressing
from soap.envelope import Envelope, open_envelope
from soap.faults import FaultCode, SOAPFault, render, render_version_mismatch_for_soap11
from soap.head import reply_head
from soap.xml import XMLRefused, parse, schema

Spell = Callable[..., bytes]
SOAP11, SOAP12 = b"schemas.xmlsoap.org/soap/envelope/", b"www.w3.org/2003/05/soap-envelope"
ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
STRANGE = '<x:H xmlns:x="urn:x" s:mustUnderstand="{}"{}/>'


def read(data: bytes) -> tuple[Envelope, Addressing]:
    envelope = open_envelope(parse(data))
    return envelope, read_addressing(envelope.headers)


def test_a_request_is_read(query_envelope: Spell) -> None:
    headers = f"<a:To>http://here</a:To><a:ReplyTo><a:Address> {ANONYMOUS} </a:Address></a:ReplyTo>"
    envelope, addressing = read(query_envelope(headers))
    assert addressing == Addressing(
        action="urn:ihe:iti:2007:RegistryStoredQuery", message_id="urn:uuid:1", to="http://here"
    )
    assert envelope.body.tag == "{urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0}AdhocQueryRequest"
    assert envelope.security is None


@pytest.mark.parametrize(
    "headers",
    [
        STRANGE.format("0", ""),
        STRANGE.format("false", ""),
        STRANGE.format("1", ' s:role="urn:somebody-else"'),
        STRANGE.format("1", ' s:role="http://www.w3.org/2003/05/soap-envelope/role/none"'),
        '<a:From s:mustUnderstand="1"><a:Address>urn:me</a:Address></a:From>',
        f'<a:FaultTo s:mustUnderstand="true"><a:Address>{ANONYMOUS}</a:Address></a:FaultTo>',
        '<a:RelatesTo>urn:1</a:RelatesTo><a:RelatesTo RelationshipType="urn:r">urn:2</a:RelatesTo>',
    ],
)
def test_headers_that_do_not_concern_us_are_left_alone(query_envelope: Spell, headers: str) -> None:
    assert read(query_envelope(headers))[1].message_id == "urn:uuid:1"


def test_the_security_header_is_understood_and_kept_in_its_tree(query_envelope: Spell) -> None:
    security = (
        '<w:Security s:mustUnderstand="1" xmlns:w="http://docs.oasis-open.org/wss/2004/01/'
        'oasis-200401-wss-wssecurity-secext-1.0.xsd"/>'
    )
    envelope, _ = read(query_envelope(security))
    assert envelope.security is not None
    assert envelope.security.getroottree().getroot() is envelope.root
    with pytest.raises(SOAPFault, match="two wsse:Security"):
        _ = read(query_envelope(security * 2))[0].security


WSA = "{http://www.w3.org/2005/08/addressing}"
INVALID = f"{WSA}InvalidAddressingHeader"


@pytest.mark.parametrize(
    ("headers", "subcodes", "sentence"),
    [
        ("<a:Action>urn:x</a:Action>", (INVALID, f"{WSA}InvalidCardinality"), "wsa:Action appears twice"),
        ("<a:MessageID>urn:x</a:MessageID>", (INVALID, f"{WSA}InvalidCardinality"), "wsa:MessageID appears twice"),
        ("<a:ReplyTo/>", (INVALID, f"{WSA}MissingAddressInEPR"), "no wsa:Address"),
        (
            "<a:ReplyTo><a:Address>http://127.0.0.1/cb</a:Address></a:ReplyTo>",
            (INVALID, f"{WSA}OnlyAnonymousAddressSupported"),
            "answers are synchronous only",
        ),
        (
            f"<a:FaultTo><a:Address>{WSA.strip('{}')}/none</a:Address></a:FaultTo>",
            (INVALID, f"{WSA}OnlyAnonymousAddressSupported"),
            "FaultTo",
        ),
    ],
)
def test_an_addressing_header_that_cannot_be_honoured_is_named(
    query_envelope: Spell, headers: str, subcodes: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(SOAPFault, match=sentence) as caught:
        read(query_envelope(headers))
    assert (caught.value.code, caught.value.subcodes) == (FaultCode.SENDER, subcodes)
    assert b"ProblemHeaderQName" in caught.value.detail


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"urn:ihe:iti:2007:RegistryStoredQuery", b" ", "wsa:Action is required"),
        (b"a:Action", b"a:Akcion", "wsa:Action is required"),
        (b"www.w3.org/2005/08", b"schemas.xmlsoap.org/ws/2004/08", "the namespace must be"),
    ],
)
def test_a_missing_action_is_named(query_envelope: Spell, old: bytes, new: bytes, sentence: str) -> None:
    request = query_envelope().replace(old, new).replace(b' s:mustUnderstand="1"', b"")
    with pytest.raises(SOAPFault, match=sentence) as caught:
        read(request)
    assert caught.value.subcodes == (f"{WSA}MessageAddressingHeaderRequired",)


@pytest.mark.parametrize(
    ("old", "new", "code", "sentence"),
    [
        (SOAP12, SOAP11, "VersionMismatch", r"SOAP 1\.1"),
        (b"2003/05/soap-envelope", b"2030/05/soap-envelope", "VersionMismatch", "namespace"),
        (b"s:Envelope", b"s:Letter", "Sender", "must be a SOAP 1.2 Envelope"),
        (b"</s:Body>", b"</s:Body><s:Body/>", "Sender", "one soap:Body"),
        (b"</s:Body>", b"</s:Body><x/>", "Sender", "nothing else"),
        (b"</s:Body>", b"<x/></s:Body>", "Sender", "holds 2 elements"),
        (b"<s:Body>", b"<s:Body/><s:Body>", "Sender", "one soap:Body"),
        (b"AdhocQueryRequest ", b'AdhocQueryRequest s:encodingStyle="urn:x" ', "DataEncodingUnknown", "encodingStyle"),
    ],
)
def test_a_misshapen_envelope_is_refused(
    query_envelope: Spell, old: bytes, new: bytes, code: str, sentence: str
) -> None:
    with pytest.raises(SOAPFault, match=sentence) as caught:
        open_envelope(parse(query_envelope().replace(old, new)))
    assert caught.value.code == code


@pytest.mark.parametrize("role", ["", ' s:role=""', ' s:role="http://www.w3.org/2003/05/soap-envelope/role/next"'])
def test_every_header_that_must_be_understood_and_is_not_is_named(query_envelope: Spell, role: str) -> None:
    headers = STRANGE.format("1", role) + STRANGE.format("true", "").replace("x:H", "x:G")
    with pytest.raises(SOAPFault, match=r"\{urn:x\}H, \{urn:x\}G") as caught:
        open_envelope(parse(query_envelope(headers)))
    assert caught.value.code is FaultCode.MUST_UNDERSTAND
    assert caught.value.header.count(b"NotUnderstood") == 2


def test_faults_are_valid_soap(shared: Path, query_envelope: Spell) -> None:
    soap12 = schema(shared / "schemas" / "soap" / "soap-1.2.xsd")
    for headers in ("<a:ReplyTo/>", STRANGE.format("1", ""), "<a:ReplyTo><a:Address>urn:x</a:Address></a:ReplyTo>"):
        with pytest.raises(SOAPFault) as caught:
            read(query_envelope(headers))
        fault = parse(render(caught.value, "an-id", "urn:uuid:1"))
        assert soap12.validate(fault), soap12.error_log
        assert fault.findtext(f".//{WSA}RelatesTo") == "urn:uuid:1"
        assert "[an-id]" in str(fault.xpath("string()"))


def test_version_mismatch_is_told_in_soap_11_with_the_upgrade(query_envelope: Spell) -> None:
    with pytest.raises(SOAPFault) as caught:
        open_envelope(
            parse(query_envelope().replace(b"www.w3.org/2003/05/soap-envelope", b"schemas.xmlsoap.org/soap/envelope/"))
        )
    fault = parse(render_version_mismatch_for_soap11(caught.value, "an-id"))
    assert fault.findtext(".//faultcode") == "env:VersionMismatch"
    assert fault.find(".//{http://www.w3.org/2003/05/soap-envelope}SupportedEnvelope") is not None


@pytest.mark.parametrize("message_id", ["", " "])
def test_a_request_without_message_id_is_accepted(query_envelope: Spell, message_id: str) -> None:
    assert read(query_envelope(message_id=message_id))[1].message_id is None


NO_ACTION = "Sender: The SOAP header wsa:Action is required"
NOT_XML = "refused: not well-formed XML"
ISSUE = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue"
IHE, HL7 = "urn:ihe:iti:", "urn:hl7-org:v3:"

# Every file among the samples that is an envelope: the action that it would be dispatched by, or the refusal.
SAMPLES = {
    "ITI-18/epd_ITI-18_request.xml": f"{IHE}2007:RegistryStoredQuery",
    "ITI-18/epd_ITI-18_response.xml": f"{IHE}2007:RegistryStoredQueryResponse",
    "ITI-18/ihe_RegistryStoredQueryRequest_SOAP.xml": f"{IHE}2007:RegistryStoredQuery",
    "ITI-18/ihe_RegistryStoredQueryResponse_SOAP.xml": f"{IHE}2007:RegistryStoredQueryResponse",
    "ITI-18/nist_soap-sq-req.xml": f"{IHE}2007:RegistryStoredQuery",
    "ITI-18/xcasrc_iti18-iti40-request.xml": f"{IHE}2007:RegistryStoredQuery",
    "ITI-38/ihe_02_Sample_XCA_Query_Response_Indicating_Deferred.xml": f"{IHE}2007:CrossGatewayQueryResponse",
    "ITI-38/ihe_XCACrossGatewayQueryRequest.xml": f"{IHE}2007:CrossGatewayQuery",
    "ITI-38/nist_soap-xcq-req.xml": f"{IHE}2007:CrossGatewayQuery",
    "ITI-38/nist_soap-xcq-resp.xml": f"{IHE}2007:CrossGatewayQueryResponse",
    "ITI-38/xcasrc_iti38-iti40-request-kj.xml": f"{IHE}2007:CrossGatewayQuery",
    "ITI-39/ihe_05_Sample_XCA_Retrieve_Deferred-Capable_Request.xml": f"{IHE}2007:CrossGatewayRetrieve",
    "ITI-39/ihe_06_Sample_XCA_Retrieve_Response_Indicating_Deferred.xml": f"{IHE}2007:CrossGatewayRetrieveResponse",
    "ITI-39/ihe_XCACrossGatewayRetrieveRequest.xml": f"{IHE}2007:CrossGatewayRetrieve",
    "ITI-39/nist_soap-xcr-req.xml": f"{IHE}2007:CrossGatewayRetrieve",
    "ITI-39/nist_soap-xret-resp.xml": f"{IHE}2007:CrossGatewayRetrieveResponse",
    "ITI-41/epd_ITI-41_response.xml": f"{IHE}2007:ProvideAndRegisterDocumentSet-bResponse",
    "ITI-41/ihe_ProvideAndRegisterDocumentSet-bRequest_SOAP.xml": f"{IHE}2007:ProvideAndRegisterDocumentSet-b",
    "ITI-41/ihe_ProvideAndRegisterDocumentSet-bResponse_SOAP.xml": f"{IHE}2007:ProvideAndRegisterDocumentSet-bResponse",
    "ITI-41/nist_soap-noaction-pnr.xml": NO_ACTION,
    "ITI-41/nist_soap-pnr-resp.xml": f"{IHE}2007:ProvideAndRegisterDocumentSet-bResponse",
    "ITI-41/nist_soap-pnr.xml": f"{IHE}2007:ProvideAndRegisterDocumentSet-b",
    "ITI-41/xcasrc_PnR_request.xml": f"{IHE}2007:ProvideAndRegisterDocumentSet-b",
    "ITI-42/ihe_RegisterDocumentSet-bResponse_SOAP.xml": f"{IHE}2007:RegisterDocumentSet-bResponse",
    "ITI-42/nist_soap-r-resp.xml": f"{IHE}2007:RegisterDocumentSet-bResponse",
    "ITI-43/epd_ITI-43_response_raw.http": f"{IHE}2007:RetrieveDocumentSetResponse",
    "ITI-43/ihe_RetrieveDocumentSetRequest_SOAP.xml": f"{IHE}2007:RetrieveDocumentSet",
    "ITI-43/ihe_RetrieveDocumentSetResponse_SOAP.xml": f"{IHE}2007:RetrieveDocumentSetResponse",
    "ITI-43/nist_soap-ret-req.xml": f"{IHE}2007:RetrieveDocumentSet",
    "ITI-43/nist_soap-ret-resp.xml": f"{IHE}2007:RetrieveDocumentSetResponse",
    "ITI-44/epd_ITI-44_response.xml": f"{HL7}MCCI_IN000002UV01",
    "ITI-45/epd_ITI-45_request.xml": f"{HL7}PRPA_IN201309UV02",
    "ITI-45/epd_ITI-45_response.xml": f"{HL7}PRPA_IN201310UV02",
    "ITI-47/epd_ITI-47_request.xml": f"{HL7}PRPA_IN201305UV02",
    "ITI-55/ihe_XCPDCrossGatewayPatientDiscoveryRequest.xml": f"{HL7}PRPA_IN201305UV02:CrossGatewayPatientDiscovery",
    "ITI-55/ihe_XCPDCrossGatewayPatientDiscoveryResponse.xml": f"{HL7}PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
    "ITI-61/ihe_RegisterOnDemandDocumentEntryRequest_SOAP.xml": f"{IHE}2010:RegisterOnDemandDocumentEntry",
    "ITI-62/ihe_RemoveMetadataRequest_SOAP.xml": f"{IHE}2010:DeleteDocumentSet",
    "ITI-62/xcasrc_iti62-iti40-request.xml": f"{IHE}2010:DeleteDocumentSet",
    "ITI-86/ihe_RemoveDocumentsRequest_SOAP.xml": f"{IHE}rmd:2016:RemoveDocuments",
    "ITI-86/ihe_RemoveDocumentsResponse_SOAP.xml": f"{IHE}rmd:2017:RemoveDocumentsResponse",
    "ITI-86/xcasrc_IT_iti-86_request.xml": f"{IHE}2017:RemoveDocuments",
    "SAML-XUA/epd_1_Get_X-User_Assertion_Request-Healthcare_Provider.xml": ISSUE,
    "SAML-XUA/epd_1_Get_X-User_Assertion_Response-Healthcare_Provider.xml": NO_ACTION,
    "SAML-XUA/epd_4_Get_X-User_Assertion_Request-Patient.xml": ISSUE,
    "SAML-XUA/epd_4_Get_X-User_Assertion_Response-Patient.xml": NO_ACTION,
    "SAML-XUA/epd_GetXAssertion_request.xml": ISSUE,
    "SAML-XUA/epd_assertion_only.xml": NO_ACTION,
    "SVS-ITI-48/ihe_RetrieveValueSetRequest_SOAP.xml": f"{IHE}2008:RetrieveValueSet",
    "SVS-ITI-48/ihe_RetrieveValueSetResponse_SOAP.xml": f"{IHE}2008:RetrieveValueSetResponse",
    "XACML-policy/ihe_XACMLAuthorizationDecisionQuery_Request.xml": "urn:iti:2014:ser:XACMLAuthorizationDecision",
    "ITI-38/ihe_01_Sample_XCA_Query_Deferred-Capable_Request.xml": NOT_XML,
    "ITI-56/ihe_XCPDPatientLocationQueryRequest.xml": NOT_XML,
    "ITI-55/ihe_XCPDCrossGatewayPatientDiscovery_Deferred_Request.xml": NOT_XML,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_verdict_on_each_foreign_envelope(shared: Path, name: str) -> None:
    try:
        verdict = read((shared / "samples" / name).read_bytes())[1].action
    except SOAPFault as fault:
        verdict = f"{fault.code}: {fault.reason}"
    except XMLRefused as refusal:
        verdict = f"refused: {refusal}"
    assert verdict.startswith(SAMPLES[name])


def test_no_foreign_envelope_is_forgotten(shared: Path) -> None:
    samples = shared / "samples"
    beginnings = {path: path.read_bytes()[:3000] for path in samples.rglob("*.xml")}
    envelopes = {str(path.relative_to(samples)) for path, data in beginnings.items() if b"Envelope" in data}
    assert envelopes == set(SAMPLES) - {"ITI-43/epd_ITI-43_response_raw.http"}


def test_each_answer_has_a_random_uuid_of_its_own() -> None:
    spelled = [reply_head("urn:x", None).partition(b"urn:uuid:")[2][:36].decode() for _ in range(50)]
    assert len(set(spelled)) == 50
    for each in map(uuid.UUID, spelled):
        assert (each.version, each.variant) == (4, uuid.RFC_4122)
    assert [str(uuid.UUID(each)) for each in spelled] == spelled
