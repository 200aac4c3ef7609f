"""Attacks on XML signatures, by hand: each is refused, whatever else in the message is genuine.

The wrapping placements are those of Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (2012), moved to a
SOAP security header; the others abuse references, transforms, algorithms, KeyInfo, names and the parser.
"""

import hmac
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha1, sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from lxml.etree import _Element
from signxml import SignatureConfiguration, XMLVerifier
from signxml.exceptions import SignXMLException

from soap.xml import XMLRefused, parse, serialize
from tests.xua.stage import Stage
from xua.envelope import ASSERTION
from xua.errors import AssertionRefused, Subcode
from xua.keys import make_stranger
from xua.names import DS, EXCLUSIVE_C14N, SAML, SOAP, WSSE
from xua.people import PEOPLE, DemoRole
from xua.signature import SIGNATURE, sign
from xua.trust import TrustedIssuer
from xua.verifier import Verifier

Attack = Callable[[Stage], bytes]

NAME = PEOPLE[DemoRole.PATIENT].name_id
ADMINISTRATOR = "the.administrator"
ENVELOPED = f"{DS}enveloped-signature"
ATTACKS: dict[str, tuple[Attack, Subcode, str]] = {}

# Why an attack must fail, as far as several fail for one reason.
ONE_OF_EACH = "expected one Security header with one Assertion"
ELSEWHERE = "does not stand at Envelope/Header/Security/Assertion"
REFERENCE = "the signature does not refer to its own assertion"
DIGEST = "InvalidDigest"
SIGNED_BY_NOBODY = "InvalidSignature"
KEY_KIND = "does not match specified signature algorithm"
TOO_LARGE = "at most 65536 are read"
ALGORITHM = "is not accepted here"
UNKNOWN = "is not supported"
NOT_BASE64 = "is not base64"
NOT_TRUSTED = "is not trusted"


def attack(subcode: Subcode, reason: str) -> Callable[[Attack], Attack]:
    """Put an attack on the list with the code and the reason of its refusal; it makes the bytes of a message."""

    def declare(make: Attack) -> Attack:
        ATTACKS[make.__name__] = (make, subcode, reason)
        return make

    return declare


def evil(genuine: _Element, own_id: str = "_evil") -> _Element:
    """A copy in the administrator's name, without signature."""
    forged = deepcopy(genuine)
    forged.set("ID", own_id)
    for name in forged.iter(f"{{{SAML}}}NameID"):
        name.text = ADMINISTRATOR
    signature = forged.find(SIGNATURE)
    if signature is not None:
        forged.remove(signature)
    return forged


def bare(genuine: _Element) -> tuple[_Element, _Element]:
    """The genuine assertion without its signature, and that signature."""
    stripped = deepcopy(genuine)
    signature = stripped.find(SIGNATURE)
    assert signature is not None
    stripped.remove(signature)
    return stripped, signature


def part(assertion: _Element, name: str) -> _Element:
    """The first element of that name within the signature."""
    return next(assertion.iter(f"{{{DS}}}{name}"))


def text(assertion: _Element, name: str) -> bytes:
    return (part(assertion, name).text or "").encode()


def splice(outer: _Element, inner: bytes, before: bytes) -> bytes:
    """Put bytes into an element, in front of a mark."""
    head, mark, tail = serialize(outer).partition(before)
    assert mark
    return head + inner + mark + tail


def replaced(message: bytes, old: bytes, new: bytes, count: int = -1) -> bytes:
    assert old in message
    return message.replace(old, new, count)


SUBJECT = b"<saml2:Subject>"
END = b"</saml2:Assertion>"

