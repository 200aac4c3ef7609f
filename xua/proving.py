"""From the bytes of an assertion to a Token: who signed it, and what it says (ITI TF-2: 3.40.4.1.3)."""

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import datetime

from soap.xml import parse
from xua.claims import Claims, entity_id, read_assertion
from xua.conditions import Token
from xua.errors import AssertionRefused, Subcode
from xua.keys import subject_of
from xua.profiles import TokenProfile
from xua.shape import check_shape
from xua.signature import SIGNATURE, algorithms, check_signature_form, uses_sha1, verify_signature
from xua.signers import signing_certificates
from xua.steps import Step
from xua.trust import Trust, TrustedIssuer

Passed = tuple[Step, Callable[[], str]]
"""A check that was passed, and what was found, for those who want to know."""

PROOF = (Step.SIGNED, Step.SHAPE, Step.ISSUER, Step.ALGORITHMS, Step.SIGNER, Step.SIGNATURE, Step.CONTENT)
"""The steps that ``proof`` passes, in this order."""


def prove(document: bytes, trust: Trust, now: datetime, profile: TokenProfile | None = None) -> Token:
    """Establish that a trusted issuer signed this document, and read what it says. Raises AssertionRefused.

    ``profile`` stands in place of the issuer's, where the sender has agreed to one of its own.
    """
    steps = proof(document, trust, now, profile)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            token: Token = end.value
            return token


def proof(
    document: bytes, trust: Trust, now: datetime, profile: TokenProfile | None = None
) -> Generator[Passed, None, Token]:
    """Pass the steps of ``PROOF`` one by one and return the Token; the next one raises AssertionRefused."""
    try:
        assertion = parse(document)
    except ValueError as error:
        raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, str(error)) from error
    if next(assertion.iterchildren(SIGNATURE), None) is None:
        raise AssertionRefused(Subcode.FAILED_CHECK, "the assertion is not signed")
    yield Step.SIGNED, lambda: "a ds:Signature"
    check_shape(assertion)
    yield Step.SHAPE, lambda: f"{sum(1 for _ in assertion.iter())} elements, all listed"
    issuer = _trusted(entity_id(assertion), trust, profile)
    yield Step.ISSUER, lambda: f"{issuer.entity_id}, profile {issuer.profile.title}"
    granted = issuer.accepts_sha1(now)
    check_signature_form(assertion, sha1=granted)
    own_id, sha1, used = assertion.get("ID"), granted and uses_sha1(assertion), algorithms(assertion)
    yield Step.ALGORITHMS, lambda: " and ".join(each.rpartition("#")[2] for each in used)
    candidates = signing_certificates(assertion, issuer, now)
    yield Step.SIGNER, lambda: "; ".join(map(subject_of, candidates))
    signed, certificate = verify_signature(assertion, candidates, now, sha1=sha1)
    yield Step.SIGNATURE, lambda: f"made by {subject_of(certificate)}"
    claims = read_assertion(signed, issuer)
    if claims.principal.assertion_id != own_id:
        raise AssertionRefused(Subcode.FAILED_CHECK, "the signature covers another assertion")
    yield Step.CONTENT, lambda: _claims_found(claims)
    return Token(claims, issuer, certificate, sha1)


def _trusted(named: str, trust: Trust, profile: TokenProfile | None) -> TrustedIssuer:
    issuer = trust.issuers.get(named)
    if issuer is None:
        raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, f"the issuer {named[:120]!r} is not trusted")
    return issuer if profile is None else replace(issuer, profile=profile)


def _claims_found(claims: Claims) -> str:
    principal = claims.principal
    said = [f"NameID {principal.name_id}"]
    said += [f"role {role}" for role in principal.roles] + [f"purpose {each}" for each in principal.purpose_of_use]
    return ", ".join(said)
