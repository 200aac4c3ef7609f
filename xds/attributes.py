"""What a row of an attribute table says: name, coding, who sends it, section (ITI TF-3: 4.2.3.1.8, 4.3.1).

``xds.attribute_tables`` holds the rows; ``xds.ebrim`` and ``xds.ebrim_writing`` read them in the two directions.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from ihe.vocabulary import Vocabulary
from xds.attribute_types import ValueType
from xds.model import MetadataObject


class Sender(Vocabulary):
    """The columns of ITI TF-3: Table 4.3.1-3; the value is the column's short name and position."""

    XDS_DOCUMENT_SOURCE = ("XDS DS", 0)
    XDS_DOCUMENT_REPOSITORY = ("XDS DR", 1)
    XDM_MEDIA_CREATOR = ("XDM MC", 2)
    XDR_DOCUMENT_SOURCE = ("XDR DS", 3)
    XDR_METADATA_LIMITED_SOURCE = ("XDR MS", 4)
    XDS_ON_DEMAND_SOURCE = ("XDS OD", 5)


@dataclass(frozen=True, slots=True)
class XMLAttribute:
    """An XML attribute of the object's element."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class Slot:
    """A rim:Slot with one value."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class SlotList:
    """A rim:Slot with any number of values."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """rim:Name or rim:Description."""

    element: str


@dataclass(frozen=True, slots=True)
class Version:
    """rim:VersionInfo/@versionName."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A coded value (ITI TF-3: 4.2.3.1.2); the domain may list the allowed ones."""

    scheme: str


@dataclass(frozen=True, slots=True)
class ClassificationList:
    """Any number of coded values."""

    scheme: str


@dataclass(frozen=True, slots=True)
class AuthorList:
    """Any number of authors (ITI TF-3: 4.2.3.1.4)."""

    scheme: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A rim:Classification with a classificationNode that is there or not (ITI TF-3: 4.2.3.1.10)."""

    node: str


@dataclass(frozen=True, slots=True)
class ExternalIdentifier:
    """A rim:ExternalIdentifier (ITI TF-3: 4.2.3.1.3); ``name`` is its fixed readable name."""

    scheme: str
    name: str
    type: ValueType


Coding = (
    XMLAttribute
    | Slot
    | SlotList
    | Text
    | Version
    | Classification
    | ClassificationList
    | AuthorList
    | Flag
    | ExternalIdentifier
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row: the standard's name, the coding, the row of Table 4.3.1-3, the section.

    ``R2`` is "required if known": only the sender can tell, so a receiver treats it as optional.
    """

    name: str
    coding: Coding
    optionality: str
    section: str
    field: str = field(init=False, repr=False)
    """The name of the model's field: ``creationTime`` is ``creation_time``, ``logicalID`` is ``logical_id``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", re.sub("(?<=[a-z])(?=[A-Z])", "_", self.name).lower())

    def cell(self, sender: Sender) -> str:
        """What the table says to this sender."""
        return self.optionality.split()[sender.value[1]]


@dataclass(frozen=True, kw_only=True)  # without slots, for the cached properties
class ObjectTable:
    """How one kind of object is coded: element, the node that labels it, its rows in the order of the schema."""

    kind: MetadataObject
    element: str
    node: str | None
    attributes: tuple[Attribute, ...]

    @cached_property
    def schemes(self) -> frozenset[str]:
        """The classificationSchemes and identificationSchemes of its rows."""
        kinds = Classification | ClassificationList | AuthorList | ExternalIdentifier
        return frozenset(row.coding.scheme for row in self.attributes if isinstance(row.coding, kinds))

    @cached_property
    def nodes(self) -> frozenset[str | None]:
        """The classificationNodes that may label such an object."""
        return frozenset((self.node, *(row.coding.node for row in self.attributes if isinstance(row.coding, Flag))))

    @cached_property
    def slots(self) -> frozenset[str]:
        """The names of the Slots that are no extra metadata."""
        return frozenset(row.coding.name for row in self.attributes if isinstance(row.coding, Slot | SlotList))


def locate(kind: MetadataObject, entry_uuid: str, attribute: str = "") -> str:
    """Where a breach is: ``DocumentEntry(Document01).creationTime``."""
    return f"{kind.value}({entry_uuid})" + (f".{attribute}" if attribute else "")