# -- wrapping: a forged assertion in the place that is read, the genuine one where its signature still verifies


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_in_an_object_of_the_forged_signature(stage: Stage) -> bytes:
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    wrapping = splice(signature, b"<ds:Object>" + serialize(stripped) + b"</ds:Object>", b"</ds:Signature>")
    return stage.enclose(splice(evil(genuine), wrapping, SUBJECT))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_with_its_signature_in_an_object(stage: Stage) -> bytes:
    genuine = stage.issue()
    signature = bare(genuine)[1]
    wrapping = splice(signature, b"<ds:Object>" + serialize(genuine) + b"</ds:Object>", b"</ds:Signature>")
    return stage.enclose(splice(evil(genuine), wrapping, SUBJECT))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_as_first_child_of_the_forged(stage: Stage) -> bytes:
    genuine = stage.issue()
    return stage.enclose(splice(evil(genuine), serialize(genuine), b"<saml2:Issuer>"))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_as_last_child_of_the_forged(stage: Stage) -> bytes:
    genuine = stage.issue()
    return stage.enclose(splice(evil(genuine), serialize(genuine), END))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def forged_before_the_genuine(stage: Stage) -> bytes:
    genuine = stage.issue()
    return stage.message(evil(genuine), genuine)


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def forged_behind_the_genuine(stage: Stage) -> bytes:
    genuine = stage.issue()
    return stage.message(genuine, evil(genuine))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_moved_to_the_body(stage: Stage) -> bytes:
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    forged = splice(evil(genuine), serialize(signature), SUBJECT)
    return stage.enclose(forged, body=serialize(stripped))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_with_its_signature_in_the_body(stage: Stage) -> bytes:
    genuine = stage.issue()
    forged = splice(evil(genuine), serialize(bare(genuine)[1]), SUBJECT)
    return stage.enclose(forged, body=serialize(genuine))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_moved_to_another_header(stage: Stage) -> bytes:
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    forged = splice(evil(genuine), serialize(signature), SUBJECT)
    return stage.enclose(forged, header=b'<x:Wrapper xmlns:x="urn:x">' + serialize(stripped) + b"</x:Wrapper>")


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_in_the_advice_of_the_forged(stage: Stage) -> bytes:
    genuine = stage.issue()
    advice = b"<saml2:Advice>" + serialize(genuine) + b"</saml2:Advice>"
    return stage.enclose(splice(evil(genuine), advice, b"<saml2:AuthnStatement"))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_in_an_attribute_value_of_the_forged(stage: Stage) -> bytes:
    genuine = stage.issue()
    value = b'<saml2:Attribute Name="x"><saml2:AttributeValue>' + serialize(genuine)
    end = b"</saml2:AttributeValue></saml2:Attribute>"
    return stage.enclose(splice(evil(genuine), value + end, b"</saml2:AttributeStatement>"))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_in_the_confirmation_data_of_the_forged(stage: Stage) -> bytes:
    genuine = stage.issue()
    data = b"<saml2:SubjectConfirmationData>" + serialize(genuine) + b"</saml2:SubjectConfirmationData>"
    return stage.enclose(splice(evil(genuine), data, b"<saml2:SubjectConfirmationData"))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_in_an_unknown_element_beside_the_forged(stage: Stage) -> bytes:
    genuine = stage.issue()
    wrapper = b'<x:Wrapper xmlns:x="urn:x">' + serialize(genuine) + b"</x:Wrapper>"
    return stage.enclose(serialize(evil(genuine)) + wrapper)


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def genuine_in_a_second_security_header(stage: Stage) -> bytes:
    genuine = stage.issue()
    second = f'<w:Security xmlns:w="{WSSE}">'.encode() + serialize(genuine) + b"</w:Security>"
    return stage.message(evil(genuine), header=second)


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def forged_in_a_second_security_header(stage: Stage) -> bytes:
    genuine = stage.issue()
    second = f'<w:Security xmlns:w="{WSSE}">'.encode() + serialize(evil(genuine)) + b"</w:Security>"
    return stage.message(genuine, header=second)


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def an_empty_second_security_header(stage: Stage) -> bytes:
    return stage.message(stage.issue(), header=f'<w:Security xmlns:w="{WSSE}"/>'.encode())


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def both_under_one_id(stage: Stage) -> bytes:
    genuine = stage.issue()
    forged = evil(genuine, genuine.get("ID", ""))
    return stage.message(forged, body=serialize(genuine))


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def signature_beside_the_forged(stage: Stage) -> bytes:
    genuine = stage.issue()
    stripped, signature = bare(genuine)
    return stage.enclose(serialize(evil(genuine)) + serialize(signature), body=serialize(stripped))


@attack(Subcode.INVALID_SECURITY, ELSEWHERE)
def security_header_in_the_body(stage: Stage) -> bytes:
    security = f'<w:Security xmlns:w="{WSSE}">'.encode() + serialize(stage.issue()) + b"</w:Security>"
    return f'<e:Envelope xmlns:e="{SOAP}"><e:Header/><e:Body>'.encode() + security + b"</e:Body></e:Envelope>"


@attack(Subcode.INVALID_SECURITY, ELSEWHERE)
def envelope_within_the_body(stage: Stage) -> bytes:
    inner = stage.message(stage.issue())
    return f'<e:Envelope xmlns:e="{SOAP}"><e:Header/><e:Body>'.encode() + inner + b"</e:Body></e:Envelope>"


