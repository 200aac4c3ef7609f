"""The partners of a domain: which node sent a message, and what is agreed with it (ITI TF-2: 3.19.6.1).

A node is known by its certificate: pinned (3.19.6.1.2), or by a name that one authority has certified (3.19.6.1.1).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import NewType

from cryptography import x509

from ihe.partners import Partner
from tls.places import Recognize, Seat

Fingerprint = NewType("Fingerprint", str)
"""SHA-256 of a certificate in DER, as 64 lower-case hexadecimal digits."""
REMEMBERED = 1024


class SourceKind(StrEnum):
    """Where a message says who sends it."""

    HL7V2 = "hl7v2"
    """``MSH-3|MSH-4``."""
    HL7V3 = "hl7v3"
    """The id of the sender's device."""
    DOCUMENTS = "documents"
    """SubmissionSet.sourceId."""


@dataclass(frozen=True, slots=True)
class SourceId:
    """One id under which a node speaks."""

    kind: SourceKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedName:
    """A name in a certificate that ``authority`` has issued. ``subject`` and ``san`` must both fit, where given."""

    authority: str
    subject: str | None = None
    san: str | None = None

    def fits(self, certificate: x509.Certificate) -> bool:
        """Claim that the certificate bears this name."""
        return (
            certificate.issuer.rfc4514_string() == self.authority
            and self.subject in (None, certificate.subject.rfc4514_string())
            and (self.san is None or self.san.lower() in alternative_names(certificate))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much a partner may ask of us; None: no more than anybody."""

    requests_per_second: float | None = None
    burst: int = 1
    connections: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A partner that ends TLS for others and forwards their certificate in ``header``."""

    header: str
    encoding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """All that a domain has agreed with one node. ``transactions`` None: all; ``sources`` None: it speaks as anybody.

    ``issuers`` are those whose assertions it may show (none: any that is trusted), ``token_profile`` the profile that
    these must have, ``monitoring`` whether it may read what the node tells of itself.
    """

    partner: Partner
    fingerprints: frozenset[Fingerprint] = frozenset()
    names: tuple[CertifiedName, ...] = ()
    sources: frozenset[SourceId] | None = frozenset()
    transactions: frozenset[str] | None = frozenset()
    issuers: frozenset[str] = frozenset()
    token_profile: str | None = None
    allowance: Allowance = field(default_factory=Allowance)
    proxy: Proxy | None = None
    monitoring: bool = False
    display: Mapping[str, str] = field(default_factory=dict)

    def provides_for(self, transaction: str) -> bool:
        """Claim that the partner may use a transaction."""
        return self.transactions is None or transaction in self.transactions

    def speaks_as(self, source: SourceId) -> bool:
        """Claim that the partner may send under this id."""
        return self.sources is None or source in self.sources


class Partners:
    """The agreements of a domain. ``by_source``: on ports without TLS a partner is known by its source ids.

    ``admits_unknown``: who is no partner may send, too, under ids that are no partner's.
    """

    def __init__(
        self, agreements: Iterable[Agreement] = (), *, by_source: bool = False, admits_unknown: bool = True
    ) -> None:
        self.agreements = tuple(agreements)
        self.by_source = by_source
        self.admits_unknown = admits_unknown or not self.agreements
        self._pinned = {each: agreement for agreement in self.agreements for each in agreement.fingerprints}
        self._owners = {each: agreement for agreement in self.agreements for each in agreement.sources or ()}
        self.shown: Callable[[bytes], Agreement | None] = lru_cache(REMEMBERED)(self._shown)
        """The agreement that a certificate (DER), which TLS has verified, belongs to."""

    @property
    def pinned(self) -> frozenset[Fingerprint]:
        """The certificates that are trusted by themselves, whoever issued them."""
        return frozenset(self._pinned)

    def may_watch(self, certificate: bytes | None) -> bool:
        """Claim that who shows this certificate, or none, over TLS may read what the node tells of itself."""
        if not self.agreements:
            return True
        agreement = self.shown(certificate) if certificate is not None else None
        return agreement is not None and agreement.monitoring

    def owner(self, source: SourceId) -> Agreement | None:
        """The agreement that names this id."""
        return self._owners.get(source)

    def _shown(self, certificate: bytes) -> Agreement | None:
        pinned = self._pinned.get(fingerprint(certificate))
        if pinned is not None:
            return pinned
        read = x509.load_der_x509_certificate(certificate)
        return next((each for each in self.agreements if any(name.fits(read) for name in each.names)), None)


def fingerprint(certificate: bytes) -> Fingerprint:
    """The SHA-256 of a certificate in DER."""
    return Fingerprint(sha256(certificate).hexdigest())


def alternative_names(certificate: x509.Certificate) -> frozenset[str]:
    """The subjectAltNames that partners can be known by: ``dns:``, ``uri:``, ``email:``, ``ip:``, in lower case."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(_spelled(found))


def _spelled(names: Iterable[x509.GeneralName]) -> Iterator[str]:
    kinds = {x509.DNSName: "dns", x509.UniformResourceIdentifier: "uri", x509.RFC822Name: "email", x509.IPAddress: "ip"}
    for each in names:
        if type(each) in kinds:
            yield f"{kinds[type(each)]}:{each.value}".lower()


def seats(partners: Partners) -> Recognize:
    """Who holds a connection: a partner with a cap of its own, or with as many places as there are."""

    def seat(certificate: bytes) -> Seat | None:
        agreement = partners.shown(certificate)
        return Seat(agreement.partner.name, agreement.allowance.connections) if agreement else None

    return seat
