"""User assertions by themselves: place, form, shape and algorithms; whom to believe is for ``affinity saml verify``."""

from datetime import UTC, datetime

from lxml.etree import _Element

from conformance.catalogue import Level
from conformance.findings import Finding
from ihe.citations import tf2
from soap.xml import serialize
from xua.conditions import Circumstances
from xua.explaining import Verdict, explain
from xua.steps import Step
from xua.trust import Trust

OF_THE_RECEIVER = frozenset({Step.ISSUER})
"""What depends on whom the receiver believes: nobody, here."""


def validate(data: bytes) -> tuple[Finding, ...]:
    """What any receiver would refuse an assertion for, in a SOAP message or bare. ValueError: there is none."""
    here = Circumstances(now=datetime.now(UTC), audiences=frozenset())
    explained = explain(data, Trust(), here)
    failed = [each for each in explained.findings if each.verdict is Verdict.FAILED]
    return tuple(_finding(each.step, each.found) for each in failed if each.step not in OF_THE_RECEIVER)


def in_envelope(root: _Element) -> list[Finding]:
    """The same for the assertion in a SOAP header."""
    return list(validate(serialize(root)))


def _finding(step: Step, found: str) -> Finding:
    return Finding(
        level=Level.SHALL,
        text=f"Assertion: {step.value}",
        location=step.title,
        observed=found,
        citation=tf2("3.40.4.1"),
    )
