"""An HL7 v3 message or a CDA document beside its content model: elements, order, attributes and values.

Elements and attributes of other namespaces are extensions (CDA Release 2: 1.4) and are not looked at.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from lxml.etree import QName, _Element

from conformance.catalogue import Level
from conformance.content_automaton import START
from conformance.content_models import ContentModels, ContentType, content_models
from conformance.findings import Finding, broken_by_content
from ihe.citations import Citation
from pix.v3_elements import NAMESPACE, XSI, XSI_TYPE, location, name_of

XSI_NIL = f"{{{XSI}}}nil"
UNSEEN = "*"
"""The type of an element that is not looked into."""
MOST = 100
"""No report of one message names more deviations of its form: the first are what a person mends."""
Told = Iterator[tuple[_Element, str, str, str | None, str | None]]
"""Element, what stands below it, what must hold, observed, expected."""


@dataclass(slots=True)
class _Reading:
    """What is still to be compared: elements with their types."""

    models: ContentModels
    open: deque[tuple[_Element, str, bool]] = field(default_factory=deque)

    def deviations(self) -> Told:
        while self.open:
            element, declared, nillable = self.open.popleft()
            if declared != UNSEEN:
                yield from self._element(element, self.models.types[declared], nillable)

    def _element(self, element: _Element, declared: ContentType, nillable: bool) -> Told:
        kind, wrong = self._type(element, declared)
        yield from wrong
        yield from self._attributes(element, kind)
        if element.get(XSI_NIL, "").strip() in ("true", "1"):
            yield from _nil(element, nillable)
            return
        yield from self._children(element, kind)

    def _type(self, element: _Element, declared: ContentType) -> tuple[ContentType, Told]:
        """The type that ``xsi:type`` names, if it names one that may stand here."""
        written = element.get(XSI_TYPE)
        if written is None:
            wrong = [(element, "@xsi:type", "The element names its data type in xsi:type", None, None)]
            return declared, iter(wrong if declared.abstract else ())
        prefix, _, name = written.strip().rpartition(":")
        known = self.models.types.get(name) if element.nsmap.get(prefix or None) == NAMESPACE else None
        if known is not None and not known.abstract and self.models.derives(name, declared.name):
            return known, iter(())
        text = "xsi:type names a data type of HL7 v3 that may stand here, with a prefix that is declared"
        return declared, iter([(element, "@xsi:type", text, written, declared.name)])

    def _attributes(self, element: _Element, kind: ContentType) -> Told:
        for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
            attribute = kind.attributes.get(name)
            if attribute is None:
                if not name.startswith("{"):
                    yield element, f"@{name}", "The element has no attribute but those of its class", name, None
            elif not attribute.takes(value, self.models.codes):
                wanted = attribute.fixed or " ".join(sorted(self.models.codes.get(attribute.kind.rstrip("*"), ())))
                text = "An attribute has the value that is fixed, or one of its type"
                yield element, f"@{name}", text, value, wanted or attribute.kind
        for attribute in kind.attributes.values():
            if attribute.required and element.get(attribute.name) is None:
                yield element, f"@{attribute.name}", "The element has its attributes", None, attribute.fixed

    def _children(self, element: _Element, kind: ContentType) -> Told:
        if not kind.mixed and (text := _text(element)):
            yield element, "", "The element has no text of its own", text[:40], None
        automaton, state = kind.automaton, START
        for child in element.iterchildren(f"{{{NAMESPACE}}}*"):
            name = name_of(child)
            omitted = automaton.omitted(state, name)
            if omitted is None:
                known = any(each.name == name for each in automaton.places)
                yield child, "", DISPLACED if known else UNKNOWN, name, _next(automaton.following[state])
                continue
            for each in omitted:
                state = automaton.following[state][each]
                yield element, each, "The element has what its class demands", None, each
            state = automaton.following[state][name]
            place = automaton.places[state]
            self.open.append((child, place.type, place.nillable))
        for each in automaton.omitted(state, None) or ():
            yield element, each, "The element has what its class demands", None, each


DISPLACED = "Elements stand in the order of their class, no more often than it allows"
UNKNOWN = "The element has no parts but those of its class"


def _next(following: Mapping[str, int]) -> str | None:
    return ", ".join(sorted(following)) or None


def _nil(element: _Element, nillable: bool) -> Told:
    if not nillable:
        yield element, "@xsi:nil", "xsi:nil stands only where the class allows it", "true", None
    elif len(element) or (element.text or "").strip():
        yield element, "", "An element with xsi:nil is empty", None, None


def _text(element: _Element) -> str:
    pieces = [element.text, *(child.tail for child in element)]
    return "".join(piece for piece in pieces if piece).strip()


def deviations(root: _Element, models: str, citation: Citation) -> tuple[Finding, ...]:
    """How a message or document differs from its content model, in the order of the text; none if it has no model."""
    known = content_models(models)
    declared = known.roots.get(name_of(root))
    if declared is None or QName(root).namespace != NAMESPACE:
        return ()
    reading = _Reading(known, deque([(root, declared, False)]))
    found = list(islice(reading.deviations(), MOST))
    findings = (_finding(each, citation) for each in found)
    return tuple(sorted(findings, key=lambda each: each.line or 0))


def _finding(told: tuple[_Element, str, str, str | None, str | None], citation: Citation) -> Finding:
    element, below, text, observed, expected = told
    line: int | None = element.sourceline  # type: ignore[assignment]
    place = f"{location(element)}/{below}" if below else location(element)
    return Finding(
        level=Level.SHALL,
        text=text,
        location=place,
        observed=observed,
        expected=expected,
        citation=citation,
        assertions=broken_by_content(place),
        line=line,
    )


def untold(content: tuple[Finding, ...], told: tuple[Finding, ...]) -> Iterator[Finding]:
    """What the content model finds and no rule has said of the same place, or of what would stand below it."""
    places = {place for each in told for place in (each.location, *_above(each.location))}
    for each in content:
        if each.location not in places and each.location.rpartition("/@")[0] not in places:
            yield each


def _above(place: str) -> Iterator[str]:
    """The paths of the elements above a place, without the root element."""
    steps = place.split("/")
    yield from ("/".join(steps[:length]) for length in range(3, len(steps)))
