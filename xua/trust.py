"""Whom this node believes: issuers, each with what proves its signatures (ITI TF-2: 3.40.4.1.3).

An issuer is best trusted by its own certificates. An authority that signs them signs those of TLS clients too, and any
of these could then issue identities: so an authority is pinned only together with what a signer's certificate shows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from xua.keys import GENERAL_PURPOSES, Certificate, load_certificates
from xua.profile_files import shipped
from xua.profiles import SignerRule, TokenProfile
from xua.revocation import RevocationList

DEFAULT_CLOCK_SKEW = timedelta(seconds=60)
IHE_XUA: TokenProfile = shipped()["ihe-xua"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An X-Assertion Provider: its entity id, and its certificates (several while it changes keys) or the authorities
    that issue them.

    ``signer`` is what a certificate of an authority must show, in place of what the profile says. ``crls`` are asked at
    every use; one certificate needs to be on none of them. ``sha1_until`` is a quirk with an end: until then signatures
    and digests may be made with SHA-1. ValueError for an issuer that must not be trusted like this.
    """

    entity_id: str
    certificates: tuple[Certificate, ...] = ()
    authorities: tuple[Certificate, ...] = ()
    signer: SignerRule = field(default_factory=SignerRule)
    crls: tuple[RevocationList, ...] = ()
    profile: TokenProfile = IHE_XUA
    clock_skew: timedelta = DEFAULT_CLOCK_SKEW
    sha1_until: datetime | None = None

    def __post_init__(self) -> None:
        if not self.certificates and not self.authorities:
            raise ValueError(f"{self.entity_id}: neither a certificate nor an authority is pinned")
        shown = self.shown_by_signers
        if self.authorities and not (shown.extended_key_usages or shown.subject):
            raise ValueError(
                f"{self.entity_id}: an authority is pinned, so say how its signers differ from its other certificates: "
                "an extended key usage or a part of their subject"
            )
        if shown.extended_key_usages & GENERAL_PURPOSES:
            raise ValueError(f"{self.entity_id}: the key usages of TLS and e-mail do not tell a signer of assertions")

    @property
    def shown_by_signers(self) -> SignerRule:
        """What certificates of the authorities must show: the issuer's own rule, else the profile's."""
        return self.signer if self.signer != SignerRule() else self.profile.signer

    def accepts_sha1(self, now: datetime) -> bool:
        """Claim that the quirk is granted and has not ended."""
        return self.sha1_until is not None and now < self.sha1_until


@dataclass(frozen=True, slots=True)
class Trust:
    """All trusted issuers at one moment. ``generation`` differs whenever the issuers may."""

    generation: int = 0
    issuers: Mapping[str, TrustedIssuer] = field(default_factory=lambda: MappingProxyType({}))


class TrustStore:
    """The trusted issuers, changed while serving: readers take ``current`` once and see one consistent state."""

    def __init__(self, issuers: Iterable[TrustedIssuer] = ()) -> None:
        self._lock = Lock()
        self.current = Trust()
        self.trust_only(issuers)

    @property
    def generation(self) -> int:
        """Changes with every change of the store; what was proved under another generation is proved no more."""
        return self.current.generation

    def trust(self, issuer: TrustedIssuer) -> None:
        """Trust an issuer from now on, in place of what was known of it."""
        with self._lock:
            self._become({**self.current.issuers, issuer.entity_id: issuer})

    def trust_only(self, issuers: Iterable[TrustedIssuer]) -> None:
        """Trust these from now on, and nobody else."""
        known = {issuer.entity_id: issuer for issuer in issuers}
        with self._lock:
            self._become(known)

    def distrust(self, entity_id: str) -> None:
        """Believe nothing more that this issuer has signed or will sign."""
        with self._lock:
            self._become({known: issuer for known, issuer in self.current.issuers.items() if known != entity_id})

    def _become(self, issuers: dict[str, TrustedIssuer]) -> None:
        self.current = Trust(self.current.generation + 1, MappingProxyType(issuers))


def trusted_issuers(
    pairs: Iterable[str], clock_skew: timedelta = DEFAULT_CLOCK_SKEW, profile: TokenProfile = IHE_XUA
) -> tuple[TrustedIssuer, ...]:
    """Read ``ISSUER=CERT.pem`` pairs, an issuer perhaps several times; ValueError or OSError says which is wrong."""
    certificates: dict[str, tuple[Certificate, ...]] = {}
    for pair in pairs:
        # An entity id is a URI and may hold "=" itself; a file name rarely does.
        entity_id, equals, path = pair.rpartition("=")
        if not equals or not entity_id or not path:
            raise ValueError(f"a trusted issuer is written ISSUER=CERT.pem, not {pair!r}")
        certificates[entity_id] = certificates.get(entity_id, ()) + read_certificates(Path(path), entity_id)
    return tuple(
        TrustedIssuer(entity_id=entity_id, certificates=pinned, clock_skew=clock_skew, profile=profile)
        for entity_id, pinned in certificates.items()
    )


def read_certificates(path: Path, entity_id: str) -> tuple[Certificate, ...]:
    """The certificates of an issuer or of its authorities. ValueError or OSError says which cannot be trusted."""
    try:
        return load_certificates(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"the certificate of {entity_id} in {path} cannot be trusted: {error}") from error
