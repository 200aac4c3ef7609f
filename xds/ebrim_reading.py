"""One ebRIM object read by its attribute table (ITI TF-3: 4.2.3.1.2 to 4.2.3.1.4); what cannot be read is collected."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ihe.citations import tf3
from ihe.datatypes import Code
from ihe.errors import Breach, ErrorCode, Severity
from xds.attribute_tables import AUTHOR, TABLES
from xds.attribute_types import VERSION, ValueType
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
    locate,
)
from xds.ebrim_objects import Nesting, RIMClassification, RIMIdentifier, RIMObject
from xds.model import Author, ExtraSlot, MetadataObject

OBJECT_TYPE = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"


class Reader:
    """Reads the attributes of one object. ``breaches`` grows with ``read`` and with ``finish``."""

    def __init__(self, table: ObjectTable, source: RIMObject) -> None:
        self.table = table
        self.source = source
        self.breaches: list[Breach] = []
        self._by_scheme: dict[str | None, list[RIMClassification]] = {}
        for each in source.classifications:
            self._by_scheme.setdefault(each.scheme, []).append(each)

    def read(self) -> dict[str, Any]:
        """The values by the fields of the model, as far as they are there and can be read."""
        values = {}
        for attribute, read in _readings(self.table.kind):
            value = read(self, attribute, attribute.coding)
            if value is not None:
                values[attribute.field] = value
        return values

    def finish(self) -> None:
        """Refuse what no row of the table reads; Slots are extra metadata and never refused here."""
        for name in self.source.slots.repeated:
            self._refuse(name, "The name of a Slot is unique within its object", "4.2.3.1.6")
        known = self.table.schemes
        for classification in self.source.classifications:
            if not classification.node and classification.scheme not in known:
                self._unknown("classificationScheme", classification.scheme)
        for identifier in self.source.identifiers:
            if identifier.scheme not in known:
                self._unknown("identificationScheme", identifier.scheme)
        self._check_nodes()

    def extra(self) -> tuple[ExtraSlot, ...]:
        """The Slots that the Technical Framework does not define (4.2.3.1.6)."""
        slots = self.source.slots.values.items()
        return tuple(ExtraSlot(name, values) for name, values in slots if name not in self.table.slots)

    def _xml_attribute(self, attribute: Attribute, coding: XMLAttribute) -> Any:
        text = self.source.attributes.get(coding.name)
        return None if text is None else self._one(attribute, coding.type, (text,))

    def _single_slot(self, attribute: Attribute, coding: Slot) -> Any:
        return self._one(attribute, coding.type, self._slot(coding.name))

    def _version(self, attribute: Attribute, _coding: Version) -> Any:
        return self._one(attribute, VERSION, (self.source.version or "",))

    def _classification(self, attribute: Attribute, coding: Classification) -> Code | None:
        return self._single(attribute, self._codes(attribute, coding.scheme))

    def _classification_list(self, attribute: Attribute, coding: ClassificationList) -> tuple[Code, ...]:
        return tuple(self._codes(attribute, coding.scheme))

    def _authors(self, attribute: Attribute, coding: AuthorList) -> tuple[Author, ...]:
        return tuple(self._author(attribute, each) for each in self._by_scheme.get(coding.scheme, ()))

    def _slot(self, name: str) -> list[str]:
        """The values of a Slot without surrounding white space; empty ones mean nothing."""
        return [stripped for value in self.source.slots.values.get(name, ()) if (stripped := value.strip())]

    def _one(self, attribute: Attribute, type: ValueType, texts: Sequence[str]) -> Any:
        if len(texts) > 1:
            self._refuse(attribute.name, "The attribute has a single value", attribute.section, f"{len(texts)} values")
        if not texts or not texts[0]:
            return None
        try:
            return type.read(texts[0])
        except ValueError as error:
            self._refuse(attribute.name, f"The value cannot be read: {error}", attribute.section, texts[0])
            return None

    def _single(self, attribute: Attribute, codes: list[Code]) -> Code | None:
        if len(codes) > 1:
            self._refuse(attribute.name, "The attribute has a single value", attribute.section, f"{len(codes)} values")
        return codes[0] if codes else None

    def _identifier(self, attribute: Attribute, coding: ExternalIdentifier) -> Any:
        found = [each for each in self.source.identifiers if each.scheme == coding.scheme]
        for each in found:
            self._check_identifier(attribute, coding, each)
        return self._one(attribute, coding.type, [each.value for each in found])

    def _check_identifier(self, attribute: Attribute, coding: ExternalIdentifier, each: RIMIdentifier) -> None:
        if each.registry_object != self.source.id:
            self._refuse(
                attribute.name,
                "ExternalIdentifier/@registryObject is the id of the object around it",
                "4.2.3.1.3",
                each.registry_object,
            )
        if each.name != coding.name:
            self._refuse(
                attribute.name, "An ExternalIdentifier bears its fixed name", "4.2.3.1.3", each.name, coding.name
            )
        self._check_object_type(attribute.name, "ExternalIdentifier", each.object_type)

    def _flag(self, attribute: Attribute, coding: Flag) -> bool:
        found = [each for each in self.source.classifications if each.node == coding.node]
        for each in found:
            self._check_classification(attribute, each)
        return bool(found)

    def _check_classification(self, attribute: Attribute, each: RIMClassification) -> None:
        if each.classified_object != self.source.id:
            self._refuse(
                attribute.name,
                "Classification/@classifiedObject is the id of the object around it",
                "4.2.3.1.2",
                each.classified_object,
            )
        if each.nested is Nesting.BESIDE and each.node is None:
            self._refuse(attribute.name, "A coded attribute is inside its object, not beside it", "4.2.3.1.2")
        self._check_object_type(attribute.name, "Classification", each.object_type)

    def _check_object_type(self, name: str, kind: str, observed: str | None) -> None:
        expected = OBJECT_TYPE + kind
        if observed not in (None, expected) and observed.lower() != expected.lower():
            self._refuse(name, f"{kind}/@objectType has a fixed value", "4.2.3.1", observed, expected)

    def _check_nodes(self) -> None:
        for classification in self.source.classifications:
            if classification.node and classification.node not in self.table.nodes:
                self._unknown("classificationNode", classification.node)

    def _codes(self, attribute: Attribute, scheme: str) -> list[Code]:
        found = self._by_scheme.get(scheme, ())
        return [code for each in found if (code := self._code(attribute, each)) is not None]

    def _code(self, attribute: Attribute, each: RIMClassification) -> Code | None:
        self._check_classification(attribute, each)
        schemes = [stripped for value in each.slots.values.get("codingScheme", ()) if (stripped := value.strip())]
        code = (each.representation or "").strip()
        if not code:
            self._refuse(attribute.name, "A code has a value in nodeRepresentation", "4.2.3.1.2")
        if len(schemes) != 1:
            self._refuse(
                attribute.name,
                "A code names its coding scheme in the Slot codingScheme, once",
                "4.2.3.1.2",
                f"{len(schemes)} values",
            )
        for name in each.slots.values:
            if name != "codingScheme":
                self._warn(attribute.name, f"The Slot {name} is no part of a code and is not saved", "4.2.3.1.2")
        if not each.display:
            self._refuse(attribute.name, "A code has a display name in Name", "4.2.3.1.2", code)
        return Code(code, schemes[0], each.display) if code and len(schemes) == 1 else None

    def _author(self, attribute: Attribute, each: RIMClassification) -> Author:
        self._check_classification(attribute, each)
        if each.representation:
            self._refuse(attribute.name, "nodeRepresentation of an author is empty", "4.2.3.1.4", each.representation)
        for name in each.slots.repeated:
            self._refuse(attribute.name, f"The Slot {name} appears once in an author", "4.2.3.1.4")
        for name in each.slots.values:
            if name not in AUTHOR:
                text = f"The Slot {name} is no sub-attribute of an author and is not saved"
                self._warn(attribute.name, text, "4.2.3.1.4")
        values = {
            field: tuple(stripped for value in each.slots.values.get(name, ()) if (stripped := value.strip()))
            for name, field in AUTHOR.items()
        }
        persons = values.pop("author_person")
        if len(persons) > 1:
            self._refuse(attribute.name, "An author has at most one authorPerson", "4.2.3.1.4.2", f"{len(persons)}")
        return Author(author_person=persons[0] if persons else None, **values)

    def _unknown(self, what: str, observed: str | None) -> None:
        self._refuse(what, f"The {what} is one of those of its object", "4.2.5", observed)

    def _refuse(
        self, attribute: str, text: str, section: str, observed: str | None = None, expected: str | None = None
    ) -> None:
        self.breaches.append(
            Breach(
                code=ErrorCode.REGISTRY_METADATA_ERROR,
                text=text,
                location=locate(self.table.kind, self.source.id, attribute),
                observed=observed,
                expected=expected,
                citation=tf3(section),
            )
        )

    def _warn(self, attribute: str, text: str, section: str) -> None:
        self.breaches.append(
            Breach(
                code=ErrorCode.EXTRA_METADATA_NOT_SAVED,
                text=text,
                location=locate(self.table.kind, self.source.id, attribute),
                citation=tf3(section),
                severity=Severity.WARNING,
            )
        )


_READERS: Mapping[type[Coding], Callable[[Reader, Attribute, Any], Any]] = {
    XMLAttribute: Reader._xml_attribute,
    Slot: Reader._single_slot,
    SlotList: lambda reader, _, coding: tuple(reader._slot(coding.name)),
    Text: lambda reader, _, coding: reader.source.texts[coding.element],
    Version: Reader._version,
    ExternalIdentifier: Reader._identifier,
    Classification: Reader._classification,
    ClassificationList: Reader._classification_list,
    AuthorList: Reader._authors,
    Flag: Reader._flag,
}


@cache
def _readings(kind: MetadataObject) -> tuple[tuple[Attribute, Callable[[Reader, Attribute, Any], Any]], ...]:
    """The rows of a table, each with what reads its coding."""
    return tuple((row, _READERS[type(row.coding)]) for row in TABLES[kind].attributes)
