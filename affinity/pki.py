"""Development certificates: an authority of our own, made at the first start and used again (ITI TF-2: 3.19).

Everything it issues names the organization ``Affinity development``, so that a production start can refuse it.
"""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from xua.sts import DEVELOPMENT

ORGANIZATION = DEVELOPMENT
LIFETIME = timedelta(days=397)
AUTHORITY_LIFETIME = timedelta(days=3650)
RENEWED_BEFORE_END = timedelta(days=30)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Credential:
    """The PEM files of one certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentPKI:
    """What a development node needs: its authority, both ends of mutual TLS, and the STS's signing key."""

    authority: Credential
    server: Credential
    client: Credential
    sts: Credential


@dataclass(frozen=True, slots=True)
class _Issued:
    """What one certificate is for: its common name and its extensions, each with whether it is critical."""

    name: str
    extensions: tuple[tuple[x509.ExtensionType, bool], ...]
    rsa: bool = False


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _end_entity(*purposes: ObjectIdentifier) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    basic = (x509.BasicConstraints(ca=False, path_length=None), True)
    usage = (_key_usage(signs_certificates=False), True)
    return (basic, usage, (x509.ExtendedKeyUsage(purposes), False)) if purposes else (basic, usage)


_LOOPBACK = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")), x509.IPAddress(ip_address("::1"))]
)
_AUTHORITY = _Issued(
    "Affinity development CA",
    ((x509.BasicConstraints(ca=True, path_length=0), True), (_key_usage(signs_certificates=True), True)),
)
_SERVER = _Issued("localhost", (*_end_entity(ExtendedKeyUsageOID.SERVER_AUTH), (_LOOPBACK, False)))
_CLIENT = _Issued("Affinity development client", _end_entity(ExtendedKeyUsageOID.CLIENT_AUTH))
# RSA for the assertions: every SAML toolkit in the field verifies it.
_STS = _Issued("Affinity development STS", _end_entity(), rsa=True)


def development_pki(directory: Path, now: datetime | None = None) -> DevelopmentPKI:
    """Make, or find, the development certificates in a directory; what is missing, broken or nearly over is renewed.

    ``now`` is aware. Private keys are readable by their owner alone.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _Authority(directory, now)
    return DevelopmentPKI(
        authority=authority.credential,
        server=authority.issue("server", _SERVER),
        client=authority.issue("client", _CLIENT),
        sts=authority.issue("sts", _STS),
    )


def is_development(certificate: x509.Certificate) -> bool:
    """Claim that the certificate, or the authority that issued it, is one of development."""
    names = (certificate.subject, certificate.issuer)
    return any(
        attribute.value == ORGANIZATION
        for name in names
        for attribute in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    )


def development_certificates(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Those PEM files among ``paths`` that hold a development certificate: what a production start refuses."""
    return tuple(path for path in paths if any(map(is_development, x509.load_pem_x509_certificates(path.read_bytes()))))


class _Authority:
    """The certificate authority of one directory."""

    def __init__(self, directory: Path, now: datetime) -> None:
        self._directory = directory
        self._now = now
        self.credential = _credential(directory, "ca")
        if _load(self.credential, now, None) is None:
            self._make(self.credential, _AUTHORITY, AUTHORITY_LIFETIME, None)
        self._certificate, self._key = self._loaded()

    def issue(self, stem: str, wanted: _Issued) -> Credential:
        """The credential of that file name, found or made."""
        credential = _credential(self._directory, stem)
        if _load(credential, self._now, self._certificate) is None:
            self._make(credential, wanted, LIFETIME, (self._certificate, self._key))
        return credential

    def _loaded(self) -> tuple[x509.Certificate, PrivateKey]:
        loaded = _load(self.credential, self._now, None)
        if loaded is None:
            raise OSError(f"the development CA in {self._directory} cannot be read back")
        return loaded

    def _make(
        self,
        credential: Credential,
        wanted: _Issued,
        lifetime: timedelta,
        issuer: tuple[x509.Certificate, PrivateKey] | None,
    ) -> None:
        key: PrivateKey = (
            rsa.generate_private_key(65537, 2048) if wanted.rsa else ec.generate_private_key(ec.SECP256R1())
        )
        subject = _name(wanted.name)
        issuer_name, issuer_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
        builder = x509.CertificateBuilder(issuer_name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(self._now - timedelta(hours=1)).not_valid_after(self._now + lifetime)
        for extension, critical in wanted.extensions:
            builder = builder.add_extension(extension, critical)
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        certificate = builder.add_extension(own, False).add_extension(theirs, False).sign(issuer_key, SHA256())
        _write(credential.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        _write(credential.certificate, certificate.public_bytes(Encoding.PEM), 0o644)


def _credential(directory: Path, stem: str) -> Credential:
    return Credential(directory / f"{stem}.crt.pem", directory / f"{stem}.key.pem")


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _load(
    credential: Credential, now: datetime, authority: x509.Certificate | None
) -> tuple[x509.Certificate, PrivateKey] | None:
    """Read a credential; None where it is missing, damaged, nearly over, mismatched or of another authority."""
    try:
        certificate = x509.load_pem_x509_certificate(credential.certificate.read_bytes())
        key = load_pem_private_key(credential.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority or certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return None
    usable = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - RENEWED_BEFORE_END
    matches = isinstance(key, PrivateKey) and key.public_key() == certificate.public_key()
    return (certificate, key) if usable and matches and isinstance(key, PrivateKey) else None


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place at once, so that a crash or a second start never meets half of it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
