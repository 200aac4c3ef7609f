"""Certificates and keys: the only module here that knows the cryptography library."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

Certificate = x509.Certificate
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

SMALLEST_RSA_KEY = 2048
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def load_certificates(pem: bytes) -> tuple[Certificate, ...]:
    """Read every certificate of a PEM file. ValueError where there is none or a key is too weak to be trusted."""
    certificates = tuple(x509.load_pem_x509_certificates(pem))
    for certificate in certificates:
        _refuse_weak_key(certificate)
    return certificates


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


def make_stranger(now: datetime) -> tuple[PrivateKey, Certificate]:
    """Make a key and a self-signed certificate that nobody trusts, for demonstrations of refusal."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A stranger")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now.astimezone(UTC) - timedelta(days=1))
    builder = builder.not_valid_after(now.astimezone(UTC) + timedelta(days=1))
    return key, builder.sign(key, SHA256())


def _refuse_weak_key(certificate: Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA_KEY:
        return
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES):
        return
    raise ValueError("a trusted certificate needs an RSA key of 2048 bits or more, or one on P-256, P-384 or P-521")
