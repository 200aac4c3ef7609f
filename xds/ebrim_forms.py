"""How the rows of an attribute table are written, once for all objects of their kind (ITI TF-3: 4.2.3.1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from ihe.identifiers import EntryUUID, is_uuid_urn
from soap.xml import escape
from xds.attribute_tables import AUTHOR, TABLES
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
        of_type = (
            b"" if self.table.element == "ExtrinsicObject" else b' objectType="%s%s"' % (OBJECT_TYPE, self.element)
        )
        return b"".join((b'<rim:%s id="%s"%s' % (self.element, id, of_type), *_written(each, self._xml_attributes)))

    def slots(self, each: RegistryObject) -> bytes:
        """Slots, those of extra metadata among them, then Name and Description."""
        extra = (_slot(slot.name, slot.values) for slot in each.extra)
        return b"".join((*_written(each, self._slots), *extra, *_written(each, self._texts)))

    def classifications(self, each: RegistryObject) -> Iterator[bytes]:
        """Each Classification from the attributes that tell what it is; first the label of the object."""
        if self.table.node is not None:
            yield _label(self.table.node)
        for field, write in self._classified:
            value = getattr(each, field)
            if value:
                for one in value if isinstance(value, tuple) else (value,):
                    yield write(one)

    def identifiers(self, each: RegistryObject) -> Iterator[bytes]:
        """Each ExternalIdentifier but the patient's, from its identificationScheme."""
        return _written(each, self._identifiers)

    @cached_property
    def _xml_attributes(self) -> "_Writers":
        return self._rows(XMLAttribute, _xml_attribute)

    @cached_property
    def _slots(self) -> "_Writers":
        return self._rows(Slot | SlotList, _slot_of)

    @cached_property
    def _texts(self) -> "_Writers":
        return self._rows(Text, lambda coding: lambda strings: _international(coding.element, strings))

    @cached_property
    def _classified(self) -> "_Writers":
        return self._rows(Flag | AuthorList | Classification | ClassificationList, _classification)

    @cached_property
    def _identifiers(self) -> "_Writers":
        return tuple(row for row in self._rows(ExternalIdentifier, _identifier) if row[0] != "patient_id")

    def _rows(self, kind: Any, writer: Callable[[Any], "_Write"]) -> "_Writers":
        """Of the attributes that never change."""
        rows = (row for row in self.table.attributes if row.field not in SPLICED and isinstance(row.coding, kind))
        return tuple((row.field, writer(row.coding)) for row in rows)


_Write = Callable[[Any], bytes]
_Writers = tuple[tuple[str, _Write], ...]
FORMS = {type: Form(TABLES[kind]) for type, kind in KINDS.items()}


def _written(each: RegistryObject, writers: _Writers) -> Iterator[bytes]:
    """The values that are there."""
    for field, write in writers:
        value = getattr(each, field)
        if value is not None and value != ():
            yield write(value)


def nested_ids(entry_uuid: EntryUUID) -> Iterator[bytes]:
    """UUIDs of version 8 (RFC 9562), the object's own but for 16 bits, so that a packed fragment has it once."""
    if is_uuid_urn(entry_uuid):
        before, after = entry_uuid[:_VERSION].encode(), entry_uuid[_VERSION + 4 :].encode()
        yield from (b"%b8%03x%b" % (before, number, after) for number in range(1, MOST_NESTED))
    for number in count(MOST_NESTED if is_uuid_urn(entry_uuid) else 1):
        yield uuid5(NAMES_OF_NESTED_OBJECTS, f"{entry_uuid} {number}").urn.encode()


def _xml_attribute(coding: XMLAttribute) -> _Write:
    start, spell = b' %s="' % coding.name.encode(), coding.type.write
    return lambda value: b'%s%s"' % (start, escape(spell(value)))


def _slot_of(coding: Slot | SlotList) -> _Write:
    name = coding.name
    if isinstance(coding, SlotList):
        return lambda values: _slot(name, values)
    spell = coding.type.write
    return lambda value: _slot(name, (spell(value),))


def _slot(name: str, values: tuple[str, ...]) -> bytes:
    listed = b"</rim:Value><rim:Value>".join(map(escape, values))
    if values:
        listed = b"<rim:Value>%s</rim:Value>" % listed
    return b'<rim:Slot name="%s"><rim:ValueList>%s</rim:ValueList></rim:Slot>' % (escape(name), listed)


def _international(element: str, strings: InternationalString) -> bytes:
    listed = b"".join(
        b'<rim:LocalizedString%s value="%s"/>'
        % (b' xml:lang="%s"' % escape(each.lang) if each.lang else b"", escape(each.value))
        for each in strings
    )
    return b"<rim:%s>%s</rim:%s>" % (element.encode(), listed, element.encode())


def _name(text: str) -> bytes:
    return b'<rim:Name><rim:LocalizedString value="%s"/></rim:Name>' % escape(text)


def _label(node: str) -> bytes:
    return b' classificationNode="%s"></rim:Classification>' % node.encode()


def _classification(coding: Flag | AuthorList | Classification | ClassificationList) -> _Write:
    if isinstance(coding, Flag):
        label = _label(coding.node)
        return lambda _: label
    scheme = b' classificationScheme="%s"' % coding.scheme.encode()
    if isinstance(coding, AuthorList):
        return lambda author: _author(scheme, author)
    return lambda code: _code(scheme, code.code, code.scheme, code.display)


@lru_cache(maxsize=4096)
def _code(scheme: bytes, code: str, coding_scheme: str, display: str) -> bytes:
    """A domain has few codes, and each entry names a dozen of them."""
    content = _slot("codingScheme", (coding_scheme,)) + _name(display)
    return b'%s nodeRepresentation="%s">%s</rim:Classification>' % (scheme, escape(code), content)


@lru_cache(maxsize=1024)
def _author(scheme: bytes, author: Author) -> bytes:
    """One who writes, writes more than once."""
    slots = b"".join(
        _slot(name, (value,) if isinstance(value, str) else value)
        for name, field in AUTHOR.items()
        if (value := getattr(author, field))
    )
    return b'%s nodeRepresentation="">%s</rim:Classification>' % (scheme, slots)


def _identifier(coding: ExternalIdentifier) -> _Write:
    spell = coding.type.write
    before, after = _around(coding)
    return lambda value: b"".join((before, escape(spell(value)), after))


def _around(coding: ExternalIdentifier) -> tuple[bytes, bytes]:
    """What stands before and after the value."""
    before = b' identificationScheme="%s" value="' % coding.scheme.encode()
    return before, b'">%s</rim:ExternalIdentifier>' % _name(coding.name)