@attack(Subcode.INVALID_SECURITY, ELSEWHERE)
def security_header_in_a_wrapper(stage: Stage) -> bytes:
    message = replaced(stage.message(stage.issue()), b"<wsse:Security", b'<x xmlns="urn:x"><wsse:Security')
    return replaced(message, b"</wsse:Security>", b"</wsse:Security></x>")


@attack(Subcode.INVALID_SECURITY, "the envelope has several headers")
def two_soap_headers(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), b"<env:Body>", b"<env:Header/><env:Body>")


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def assertion_straight_in_the_header(stage: Stage) -> bytes:
    header = f'<e:Envelope xmlns:e="{SOAP}"><e:Header>'.encode() + serialize(stage.issue())
    return header + b"</e:Header><e:Body/></e:Envelope>"


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def assertion_without_envelope(stage: Stage) -> bytes:
    return serialize(stage.issue())


@attack(Subcode.INVALID_SECURITY, "the message is a security header without an envelope")
def security_header_without_envelope(stage: Stage) -> bytes:
    return f'<w:Security xmlns:w="{WSSE}">'.encode() + serialize(stage.issue()) + b"</w:Security>"


@attack(Subcode.INVALID_SECURITY, "the security header is meant for another role")
def security_header_for_another_role(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), b"<wsse:Security ", b'<wsse:Security env:role="urn:other" ')


@attack(Subcode.INVALID_SECURITY, ELSEWHERE)
def another_envelope_namespace(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), SOAP.encode(), b"http://schemas.xmlsoap.org/soap/envelope/")


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def another_security_namespace(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), WSSE.encode(), b"urn:security")


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def another_assertion_namespace(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), SAML.encode(), b"urn:oasis:names:tc:SAML:1.0:assertion")


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, "UsernameToken")
def a_user_name_beside_the_assertion(stage: Stage) -> bytes:
    token = f'<w:UsernameToken xmlns:w="{WSSE}"><w:Username>{ADMINISTRATOR}</w:Username></w:UsernameToken>'
    return stage.enclose(serialize(stage.issue()) + token.encode())


@attack(Subcode.INVALID_SECURITY, ONE_OF_EACH)
def an_encrypted_assertion_beside_the_assertion(stage: Stage) -> bytes:
    return stage.enclose(serialize(stage.issue()) + f'<EncryptedAssertion xmlns="{SAML}"/>'.encode())


# -- identifiers and references


@attack(Subcode.FAILED_CHECK, "the ID of the assertion is repeated")
def signature_with_the_id_of_the_assertion(stage: Stage) -> bytes:
    genuine = stage.issue()
    return replaced(stage.message(genuine), b"<ds:Signature ", f'<ds:Signature Id="{genuine.get("ID")}" '.encode())


@attack(Subcode.INVALID_SECURITY_TOKEN, "saml:Assertion has the attributes ['Id', 'ID', 'IssueInstant', 'Versio")
def assertion_with_two_ids(stage: Stage) -> bytes:
    genuine = stage.issue()
    return replaced(stage.message(genuine), b"<saml2:Assertion ", b'<saml2:Assertion Id="_other" ')


@attack(Subcode.INVALID_SECURITY_TOKEN, "XML/1998/namespace}id")
def assertion_with_an_xml_id(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), b"<saml2:Assertion ", b'<saml2:Assertion xml:id="_other" ')


@attack(Subcode.INVALID_SECURITY_TOKEN, "saml:Assertion has the attributes ['IssueInstant', 'Version']")
def assertion_without_id(stage: Stage) -> bytes:
    genuine = stage.issue()
    del genuine.attrib["ID"]
    return stage.message(stage.sign(genuine, uri="#"))


@attack(Subcode.INVALID_SECURITY_TOKEN, "saml:Assertion holds saml:Issuer;ds:Signature;ds:Signature;")
def two_signatures(stage: Stage) -> bytes:
    genuine = stage.issue()
    return stage.enclose(splice(genuine, serialize(bare(genuine)[1]), SUBJECT))


@attack(Subcode.INVALID_SECURITY_TOKEN, "saml:Assertion holds saml:Issuer;saml:Subject;ds:Signature;saml:Condit")
def signature_behind_the_subject(stage: Stage) -> bytes:
    stripped, signature = bare(stage.issue())
    return stage.enclose(splice(stripped, serialize(signature), b"<saml2:Conditions"))


