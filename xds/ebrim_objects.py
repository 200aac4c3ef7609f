"""ebRIM elements as plain values, before anybody asks what they mean (ebRIM 3.0; ITI TF-3: 4.2.1.4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from lxml.etree import _Element

from ihe.vocabulary import Vocabulary
from xds.fragments import RIM
from xds.model import InternationalString, LocalizedString

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_TAG = f"{{{RIM}}}"
_CLASSIFICATION, _OBJECT_REF = _TAG + "Classification", _TAG + "ObjectRef"
_IDENTIFIER, _VERSION = _TAG + "ExternalIdentifier", _TAG + "VersionInfo"
_SLOT, _VALUE_LIST, _VALUE = _TAG + "Slot", _TAG + "ValueList", _TAG + "Value"
_LOCALIZED = _TAG + "LocalizedString"
_NAME = _TAG + "Name"
_TEXTS = {_TAG + name: name for name in ("Name", "Description")}


class Nesting(Vocabulary):
    """Where a Classification stands."""

    INSIDE = "inside its object"
    BESIDE = "beside it"


Slots = Mapping[str, tuple[str, ...]]
"""The Slots of one element; of those with one name the first."""


class RIMClassification(NamedTuple):
    """rim:Classification, nested in its object or beside it. ``repeated`` are names of several Slots."""

    scheme: str | None
    node: str | None
    representation: str | None
    classified_object: str | None
    object_type: str | None
    slots: Slots
    repeated: tuple[str, ...]
    display: str
    nested: Nesting


class RIMIdentifier(NamedTuple):
    """rim:ExternalIdentifier."""

    scheme: str | None
    value: str
    registry_object: str | None
    object_type: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RIMObject:
    """One ExtrinsicObject, RegistryPackage or Association. ``id`` is empty where the element has none.

    ``attributes`` and ``texts`` are those that say something. ``repeated`` are names of several Slots.
    """

    element: str
    id: str
    attributes: Mapping[str, str]
    slots: Slots
    repeated: tuple[str, ...]
    texts: Mapping[str, InternationalString]
    version: str | None
    classifications: tuple[RIMClassification, ...]
    identifiers: tuple[RIMIdentifier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RIMList:
    """A RegistryObjectList. ``stray`` are Classifications of no object of the list, ``foreign`` other elements."""

    objects: tuple[RIMObject, ...]
    stray: tuple[RIMClassification, ...]
    foreign: tuple[str, ...]


OBJECTS = {_TAG + name: name for name in ("ExtrinsicObject", "RegistryPackage", "Association")}


def read_list(registry_object_list: _Element) -> RIMList:
    """Read all objects; a Classification beside an object joins it (ITI TF-3: 4.2.1.2.1). ObjectRefs say nothing."""
    objects: list[RIMObject] = []
    beside: list[RIMClassification] = []
    foreign: list[str] = []
    for child in registry_object_list:
        tag = child.tag
        if tag in OBJECTS:
            objects.append(_object(child, OBJECTS[tag]))
        elif tag == _CLASSIFICATION:
            beside.append(_classification(child, nested=Nesting.BESIDE))
        elif tag != _OBJECT_REF:
            foreign.append(str(tag))
    ids = {each.id for each in objects}
    return RIMList(
        objects=tuple(_joined(each, beside) for each in objects) if beside else tuple(objects),
        stray=tuple(each for each in beside if each.classified_object not in ids),
        foreign=tuple(foreign),
    )


def _joined(each: RIMObject, beside: list[RIMClassification]) -> RIMObject:
    own = tuple(classification for classification in beside if classification.classified_object == each.id)
    return replace(each, classifications=each.classifications + own) if own else each


class _Children:
    """The child elements by what they are, in one walk."""

    __slots__ = ("classifications", "identifiers", "slots", "texts", "version")

    def __init__(self, element: _Element) -> None:
        self.slots: list[_Element] = []
        self.texts: dict[str, _Element] = {}
        self.version: _Element | None = None
        self.classifications: list[_Element] = []
        self.identifiers: list[_Element] = []
        for child in element:
            tag = child.tag
            if tag == _SLOT:
                self.slots.append(child)
            elif tag == _CLASSIFICATION:
                self.classifications.append(child)
            elif tag == _IDENTIFIER:
                self.identifiers.append(child)
            elif tag in _TEXTS:
                self.texts.setdefault(_TEXTS[tag], child)  # the schema allows no second
            elif tag == _VERSION and self.version is None:
                self.version = child


def _object(element: _Element, name: str) -> RIMObject:
    children = _Children(element)
    attributes = {str(key): text for key, value in element.items() if (text := str(value).strip())}
    slots, repeated = _slots(children.slots)
    return RIMObject(
        element=name,
        id=attributes.get("id", ""),
        attributes=attributes,
        slots=slots,
        repeated=repeated,
        texts={key: _texts(text) for key, text in children.texts.items()},
        version=None if children.version is None else children.version.get("versionName"),
        classifications=tuple(map(_classification, children.classifications)),
        identifiers=tuple(map(_identifier, children.identifiers)),
    )


def _slots(slots: Iterable[_Element]) -> tuple[Slots, tuple[str, ...]]:
    """What Slots hold by their names, and the names of those that come again."""
    values: dict[str, tuple[str, ...]] = {}
    repeated: list[str] = []
    for slot in slots:
        name = slot.get("name", "")
        if name in values:
            repeated.append(name)
            continue
        texts: list[str] = []
        for listed in slot:
            for value in listed if listed.tag == _VALUE_LIST else ():
                if value.tag == _VALUE:
                    texts.append(value.text or "")
        values[name] = tuple(texts)
    return values, tuple(repeated)


def _texts(text: _Element) -> InternationalString:
    return tuple(
        [
            LocalizedString(value, each.get(_LANG))
            for each in text
            if each.tag == _LOCALIZED and (value := each.get("value"))
        ]
    )


def _display(name: _Element) -> str:
    """The first spelling of a Name."""
    for each in name:
        if each.tag == _LOCALIZED and (value := each.get("value")):
            return value.strip()
    return ""


def _classification(element: _Element, nested: Nesting = Nesting.INSIDE) -> RIMClassification:
    inside: list[_Element] = []
    display: str | None = None
    for child in element:
        tag = child.tag
        if tag == _SLOT:
            inside.append(child)
        elif tag == _NAME and display is None:
            display = _display(child)
    slots, repeated = _slots(inside)
    told = element.get
    return RIMClassification(
        told("classificationScheme"),
        told("classificationNode"),
        told("nodeRepresentation"),
        told("classifiedObject"),
        told("objectType"),
        slots,
        repeated,
        display or "",
        nested,
    )


def _identifier(element: _Element) -> RIMIdentifier:
    told, display = element.get, ""
    for child in element:
        if child.tag == _NAME:
            display = _display(child)
            break
    value = told("value", "").strip()
    return RIMIdentifier(told("identificationScheme"), value, told("registryObject"), told("objectType"), display)
