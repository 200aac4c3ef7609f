"""HL7 v3 elements, read and written (XML ITS 1.0, namespace ``urn:hl7-org:v3``; II: ITI TF-2: E.2)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from lxml import etree
from lxml.etree import _Element

from ihe.datatypes import HD
from ihe.identifiers import is_oid

NAMESPACE = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_IN_NAMESPACE = f"{{{NAMESPACE}}}"
XSI_TYPE = f"{{{XSI}}}type"
REPEATABLE = {"dataSource", "otherIDsScopingOrganization", "livingSubjectId", "livingSubjectName"}
# Only after a whole date: 1985-05 is no year with a zone (TS of the datatypes' schema).
_FRACTION_AND_ZONE = re.compile(r"(?<=[0-9]{8})(\.[0-9]+)?([+-][0-9]{2,4})?$")
_V2_FRACTION_AND_ZONE = re.compile(r"(\.[0-9]+)?([+-][0-9]{4})?$")
_TS = re.compile(r"[0-9]{1,8}|([0-9]{9,14}|[0-9]{14}\.[0-9]+)([+-][0-9]{1,4})?")
_UID = re.compile(
    r"[0-2](\.(0|[1-9][0-9]*))*|[0-9a-zA-Z]{8}(-[0-9a-zA-Z]{4}){3}-[0-9a-zA-Z]{12}|[A-Za-z][A-Za-z0-9\-]*"
)
_legal = partial(re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]").sub, "\ufffd")
"""A text as XML may hold it. It is asked for every text and attribute, so it is no Python function."""


@dataclass(frozen=True, slots=True)
class InstanceIdentifier:
    """II: ``root`` is the assigning authority's OID, ``extension`` the id; ``location`` where the message holds it."""

    root: str = ""
    extension: str = ""
    location: str = ""

    @property
    def hd(self) -> HD:
        """The assigning authority, for a domain to look up (ITI TF-2: R.1)."""
        return HD("", self.root, "ISO")

    @property
    def is_patient_id(self) -> bool:
        """Claim that it has what a patient id needs (ITI TF-2: Table E.2.2-1)."""
        return is_oid(self.root) and bool(self.extension)

    @property
    def is_domain(self) -> bool:
        """Claim that it names an assigning authority and no more (ITI TF-2: Table 3.45.4.1.2.2-1, DataSource)."""
        return is_oid(self.root) and not self.extension

    def __str__(self) -> str:
        return f"{self.root}^{self.extension}" if self.extension else self.root


def name_of(element: _Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(parent: _Element | None, path: str) -> list[_Element]:
    """All elements at a path of names below ``parent``; those with a nullFlavor say that there is no value."""
    return [] if parent is None else _values(path)(parent)


def child(parent: _Element | None, path: str) -> _Element | None:
    """The first of ``children``."""
    found = children(parent, path)
    return found[0] if found else None


def attribute(parent: _Element | None, path: str, name: str = "value") -> str | None:
    """An attribute of the first element at ``path``; None if it is absent or blank."""
    element = child(parent, path)
    return (element.get(name) or "").strip() or None if element is not None else None


def words(element: _Element) -> str:
    """The whole text of an element, white space collapsed."""
    return " ".join("".join(str(piece) for piece in element.itertext()).split())


def location(element: _Element) -> str:
    """The element's XPath from the message's root; ``urn:hl7-org:v3`` is the default namespace of its names."""
    steps = [_step(element)]
    for ancestor in element.iterancestors():
        if not ancestor.tag.startswith(_IN_NAMESPACE):
            break
        steps.append(_step(ancestor))
    return "/" + "/".join(reversed(steps))


def instance_identifier(element: _Element) -> InstanceIdentifier:
    """Read an II."""
    root, extension = element.get("root", ""), element.get("extension", "")
    return InstanceIdentifier(root.strip(), extension.strip(), location(element))


def instance_identifiers(parent: _Element | None, path: str) -> tuple[InstanceIdentifier, ...]:
    """Read every II at a path that is not null."""
    return tuple(instance_identifier(element) for element in children(parent, path))


def time_stamp(text: str) -> str:
    """A TS as a DTM: without fraction of a second and zone. Check the result with ``is_time``."""
    return _FRACTION_AND_ZONE.sub("", text)


def written_time(text: str) -> str:
    """A TS of v2 as v3 can say it: a zone follows an hour at least, a fraction seconds; what cannot stand goes."""
    return text if _TS.fullmatch(text) else _V2_FRACTION_AND_ZONE.sub("", text)


def message(name: str, quoted: _Element | None = None) -> _Element:
    """Begin a message; the prefixes that xsi:type uses in ``quoted`` are declared, so that its copy stays true."""
    namespaces: dict[str | None, str] = dict(_prefixes_in_types(quoted)) if quoted is not None else {}
    namespaces |= {None: NAMESPACE, "xsi": XSI}
    return etree.Element(f"{{{NAMESPACE}}}{name}", nsmap=namespaces, ITSVersion="XML_1.0")  # type: ignore[arg-type]


def add(parent: _Element, name: str, content: str | None = None, /, **attributes: str | None) -> _Element:
    """Append an element with text and attributes; attributes that are None or empty are left out."""
    element = etree.SubElement(parent, _IN_NAMESPACE + name)
    for key, value in attributes.items():
        if value:
            element.set(key, _legal(value))
    if content:
        element.text = _legal(content)
    return element


def is_uid(text: str) -> bool:
    """Claim that the schema takes a text as an identifier of its own: an OID, a UUID or a RUID."""
    return _UID.fullmatch(text) is not None


def add_identifier(parent: _Element, name: str, identifier: InstanceIdentifier) -> _Element:
    """Append an II; one whose root the schema would not take becomes a null: an answer quotes whatever was asked."""
    if not is_uid(identifier.root):
        return add(parent, name, nullFlavor="NI")
    return add(parent, name, root=identifier.root, extension=identifier.extension)


@lru_cache(maxsize=1024)
def _values(path: str) -> Callable[[_Element], list[_Element]]:
    """What finds the elements at a path: in half the time of ``findall``. Paths are those of our own tables."""
    steps = "/".join([f"v3:{step}" for step in path.split("/")])
    found: Any = etree.XPath(f"{steps}[not(@nullFlavor)]", namespaces={"v3": NAMESPACE})
    return found  # type: ignore[no-any-return]


def _step(element: _Element) -> str:
    name = element.tag.rpartition("}")[2]
    before = len(list(element.itersiblings(element.tag, preceding=True)))
    alone = not before and next(element.itersiblings(element.tag), None) is None
    return name if alone and name not in REPEATABLE else f"{name}[{before + 1}]"


def _prefixes_in_types(element: _Element) -> Iterator[tuple[str | None, str]]:
    for typed in element.iter(f"{{{NAMESPACE}}}*"):
        prefix, colon, _ = typed.get(XSI_TYPE, "").partition(":")
        if colon and prefix in typed.nsmap:
            yield prefix, typed.nsmap[prefix]
