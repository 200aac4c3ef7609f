"""Assertions of other systems, each with its verdict and the reason (../shared/samples; see its README).

Each file is taken as it would arrive: a SOAP message as it is, anything else with its assertions in a security header.
Where a file brings a certificate whose key is strong enough, it is pinned for the issuer, else one of ours, so that
nothing but the file itself can be the reason for the refusal.
"""

from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml.etree import _Element

from soap.xml import parse, serialize
from tests.xua.stage import Stage, make_certificate
from xua.envelope import ASSERTION, ENVELOPE
from xua.errors import AssertionRefused, Subcode
from xua.keys import load_certificates
from xua.names import DS, SAML
from xua.profile_files import shipped
from xua.trust import TrustedIssuer
from xua.verifier import Verifier

UNSUPPORTED_ALGORITHM = Subcode.UNSUPPORTED_ALGORITHM
UNSUPPORTED_TOKEN = Subcode.UNSUPPORTED_SECURITY_TOKEN
INVALID_SECURITY = Subcode.INVALID_SECURITY
INVALID_TOKEN = Subcode.INVALID_SECURITY_TOKEN
FAILED_CHECK = Subcode.FAILED_CHECK

SHA1 = "xmldsig#rsa-sha1"
TWO = "Security, Assertion, Assertion"
BROKEN = "the signature does not verify"

VERDICTS = {
    # Evidence of a decision statement, itself an assertion: nested, and not signed at all.
    "SAML-XUA/connect_complete_saml.xml": (INVALID_SECURITY, TWO),
    "SAML-XUA/connect_saml_missingValues.xml": (INVALID_SECURITY, TWO),
    # A question to an identity provider, not an assertion.
    "SAML-XUA/epd_04_AuthnRequest_raw.xml": (INVALID_SECURITY, "found Security"),
    "SAML-XUA/epd_1_Get_X-User_Assertion_Request-Healthcare_Provider.xml": (UNSUPPORTED_ALGORITHM, SHA1),
    "SAML-XUA/epd_4_Get_X-User_Assertion_Request-Patient.xml": (UNSUPPORTED_ALGORITHM, SHA1),
    "SAML-XUA/epd_1_Get_X-User_Assertion_Response-Healthcare_Provider.xml": (FAILED_CHECK, BROKEN),
    "SAML-XUA/epd_4_Get_X-User_Assertion_Response-Patient.xml": (FAILED_CHECK, BROKEN),
    # Values replaced by dots in the documentation that it comes from.
    "SAML-XUA/epd_GetXAssertion_request.xml": (FAILED_CHECK, "not base64"),
    "SAML-XUA/epd_assertion_only.xml": (FAILED_CHECK, BROKEN),
    "SAML-XUA/xcasrc_SamlToken01.xml": (FAILED_CHECK, BROKEN),
    # An assistant confirms in the place of the doctor: a Swiss extension.
    "SAML-XUA/ipf_saml2-assertion-for-xua.xml": (INVALID_TOKEN, "saml:SubjectConfirmation holds"),
    # The Response is signed, the Assertion in it is not.
    "SAML-signature/py3saml_no_conditions.xml.base64": (FAILED_CHECK, "not signed"),
    "SAML-signature/py3saml_response_with_ampersands.xml.base64": (INVALID_SECURITY, TWO),
    "SAML-signature/py3saml_response_without_assertion_reference_uri.xml.base64": (UNSUPPORTED_ALGORITHM, SHA1),
    "SAML-signature/py3saml_signature_wrapping_attack2.xml.base64": (
        INVALID_SECURITY,
        TWO,
    ),
    "SAML-signature/py3saml_signed_assertion_response.xml.base64": (UNSUPPORTED_ALGORITHM, SHA1),
    "SAML-signature/py3saml_valid_response.xml.base64": (UNSUPPORTED_ALGORITHM, SHA1),
    "SAML-signature/pysaml2_saml_false_signed.xml": (UNSUPPORTED_ALGORITHM, SHA1),
    "SAML-signature/pysaml2_signed-xsw-assertion-in-assertion-first-sig.xml": (
        INVALID_SECURITY,
        TWO,
    ),
    "SAML-signature/pysaml2_signed-xsw-assertion-wrapper.xml": (INVALID_SECURITY, TWO),
    "ITI-18/epd_ITI-18_request.xml": (UNSUPPORTED_ALGORITHM, SHA1),
    "ITI-18/xcasrc_iti18-iti40-request.xml": (FAILED_CHECK, BROKEN),
    "ITI-38/xcasrc_iti38-iti40-request-kj.xml": (FAILED_CHECK, BROKEN),
    "ITI-41/xcasrc_PnR_request.xml": (FAILED_CHECK, BROKEN),
    "ITI-62/xcasrc_iti62-iti40-request.xml": (FAILED_CHECK, BROKEN),
}

