"""The body of a CDA document: encapsulated or in sections with a narrative (CDA Release 2: 4.3)."""

import re
from collections.abc import Iterator

from lxml.etree import _Element

from conformance.catalogue import Level
from conformance.findings import Finding
from conformance.kinds import HL7V3
from conformance.validators.cda_elements import cda_finding
from pix.v3_elements import child, children, words

BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def body(root: _Element) -> Iterator[Finding]:
    """What is wrong with either kind of body."""
    for each in children(root, "component/nonXMLBody"):
        yield from _encapsulated(each)
    for each in root.iter(f"{{{HL7V3}}}section"):
        yield from _section(each)


def _encapsulated(non_xml: _Element) -> Iterator[Finding]:
    text = child(non_xml, "text")
    if text is None:
        return  # the content model says so
    content = "".join("".join(str(each) for each in text.itertext()).split())
    if not content and child(text, "reference") is None:
        yield cda_finding("nonXMLBody.text holds the document or refers to it", text, "", None, "content or reference")
    if text.get("representation") == "B64" and (len(content) % 4 or not BASE64.fullmatch(content)):
        yield cda_finding("With representation B64 the content is base64", text)
    if text.get("representation") == "B64" and not text.get("mediaType"):
        hint = "without mediaType it is text/plain"
        yield cda_finding("What is encoded has a mediaType", text, "@mediaType", None, hint, level=Level.SHOULD)


def _section(section: _Element) -> Iterator[Finding]:
    """A section with entries tells people in its text what they say (4.3.5)."""
    text = child(section, "text")
    if text is None and children(section, "entry"):
        yield cda_finding("A section with entries has a text for people", section, "text", level=Level.SHOULD)
    if text is not None and not len(text) and not words(text):
        yield cda_finding("The text of a section is not empty", section, "text", level=Level.SHOULD)
