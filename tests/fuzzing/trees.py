"""XML near good messages that is still well-formed: pieces are moved, wrapped, nested, renamed, or given other values.

Bytes that are cut at random are mostly no XML any more, and get no further than the parser.
"""

from collections.abc import Callable
from copy import deepcopy

from hypothesis import strategies as st
from lxml import etree

from tests.fuzzing.hurtful import HURTFUL_TEXTS

XOP, XSI = "http://www.w3.org/2004/08/xop/include", "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES = (
    "",
    XOP,
    "http://www.w3.org/2003/05/soap-envelope",
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2005/08/addressing",
    "http://www.w3.org/2000/09/xmldsig#",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
    "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0",
    "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0",
    "urn:ihe:iti:xds-b:2007",
    "urn:hl7-org:v3",
)
INCLUDES = ("cid:d@x", "cid:d%40x", "cid:nobody", "cid:", "http://x/", "d@x", "")
ENCODINGS = ("utf-8", "utf-16", "iso-8859-1", "us-ascii")
DEPTHS = (1, 3, 40, 120)
DRAWN = st.DrawFn
Element = etree._Element


@st.composite
def trees(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A good message with one to eight changes of its tree."""
    root = etree.fromstring(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 8))):
        elements = [each for each in root.iter() if isinstance(each.tag, str)]
        draw(st.sampled_from(EDITS))(draw, draw(st.sampled_from(elements)), elements)
    encoding = draw(st.sampled_from(ENCODINGS)) if draw(st.booleans()) else "utf-8"
    told = etree.tostring(root, encoding=encoding, xml_declaration=encoding != "utf-8" or draw(st.booleans()))
    assert isinstance(told, bytes)
    return told


def _remove(_draw: DRAWN, at: Element, _: list[Element]) -> None:
    parent = at.getparent()
    if parent is not None:
        parent.remove(at)


def _double(draw: DRAWN, at: Element, _: list[Element]) -> None:
    parent = at.getparent()
    if parent is None:
        return
    for _time in range(draw(st.integers(1, 3))):
        parent.insert(draw(st.integers(0, len(parent))), deepcopy(at))


def _move(draw: DRAWN, at: Element, elements: list[Element]) -> None:
    """Into another place: a copy where the place lies in what is moved."""
    there = draw(st.sampled_from(elements))
    inside = any(each is at for each in (there, *there.iterancestors()))
    there.insert(draw(st.integers(0, len(there))), deepcopy(at) if inside or at.getparent() is None else at)


def _swap(draw: DRAWN, at: Element, _: list[Element]) -> None:
    """The children in another order."""
    at[:] = draw(st.permutations(list(at))) if len(at) < 12 else list(reversed(at))


def _wrap(draw: DRAWN, at: Element, elements: list[Element]) -> None:
    """Into an element of a name that occurs, again and again."""
    parent = at.getparent()
    if parent is None:
        return
    outer = etree.Element(draw(st.sampled_from(elements)).tag)
    inner = outer
    for _time in range(draw(st.sampled_from(DEPTHS)) - 1):
        inner = etree.SubElement(inner, outer.tag)
    parent.replace(at, outer)
    inner.append(at)


def _unwrap(_draw: DRAWN, at: Element, _: list[Element]) -> None:
    """The children stand in the place of their parent."""
    parent = at.getparent()
    if parent is not None:
        place = parent.index(at)
        parent[place : place + 1] = list(at)


def _rename(draw: DRAWN, at: Element, elements: list[Element]) -> None:
    name = etree.QName(draw(st.sampled_from(elements)).tag)
    namespace = draw(st.sampled_from((name.namespace or "", etree.QName(at.tag).namespace or "", *NAMESPACES)))
    at.tag = f"{{{namespace}}}{name.localname}" if namespace else name.localname


def _drop_attribute(draw: DRAWN, at: Element, _: list[Element]) -> None:
    if at.attrib:
        del at.attrib[draw(st.sampled_from(sorted(map(str, at.attrib))))]


def _give_attribute(draw: DRAWN, at: Element, elements: list[Element]) -> None:
    """One of another element, or one that means something somewhere."""
    others = sorted({(str(name), str(value)) for each in elements for name, value in each.attrib.items()})
    special = ((f"{{{XSI}}}nil", "true"), (f"{{{XSI}}}type", "x:y"), ("{http://www.w3.org/XML/1998/namespace}id", "x"))
    name, value = draw(st.sampled_from((*others, *special)))
    at.set(name, draw(st.sampled_from((value, *HURTFUL_TEXTS))))


def _change_value(draw: DRAWN, at: Element, elements: list[Element]) -> None:
    """Of an attribute, or the text, to a value that occurs, or one that has hurt."""
    known = {str(value) for each in elements for value in (*each.attrib.values(), each.text or "")}
    value = draw(st.sampled_from(sorted(known)) | st.sampled_from(HURTFUL_TEXTS))
    if at.attrib and draw(st.booleans()):
        at.set(draw(st.sampled_from(sorted(map(str, at.attrib)))), value)
    else:
        at.text = value


def _interrupt(draw: DRAWN, at: Element, _: list[Element]) -> None:
    """A comment or an instruction in the middle of the text."""
    text = at.text or ""
    cut = draw(st.integers(0, len(text)))
    told = etree.Comment("c") if draw(st.booleans()) else etree.ProcessingInstruction("p", "i")
    at.text, told.tail = text[:cut], text[cut:]
    at.insert(0, told)


def _include(draw: DRAWN, at: Element, _: list[Element]) -> None:
    """An xop:Include instead of the text, or beside it."""
    if draw(st.booleans()):
        at.text = None
    etree.SubElement(at, f"{{{XOP}}}Include").set("href", draw(st.sampled_from(INCLUDES)))


EDITS: tuple[Callable[[DRAWN, Element, list[Element]], None], ...] = (
    _remove,
    _double,
    _move,
    _swap,
    _wrap,
    _unwrap,
    _rename,
    _drop_attribute,
    _give_attribute,
    _change_value,
    _interrupt,
    _include,
)
