"""ebRIM out: objects of the model as bytes, in the order of the schema (ITI TF-3: 4.2; ``xds.attribute_tables``)."""

from collections.abc import Iterator
from uuid import UUID, uuid5

from ihe.datatypes import Code
from ihe.identifiers import is_uuid_urn
from soap.xml import escape
from xds.attribute_tables import AUTHOR, TABLES
from xds.attributes import (
    Attribute,
    AuthorList,
    Classification,
    ClassificationList,
    ExternalIdentifier,
    Flag,
    Slot,
    SlotList,
    Text,
    XMLAttribute,
)
from xds.compact import pack
from xds.fragments import CUT, RIM_DECLARATION, splice
from xds.model import (
    Association,
    Author,
    DocumentEntry,
    Folder,
    InternationalString,
    MetadataObject,
    RegistryObject,
    Submission,
    SubmissionSet,
)

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
OBJECT_TYPE = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"
SPLICED = frozenset({"availability_status", "home_community_id", "version", "last_update_time"})
"""Fields that ``splice`` puts into the cuts, besides ``patient_id``."""
NAMES_OF_NESTED_OBJECTS = UUID("5b8f2f0e-6f0c-5d0a-9f5e-2d1f0c7b3a64")
_VERSION = len("urn:uuid:00000000-0000-")
"""Where in a URN the version of a UUID stands."""
KINDS: dict[type[RegistryObject], MetadataObject] = {
    SubmissionSet: MetadataObject.SUBMISSION_SET,
    DocumentEntry: MetadataObject.DOCUMENT_ENTRY,
    Folder: MetadataObject.FOLDER,
    Association: MetadataObject.ASSOCIATION,
}


def encode(submission: Submission) -> bytes:
    """The submission as the element lcm:SubmitObjectsRequest, declaring its own namespaces."""
    return b"".join(
        (
            b'<lcm:SubmitObjectsRequest xmlns:lcm="%s" %s><rim:RegistryObjectList>' % (LCM.encode(), RIM_DECLARATION),
            *(encode_object(each) for each in submission.objects),
            b"</rim:RegistryObjectList></lcm:SubmitObjectsRequest>",
        )
    )


def encode_object(each: RegistryObject) -> bytes:
    """One object as its whole element. The prefix ``rim`` must be declared around it."""
    return splice(
        _written(each),
        status=each.availability_status,
        home=each.home_community_id,
        version=each.version,
        patient_id=None if isinstance(each, Association) else each.patient_id,
        last_update_time=each.last_update_time if isinstance(each, Folder) else None,
    )


def fragment(each: RegistryObject) -> bytes:
    """One object as it is stored: everything that cannot change, cut where ``splice`` puts what can."""
    return pack(_written(each))


def _written(each: RegistryObject) -> bytes:
    return CUT.join(_Writer(each).pieces())