@attack(Subcode.FAILED_CHECK, "the assertion is not signed")
def signature_in_the_subject(stage: Stage) -> bytes:
    stripped, signature = bare(stage.issue())
    return stage.enclose(splice(stripped, serialize(signature), b"</saml2:Subject>"))


@attack(Subcode.FAILED_CHECK, REFERENCE)
def reference_to_the_whole_document(stage: Stage) -> bytes:
    message: bytes = stage.message(stage.sign(stage.issue(), uri="#x"))
    return replaced(message, b'URI="#x"', b'URI=""')


@attack(Subcode.FAILED_CHECK, REFERENCE)
def reference_to_another_assertion(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), uri="#_another"))


@attack(Subcode.FAILED_CHECK, REFERENCE)
def reference_by_xpointer(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), uri="#xpointer(/)"))


@attack(Subcode.FAILED_CHECK, REFERENCE)
def reference_to_the_network(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), uri="http://127.0.0.1:9/assertion.xml"))


@attack(Subcode.FAILED_CHECK, REFERENCE)
def reference_to_a_file(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), uri="file:///etc/passwd"))


@attack(Subcode.INVALID_SECURITY_TOKEN, "ds:SignedInfo holds ds:CanonicalizationMethod;ds:SignatureMethod;ds:Re")
def two_references(stage: Stage) -> bytes:
    genuine = stage.issue()
    second = part(genuine, "Reference")
    return stage.message(stage.sign(genuine, reference=serialize(second).decode()))


@attack(Subcode.INVALID_SECURITY, TOO_LARGE)
def five_hundred_references(stage: Stage) -> bytes:
    genuine = stage.issue()
    second = serialize(part(genuine, "Reference")).decode()
    return stage.message(stage.sign(genuine, reference=second * 500))


@attack(Subcode.INVALID_SECURITY_TOKEN, "ds:SignedInfo holds ds:CanonicalizationMethod;ds:SignatureMethod;")
def no_reference(stage: Stage) -> bytes:
    genuine = stage.issue()
    info = part(genuine, "SignedInfo")
    info.remove(info[2])
    return stage.message(genuine)


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, UNKNOWN)
def a_manifest(stage: Stage) -> bytes:
    genuine = stage.issue()
    manifest = b'<ds:Object><ds:Manifest Id="m"/></ds:Object>'
    return stage.enclose(splice(genuine, manifest, b"</ds:Signature>"))


# -- transforms and algorithms, under the genuine key where that makes the attack stronger


def transforms(*algorithms: str) -> str:
    return "".join(f'<ds:Transform Algorithm="{algorithm}"/>' for algorithm in algorithms)


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, UNKNOWN)
def an_xpath_transform(stage: Stage) -> bytes:
    xpath = (
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
        "<ds:XPath>not(ancestor-or-self::*)</ds:XPath></ds:Transform>"
    )
    return stage.message(stage.sign(stage.issue(), transforms=transforms(ENVELOPED) + xpath))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def an_xslt_transform(stage: Stage) -> bytes:
    return stage.message(
        stage.sign(stage.issue(), transforms=transforms(ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116"))
    )


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def an_unknown_transform(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), transforms=transforms(ENVELOPED, "urn:unknown")))


@attack(Subcode.INVALID_SECURITY_TOKEN, "ds:Transforms holds ds:Transform;ds:Transform;ds:Transform;")
def an_unknown_third_transform(stage: Stage) -> bytes:
    listed = transforms(ENVELOPED, EXCLUSIVE_C14N, "urn:unknown")
    return stage.message(stage.sign(stage.issue(), transforms=listed))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def a_base64_transform(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), transforms=transforms(ENVELOPED, f"{DS}base64")))


@attack(Subcode.INVALID_SECURITY_TOKEN, "ds:Transforms holds ds:Transform;")
def no_canonicalization(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), transforms=transforms(ENVELOPED)))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def transforms_the_wrong_way_round(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), transforms=transforms(EXCLUSIVE_C14N, ENVELOPED)))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def canonicalization_with_comments(stage: Stage) -> bytes:
    listed = transforms(ENVELOPED, f"{EXCLUSIVE_C14N}WithComments")
    return stage.message(stage.sign(stage.issue(), transforms=listed))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def inclusive_canonicalization(stage: Stage) -> bytes:
    inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    return stage.message(stage.sign(stage.issue(), canonicalization=inclusive))