# What the same assertions are worth once somebody trusted has signed them anew: the name accepted, or why not.
SIGNED_ANEW = {
    "SAML-XUA/epd_1_Get_X-User_Assertion_Request-Healthcare_Provider.xml": "33166",
    "SAML-XUA/epd_4_Get_X-User_Assertion_Request-Patient.xml": "33111",
    # No SubjectConfirmation, which ITI TF-2: 3.40.4.1.2 demands.
    "SAML-XUA/epd_1_Get_X-User_Assertion_Response-Healthcare_Provider.xml": INVALID_TOKEN,
    "SAML-XUA/epd_4_Get_X-User_Assertion_Response-Patient.xml": INVALID_TOKEN,
    "SAML-XUA/epd_GetXAssertion_request.xml": "d04bff0e2094d3391c6bdf38fa1a669990f9b93a054d240ffbf0ace40b409996",
    "SAML-XUA/epd_assertion_only.xml": "7601002469191",
    "SAML-signature/py3saml_response_without_assertion_reference_uri.xml.base64": "saml@user.com",
    "SAML-signature/py3saml_signed_assertion_response.xml.base64": "_3af62f1d03513bdd61dd5bf04d3deb7aa617480e22",
    "SAML-signature/py3saml_valid_response.xml.base64": "492882615acf31c8096b627245d76ae53036c090",
    "SAML-signature/py3saml_no_conditions.xml.base64": INVALID_TOKEN,
    "SAML-signature/pysaml2_saml_false_signed.xml": INVALID_TOKEN,  # a NameID padded by pretty printing
    "ITI-18/epd_ITI-18_request.xml": INVALID_TOKEN,  # a namespace id in the CX of resource-id
    "SAML-XUA/xcasrc_SamlToken01.xml": INVALID_TOKEN,  # XML escaped twice in attribute values
    "ITI-18/xcasrc_iti18-iti40-request.xml": INVALID_TOKEN,
}


# And by the profile of their country: the name accepted, or the reason.
BY_PROFILE = {
    ("SAML-XUA/epd_assertion_only.xml", "swiss-epr"): "7601002469191",
    ("SAML-XUA/epd_assertion_only.xml", "affinity"): "7601002469191",
    ("SAML-XUA/epd_assertion_only.xml", "elga"): "purposeofuse: the value is not a text",
    ("SAML-XUA/epd_assertion_only.xml", "vihf-4"): "VIHF_Version",
    ("SAML-XUA/epd_1_Get_X-User_Assertion_Response-Healthcare_Provider.xml", "swiss-epr"): "SubjectConfirmation",
    ("SAML-XUA/epd_4_Get_X-User_Assertion_Response-Patient.xml", "swiss-epr"): "SubjectConfirmation",
    # What identity providers issue, before the community makes an X-User Assertion of it.
    ("SAML-XUA/epd_GetXAssertion_request.xml", "swiss-epr"): "NameQualifier",
    ("SAML-XUA/epd_1_Get_X-User_Assertion_Request-Healthcare_Provider.xml", "swiss-epr"): "NameQualifier",
    ("SAML-XUA/epd_4_Get_X-User_Assertion_Request-Patient.xml", "swiss-epr"): "NameQualifier",
}


@pytest.fixture
def samples(shared: Path) -> Path:
    return shared / "samples"


def read(path: Path) -> _Element:
    data = path.read_bytes()
    return parse(b64decode(data) if path.suffix == ".base64" else data.lstrip())


