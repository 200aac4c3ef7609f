"""XACML 2.0 targets as far as a consent needs them: white-listed elements and functions, everything else is refused.

Under deny-overrides the order and the nesting of rules change nothing, so that a policy set is the list of its rules,
each with the targets of all that surrounds it (XACML 2.0: C.1). A target is an alternative (OR) of conjunctions (AND).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

from lxml.etree import QName, _Element

from consent.statements import Kind, unsupported
from ihe.citations import Citation, supplement
from ihe.errors import Breach

POLICY = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
HL7 = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
FUNCTION = "urn:oasis:names:tc:xacml:1.0:function:"
APPC = supplement("APPC", "5.6.2.1")
ACCESS_SUBJECT = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject"
EQUALITIES = {
    FUNCTION + "string-equal": Kind.STRING,
    FUNCTION + "anyURI-equal": Kind.URI,
    "urn:hl7-org:v3:function:CV-equal": Kind.CODE,
    "urn:hl7-org:v3:function:II-equal": Kind.IDENTIFIER,
}
"""Functions that compare for equality, and the data type of what they compare (ITI Suppl. APPC: 5.6.2.1.3)."""
SECTIONS = ("Subject", "Resource", "Action", "Environment")


@dataclass(frozen=True, slots=True)
class Match:
    """One comparison as written: ``function(value, attribute)``."""

    function: str
    data_type: str
    attribute: str
    value: _Element
    location: str


Conjunction = tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """For each section its alternatives; one empty conjunction where a section asks nothing."""

    subjects: tuple[Conjunction, ...] = ((),)
    resources: tuple[Conjunction, ...] = ((),)
    actions: tuple[Conjunction, ...] = ((),)
    environments: tuple[Conjunction, ...] = ((),)

    def within(self, outer: "Target") -> "Target":
        """What both targets ask together."""
        return Target(
            _both(outer.subjects, self.subjects),
            _both(outer.resources, self.resources),
            _both(outer.actions, self.actions),
            _both(outer.environments, self.environments),
        )

    @property
    def alternatives(self) -> int:
        """How many combinations of its conjunctions there are."""
        return len(self.subjects) * len(self.resources) * len(self.actions) * len(self.environments)


@dataclass(slots=True)
class Findings:
    """What a reader could not take: each with the path of the element."""

    citation: Citation = APPC
    breaches: list[Breach] = field(default_factory=list)

    def refuse(self, element: _Element, text: str, observed: str | None = None, expected: str = "") -> None:
        """Note a breach."""
        remedy = f"Expected: {expected}" if expected else ""
        self.breaches.append(unsupported(text, path(element), self.citation, shortened(observed), remedy))


def path(element: _Element) -> str:
    """The XPath of an element without its prefixes; short, for it goes into an answer."""
    steps = [QName(each).localname for each in element.iterancestors()]
    return "/" + "/".join([*reversed(steps), QName(element).localname])


def shortened(text: str | None) -> str | None:
    """Text of a stranger, fit for an answer."""
    return None if text is None else " ".join(text.split())[:200]


def words(element: _Element) -> str:
    """The text of an element that has no children, without white space around it."""
    return (element.text or "").strip()


def children(element: _Element, names: Iterable[str], findings: Findings) -> Iterator[_Element]:
    """The children, all of them in the XACML namespace and among ``names``; others are refused."""
    allowed = tuple(names)
    for child in element:
        name = QName(child)
        if name.namespace == POLICY and name.localname in allowed:
            yield child
        else:
            findings.refuse(child, "An element here is understood", name.localname, ", ".join(allowed))


def check_attributes(element: _Element, names: Iterable[str], findings: Findings) -> None:
    """Refuse attributes that are not among ``names``; schema hints say nothing."""
    for name in map(QName, element.attrib):
        if name.namespace != XSI and name.localname not in names:
            findings.refuse(element, "An attribute here is understood", name.localname, ", ".join(names))


def target(element: _Element, findings: Findings) -> Target:
    """Read a Target; what it asks and cannot be read is refused."""
    found = {}
    check_attributes(element, (), findings)
    for section in children(element, [f"{name}s" for name in SECTIONS], findings):
        name = QName(section).localname.removesuffix("s")
        check_attributes(section, (), findings)
        found[name] = tuple(_conjunction(each, findings) for each in children(section, [name], findings))
    return Target(*(found.get(name) or ((),) for name in SECTIONS))


def _both(outer: tuple[Conjunction, ...], inner: tuple[Conjunction, ...]) -> tuple[Conjunction, ...]:
    return tuple(one + other for one, other in product(outer, inner))


def _conjunction(element: _Element, findings: Findings) -> Conjunction:
    name = QName(element).localname
    check_attributes(element, (), findings)
    found = [_match(each, name, findings) for each in children(element, [f"{name}Match"], findings)]
    if not found:
        findings.refuse(element, "A Subject, Resource, Action or Environment has at least one match")
    return tuple(each for each in found if each)


def _match(element: _Element, section: str, findings: Findings) -> Match | None:
    check_attributes(element, ("MatchId",), findings)
    parts = list(children(element, ("AttributeValue", f"{section}AttributeDesignator"), findings))
    if [QName(part).localname for part in parts] != ["AttributeValue", f"{section}AttributeDesignator"]:
        findings.refuse(element, "A match is an AttributeValue and the designator of an attribute")
        return None
    value, designator = parts
    check_attributes(value, ("DataType",), findings)
    _check_designator(designator, findings)
    data_type = value.get("DataType", "").strip()
    if designator.get("DataType", "").strip() != data_type:
        findings.refuse(designator, "A value and the attribute that it is compared with have one data type", data_type)
    function = element.get("MatchId", "").strip()
    return Match(function, data_type, designator.get("AttributeId", "").strip(), value, path(element))


def _check_designator(designator: _Element, findings: Findings) -> None:
    check_attributes(designator, ("AttributeId", "DataType", "MustBePresent", "SubjectCategory"), findings)
    if designator.get("MustBePresent", "false").strip() not in ("false", "0"):
        findings.refuse(designator, "MustBePresent is false: an attribute that is absent does not match")
    if designator.get("SubjectCategory", ACCESS_SUBJECT).strip() != ACCESS_SUBJECT:
        findings.refuse(designator, "The subject of a rule is the one who asks", designator.get("SubjectCategory"))