@attack(Subcode.UNSUPPORTED_ALGORITHM, "the enveloped-signature transform takes no parameter")
def a_parameter_of_the_enveloped_transform(stage: Stage) -> bytes:
    parameter = (
        f'<ds:Transform Algorithm="{ENVELOPED}"><ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE_C14N}" PrefixList="x"/>'
        "</ds:Transform>"
    )
    return stage.message(stage.sign(stage.issue(), transforms=parameter + transforms(EXCLUSIVE_C14N)))


@attack(Subcode.UNSUPPORTED_ALGORITHM, "InclusiveNamespaces has no readable PrefixList")
def an_unreadable_prefix_list(stage: Stage) -> bytes:
    listed = (
        f'<ds:Transform Algorithm="{EXCLUSIVE_C14N}"><ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE_C14N}"'
        ' PrefixList="a  b&#10;c"/></ds:Transform>'
    )
    return stage.message(stage.sign(stage.issue(), transforms=transforms(ENVELOPED) + listed))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def hmac_keyed_with_the_public_certificate(stage: Stage) -> bytes:
    """Algorithm confusion: everybody knows the certificate, so everybody could make this."""

    def authenticate(data: bytes) -> bytes:
        return hmac.new(stage.certificate_pem, data, sha256).digest()

    method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    return stage.message(stage.sign(evil(stage.issue()), method=method, with_key=authenticate))


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, UNKNOWN)
def hmac_cut_to_one_bit(stage: Stage) -> bytes:
    message: bytes = stage.message(
        stage.sign(
            evil(stage.issue()), method=f"{DS}hmac-sha1", with_key=lambda data: hmac.new(b"", data, sha1).digest()
        )
    )
    method = f'<ds:SignatureMethod Algorithm="{DS}hmac-sha1"'.encode()
    return replaced(
        message, method + b"/>", method + b"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>"
    )


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def rsa_with_sha1(stage: Stage) -> bytes:
    def weak(data: bytes) -> bytes:
        return bytes(stage.key.sign(data, padding.PKCS1v15(), hashes.SHA1()))

    return stage.message(stage.sign(stage.issue(), method=f"{DS}rsa-sha1", with_key=weak))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def a_sha1_digest(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), digest=(f"{DS}sha1", "sha1")))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def an_md5_digest(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), digest=("http://www.w3.org/2001/04/xmldsig-more#md5", "md5")))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def dsa(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), method="http://www.w3.org/2009/xmldsig11#dsa-sha256"))


@attack(Subcode.UNSUPPORTED_ALGORITHM, ALGORITHM)
def no_algorithm(stage: Stage) -> bytes:
    return stage.message(stage.sign(evil(stage.issue()), method="none", with_key=lambda data: b"\x00"))


@attack(Subcode.FAILED_CHECK, KEY_KIND)
def ecdsa_claimed_for_an_rsa_key(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), method="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"))


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, UNKNOWN)
def parameters_of_the_signature_method(stage: Stage) -> bytes:
    parameters = b"<ds:X/></ds:SignatureMethod>"
    message: bytes = stage.message(stage.issue())
    method = b'<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"'
    return replaced(message, method + b"/>", method + b">" + parameters)


# -- keys


def strangers_signature(stage: Stage, key_info: str) -> _Element:
    key = rsa.generate_private_key(65537, 2048)

    def sign(data: bytes) -> bytes:
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    signed: _Element = stage.sign(evil(stage.issue()), key_info=key_info, with_key=sign)
    return signed


def key_info(content: str) -> str:
    return f"<ds:KeyInfo>{content}</ds:KeyInfo>"


def certificate(stage: Stage) -> str:
    base64 = "".join(stage.certificate_pem.decode().splitlines()[1:-1])
    return f"<ds:X509Certificate>{base64}</ds:X509Certificate>"


@attack(Subcode.FAILED_CHECK, SIGNED_BY_NOBODY)
def a_strangers_key_with_the_issuers_certificate(stage: Stage) -> bytes:
    return stage.message(strangers_signature(stage, key_info(f"<ds:X509Data>{certificate(stage)}</ds:X509Data>")))


