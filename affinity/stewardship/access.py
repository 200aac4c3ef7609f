"""Who may act as a steward, or read the audit trail: a bearer token (RFC 6750), of which the settings hold the SHA-256.

Nobody by default.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import NewType

from affinity.doors import is_loopback
from affinity.metrics import ACCESS_DENIED
from affinity.stewardship import TOKEN_FILE
from affinity.stewardship.problems import Problem
from ihe.durable import write_whole

StewardName = NewType("StewardName", str)
SCHEME = "sha256:"
DEVELOPER = "developer"
"""The steward of a development node."""
LONGEST = 512
"""Most characters of an Authorization header that is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stewards:
    """The stewards by name, each with the digest of a token; ``called`` is what others are whom this is used for."""

    digests: Mapping[str, str]
    called: str = "steward"

    def authenticate(self, authorization: str, peer: str, *, secure: bool) -> StewardName:
        """The steward whose token the Authorization header bears. Raises Problem (401, 403)."""
        try:
            return self._known(authorization, peer, secure)
        except Problem as problem:
            ACCESS_DENIED.labels("token", problem.error["code"]).inc()
            raise

    def _known(self, authorization: str, peer: str, secure: bool) -> StewardName:
        """Every digest is compared, in constant time, so that the time taken tells nothing."""
        if not self.digests:
            raise Problem(403, "closed", f"No {self.called} is named in the settings, so that this interface is closed")
        if not secure and not is_loopback(peer):
            raise Problem(403, "tls-required", "Tokens are not taken over a connection without TLS", remedy="Use https")
        kind, _, token = authorization[:LONGEST].partition(" ")
        shown = digest(token.strip()) if kind.lower() == "bearer" else ""
        found = [name for name, known in self.digests.items() if compare_digest(known.encode(), shown.encode())]
        if not found:
            raise Problem(401, "unauthorized", f"The token of a known {self.called} is needed", where="Authorization")
        return StewardName(found[0])


def digest(token: str) -> str:
    """What the settings hold of a token. Tokens are long and random, so that a plain hash is enough."""
    return SCHEME + sha256(token.encode()).hexdigest()


def new_token() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


def development_token(data: Path) -> str:
    """Make a token for this start, in a file that its owner alone can read; an earlier one is no longer valid."""
    token = new_token()
    write_whole(data / TOKEN_FILE, f"{token}\n".encode())
    return token
