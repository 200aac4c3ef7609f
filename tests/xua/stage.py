"""A stage for the verifier's tests: an issuer, a node that trusts it, and tools to sign by hand."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import new as new_hash

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from lxml.etree import _Element

from ihe.exchange import Principal
from soap.xml import parse, serialize
from xua.envelope import ASSERTION, security_header
from xua.names import DS, EXCLUSIVE_C14N, SOAP
from xua.people import DemoRole
from xua.sts import Defect, DevelopmentSTS
from xua.trust import TrustStore
from xua.verifier import Verifier

NOW = datetime(2031, 5, 4, 9, 30, tzinfo=UTC)
AUDIENCE = "urn:example:affinity-domain"
ISSUER = "https://sts.example.lu"
PATIENT_ID = "1234^^^&2.25.77&ISO"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED = f"{DS}enveloped-signature"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def make_certificate(key: Key, name: str = "STS", now: datetime = NOW) -> x509.Certificate:
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Affinity development")
    subject = x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=30))
    return builder.sign(key, hashes.SHA256())


def rsa_sign(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True)
class Stage:
    """One issuer (RSA key), one node that trusts it, and ways to make messages."""

    sts: DevelopmentSTS
    trust: TrustStore
    verifier: Verifier
    now: datetime = NOW
    audience: str = AUDIENCE
    issuer: str = ISSUER

    @property
    def key(self) -> rsa.RSAPrivateKey:
        assert isinstance(self.sts.key, rsa.RSAPrivateKey)
        return self.sts.key

    @property
    def certificate_pem(self) -> bytes:
        return self.sts.certificate.public_bytes(Encoding.PEM)

    def issue(self, role: DemoRole = DemoRole.PATIENT, defect: Defect | None = None) -> _Element:
        """An assertion of the STS, as the bytes of a client would carry it."""
        return parse(serialize(self.sts.issue(role, NOW, AUDIENCE, resource_id=PATIENT_ID, defect=defect)))

    def message(self, *assertions: _Element, header: bytes = b"", body: bytes = b"") -> bytes:
        """A SOAP message whose security header holds the assertions."""
        return self.enclose(b"".join(serialize(each) for each in assertions), header, body)

    def enclose(self, token: bytes, header: bytes = b"", body: bytes = b"") -> bytes:
        """A SOAP message with these bytes in its security header, others beside it, others in its body."""
        begin, end = security_header(etree.Element("x")).split(b"<x/>")
        security = begin + token + end
        envelope = f'<env:Envelope xmlns:env="{SOAP}"><env:Header>'.encode()
        return envelope + header + security + b"</env:Header><env:Body>" + body + b"</env:Body></env:Envelope>"

    def verify(self, message: bytes, **circumstances: object) -> Principal:
        """What the node makes of a message that came in as these bytes."""
        now = circumstances.get("now", NOW)
        certificate = circumstances.get("client_certificate")
        assert isinstance(now, datetime) and (certificate is None or isinstance(certificate, bytes))
        return self.verifier.verify(parse(message, comments_kept_in=(ASSERTION,)), now, certificate)

    def sign(
        self,
        assertion: _Element,
        *,
        method: str = RSA_SHA256,
        digest: tuple[str, str] = (SHA256, "sha256"),
        transforms: str | None = None,
        canonicalization: str = EXCLUSIVE_C14N,
        uri: str | None = None,
        reference: str = "",
        key_info: str = "",
        prefixes: str = "",
        with_key: Callable[[bytes], bytes] | None = None,
    ) -> _Element:
        """Sign by hand, in whatever form is asked for; independent of the library that verifies.

        ``reference`` is put behind the Reference, ``key_info`` behind the SignatureValue; ``prefixes`` fill the
        transform's PrefixList.
        """
        for old in assertion.findall(f"{{{DS}}}Signature"):
            assertion.remove(old)
        canonical = etree.tostring(assertion, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes.split())
        value = b64encode(new_hash(digest[1], canonical).digest()).decode()
        listed = (
            transforms
            if transforms is not None
            else transform(ENVELOPED) + transform(EXCLUSIVE_C14N, inclusive(prefixes))
        )
        info = (
            f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{canonicalization}"/>'
            f'<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="{uri or "#" + assertion.get("ID", "")}">'
            f'<ds:Transforms>{listed}</ds:Transforms><ds:DigestMethod Algorithm="{digest[0]}"/>'
            f"<ds:DigestValue>{value}</ds:DigestValue></ds:Reference>{reference}</ds:SignedInfo>"
        )
        to_sign = etree.tostring(parse(info.encode()), method="c14n", exclusive=True)
        make = with_key or (lambda data: rsa_sign(self.key, data))
        encoded = b64encode(make(to_sign)).decode()
        signature = (
            f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>{encoded}</ds:SignatureValue>'
            f"{key_info}</ds:Signature>"
        )
        return insert_behind_issuer(assertion, signature.encode())


def transform(algorithm: str, content: str = "") -> str:
    return f'<ds:Transform Algorithm="{algorithm}">{content}</ds:Transform>'


def inclusive(prefixes: str) -> str:
    listed = f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE_C14N}" PrefixList="{prefixes}"/>'
    return listed if prefixes else ""


def insert_behind_issuer(assertion: _Element, xml: bytes) -> _Element:
    document = serialize(assertion)
    end_tag = re.search(rb"</[^>]*Issuer>", document)
    assert end_tag is not None
    return parse(document[: end_tag.end()] + xml + document[end_tag.end() :])
