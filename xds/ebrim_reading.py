"""One ebRIM object read by its attribute table (ITI TF-3: 4.2.3.1.2 to 4.2.3.1.4); what cannot be read is collected."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ihe.datatypes import Code
from xds.attribute_tables import AUTHOR, TABLES
from xds.attribute_types import VERSION
from xds.attributes import (
    Attribute,
    AuthorList,
    Classification,
    ClassificationList,
    Coding,
    ExternalIdentifier,
    Flag,
    ObjectTable,
    Slot,
    SlotList,
    Text,
    Version,
    XMLAttribute,
)
from xds.ebrim_faults import CLASSIFICATION, EXTERNAL_IDENTIFIER, Faults
from xds.ebrim_objects import Nesting, RIMClassification, RIMIdentifier, RIMObject
from xds.model import Author, ExtraSlot, InternationalString, MetadataObject


class Reader:
    """Reads the attributes of one object. ``faults`` grows with ``read`` and with ``finish``."""

    def __init__(self, table: ObjectTable, source: RIMObject) -> None:
        self.table = table
        self.source = source
        self.faults = Faults(table.kind, source.id)

    def read(self) -> dict[str, Any]:
        """The values by the fields of the model, as far as they are there and can be read."""
        found, values = self._found(), {}
        for attribute, place, name, read in _readings(self.table.kind):
            there = found[place].get(name)
            if there:
                value = read(self, attribute, attribute.coding, there)
                if value is not None:
                    values[attribute.field] = value
        return values

    def _found(self) -> Mapping[str, Mapping[Any, Any]]:
        """What the object holds, by where a coding has it and by its name, scheme or node there."""
        schemes: dict[str | None, list[RIMClassification]] = {}
        nodes: dict[str | None, list[RIMClassification]] = {}
        identifiers: dict[str | None, list[RIMIdentifier]] = {}
        for each in self.source.classifications:
            schemes.setdefault(each.scheme, []).append(each)
            nodes.setdefault(each.node, []).append(each)
        for identifier in self.source.identifiers:
            identifiers.setdefault(identifier.scheme, []).append(identifier)
        return {
            "attributes": self.source.attributes,
            "slots": self.source.slots,
            "texts": self.source.texts,
            "version": {None: self.source.version},
            "schemes": schemes,
            "nodes": nodes,
            "identifiers": identifiers,
        }

    def finish(self) -> None:
        """Refuse what no row of the table reads; Slots are extra metadata and never refused here."""
        for name in self.source.repeated:
            self.faults.refuse(name, "The name of a Slot is unique within its object", "4.2.3.1.6")
        known = self.table.schemes
        for classification in self.source.classifications:
            if not classification.node and classification.scheme not in known:
                self.faults.unknown("classificationScheme", classification.scheme)
        for identifier in self.source.identifiers:
            if identifier.scheme not in known:
                self.faults.unknown("identificationScheme", identifier.scheme)
        for classification in self.source.classifications:
            if classification.node and classification.node not in self.table.nodes:
                self.faults.unknown("classificationNode", classification.node)

    def extra(self) -> tuple[ExtraSlot, ...]:
        """The Slots that the Technical Framework does not define (4.2.3.1.6)."""
        slots, known = self.source.slots, self.table.slots
        if slots.keys() <= known:
            return ()
        return tuple(ExtraSlot(name, values) for name, values in slots.items() if name not in known)

    def _xml_attribute(self, attribute: Attribute, coding: XMLAttribute, text: str) -> Any:
        try:
            return coding.type.read(text)
        except ValueError as error:
            return self._unreadable(attribute, text, error)

    def _single_slot(self, attribute: Attribute, coding: Slot, values: tuple[str, ...]) -> Any:
        text = values[0].strip() if len(values) == 1 else self._first(attribute, _stripped(values))
        try:
            return coding.type.read(text) if text else None
        except ValueError as error:
            return self._unreadable(attribute, text, error)

    def _slot_list(self, _attribute: Attribute, _coding: SlotList, values: tuple[str, ...]) -> tuple[str, ...]:
        return _stripped(values)

    def _texts(self, _attribute: Attribute, _coding: Text, texts: InternationalString) -> InternationalString:
        return texts

    def _version(self, _attribute: Attribute, _coding: Version, version: str) -> Any:
        return VERSION.read(version)

    def _first(self, attribute: Attribute, values: Sequence[str]) -> str:
        """The value of an attribute that has one; empty ones mean nothing."""
        if len(values) > 1:
            self.faults.several(attribute, len(values))
        return values[0] if values else ""

    def _unreadable(self, attribute: Attribute, text: str, error: ValueError) -> None:
        self.faults.refuse(attribute.name, f"The value cannot be read: {error}", attribute.section, text)

    def _identifier(self, attribute: Attribute, coding: ExternalIdentifier, found: list[RIMIdentifier]) -> Any:
        own = self.source.id
        for each in found:
            if each.registry_object != own or each.name != coding.name or each.object_type != EXTERNAL_IDENTIFIER:
                self.faults.check_identifier(attribute, coding, each)
        text = found[0].value if len(found) == 1 else self._first(attribute, [each.value for each in found])
        try:
            return coding.type.read(text) if text else None
        except ValueError as error:
            return self._unreadable(attribute, text, error)

    def _flag(self, attribute: Attribute, _coding: Flag, found: list[RIMClassification]) -> bool:
        for each in found:
            self.faults.check_classification(attribute, each)
        return True

    def _classification(self, attribute: Attribute, _: Classification, found: list[RIMClassification]) -> Code | None:
        if len(found) == 1:
            return self._code(attribute, found[0])
        codes = self._codes(attribute, found)
        if len(codes) > 1:
            self.faults.several(attribute, len(codes))
        return codes[0] if codes else None

    def _classification_list(
        self, attribute: Attribute, _: ClassificationList, found: list[RIMClassification]
    ) -> tuple[Code, ...]:
        return tuple(self._codes(attribute, found))

    def _codes(self, attribute: Attribute, found: list[RIMClassification]) -> list[Code]:
        return [code for each in found if (code := self._code(attribute, each)) is not None]

    def _code(self, attribute: Attribute, each: RIMClassification) -> Code | None:
        if (
            each.classified_object != self.source.id
            or each.nested is Nesting.BESIDE
            or each.object_type != CLASSIFICATION
        ):
            self.faults.check_classification(attribute, each)
        code, schemes = (each.representation or "").strip(), each.slots.get("codingScheme", ())
        scheme = schemes[0].strip() if len(schemes) == 1 else ""
        if code and scheme and each.display and len(each.slots) == 1:
            return Code(code, scheme, each.display)
        return self._code_with_faults(attribute, each, code, _stripped(schemes))

    def _code_with_faults(
        self, attribute: Attribute, each: RIMClassification, code: str, schemes: tuple[str, ...]
    ) -> Code | None:
        if not code:
            self.faults.refuse(attribute.name, "A code has a value in nodeRepresentation", "4.2.3.1.2")
        if len(schemes) != 1:
            self.faults.refuse(
                attribute.name,
                "A code names its coding scheme in the Slot codingScheme, once",
                "4.2.3.1.2",
                f"{len(schemes)} values",
            )
        for name in each.slots:
            if name != "codingScheme":
                self.faults.warn(attribute.name, f"The Slot {name} is no part of a code and is not saved", "4.2.3.1.2")
        if not each.display:
            self.faults.refuse(attribute.name, "A code has a display name in Name", "4.2.3.1.2", code)
        return Code(code, schemes[0], each.display) if code and len(schemes) == 1 else None

    def _authors(self, attribute: Attribute, _: AuthorList, found: list[RIMClassification]) -> tuple[Author, ...]:
        return tuple([self._author(attribute, each) for each in found])

    def _author(self, attribute: Attribute, each: RIMClassification) -> Author:
        refuse = self.faults.refuse
        self.faults.check_classification(attribute, each)
        if each.representation:
            refuse(attribute.name, "nodeRepresentation of an author is empty", "4.2.3.1.4", each.representation)
        for name in each.repeated:
            refuse(attribute.name, f"The Slot {name} appears once in an author", "4.2.3.1.4")
        values: dict[str, Any] = {}
        for name, texts in each.slots.items():
            if name in AUTHOR:
                values[AUTHOR[name]] = tuple(filter(None, map(str.strip, texts)))
            else:
                text = f"The Slot {name} is no sub-attribute of an author and is not saved"
                self.faults.warn(attribute.name, text, "4.2.3.1.4")
        persons = values.pop("author_person", ())
        if len(persons) > 1:
            refuse(attribute.name, "An author has at most one authorPerson", "4.2.3.1.4.2", f"{len(persons)}")
        return Author(author_person=persons[0] if persons else None, **values)


def _stripped(values: tuple[str, ...]) -> tuple[str, ...]:
    """The values of a Slot without surrounding white space; empty ones mean nothing."""
    return tuple(filter(None, map(str.strip, values)))


_Read = Callable[[Reader, Attribute, Any, Any], Any]
_READERS: Mapping[type[Coding], tuple[str, str | None, _Read]] = {
    XMLAttribute: ("attributes", "name", Reader._xml_attribute),
    Slot: ("slots", "name", Reader._single_slot),
    SlotList: ("slots", "name", Reader._slot_list),
    Text: ("texts", "element", Reader._texts),
    Version: ("version", None, Reader._version),
    ExternalIdentifier: ("identifiers", "scheme", Reader._identifier),
    Classification: ("schemes", "scheme", Reader._classification),
    ClassificationList: ("schemes", "scheme", Reader._classification_list),
    AuthorList: ("schemes", "scheme", Reader._authors),
    Flag: ("nodes", "node", Reader._flag),
}
"""Where a coding is found, which of its fields is its name there, and what reads it."""


@cache
def _readings(kind: MetadataObject) -> tuple[tuple[Attribute, str, str | None, _Read], ...]:
    """The rows of a table, each with where it is found, its name there, and what reads it."""
    found = []
    for row in TABLES[kind].attributes:
        place, naming, read = _READERS[type(row.coding)]
        found.append((row, place, getattr(row.coding, naming) if naming else None, read))
    return tuple(found)
