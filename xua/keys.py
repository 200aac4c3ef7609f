"""Certificates and keys: the only module here that knows the cryptography library, with ``xua.revocation``."""

from base64 import b64decode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Certificate = x509.Certificate
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Extension = TypeVar("Extension", bound=x509.ExtensionType)

SMALLEST_RSA_KEY = 2048
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
GENERAL_PURPOSES = frozenset(
    purpose.dotted_string
    for purpose in (
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
    )
)
"""Extended key usages that many certificates of an authority have: none of them makes a signer of assertions."""

_SHA2 = (SHA256, SHA384, SHA512)
_UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)


def load_certificates(pem: bytes) -> tuple[Certificate, ...]:
    """Read every certificate of a PEM file. ValueError where there is none or a key is too weak to be trusted."""
    certificates = tuple(x509.load_pem_x509_certificates(pem))
    for certificate in certificates:
        _refuse_weak_key(certificate)
    return certificates


def load_shown_certificate(base64: str) -> Certificate:
    """Read a certificate as a message shows it. ValueError for what is none, or has a weak key."""
    try:
        certificate = x509.load_der_x509_certificate(b64decode(base64))
        _refuse_weak_key(certificate)
    except (x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise ValueError(f"the certificate in KeyInfo cannot be used: {error}") from error
    return certificate


def load_private_key(pem: bytes) -> PrivateKey:
    """Read an unencrypted RSA or EC private key."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("a signing key must be RSA or EC")
    return key


def signs_with_rsa(key: PrivateKey) -> bool:
    """Claim that the key is an RSA key; the others are EC."""
    return isinstance(key, rsa.RSAPrivateKey)


def is_valid_at(certificate: Certificate, instant: datetime) -> bool:
    """Claim that the instant lies within the certificate's validity."""
    return certificate.not_valid_before_utc <= instant <= certificate.not_valid_after_utc


def subject_of(certificate: Certificate) -> str:
    """The subject's name (RFC 4514), for people."""
    return certificate.subject.rfc4514_string()


def issuing_authority(certificate: Certificate, authorities: Iterable[Certificate], now: datetime) -> Certificate:
    """The authority, valid now, that issued a certificate directly and with SHA-2. ValueError where none did.

    Paths are not searched: an intermediate authority is pinned itself.
    """
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        if not isinstance(certificate.signature_hash_algorithm, _SHA2):
            raise ValueError("the signer's certificate was not signed with SHA-2")
        if not _is_authority(authority) or not is_valid_at(authority, now):
            raise ValueError("the authority's certificate is not one of an authority that is valid now")
        return authority
    raise ValueError("no pinned authority has issued the signer's certificate")


def refuse_other_purposes(certificate: Certificate, usages: frozenset[str], subject: frozenset[str]) -> None:
    """ValueError for a certificate that is not made to sign assertions: an authority's, without the digital signature
    key usage, with a critical extension that is not understood, without one of ``usages`` or a part of ``subject``."""
    try:
        extensions = certificate.extensions
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(f"the signer's certificate cannot be read: {error}") from error
    if _is_authority(certificate):
        raise ValueError("the signer's certificate is that of an authority")
    if any(each.critical and not isinstance(each.value, _UNDERSTOOD) for each in extensions):
        raise ValueError("the signer's certificate has a critical extension that is not understood")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("the signer's certificate is not for digital signatures (key usage)")
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    shown = {purpose.dotted_string for purpose in purposes or ()}
    if usages and not usages & shown:
        raise ValueError(f"the signer's certificate has the extended key usages {sorted(shown)}, not {sorted(usages)}")
    parts = {part.rfc4514_string() for part in certificate.subject}
    if not subject <= parts:
        raise ValueError(f"the subject of the signer's certificate lacks {sorted(subject - parts)}")


def make_stranger(now: datetime) -> tuple[PrivateKey, Certificate]:
    """Make a key and a self-signed certificate that nobody trusts, for demonstrations of refusal."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A stranger")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now.astimezone(UTC) - timedelta(days=1))
    builder = builder.not_valid_after(now.astimezone(UTC) + timedelta(days=1))
    return key, builder.sign(key, SHA256())


def _is_authority(certificate: Certificate) -> bool:
    basic = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    return basic is not None and basic.ca and (usage is None or usage.key_cert_sign)


def _extension(certificate: Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _refuse_weak_key(certificate: Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA_KEY:
        return
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES):
        return
    raise ValueError("a trusted certificate needs an RSA key of 2048 bits or more, or one on P-256, P-384 or P-521")
