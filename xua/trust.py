"""Whom this node believes: issuers, each with the certificates pinned to it (ITI TF-2: 3.40.4.1.3).

An issuer is trusted by its own certificates, never by an authority above them: the authority that signs the STS's
certificate also signs those of TLS clients, and any of these could then issue identities.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from xua.keys import Certificate, load_certificates

DEFAULT_CLOCK_SKEW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProfile:
    """What one issuer's tokens hold beyond ITI TF-2: 3.40.

    ``required`` names the SAML attributes that local policy demands; IHE itself leaves all of them optional.
    """

    name: str
    required: frozenset[str] = frozenset()


IHE_XUA = TokenProfile(name="IHE XUA")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An X-Assertion Provider: its entity id and its certificates (several while it changes keys)."""

    entity_id: str
    certificates: tuple[Certificate, ...]
    profile: TokenProfile = IHE_XUA
    clock_skew: timedelta = DEFAULT_CLOCK_SKEW


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
        for issuer in issuers:
            self.trust(issuer)

    @property
    def generation(self) -> int:
        """Changes with every change of the store; what was proved under another generation is proved no more."""
        return self.current.generation

    def trust(self, issuer: TrustedIssuer) -> None:
        """Trust an issuer from now on, in place of what was known of it."""
        with self._lock:
            self._become({**self.current.issuers, issuer.entity_id: issuer})

    def distrust(self, entity_id: str) -> None:
        """Believe nothing more that this issuer has signed or will sign."""
        with self._lock:
            self._become({known: issuer for known, issuer in self.current.issuers.items() if known != entity_id})

    def _become(self, issuers: dict[str, TrustedIssuer]) -> None:
        self.current = Trust(self.current.generation + 1, MappingProxyType(issuers))


def trusted_issuers(pairs: Iterable[str], clock_skew: timedelta = DEFAULT_CLOCK_SKEW) -> tuple[TrustedIssuer, ...]:
    """Read ``ISSUER=CERT.pem`` pairs, an issuer perhaps several times; ValueError or OSError says which is wrong."""
    certificates: dict[str, tuple[Certificate, ...]] = {}
    for pair in pairs:
        # An entity id is a URI and may hold "=" itself; a file name rarely does.
        entity_id, equals, path = pair.rpartition("=")
        if not equals or not entity_id or not path:
            raise ValueError(f"a trusted issuer is written ISSUER=CERT.pem, not {pair!r}")
        certificates[entity_id] = certificates.get(entity_id, ()) + _read(Path(path), entity_id)
    return tuple(
        TrustedIssuer(entity_id=entity_id, certificates=pinned, clock_skew=clock_skew)
        for entity_id, pinned in certificates.items()
    )


def _read(path: Path, entity_id: str) -> tuple[Certificate, ...]:
    try:
        return load_certificates(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"the certificate of {entity_id} in {path} cannot be trusted: {error}") from error
