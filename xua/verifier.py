"""The X-Service Provider: from a SOAP envelope to a Principal, or a refusal (ITI TF-2: 3.40.4.1.3).

``xua.steps`` has the checks in their order.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType

from lxml.etree import _Element

from ihe.exchange import Principal
from xua.cache import RecentlyUsed
from xua.conditions import Circumstances, Token, check_conditions
from xua.envelope import Security, cut_out, find_security
from xua.errors import AssertionRefused, Subcode
from xua.profiles import TokenProfile
from xua.proving import prove
from xua.trust import TrustStore

TOKENS_REMEMBERED = 4096


class Verifier:
    """Verifies the assertions sent to one node. Safe between threads.

    ``audiences`` are the URIs by which issuers know this node or its affinity domain. Proved assertions are remembered
    under the SHA-256 of all their bytes, signature included, the generation of the trust store and the profile by which
    they were read; their conditions are checked at every use. ``profiles`` are those that partners may have agreed.
    """

    def __init__(
        self,
        trust: TrustStore,
        audiences: Iterable[str],
        remembered: int = TOKENS_REMEMBERED,
        profiles: Mapping[str, TokenProfile] = MappingProxyType({}),
    ) -> None:
        self._trust = trust
        self._audiences = frozenset(audiences)
        self._tokens: RecentlyUsed[tuple[bytes, int, str | None], Token] = RecentlyUsed(remembered)
        self._profiles = profiles

    def verify(
        self,
        envelope: _Element,
        now: datetime,
        client_certificate: bytes | None = None,
        profile: str | None = None,
    ) -> Principal:
        """The principal whom the envelope's assertion proves. Raises AssertionRefused.

        ``now`` is aware; ``client_certificate`` is the DER certificate of the TLS client, None without one. ``profile``
        is what is agreed with the sender, in place of the issuer's.
        """
        security = find_security(envelope)
        if security is None:
            raise AssertionRefused(Subcode.INVALID_SECURITY, "the message has no security header")
        return self.verify_header(security, now, client_certificate, profile)

    def verify_header(
        self,
        security: Security,
        now: datetime,
        client_certificate: bytes | None = None,
        profile: str | None = None,
    ) -> Principal:
        """As ``verify``, for a security header already found."""
        trust = self._trust.current
        document = cut_out(security.assertion)
        key = (sha256(document).digest(), trust.generation, profile)
        token = self._tokens.find(key)
        if token is None:
            token = prove(document, trust, now, None if profile is None else self._profiles[profile])
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
