"""The X-Service Provider: from a SOAP envelope to a Principal, or a refusal (ITI TF-2: 3.40.4.1.3).

In this order, because each step may trust only what the steps before it have established: one place, own document,
listed shape, known issuer, signature by that issuer's certificate, claims from what was signed, conditions.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from lxml.etree import _Element

from ihe.exchange import Principal
from soap.xml import parse
from xua.cache import RecentlyUsed
from xua.claims import entity_id, read_assertion
from xua.conditions import Circumstances, Token, check_conditions
from xua.envelope import Security, cut_out, find_security
from xua.errors import AssertionRefused, Subcode
from xua.shape import check_shape
from xua.signature import SIGNATURE, check_signature_form, verify_signature
from xua.trust import Trust, TrustStore

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
            token = _prove(document, trust, now)
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


def _prove(document: bytes, trust: Trust, now: datetime) -> Token:
    """Establish that a trusted issuer signed this document, and read what it says."""
    try:
        assertion = parse(document)
    except ValueError as error:
        raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, str(error)) from error
    if assertion.find(SIGNATURE) is None:
        raise AssertionRefused(Subcode.FAILED_CHECK, "the assertion is not signed")
    check_shape(assertion)
    check_signature_form(assertion)
    named = entity_id(assertion)
    issuer = trust.issuers.get(named)
    if issuer is None:
        raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, f"the issuer {named[:120]!r} is not trusted")
    own_id = assertion.get("ID")
    signed, certificate = verify_signature(assertion, issuer.certificates, now)
    claims = read_assertion(signed, issuer)
    if claims.principal.assertion_id != own_id:
        raise AssertionRefused(Subcode.FAILED_CHECK, "the signature covers another assertion")
    return Token(claims, issuer, certificate)
