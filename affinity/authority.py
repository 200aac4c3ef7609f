"""A certificate authority in a directory: issues what nodes and assertion providers need for development.

Everything it issues names the organization ``Affinity development``, so that a production start can refuse it.
"""

from collections.abc import Iterable, Iterator
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

from ihe.durable import make_directory, write_whole
from xua.sts import DEVELOPMENT

ORGANIZATION = DEVELOPMENT
LIFETIME = timedelta(days=397)
AUTHORITY_LIFETIME = timedelta(days=3650)
RENEWED_BEFORE_END = timedelta(days=30)
LIST_LIFETIME = timedelta(days=30)
LOOPBACK = ("localhost", "127.0.0.1", "::1")

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Credential:
    """The PEM files of one certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one certificate is for: its common name, its extensions (each with whether it is critical), its life."""

    name: str
    extensions: tuple[tuple[x509.ExtensionType, bool], ...]
    rsa: bool = False
    lifetime: timedelta = LIFETIME


def authority(name: str) -> Wanted:
    """A certificate authority that issues end entities only."""
    basic = (x509.BasicConstraints(ca=True, path_length=0), True)
    return Wanted(name=name, extensions=(basic, (_usage(issues=True), True)), lifetime=AUTHORITY_LIFETIME)


def server(names: Iterable[str] = LOOPBACK) -> Wanted:
    """A listening node, by the host names and addresses under which clients call it (ITI TF-2: 3.19.6.1.4)."""
    spelled = tuple(names)
    known_as = (x509.SubjectAlternativeName(list(map(_host, spelled))), False)
    return Wanted(name=spelled[0], extensions=(*_end_entity(ExtendedKeyUsageOID.SERVER_AUTH), known_as))


def client(name: str) -> Wanted:
    """A calling node."""
    return Wanted(name=name, extensions=_end_entity(ExtendedKeyUsageOID.CLIENT_AUTH))


def sts(name: str) -> Wanted:
    """An assertion provider. RSA: every SAML toolkit in the field verifies it."""
    return Wanted(name=name, extensions=_end_entity(), rsa=True)


class Authority:
    """The certificate authority of one directory, found there or made. ``now`` is aware."""

    def __init__(self, directory: Path, now: datetime, name: str = "Affinity development CA") -> None:
        make_directory(directory)
        self._directory = directory
        self._now = now.astimezone(UTC)
        self.credential = credential(directory, "ca")
        if _load(self.credential, self._now, None) is None:
            self._make(self.credential, authority(name), None)
        self.certificate, self._key = self._loaded()

    def issue(self, stem: str, wanted: Wanted) -> Credential:
        """The credential of that file name, found or made; what is broken, nearly over or another's is made anew."""
        found = credential(self._directory, stem)
        if _load(found, self._now, self.certificate) is None:
            self._make(found, wanted, (self.certificate, self._key))
        return found

    def renew(self, stem: str, wanted: Wanted) -> Credential:
        """A new credential of that file name, whatever was there."""
        made = credential(self._directory, stem)
        self._make(made, wanted, (self.certificate, self._key))
        return made

    def revoke(self, certificates: Iterable[x509.Certificate]) -> Path:
        """Write the list of what is revoked, with all that stood there before; returns its file (RFC 5280: 5)."""
        file = self._directory / "ca.crl.pem"
        serials = dict.fromkeys((*_revoked(file), *(each.serial_number for each in certificates)))
        end = self._now + LIST_LIFETIME
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, self._now, end)
        for serial in serials:
            entry = x509.RevokedCertificateBuilder(serial, self._now).build()
            builder = builder.add_revoked_certificate(entry)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, False).add_extension(x509.CRLNumber(int(self._now.timestamp())), False)
        write_whole(file, builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM), 0o644)
        return file

    def _loaded(self) -> tuple[x509.Certificate, PrivateKey]:
        loaded = _load(self.credential, self._now, None)
        if loaded is None:
            raise OSError(f"the development CA in {self._directory} cannot be read back")
        return loaded

    def _make(self, made: Credential, wanted: Wanted, issuer: tuple[x509.Certificate, PrivateKey] | None) -> None:
        key: PrivateKey = (
            rsa.generate_private_key(65537, 2048) if wanted.rsa else ec.generate_private_key(ec.SECP256R1())
        )
        subject = _name(wanted.name)
        issuer_name, issuer_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
        end = self._now + wanted.lifetime
        builder = x509.CertificateBuilder(issuer_name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(min(self._now, end) - timedelta(hours=1)).not_valid_after(end)
        for extension, critical in wanted.extensions:
            builder = builder.add_extension(extension, critical)
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        certificate = builder.add_extension(own, False).add_extension(theirs, False).sign(issuer_key, SHA256())
        write_whole(made.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        write_whole(made.certificate, certificate.public_bytes(Encoding.PEM), 0o644)


def credential(directory: Path, stem: str) -> Credential:
    """Where a certificate and its key lie in the directory of an authority."""
    return Credential(directory / f"{stem}.crt.pem", directory / f"{stem}.key.pem")


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _end_entity(*purposes: ObjectIdentifier) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    basic = (x509.BasicConstraints(ca=False, path_length=None), True)
    usage = (_usage(issues=False), True)
    return (basic, usage, (x509.ExtendedKeyUsage(purposes), False)) if purposes else (basic, usage)


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _revoked(file: Path) -> Iterator[int]:
    if file.exists():
        yield from (each.serial_number for each in x509.load_pem_x509_crl(file.read_bytes()))


def _load(
    found: Credential, now: datetime, issuer: x509.Certificate | None
) -> tuple[x509.Certificate, PrivateKey] | None:
    """Read a credential; None where it is missing, damaged, nearly over, mismatched or of another authority."""
    try:
        certificate = x509.load_pem_x509_certificate(found.certificate.read_bytes())
        key = load_pem_private_key(found.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(issuer or certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return None
    usable = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - RENEWED_BEFORE_END
    matches = isinstance(key, PrivateKey) and key.public_key() == certificate.public_key()
    return (certificate, key) if usable and matches and isinstance(key, PrivateKey) else None