class _Writer:
    """Writes one object. Nested objects get ids that follow from the object's own, so that answers are repeatable.

    They are UUIDs of version 8 (RFC 9562), the object's own but for 16 bits, so that a packed fragment has it once.
    """

    def __init__(self, each: RegistryObject) -> None:
        self.object = each
        self.table = TABLES[KINDS[type(each)]]
        self.id = escape(each.entry_uuid)
        self.values = tuple(self._values())
        self._has_uuid = is_uuid_urn(each.entry_uuid)
        self._nested = 0

    def pieces(self) -> Iterator[bytes]:
        yield b'<rim:%s id="%s"%s' % (self.table.element.encode(), self.id, b"".join(self._xml_attributes()))
        yield b"".join((*self._slots(), *self._texts()))
        classifications = b"".join((*self._label(), *self._classifications()))
        identifiers, patient = self._identifiers()
        closing = b"</rim:%s>" % self.table.element.encode()
        if patient is None:
            yield classifications + identifiers + closing
        else:
            yield classifications + identifiers + self._identifier_head(patient)
            yield self._identifier_tail(patient) + closing

    def _values(self) -> Iterator[tuple[Attribute, object]]:
        """The attributes that are there and never change."""
        for attribute in self.table.attributes:
            value = getattr(self.object, attribute.field)
            if value is not None and value != () and attribute.field not in SPLICED:
                yield attribute, value

    def _xml_attributes(self) -> Iterator[bytes]:
        if self.table.element != "ExtrinsicObject":
            yield b' objectType="%s%s"' % (OBJECT_TYPE.encode(), self.table.element.encode())
        for attribute, value in self.values:
            if isinstance(attribute.coding, XMLAttribute):
                yield b' %s="%s"' % (attribute.coding.name.encode(), escape(attribute.coding.type.write(value)))

    def _slots(self) -> Iterator[bytes]:
        for attribute, value in self.values:
            if isinstance(attribute.coding, Slot):
                yield _slot(attribute.coding.name, (attribute.coding.type.write(value),))
            elif isinstance(attribute.coding, SlotList) and isinstance(value, tuple):
                yield _slot(attribute.coding.name, value)
        for extra in self.object.extra:
            yield _slot(extra.name, extra.values)

    def _texts(self) -> Iterator[bytes]:
        for attribute, value in self.values:
            if isinstance(attribute.coding, Text) and isinstance(value, tuple):
                yield _international(attribute.coding.element, value)

    def _label(self) -> Iterator[bytes]:
        if self.table.node is not None:
            yield self._classification(b' classificationNode="%s"' % self.table.node.encode(), b"")

    def _classifications(self) -> Iterator[bytes]:
        for attribute, value in self.values:
            coding = attribute.coding
            if isinstance(coding, Flag) and value:
                yield self._classification(b' classificationNode="%s"' % coding.node.encode(), b"")
            elif isinstance(coding, AuthorList | Classification | ClassificationList):
                for each in value if isinstance(value, tuple) else (value,):
                    yield self._coded(coding.scheme, each)

    def _coded(self, scheme: str, value: object) -> bytes:
        named = b' classificationScheme="%s"' % scheme.encode()
        if isinstance(value, Author):
            return self._classification(named + b' nodeRepresentation=""', b"".join(_author(value)))
        assert isinstance(value, Code)
        content = _slot("codingScheme", (value.scheme,)) + _name(value.display)
        return self._classification(named + b' nodeRepresentation="%s"' % escape(value.code), content)

    def _classification(self, attributes: bytes, content: bytes) -> bytes:
        return b'<rim:Classification id="%s" objectType="%sClassification" classifiedObject="%s"%s>%s%s' % (
            self._nested_id(),
            OBJECT_TYPE.encode(),
            self.id,
            attributes,
            content,
            b"</rim:Classification>",
        )

    def _identifiers(self) -> tuple[bytes, ExternalIdentifier | None]:
        """All identifiers but the patient's, whose coding comes second: its value is spliced."""
        written, patient = b"", None
        for attribute, value in self.values:
            if not isinstance(attribute.coding, ExternalIdentifier):
                continue
            if attribute.name == "patientId":
                patient = attribute.coding
            else:
                spelled = escape(attribute.coding.type.write(value))
                written += self._identifier_head(attribute.coding) + spelled + self._identifier_tail(attribute.coding)
        return written, patient

    def _identifier_head(self, coding: ExternalIdentifier) -> bytes:
        head = b'<rim:ExternalIdentifier id="%s" objectType="%sExternalIdentifier" registryObject="%s"'
        identified = head % (self._nested_id(), OBJECT_TYPE.encode(), self.id)
        return identified + b' identificationScheme="%s" value="' % coding.scheme.encode()

    def _identifier_tail(self, coding: ExternalIdentifier) -> bytes:
        return b'">%s</rim:ExternalIdentifier>' % _name(coding.name)

    def _nested_id(self) -> bytes:
        self._nested += 1
        if self._has_uuid and self._nested < 1 << 12:
            return b"%b8%03x%b" % (self.id[:_VERSION], self._nested, self.id[_VERSION + 4 :])
        return uuid5(NAMES_OF_NESTED_OBJECTS, f"{self.object.entry_uuid} {self._nested}").urn.encode()


def _slot(name: str, values: tuple[str, ...]) -> bytes:
    listed = b"".join(b"<rim:Value>%s</rim:Value>" % escape(value) for value in values)
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


def _author(author: Author) -> Iterator[bytes]:
    for name, field in AUTHOR.items():
        value = getattr(author, field)
        if value:
            yield _slot(name, (value,) if isinstance(value, str) else value)
