"""How the rows of an attribute table are written, once for all objects of their kind (ITI TF-3: 4.2.3.1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import chain, count
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID, uuid5

from ihe.datatypes import Code
from ihe.identifiers import EntryUUID, is_uuid_urn
from soap.xml import escape
from xds.attribute_tables import AUTHOR, TABLES
from xds.attribute_types import TEXTUAL, ValueType
from xds.attributes import (
    AuthorList,
    Classification,
    ClassificationList,
    ExternalIdentifier,
    Flag,
    ObjectTable,
    Slot,
    SlotList,
    Text,
    XMLAttribute,
)
from xds.model import (
    Association,
    Author,
    DocumentEntry,
    Folder,
    InternationalString,
    MetadataObject,
    RegistryObject,
    SubmissionSet,
)

OBJECT_TYPE = b"urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"
SPLICED = frozenset({"availability_status", "home_community_id", "version", "last_update_time"})
"""Fields that ``splice`` puts into the cuts, besides ``patient_id``."""
_VERSION = len("urn:uuid:00000000-0000-")
"""Where in a URN the version of a UUID stands."""
MOST_NESTED = 1 << 12
NAMES_OF_NESTED_OBJECTS = UUID("5b8f2f0e-6f0c-5d0a-9f5e-2d1f0c7b3a64")
_Formed = TypeVar("_Formed")
KINDS: dict[type[RegistryObject], MetadataObject] = {
    SubmissionSet: MetadataObject.SUBMISSION_SET,
    DocumentEntry: MetadataObject.DOCUMENT_ENTRY,
    Folder: MetadataObject.FOLDER,
    Association: MetadataObject.ASSOCIATION,
}


@dataclass(frozen=True)  # without slots, for the cached properties
class Form:
    """A table's rows by what becomes of them in a fragment: the field, and what writes its value."""

    table: ObjectTable

    @cached_property
    def element(self) -> bytes:
        return self.table.element.encode()

    @cached_property
    def end(self) -> bytes:
        return b"</rim:%s>" % self.element

    @cached_property
    def patient(self) -> tuple[bytes, bytes] | None:
        """What stands around the patientId, which is spliced."""
        named = [row.coding for row in self.table.attributes if row.field == "patient_id"]
        return _around(named[0]) if named and isinstance(named[0], ExternalIdentifier) else None

    def head(self, each: RegistryObject, id: bytes) -> bytes:
        """The start of the element as far as its XML attributes."""
        return b"".join((self._start, id, self._of_type, *_written(each, self._xml_attributes)))

    def slots(self, each: RegistryObject) -> bytes:
        """Slots, those of extra metadata among them, then Name and Description."""
        extra = [_slot(slot.name, slot.values) for slot in each.extra] if each.extra else ()
        return b"".join((*_written(each, self._slots), *extra, *_written(each, self._texts)))

    def classifications(self, each: RegistryObject) -> list[bytes]:
        """Each Classification from the attributes that tell what it is; first the label of the object."""
        written = [] if self.table.node is None else [_label(self.table.node)]
        for field, told in self._classified:
            value = getattr(each, field)
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Code):
                    written.append(_code(told, one.code, one.scheme, one.display))
                elif isinstance(one, Author):
                    written.append(_author(told, _SUB_ATTRIBUTES(one)))
                elif one:
                    written.append(told)
        return written

    def identifiers(self, each: RegistryObject) -> list[bytes]:
        """Each ExternalIdentifier but the patient's, from its identificationScheme."""
        return _written(each, self._identifiers)

    @cached_property
    def _start(self) -> bytes:
        return b'<rim:%s id="' % self.element

    @cached_property
    def _of_type(self) -> bytes:
        of_type = b' objectType="%s%s"' % (OBJECT_TYPE, self.element)
        return b'"' if self.table.element == "ExtrinsicObject" else b'"' + of_type

    @cached_property
    def _xml_attributes(self) -> "_Writers":
        return self._rows(XMLAttribute, _xml_attribute)

    @cached_property
    def _slots(self) -> "_Writers":
        return self._rows(Slot | SlotList, _slot_of)

    @cached_property
    def _texts(self) -> "_Writers":
        return self._rows(Text, _text)

    @cached_property
    def _classified(self) -> tuple[tuple[str, bytes], ...]:
        """The fields of codes and authors with their schemes, those of flags with their whole labels."""
        return self._rows(Flag | AuthorList | Classification | ClassificationList, _told)

    @cached_property
    def _identifiers(self) -> "_Writers":
        return tuple(row for row in self._rows(ExternalIdentifier, _identifier) if row[0] != "patient_id")

    def _rows(self, kind: Any, form: Callable[[Any], _Formed]) -> tuple[tuple[str, _Formed], ...]:
        """Of the attributes that never change."""
        rows = (row for row in self.table.attributes if row.field not in SPLICED and isinstance(row.coding, kind))
        return tuple((row.field, form(row.coding)) for row in rows)


