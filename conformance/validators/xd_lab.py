"""Laboratory reports that declare XD-LAB (IHE PaLM TF-3: 6.3.2): what the sources at hand say.

The text of the framework was not at hand. The rules are those that the national templates of Switzerland quote from
it (``Laboratory Speciality Section``: PaLM TF revision 10.0) and that every sample of others keeps. Not checked, as
nothing at hand says it: which elements the header must have beyond CDA, and the content of the entries.
"""

from collections.abc import Iterator, Mapping

from lxml.etree import _Element

from conformance.findings import Finding
from conformance.kinds import HL7V3
from conformance.validators.cda_elements import cda_finding, obeys
from ihe.citations import Citation
from pix.v3_elements import child, children, name_of

PALM = Citation("IHE PaLM TF-3", "6.3.2")
XD_LAB = "1.3.6.1.4.1.19376.1.3.3"
SPECIALTY, ITEM = f"{XD_LAB}.2.1", f"{XD_LAB}.2.2"
DATA_PROCESSING = "1.3.6.1.4.1.19376.1.3.1"
LOINC = "2.16.840.1.113883.6.1"
PLACES: Mapping[str, tuple[tuple[str, str | None], ...]] = {
    XD_LAB: (("ClinicalDocument", None),),
    f"{XD_LAB}.1.5": (("authenticator", None), ("participant", "AUTHEN")),
    f"{XD_LAB}.1.6": (("participant", "REF"),),
    f"{XD_LAB}.1.7": (("performer", "PRF"),),
    SPECIALTY: (("section", None),),
    ITEM: (("section", None),),
}
"""The element that obeys each template, with its typeCode."""


def laboratory_report(root: _Element) -> Iterator[Finding]:
    """What is wrong with a document that declares XD-LAB; nothing with any other."""
    if not obeys(root, XD_LAB):
        return
    yield from _misplaced(root)
    if child(root, "component/structuredBody") is None:
        yield _wrong("A laboratory report has its results in sections", root, "component/structuredBody")
        return
    sections = list(root.iter(f"{{{HL7V3}}}section"))
    specialties = [each for each in sections if obeys(each, SPECIALTY)]
    if not specialties:
        yield _wrong("A laboratory report has a Laboratory Specialty Section", root, "component", SPECIALTY)
    for each in specialties:
        yield from _specialty(each)
    for each in (each for each in sections if obeys(each, ITEM)):
        yield from _leaf(each)


def _misplaced(root: _Element) -> Iterator[Finding]:
    for template in root.iter(f"{{{HL7V3}}}templateId"):
        places, parent = PLACES.get(template.get("root", "")), template.getparent()
        if places is None or parent is None:
            continue
        if not any(name_of(parent) == name and kind in (None, parent.get("typeCode")) for name, kind in places):
            wanted = " or ".join(f"{name} {kind or ''}".strip() for name, kind in places)
            yield _wrong("A template is declared by the element for which it is made", template, "@root", wanted)


def _specialty(section: _Element) -> Iterator[Finding]:
    if any(obeys(each, SPECIALTY) for each in section.iterancestors(f"{{{HL7V3}}}section")):
        yield _wrong("Laboratory Specialty Sections are not nested", section)
    if not children(section, "component"):
        yield from _leaf(section)
        return
    yield from _coded(section)
    for name in ("text", "entry"):
        if children(section, name):
            yield _wrong("A specialty section with item sections has no text and no entries of its own", section, name)
    for each in children(section, "component/section"):
        if not obeys(each, ITEM):
            yield _wrong("The sections in a specialty section are Laboratory Report Item Sections", each, "", ITEM)


def _leaf(section: _Element) -> Iterator[Finding]:
    yield from _coded(section)
    if child(section, "text") is None:
        yield _wrong("A section of results has a text", section, "text")
    entries = children(section, "entry")
    if entries and not any(obeys(each, DATA_PROCESSING) for each in entries):
        yield _wrong("Results stand in a Report Data Processing Entry", section, "entry/templateId", DATA_PROCESSING)


def _coded(section: _Element) -> Iterator[Finding]:
    code = child(section, "code")
    if code is None or not code.get("code"):
        yield _wrong("A laboratory section has a code", section, "code", f"a code of LOINC ({LOINC})")


def _wrong(text: str, element: _Element, below: str = "", expected: str | None = None) -> Finding:
    return cda_finding(text, element, below, None, expected, citation=PALM)