@attack(Subcode.FAILED_CHECK, SIGNED_BY_NOBODY)
def a_strangers_key_value(stage: Stage) -> bytes:
    value = "<ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
    return stage.message(strangers_signature(stage, key_info(f"<ds:KeyValue>{value}</ds:KeyValue>")))


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, UNKNOWN)
def a_strangers_key_by_reference(stage: Stage) -> bytes:
    retrieval = '<ds:RetrievalMethod URI="http://127.0.0.1:9/key"/>'
    return stage.message(strangers_signature(stage, key_info(retrieval)))


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, UNKNOWN)
def a_strangers_key_by_token_reference(stage: Stage) -> bytes:
    reference = f'<w:SecurityTokenReference xmlns:w="{WSSE}"><w:Reference URI="#x"/></w:SecurityTokenReference>'
    return stage.message(strangers_signature(stage, key_info(reference)))


@attack(Subcode.INVALID_SECURITY_TOKEN, "the assertion has more than 600 elements")
def a_flood_of_certificates(stage: Stage) -> bytes:
    flood = "<ds:X509Certificate>QUJD</ds:X509Certificate>" * 1000
    return stage.message(stage.sign(stage.issue(), key_info=key_info(f"<ds:X509Data>{flood}</ds:X509Data>")))


@attack(Subcode.INVALID_SECURITY, TOO_LARGE)
def a_flood_of_key_names(stage: Stage) -> bytes:
    return stage.message(stage.sign(stage.issue(), key_info=key_info("<ds:KeyName>k</ds:KeyName>" * 5000)))


@attack(Subcode.INVALID_SECURITY_TOKEN, "ds:Signature holds ds:SignedInfo;ds:SignatureValue;ds:KeyInfo;ds:KeyIn")
def two_key_infos(stage: Stage) -> bytes:
    one = key_info("<ds:KeyName>k</ds:KeyName>")
    return stage.message(stage.sign(stage.issue(), key_info=one + one))


@attack(Subcode.FAILED_CHECK, KEY_KIND)
def an_issuer_speaking_for_another(stage: Stage) -> bytes:
    """Both are trusted, each for itself."""
    key, certificate = make_stranger(stage.now)
    stage.trust.trust(TrustedIssuer(entity_id="https://small.example", certificates=(certificate,)))
    return stage.message(sign(evil(stage.issue()), key, certificate))


@attack(Subcode.INVALID_SECURITY_TOKEN, NOT_TRUSTED)
def an_issuer_in_another_spelling(stage: Stage) -> bytes:
    genuine = stage.issue()
    genuine[0].text = stage.issuer.upper()
    return stage.message(stage.sign(genuine))


@attack(Subcode.INVALID_SECURITY_TOKEN, NOT_TRUSTED)
def an_issuer_with_white_space(stage: Stage) -> bytes:
    genuine = stage.issue()
    genuine[0].text = f" {stage.issuer}"
    return stage.message(stage.sign(genuine))


# -- bytes changed after signing


@attack(Subcode.FAILED_CHECK, DIGEST)
def a_changed_name(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), PEOPLE[DemoRole.PATIENT].name_id.encode(), ADMINISTRATOR.encode())


@attack(Subcode.FAILED_CHECK, DIGEST)
def a_changed_role(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), b'code="patient"', b'code="treating-doctor"')


@attack(Subcode.FAILED_CHECK, DIGEST)
def a_longer_validity(stage: Stage) -> bytes:
    return replaced(stage.message(stage.issue()), b"2031-05-04T09:40", b"2041-05-04T09:40")


@attack(Subcode.FAILED_CHECK, DIGEST)
def an_added_attribute(stage: Stage) -> bytes:
    value = b'<saml2:Attribute Name="x"><saml2:AttributeValue>y</saml2:AttributeValue></saml2:Attribute>'
    return stage.enclose(splice(stage.issue(), value, b"</saml2:AttributeStatement>"))


@attack(Subcode.FAILED_CHECK, REFERENCE)
def the_signature_of_another_assertion(stage: Stage) -> bytes:
    signature = bare(stage.issue(DemoRole.TREATING_DOCTOR))[1]
    return stage.enclose(splice(bare(stage.issue())[0], serialize(signature), SUBJECT))


@attack(Subcode.FAILED_CHECK, SIGNED_BY_NOBODY)
def the_signature_value_of_another_assertion(stage: Stage) -> bytes:
    mine, other = stage.issue(), stage.issue()
    return replaced(stage.message(mine), text(mine, "SignatureValue"), text(other, "SignatureValue"))


@attack(Subcode.FAILED_CHECK, SIGNED_BY_NOBODY)
def the_digest_of_another_assertion(stage: Stage) -> bytes:
    mine, other = stage.issue(), stage.issue(DemoRole.NURSE)
    return replaced(stage.message(mine), text(mine, "DigestValue"), text(other, "DigestValue"))


