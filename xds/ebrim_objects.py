"""ebRIM elements as plain values, before anybody asks what they mean (ebRIM 3.0; ITI TF-3: 4.2.1.4)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lxml.etree import _Element

from xds.fragments import RIM
from xds.model import InternationalString, LocalizedString

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_TAG = f"{{{RIM}}}"
_CLASSIFICATION, _OBJECT_REF = _TAG + "Classification", _TAG + "ObjectRef"
_VALUE_LIST, _VALUE = _TAG + "ValueList", _TAG + "Value"


@dataclass(frozen=True, slots=True, kw_only=True)
class RIMSlots:
    """The Slots of one element. Of Slots with one name ``values`` has the first; ``repeated`` has the name."""

    values: Mapping[str, tuple[str, ...]]
    repeated: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RIMClassification:
    """rim:Classification, nested in its object or beside it."""

    scheme: str | None
    node: str | None
    representation: str | None
    classified_object: str | None
    object_type: str | None
    slots: RIMSlots
    display: str
    nested: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RIMIdentifier:
    """rim:ExternalIdentifier."""

    scheme: str | None
    value: str
    registry_object: str | None
    object_type: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RIMObject:
    """One ExtrinsicObject, RegistryPackage or Association. ``id`` is empty where the element has none."""

    element: str
    id: str
    attributes: Mapping[str, str]
    slots: RIMSlots
    texts: Mapping[str, InternationalString]
    version: str | None
    classifications: tuple[RIMClassification, ...]
    identifiers: tuple[RIMIdentifier, ...]

    @property
    def nodes(self) -> frozenset[str]:
        """The classificationNodes that label the object."""
        return frozenset(each.node for each in self.classifications if each.node)


@dataclass(frozen=True, slots=True, kw_only=True)
class RIMList:
    """A RegistryObjectList. ``stray`` are Classifications of no object of the list, ``foreign`` other elements."""

    objects: tuple[RIMObject, ...]
    stray: tuple[RIMClassification, ...]
    foreign: tuple[str, ...]


OBJECTS = {_TAG + name: name for name in ("ExtrinsicObject", "RegistryPackage", "Association")}


def read_list(registry_object_list: _Element) -> RIMList:
    """Read all objects; a Classification beside an object joins it (ITI TF-3: 4.2.1.2.1). ObjectRefs say nothing."""
    objects = [_object(child) for child in registry_object_list if child.tag in OBJECTS]
    beside = [replace(_classification(each), nested=False) for each in registry_object_list.findall(_CLASSIFICATION)]
    ids = {each.id for each in objects}
    return RIMList(
        objects=tuple(_joined(each, beside) for each in objects),
        stray=tuple(each for each in beside if each.classified_object not in ids),
        foreign=tuple(
            str(child.tag)
            for child in registry_object_list
            if child.tag not in (*OBJECTS, _CLASSIFICATION, _OBJECT_REF)
        ),
    )


def _joined(each: RIMObject, beside: list[RIMClassification]) -> RIMObject:
    own = tuple(classification for classification in beside if classification.classified_object == each.id)
    return replace(each, classifications=each.classifications + own) if own else each


def _children(element: _Element) -> Mapping[str, Sequence[_Element]]:
    """The child elements by their names, in one walk."""
    found: dict[str, list[_Element]] = defaultdict(list)
    for child in element:
        found[str(child.tag).removeprefix(_TAG)].append(child)
    return found


def _object(element: _Element) -> RIMObject:
    children = _children(element)
    return RIMObject(
        element=OBJECTS[element.tag],
        id=element.get("id", "").strip(),
        attributes={str(name): str(value).strip() for name, value in element.items() if value.strip()},
        slots=_slots(children["Slot"]),
        texts={name: _texts(children[name]) for name in ("Name", "Description")},
        version=next((each.get("versionName") for each in children["VersionInfo"]), None),
        classifications=tuple(_classification(each) for each in children["Classification"]),
        identifiers=tuple(_identifier(each) for each in children["ExternalIdentifier"]),
    )


def _slots(slots: Iterable[_Element]) -> RIMSlots:
    values: dict[str, tuple[str, ...]] = {}
    repeated: list[str] = []
    for slot in slots:
        name = slot.get("name", "")
        if name in values:
            repeated.append(name)
        values.setdefault(name, tuple(_values(slot)))
    return RIMSlots(values=values, repeated=tuple(repeated))


def _values(slot: _Element) -> Iterator[str]:
    for values in slot.iterchildren(_VALUE_LIST):
        for value in values.iterchildren(_VALUE):
            yield value.text or ""


def _texts(names: Sequence[_Element]) -> InternationalString:
    """The spellings of the first of these elements; the schema allows no second."""
    strings = names[0].iterchildren(_TAG + "LocalizedString") if names else ()
    return tuple(LocalizedString(each.get("value", ""), each.get(_LANG)) for each in strings if each.get("value"))


def _display(names: Sequence[_Element]) -> str:
    return next((text.value.strip() for text in _texts(names)), "")


def _classification(element: _Element) -> RIMClassification:
    children = _children(element)
    return RIMClassification(
        scheme=element.get("classificationScheme"),
        node=element.get("classificationNode"),
        representation=element.get("nodeRepresentation"),
        classified_object=element.get("classifiedObject"),
        object_type=element.get("objectType"),
        slots=_slots(children["Slot"]),
        display=_display(children["Name"]),
    )


def _identifier(element: _Element) -> RIMIdentifier:
    return RIMIdentifier(
        scheme=element.get("identificationScheme"),
        value=element.get("value", "").strip(),
        registry_object=element.get("registryObject"),
        object_type=element.get("objectType"),
        name=_display(element.findall(_TAG + "Name")),
    )