def as_message(stage: Stage, root: _Element) -> _Element:
    """The SOAP message that carries what the file holds."""
    if root.tag == ENVELOPE and root[0].find(f".//{ASSERTION}") is not None and len(root) == 2:
        return root
    assertions = [each for each in root.iter(ASSERTION) if not any(up.tag == ASSERTION for up in each.iterancestors())]
    return parse(stage.enclose(b"".join(map(serialize, assertions))))


def trust_its_own_certificate(stage: Stage, root: _Element) -> None:
    for assertion in root.iter(ASSERTION):
        certificate = assertion.findtext(f"{{{DS}}}Signature//{{{DS}}}X509Certificate", "")
        pem = f"-----BEGIN CERTIFICATE-----\n{certificate.strip()}\n-----END CERTIFICATE-----\n"
        try:
            pinned = load_certificates(pem.encode())
        except ValueError:
            pinned = (make_certificate(stage.key, now=instant_of(root)),)
        issuer = assertion.findtext(f"{{{SAML}}}Issuer", "")
        stage.trust.trust(TrustedIssuer(entity_id=issuer, certificates=pinned))


def instant_of(root: _Element) -> datetime:
    """A moment at which the assertion claims to be valid."""
    conditions = next(root.iter(f"{{{SAML}}}Conditions"), None)
    begin = "2020-01-01T00:00:00Z" if conditions is None else conditions.get("NotBefore", "")
    return datetime.fromisoformat(begin).astimezone(UTC)


@pytest.mark.parametrize("file", VERDICTS)
def test_each_foreign_assertion_meets_its_verdict(stage: Stage, samples: Path, file: str) -> None:
    subcode, reason = VERDICTS[file]
    root = read(samples / file)
    trust_its_own_certificate(stage, root)
    audiences = [each.text or "" for each in root.iter(f"{{{SAML}}}Audience")]
    with pytest.raises(AssertionRefused) as caught:
        Verifier(stage.trust, audiences).verify(as_message(stage, root), instant_of(root))
    assert caught.value.subcode is subcode and reason in caught.value.reason


@pytest.mark.parametrize("file", SIGNED_ANEW)
def test_a_foreign_assertion_is_judged_by_its_content_when_its_signature_is_good(
    stage: Stage, samples: Path, file: str
) -> None:
    expected = SIGNED_ANEW[file]
    root = read(samples / file)
    assertion = next(root.iter(ASSERTION))
    now = instant_of(root)
    pinned = make_certificate(stage.key, now=now)
    issuer = assertion.findtext(f"{{{SAML}}}Issuer", "")
    stage.trust.trust(TrustedIssuer(entity_id=issuer, certificates=(pinned,)))
    verifier = Verifier(stage.trust, [each.text or "" for each in root.iter(f"{{{SAML}}}Audience")])
    envelope = parse(stage.message(stage.sign(parse(serialize(assertion)))))
    if isinstance(expected, str):
        assert verifier.verify(envelope, now).name_id == expected
        return
    with pytest.raises(AssertionRefused) as caught:
        verifier.verify(envelope, now)
    assert caught.value.subcode is expected


@pytest.mark.parametrize(("file", "profile"), BY_PROFILE)
def test_a_foreign_assertion_is_judged_by_the_profile_of_its_issuer(
    stage: Stage, samples: Path, file: str, profile: str
) -> None:
    expected = BY_PROFILE[file, profile]
    root = read(samples / file)
    assertion, now = next(root.iter(ASSERTION)), instant_of(root)
    pinned, issuer = make_certificate(stage.key, now=now), assertion.findtext(f"{{{SAML}}}Issuer", "")
    stage.trust.trust(TrustedIssuer(entity_id=issuer, certificates=(pinned,), profile=shipped()[profile]))
    verifier = Verifier(stage.trust, [each.text or "" for each in root.iter(f"{{{SAML}}}Audience")])
    envelope = parse(stage.message(stage.sign(parse(serialize(assertion)))))
    try:
        assert verifier.verify(envelope, now).name_id == expected
    except AssertionRefused as refused:
        assert expected in refused.reason


def test_no_file_is_left_out(samples: Path) -> None:
    folders = [samples / "SAML-XUA", samples / "SAML-signature"]
    present = {f"{folder.name}/{path.name}" for folder in folders for path in folder.iterdir()}
    assert present <= set(VERDICTS)