@attack(Subcode.FAILED_CHECK, NOT_BASE64)
def an_emptied_signature_value(stage: Stage) -> bytes:
    """What a rewriting proxy made of it in the field."""
    genuine = stage.issue()
    part(genuine, "SignatureValue").text = None
    return stage.message(genuine)


@attack(Subcode.FAILED_CHECK, NOT_BASE64)
def a_signature_value_that_is_no_base64(stage: Stage) -> bytes:
    genuine = stage.issue()
    part(genuine, "SignatureValue").text = "!!!!"
    return stage.message(genuine)


@attack(Subcode.FAILED_CHECK, SIGNED_BY_NOBODY)
def a_pretty_printed_assertion(stage: Stage) -> bytes:
    genuine = stage.issue()
    etree.indent(genuine)
    return stage.message(genuine)


@attack(Subcode.UNSUPPORTED_SECURITY_TOKEN, UNKNOWN)
def a_signature_with_an_object(stage: Stage) -> bytes:
    return stage.enclose(splice(stage.issue(), b"<ds:Object/>", b"</ds:Signature>"))


@attack(Subcode.INVALID_SECURITY_TOKEN, "ds:Signature holds text between its elements")
def text_in_the_signature(stage: Stage) -> bytes:
    return stage.enclose(splice(stage.issue(), b"text", b"</ds:Signature>"))


@attack(Subcode.INVALID_SECURITY, TOO_LARGE)
def a_million_namespaces(stage: Stage) -> bytes:
    declared = b"".join(b'xmlns:n%d="urn:%d" ' % (number, number) for number in range(4000))
    return replaced(stage.message(stage.issue()), b"<env:Envelope ", b"<env:Envelope " + declared)


@attack(Subcode.INVALID_SECURITY, TOO_LARGE)
def a_huge_assertion(stage: Stage) -> bytes:
    genuine = stage.issue()
    genuine[-1][0].set("FriendlyName", "x" * 70_000)
    return stage.message(stage.sign(genuine))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_is_refused(stage: Stage, name: str) -> None:
    """On an empty cache, and again behind a genuine token: no earlier success may open a door."""
    make, subcode, reason = ATTACKS[name]
    for _remembered in range(2):
        with pytest.raises(AssertionRefused) as caught:
            stage.verify(make(stage))
        assert caught.value.subcode is subcode and reason in caught.value.reason, caught.value.reason
        assert stage.verify(stage.message(stage.issue())).name_id == NAME


def test_the_attack_is_refused_where_the_very_token_is_remembered(stage: Stage) -> None:
    genuine = stage.issue()
    assert stage.verify(stage.message(genuine))
    for message in (
        stage.message(genuine, evil(genuine)),
        stage.message(evil(genuine), genuine),
        stage.message(evil(genuine, genuine.get("ID", "")), body=serialize(genuine)),
        replaced(stage.message(genuine), NAME.encode(), ADMINISTRATOR.encode()),
    ):
        with pytest.raises(AssertionRefused):
            stage.verify(message)


def naive_name(stage: Stage, message: bytes) -> str | None:
    """What a service believes that verifies "the" signature and then reads "the" assertion; None if it refuses."""
    root = parse(message)
    config = SignatureConfiguration(verification_time=stage.now)
    try:
        XMLVerifier().verify(root, x509_cert=stage.sts.certificate, expect_config=config)
    except (SignXMLException, ValueError, etree.LxmlError):
        return None
    return root.findtext(f".//{{{SAML}}}Subject/{{{SAML}}}NameID")


def test_the_wrapping_attacks_are_real(stage: Stage) -> None:
    """Control: a verifier that is not tied to one place takes many of them for the administrator."""
    misplaced = [(name, make) for name, (make, _, reason) in ATTACKS.items() if reason in (ONE_OF_EACH, ELSEWHERE)]
    fooled = [name for name, make in misplaced if naive_name(stage, make(stage)) == ADMINISTRATOR]
    assert len(fooled) >= 8, fooled


def test_the_hand_made_signature_is_good_when_nothing_is_wrong_with_it(stage: Stage) -> None:
    """Control: what the attacks are built with is accepted, so that their refusal means something."""
    assert stage.verify(stage.message(stage.sign(stage.issue())))
    info = key_info(f"<ds:KeyName>k</ds:KeyName><ds:X509Data>{certificate(stage)}</ds:X509Data>")
    assert stage.verify(stage.message(stage.sign(stage.issue(), key_info=info)))