_Writer = tuple[bytes, Callable[[Any], bytes], bytes]
"""What stands before a value, what writes the value, and what stands after it."""
_Writers = tuple[tuple[str, _Writer], ...]
_SUB_ATTRIBUTES = attrgetter(*AUTHOR.values())
FORMS = {type: Form(TABLES[kind]) for type, kind in KINDS.items()}


def _written(each: RegistryObject, writers: _Writers) -> list[bytes]:
    """The values that are there."""
    found = []
    for field, (before, write, after) in writers:
        value = getattr(each, field)
        if value is not None and not (isinstance(value, tuple) and not value):
            found.append(before + write(value) + after)
    return found


def nested_ids(entry_uuid: EntryUUID) -> Iterator[bytes]:
    """UUIDs of version 8 (RFC 9562), the object's own but for 16 bits, so that a packed fragment has it once."""
    if not is_uuid_urn(entry_uuid):
        return _further_ids(entry_uuid, 1)
    before, after = entry_uuid[:_VERSION].encode(), entry_uuid[_VERSION + 4 :].encode()
    return chain(map((before + b"8%03x" + after).__mod__, range(1, MOST_NESTED)), _further_ids(entry_uuid, MOST_NESTED))


def _further_ids(entry_uuid: EntryUUID, first: int) -> Iterator[bytes]:
    return (uuid5(NAMES_OF_NESTED_OBJECTS, f"{entry_uuid} {number}").urn.encode() for number in count(first))


def _xml_attribute(coding: XMLAttribute) -> _Writer:
    return b' %s="' % coding.name.encode(), _escaped(coding.type), b'"'


def _slot_of(coding: Slot | SlotList) -> _Writer:
    before = b'<rim:Slot name="%s"><rim:ValueList><rim:Value>' % escape(coding.name)
    write = _values if isinstance(coding, SlotList) else _escaped(coding.type)
    return before, write, b"</rim:Value></rim:ValueList></rim:Slot>"


def _text(coding: Text) -> _Writer:
    return b"<rim:%s>" % coding.element.encode(), _international, b"</rim:%s>" % coding.element.encode()


def _escaped(type: ValueType) -> Callable[[Any], bytes]:
    """What spells a value and escapes it."""
    spell = type.write
    return escape if type in TEXTUAL else lambda value: escape(spell(value))


def _values(values: tuple[str, ...]) -> bytes:
    """What stands between the first and the last tag of values."""
    return b"</rim:Value><rim:Value>".join(map(escape, values))


def _slot(name: str, values: tuple[str, ...]) -> bytes:
    listed = b"<rim:Value>%s</rim:Value>" % _values(values) if values else b""
    return b'<rim:Slot name="%s"><rim:ValueList>%s</rim:ValueList></rim:Slot>' % (escape(name), listed)


def _international(strings: InternationalString) -> bytes:
    listed = [
        b'<rim:LocalizedString%s value="%s"/>'
        % (b' xml:lang="%s"' % escape(each.lang) if each.lang else b"", escape(each.value))
        for each in strings
    ]
    return b"".join(listed)


def _name(text: str) -> bytes:
    return b'<rim:Name><rim:LocalizedString value="%s"/></rim:Name>' % escape(text)


@cache
def _label(node: str) -> bytes:
    return b' classificationNode="%s"></rim:Classification>' % node.encode()


def _told(coding: Flag | AuthorList | Classification | ClassificationList) -> bytes:
    return _label(coding.node) if isinstance(coding, Flag) else b' classificationScheme="%s"' % coding.scheme.encode()


@lru_cache(maxsize=4096)
def _code(scheme: bytes, code: str, coding_scheme: str, display: str) -> bytes:
    """A domain has few codes, and each entry names a dozen of them."""
    content = _slot("codingScheme", (coding_scheme,)) + _name(display)
    return b'%s nodeRepresentation="%s">%s</rim:Classification>' % (scheme, escape(code), content)


@lru_cache(maxsize=1024)
def _author(scheme: bytes, values: tuple[str | tuple[str, ...] | None, ...]) -> bytes:
    """One who writes, by the sub-attributes: such a one writes more than once."""
    slots = [
        _slot(name, (value,) if isinstance(value, str) else value)
        for name, value in zip(AUTHOR, values, strict=True)
        if value
    ]
    return b'%s nodeRepresentation="">%s</rim:Classification>' % (scheme, b"".join(slots))


def _identifier(coding: ExternalIdentifier) -> _Writer:
    before, after = _around(coding)
    return before, _escaped(coding.type), after


def _around(coding: ExternalIdentifier) -> tuple[bytes, bytes]:
    """What stands before and after the value."""
    before = b' identificationScheme="%s" value="' % coding.scheme.encode()
    return before, b'">%s</rim:ExternalIdentifier>' % _name(coding.name)
