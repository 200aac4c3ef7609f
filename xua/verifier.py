"""The X-Service Provider: from a SOAP envelope to a Principal, or a refusal (ITI TF-2: 3.40.4.1.3).

``xua.steps`` has the checks in their order.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from lxml.etree import _Element

from ihe.exchange import Principal
from xua.cache import RecentlyUsed
from xua.conditions import Circumstances, Token, check_conditions
from xua.envelope import Security, cut_out, find_security
from xua.errors import AssertionRefused, Subcode
from xua.proving import prove
from xua.trust import TrustStore

TOKENS_REMEMBERED = 4096


class Verifier:
    """Verifies the assertions sent to one node. Safe between threads.

    ``audiences`` are the URIs by which issuers know this node or its affinity domain. Proved assertions are remembered
    under the SHA-256 of all their bytes, signature included, and the generation of the trust store; their conditions
    are checked at every use.
    """

    def __init__(self, trust: TrustStore, audiences: Iterable[str], remembered: int = TOKENS_REMEMBERED) -> None:
        self._trust = trust
        self._audiences = frozenset(audiences)
        self._tokens: RecentlyUsed[tuple[bytes, int], Token] = RecentlyUsed(remembered)

    def verify(self, envelope: _Element, now: datetime, client_certificate: bytes | None = None) -> Principal:
        """The principal whom the envelope's assertion proves. Raises AssertionRefused.

        ``now`` is aware; ``client_certificate`` is the DER certificate of the TLS client, None without one.
        """
        security = find_security(envelope)
        if security is None:
            raise AssertionRefused(Subcode.INVALID_SECURITY, "the message has no security header")
        return self.verify_header(security, now, client_certificate)

    def verify_header(self, security: Security, now: datetime, client_certificate: bytes | None = None) -> Principal:
        """As ``verify``, for a security header already found."""
        trust = self._trust.current
        document = cut_out(security.assertion)
        key = (sha256(document).digest(), trust.generation)
        token = self._tokens.find(key)
        if token is None:
            token = prove(document, trust, now)
            self._tokens.keep(key, token)
        here = Circumstances(
            now=now,
            audiences=self._audiences,
            client_certificate=client_certificate,
            created=security.created,
            expires=security.expires,
        )
        check_conditions(token, here)
        return token.claims.principal
