"""Which client certificates are let in: chained to an authority, or pinned; not revoked (ITI TF-2: 3.19.6.1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from tls.words import certificate_fault

NO_REVOCATION_LIST = 3
CHAIN = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a chain that ends in nothing that is trusted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A certificate of the chain that a client showed: whose it is, and what is wrong with it."""

    subject: str
    issuer: str
    depth: int
    code: int

    def __str__(self) -> str:
        which = "the client's certificate" if self.depth == 0 else "a certificate above the client's"
        return f"{which} {self.subject}, issued by {self.issuer}: {certificate_fault(self.code)}"


@dataclass(slots=True)
class Handshake:
    """What one handshake has found wrong: ``pending`` unless the client's certificate turns out to be pinned."""

    refused: Refused | None = None
    pending: Refused | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """OpenSSL's callback: asked about each certificate of a chain and each fault that it has.

    ``listed`` are the authorities of which there is a revocation list; others need none.
    """

    pinned: frozenset[str] = frozenset()
    listed: frozenset[str] = field(default_factory=frozenset)

    def __call__(self, connection: Any, shown: Any, code: int, depth: int, fine: int) -> bool:
        """Claim that the handshake may go on."""
        handshake: Handshake = connection.handshake
        if fine:
            return self._at_the_end(handshake, shown, depth)
        found = _refused(shown, code, depth)
        if code == NO_REVOCATION_LIST and found.issuer not in self.listed:
            return True
        if code in CHAIN and self._may_be_pinned(shown, depth):
            handshake.pending = found
            return True
        handshake.refused = handshake.refused or found
        return False

    def _at_the_end(self, handshake: Handshake, shown: Any, depth: int) -> bool:
        if depth > 0 or handshake.pending is None or _fingerprint(shown) in self.pinned:
            return True
        handshake.refused = handshake.pending
        return False

    def _may_be_pinned(self, shown: Any, depth: int) -> bool:
        return _fingerprint(shown) in self.pinned if depth == 0 else bool(self.pinned)


def issuers(lists: Iterable[Any]) -> frozenset[str]:
    """The authorities of revocation lists, by name."""
    return frozenset(each.issuer.rfc4514_string() for each in lists)


def _refused(shown: Any, code: int, depth: int) -> Refused:
    certificate = shown.to_cryptography()
    return Refused(certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string(), depth, code)


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 of a certificate in DER, as pins are written."""
    return sha256(certificate).hexdigest()


def _fingerprint(shown: Any) -> str:
    return fingerprint(shown.to_cryptography().public_bytes(Encoding.DER))
