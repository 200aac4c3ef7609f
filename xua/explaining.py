"""Every check of an assertion, told one by one: what was found, what the rule is, where it failed.

The checks are those of the verifier itself, in its order; nothing is decided here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from lxml.etree import _Element

from ihe.exchange import Principal
from soap.xml import parse
from xua.conditions import CONDITIONS, Circumstances, Token
from xua.envelope import ASSERTION, ENVELOPE, SECURITY, Security, cut_out, find_security
from xua.errors import AssertionRefused
from xua.proving import PROOF, proof
from xua.steps import Step
from xua.trust import Trust


class Verdict(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, or the reason for the refusal."""

    step: Step
    verdict: Verdict
    found: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The findings in their order; ``principal`` is whom the assertion proves, None where a check failed."""

    findings: tuple[Finding, ...]
    principal: Principal | None


def explain(data: bytes, trust: Trust, here: Circumstances) -> Explanation:
    """Check a SOAP message, or a bare assertion, and tell every step. ValueError where the bytes are neither."""
    root = parse(data, comments_kept_in=(ASSERTION,))
    placed, security = _place(root)
    proved, token = _proof(security, trust, here)
    if security is not None:
        here = replace(here, created=security.created, expires=security.expires)
    findings = (placed, *proved, *_conditions(token, here))
    good = token is not None and all(each.verdict is not Verdict.FAILED for each in findings)
    return Explanation(findings, token.claims.principal if token is not None and good else None)


def _place(root: _Element) -> tuple[Finding, Security | None]:
    """Where the assertion stands; a bare one, or one in the answer of a token service, has no place to be judged."""
    assertion = next(root.iter(ASSERTION), None)
    if root.tag == ENVELOPE and next(root.iter(SECURITY), None) is not None:
        try:
            found = find_security(root)
        except AssertionRefused as refused:
            return Finding(Step.PLACE, Verdict.FAILED, refused.reason), None
        return Finding(Step.PLACE, Verdict.PASSED, "Envelope/Header/Security/Assertion"), found
    if assertion is None:
        raise ValueError("it holds no SAML 2.0 assertion")
    return Finding(Step.PLACE, Verdict.SKIPPED, "no security header around the assertion"), Security(assertion)


def _proof(security: Security | None, trust: Trust, here: Circumstances) -> tuple[tuple[Finding, ...], Token | None]:
    """The steps from the assertion's bytes to a Token, up to the one that failed."""
    ahead, findings = [Step.DOCUMENT, *PROOF], list[Finding]()
    if security is None:
        return tuple(_skipped(ahead)), None
    try:
        document = cut_out(security.assertion)
        findings.append(Finding(ahead.pop(0), Verdict.PASSED, f"{len(document)} bytes"))
        steps = proof(document, trust, here.now)
        while True:
            step, found = next(steps)
            ahead.remove(step)
            findings.append(Finding(step, Verdict.PASSED, found()))
    except StopIteration as end:
        return tuple(findings), end.value
    except AssertionRefused as refused:
        failed = Finding(ahead.pop(0), Verdict.FAILED, refused.reason)
        return (*findings, failed, *_skipped(ahead)), None


def _conditions(token: Token | None, here: Circumstances) -> Iterator[Finding]:
    """Conditions do not depend on each other: all are told, also behind one that failed."""
    if token is None:
        yield from _skipped(condition.step for condition in CONDITIONS)
        return
    for condition in CONDITIONS:
        try:
            condition.check(token, here)
            yield Finding(condition.step, Verdict.PASSED, condition.found(token, here))
        except AssertionRefused as refused:
            yield Finding(condition.step, Verdict.FAILED, refused.reason)


def _skipped(steps: Iterable[Step]) -> Iterator[Finding]:
    return (Finding(step, Verdict.SKIPPED) for step in steps)
