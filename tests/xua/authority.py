"""An authority that signs everything in a region: token services, TLS clients, and lists of what it takes back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.xua.stage import NOW, Key

SIGNS_ASSERTIONS = "1.3.6.1.4.1.99999.1"


def name(**parts: str) -> x509.Name:
    kinds = {"cn": NameOID.COMMON_NAME, "ou": NameOID.ORGANIZATIONAL_UNIT_NAME, "o": NameOID.ORGANIZATION_NAME}
    return x509.Name([x509.NameAttribute(kinds[kind], value) for kind, value in parts.items()])


def key_usage(*, signs: bool, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(signs, False, not signs, False, False, certifies, certifies, False, False)


@dataclass(frozen=True)
class Authority:
    """Its key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(
        self,
        key: Key,
        subject: x509.Name,
        *usages: str,
        signs: bool = True,
        ca: bool = False,
        days: int = 30,
        digest: hashes.HashAlgorithm | None = None,
        critical: x509.ExtensionType | None = None,
    ) -> x509.Certificate:
        builder = builder_for(subject, self.certificate.subject, key, timedelta(days=days))
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(key_usage(signs=signs, certifies=ca), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(map(x509.ObjectIdentifier, usages)), critical=False)
        if critical is not None:
            builder = builder.add_extension(critical, critical=True)
        return builder.sign(self.key, digest or hashes.SHA256())

    def revoke(
        self,
        *certificates: x509.Certificate,
        at: datetime = NOW,
        days: int = 7,
        extensions: Iterable[x509.ExtensionType] = (),
    ) -> bytes:
        """A list of the revoked, in DER."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject)
        builder = builder.last_update(at - timedelta(hours=1)).next_update(at + timedelta(days=days))
        for each in certificates:
            revoked = x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(at)
            builder = builder.add_revoked_certificate(revoked.build())
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


def builder_for(
    subject: x509.Name, issuer: x509.Name, key: Key, lifetime: timedelta = timedelta(days=30)
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(NOW - timedelta(days=30)).not_valid_after(NOW + lifetime)


def make_authority(common_name: str = "Regional CA", *, days: int = 300) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    own = name(cn=common_name)
    builder = builder_for(own, own, key, timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(key_usage(signs=False, certifies=True), critical=True)
    return Authority(key, builder.sign(key, hashes.SHA256()))


CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
