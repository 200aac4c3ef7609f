"""Every small change of an XML message: each element dropped, doubled, displaced; each attribute dropped or spoiled."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree
from lxml.etree import _Element

NAMESPACE = "urn:hl7-org:v3"
Change = Callable[[_Element], object]


def _drop(element: _Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def _double(element: _Element) -> None:
    element.addnext(deepcopy(element))


def _displace(element: _Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.insert(0, element)


def _rename(element: _Element) -> None:
    element.tag = f"{{{NAMESPACE}}}unheardOf"


def _fill(element: _Element) -> None:
    etree.SubElement(element, f"{{{NAMESPACE}}}unheardOf")


def _write(element: _Element) -> None:
    element.text = "text that nobody asked for"


def _mark(element: _Element) -> None:
    element.set("unheardOf", "x")


ELEMENTS = "{*}*"
SPOILT = ("", "~ ~", "ZZZ")
ON_ELEMENTS = (_drop, _double, _displace, _rename, _fill, _write, _mark)


def _without(name: str) -> Change:
    return lambda element: element.attrib.pop(name)


def _spoilt(name: str, value: str) -> Change:
    return lambda element: element.set(name, value)


@dataclass(frozen=True)
class Mutation:
    """A change of the element that comes at this place of the text."""

    place: int
    where: str
    change: Change

    def of(self, root: _Element) -> _Element:
        """The changed message, read anew."""
        copied = deepcopy(root)
        self.change(list(copied.iter(ELEMENTS))[self.place])
        return etree.fromstring(etree.tostring(copied))


def mutations(root: _Element) -> Iterator[Mutation]:
    """Every change of a message."""
    for place, element in enumerate(root.iter(ELEMENTS)):
        path = root.getroottree().getelementpath(element)
        if element is not root:
            yield from (Mutation(place, f"{change.__name__} {path}", change) for change in ON_ELEMENTS)
        for name in map(str, element.attrib):
            yield Mutation(place, f"without {path}/@{name}", _without(name))
            yield from (Mutation(place, f"{value!r} {path}/@{name}", _spoilt(name, value)) for value in SPOILT)
