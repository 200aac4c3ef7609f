"""Development certificates: an authority of our own, made at the first start and used again (ITI TF-2: 3.19)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from affinity import authority
from affinity.authority import ORGANIZATION, Authority, Credential
from affinity.partners import Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentPKI:
    """What a development node needs: its authority, both ends of mutual TLS, and the STS's signing key."""

    authority: Credential
    server: Credential
    client: Credential
    sts: Credential


def development_pki(directory: Path, now: datetime | None = None) -> DevelopmentPKI:
    """Make, or find, the development certificates in a directory; what is missing, broken or nearly over is renewed.

    ``now`` is aware. Private keys are readable by their owner alone.
    """
    issuer = Authority(directory, now or datetime.now(UTC))
    return DevelopmentPKI(
        authority=issuer.credential,
        server=issuer.issue("server", authority.server()),
        client=issuer.issue("client", authority.client("Affinity development client")),
        sts=issuer.issue("sts", authority.sts("Affinity development STS")),
    )


def issue_to_partners(directory: Path, agreements: Iterable[Agreement], now: datetime | None = None) -> None:
    """Make certificates for the partners that are known by a name which the development authority certifies."""
    issuer = Authority(directory, now or datetime.now(UTC))
    known_as = issuer.certificate.subject.rfc4514_string()
    for each in agreements:
        subject = f"CN={each.partner.name},O={ORGANIZATION}"
        if any(name.authority == known_as and name.subject == subject for name in each.names):
            issuer.issue(f"partner-{each.partner.name}", authority.client(each.partner.name))


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