@pytest.mark.parametrize("prefixes", ["xs", "xsi saml2", "#default hl7"])
def test_inclusive_prefixes_as_many_toolkits_write_them_are_understood(stage: Stage, prefixes: str) -> None:
    assert stage.verify(stage.message(stage.sign(stage.issue(), prefixes=prefixes)))


@pytest.mark.parametrize(
    "declarations",
    [
        b'xmlns:hl7="urn:x" xmlns:xs="urn:y"',
        b'xmlns="urn:default"',
        b'xmlns:saml2="urn:not-saml" xmlns:ds="urn:not-ds"',
        b'xml:lang="fr" xml:base="http://x/"',
    ],
)
def test_what_the_envelope_declares_changes_nothing(stage: Stage, declarations: bytes) -> None:
    message = replaced(stage.message(stage.issue()), b"<env:Envelope ", b"<env:Envelope " + declarations + b" ")
    assert stage.verify(message).name_id == PEOPLE[DemoRole.PATIENT].name_id


def test_prefixes_declared_on_the_envelope_alone_are_carried_along(stage: Stage) -> None:
    """A client may declare the assertion's prefixes once, at the top: exclusive canonicalization is made for this."""
    message = stage.message(stage.issue())
    declaration = f' xmlns:saml2="{SAML}"'.encode()
    moved = replaced(replaced(message, declaration, b""), b"<env:Envelope", b"<env:Envelope" + declaration)
    assert stage.verify(moved).name_id == PEOPLE[DemoRole.PATIENT].name_id


@pytest.mark.parametrize("hidden", ["<!--x-->", "<?x y?>", "<!---->"])
def test_a_comment_cannot_cut_a_name_short(stage: Stage, hidden: str) -> None:
    """The signature covers the name without it, so it would verify: an assertion with a comment is refused."""
    genuine = stage.issue()
    cut = replaced(stage.message(genuine), NAME.encode(), f"{NAME[:3]}{hidden}{NAME[3:]}".encode())
    for envelope in (parse(cut, comments_kept_in=(ASSERTION,)), etree.fromstring(cut)):
        with pytest.raises(AssertionRefused) as caught:
            stage.verifier.verify(envelope, stage.now)
        assert caught.value.subcode is Subcode.INVALID_SECURITY and "comment" in caught.value.reason


def test_a_comment_elsewhere_in_the_message_is_nobodys_business(stage: Stage) -> None:
    message = replaced(stage.message(stage.issue()), b"<env:Body>", b"<!--x--><env:Body><!-- y --><?z z?>")
    assert stage.verify(message).name_id == NAME


def test_a_name_in_a_cdata_section_is_the_same_name(stage: Stage) -> None:
    message = replaced(stage.message(stage.issue()), f">{NAME}<".encode(), f"><![CDATA[{NAME}]]><".encode())
    assert stage.verify(message).name_id == NAME


@pytest.mark.parametrize(
    "dtd",
    [
        b'<!DOCTYPE x [<!ENTITY e "the.administrator">]>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        b"<!DOCTYPE x [<!ATTLIST saml2:Assertion ID ID #IMPLIED>]>",
    ],
)
def test_a_document_type_declaration_does_not_get_past_the_parser(stage: Stage, dtd: bytes) -> None:
    with pytest.raises(XMLRefused):
        stage.verify(dtd + stage.message(stage.issue()))


def test_an_entity_of_another_parser_is_refused(stage: Stage) -> None:
    message = replaced(stage.message(stage.issue()), NAME.encode(), b"&e;")
    parser = etree.XMLParser(resolve_entities=False)
    envelope = etree.fromstring(b'<!DOCTYPE x [<!ENTITY e "root">]>' + message, parser)
    with pytest.raises(AssertionRefused):
        stage.verifier.verify(envelope, stage.now)


def test_a_client_certificate_of_the_same_authority_signs_nothing(stage: Stage) -> None:
    """Issuers are pinned: that an authority vouches for a key does not make it an issuer's."""
    key = rsa.generate_private_key(65537, 2048)
    signed = stage.sign(evil(stage.issue()), with_key=lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()))
    with pytest.raises(AssertionRefused) as caught:
        Verifier(stage.trust, [stage.audience]).verify(parse(stage.message(signed)), stage.now)
    assert caught.value.subcode is Subcode.FAILED_CHECK
