"""What the validators of CDA documents share: a finding about an element, and templates."""

from lxml.etree import _Element

from conformance.catalogue import Level
from conformance.findings import Finding
from ihe.citations import Citation
from pix.v3_elements import children, location

CDA = Citation("CDA Release 2", "4")


def cda_finding(
    text: str,
    element: _Element,
    below: str = "",
    observed: str | None = None,
    expected: str | None = None,
    *,
    level: Level = Level.SHALL,
    citation: Citation = CDA,
) -> Finding:
    """One deviation at an element, or at ``below`` it."""
    line: int | None = element.sourceline  # type: ignore[assignment]
    place = f"{location(element)}/{below}" if below else location(element)
    return Finding(
        level=level, text=text, location=place, observed=observed, expected=expected, citation=citation, line=line
    )


def obeys(element: _Element, template: str) -> bool:
    """Claim that an element says that it obeys a template."""
    return any(each.get("root") == template for each in children(element, "templateId"))
