"""Document Sharing metadata as values (ITI TF-3: 4.1, 4.2; XDS Metadata Update: 4.2.3 for version and logicalID).

Attributes carry the names of the Technical Framework. Absent is ``None``, or an empty tuple where several are allowed.
Which attributes must be there depends on the transaction (ITI TF-3: Table 4.3.1-3): ``xds.attributes`` says that, so
the types here allow every absence that some transaction allows.
"""

from dataclasses import dataclass, field

from ihe.datatypes import CX, Code
from ihe.identifiers import EntryUUID, UniqueId
from ihe.vocabulary import Vocabulary


class MetadataObject(Vocabulary):
    """The kinds of objects, in the order in which answers list them; the value is the name of the standard."""

    SUBMISSION_SET = "SubmissionSet"
    DOCUMENT_ENTRY = "DocumentEntry"
    FOLDER = "Folder"
    ASSOCIATION = "Association"


class AvailabilityStatus(Vocabulary):
    """The lifecycle status of an object (ITI TF-3: 4.2.3.2.2)."""

    APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
    DEPRECATED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"


class ObjectType(Vocabulary):
    """The two types of DocumentEntry (ITI TF-3: 4.2.5.2)."""

    STABLE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
    ON_DEMAND = "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"


class DocumentAvailability(Vocabulary):
    """Whether the repository can deliver the document (XDS Metadata Update: 4.2.3.2.30). Absent means online."""

    ONLINE = "urn:ihe:iti:2010:DocumentAvailability:Online"
    OFFLINE = "urn:ihe:iti:2010:DocumentAvailability:Offline"


class AssociationType(Vocabulary):
    """What the source of an association is to its target (ITI TF-3: Table 4.2.2-1; XDS Metadata Update: 4.2.2)."""

    HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
    RPLC = "urn:ihe:iti:2007:AssociationType:RPLC"
    XFRM = "urn:ihe:iti:2007:AssociationType:XFRM"
    APND = "urn:ihe:iti:2007:AssociationType:APND"
    XFRM_RPLC = "urn:ihe:iti:2007:AssociationType:XFRM_RPLC"
    SIGNS = "urn:ihe:iti:2007:AssociationType:signs"
    IS_SNAPSHOT_OF = "urn:ihe:iti:2010:AssociationType:IsSnapshotOf"
    UPDATE_AVAILABILITY_STATUS = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
    SUBMIT_ASSOCIATION = "urn:ihe:iti:2010:AssociationType:SubmitAssociation"


TRIGGERS = (AssociationType.UPDATE_AVAILABILITY_STATUS, AssociationType.SUBMIT_ASSOCIATION)
"""Trigger Associations: from a SubmissionSet to what it changes or brings (XDS Metadata Update: 3.57.4.1.3.3)."""


class SubmissionSetStatus(Vocabulary):
    """How an SS-DE HasMember includes a DocumentEntry (ITI TF-3: 4.2.2.1.1)."""

    ORIGINAL = "Original"
    REFERENCE = "Reference"


@dataclass(frozen=True, slots=True)
class LocalizedString:
    """One spelling of a text. ``lang`` is ``xml:lang`` as sent; None where none was sent."""

    value: str
    lang: str | None = None


InternationalString = tuple[LocalizedString, ...]
"""A title or a comment in one or more languages; empty means absent (ebRIM 3.0: 2.4.8)."""


@dataclass(frozen=True, slots=True)
class ExtraSlot:
    """An extra metadata attribute: kept and returned as it came (ITI TF-3: 4.2.3.1.6)."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One author, human or machine (ITI TF-3: 4.2.3.1.4). Values are in XCN, XON and XTN spelling, as sent."""

    author_person: str | None = None
    author_institution: tuple[str, ...] = ()
    author_role: tuple[str, ...] = ()
    author_specialty: tuple[str, ...] = ()
    author_telecommunication: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEntry:
    """Metadata of one document (ITI TF-3: 4.2.3.2). Times are DTM in UTC as sent, of any precision.

    ``entry_uuid`` may be a symbolic id until the registry accepts the submission (ITI TF-3: 4.2.3.1.5). ``size`` is in
    bytes; ``hash`` is hexadecimal SHA-1 and compared without regard to case; ``reference_id_list`` holds CXi values.
    """

    entry_uuid: EntryUUID
    object_type: ObjectType = ObjectType.STABLE
    mime_type: str | None = None
    availability_status: AvailabilityStatus | None = None
    home_community_id: str | None = None
    logical_id: EntryUUID | None = None
    version: int | None = None
    creation_time: str | None = None
    hash: str | None = None
    language_code: str | None = None
    legal_authenticator: str | None = None
    repository_unique_id: str | None = None
    service_start_time: str | None = None
    service_stop_time: str | None = None
    size: int | None = None
    source_patient_id: CX | None = None
    source_patient_info: tuple[str, ...] = ()
    uri: str | None = None
    reference_id_list: tuple[str, ...] = ()
    document_availability: DocumentAvailability | None = None
    title: InternationalString = ()
    comments: InternationalString = ()
    author: tuple[Author, ...] = ()
    class_code: Code | None = None
    confidentiality_code: tuple[Code, ...] = ()
    event_code_list: tuple[Code, ...] = ()
    format_code: Code | None = None
    healthcare_facility_type_code: Code | None = None
    practice_setting_code: Code | None = None
    type_code: Code | None = None
    limited_metadata: bool = False
    patient_id: CX | None = None
    unique_id: UniqueId | None = None
    extra: tuple[ExtraSlot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSet:
    """The packing slip of one submission (ITI TF-3: 4.2.3.3). ``intended_recipient`` is XON|XCN|XTN, as sent."""

    entry_uuid: EntryUUID
    availability_status: AvailabilityStatus | None = None
    home_community_id: str | None = None
    logical_id: EntryUUID | None = None
    version: int | None = None
    intended_recipient: tuple[str, ...] = ()
    submission_time: str | None = None
    title: InternationalString = ()
    comments: InternationalString = ()
    author: tuple[Author, ...] = ()
    content_type_code: Code | None = None
    limited_metadata: bool = False
    patient_id: CX | None = None
    source_id: str | None = None
    unique_id: UniqueId | None = None
    extra: tuple[ExtraSlot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A collection of DocumentEntries of one patient (ITI TF-3: 4.2.3.4). The registry sets ``last_update_time``."""

    entry_uuid: EntryUUID
    availability_status: AvailabilityStatus | None = None
    home_community_id: str | None = None
    logical_id: EntryUUID | None = None
    version: int | None = None
    last_update_time: str | None = None
    title: InternationalString = ()
    comments: InternationalString = ()
    code_list: tuple[Code, ...] = ()
    limited_metadata: bool = False
    patient_id: CX | None = None
    unique_id: UniqueId | None = None
    extra: tuple[ExtraSlot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """``source_object`` association_type ``target_object`` (ITI TF-3: 4.2.2).

    ``submission_set_status`` is for SS-DE HasMember. ``previous_version`` and ``association_propagation`` annotate
    updates, ``original_status`` and ``new_status`` status changes (XDS Metadata Update: 3.57.4.1.3.1.3).
    """

    entry_uuid: EntryUUID
    association_type: AssociationType
    source_object: EntryUUID
    target_object: EntryUUID
    availability_status: AvailabilityStatus | None = None
    home_community_id: str | None = None
    logical_id: EntryUUID | None = None
    version: int | None = None
    submission_set_status: SubmissionSetStatus | None = None
    previous_version: int | None = None
    association_propagation: bool | None = None
    original_status: AvailabilityStatus | None = None
    new_status: AvailabilityStatus | None = None
    association_documentation: Code | None = None
    extra: tuple[ExtraSlot, ...] = ()


Identified = SubmissionSet | DocumentEntry | Folder
"""What has a patientId and a uniqueId."""
RegistryObject = SubmissionSet | DocumentEntry | Folder | Association
"""What has an entryUUID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A Submission Request: one SubmissionSet and what it brings (ITI TF-3: 4.1.4)."""

    submission_set: SubmissionSet
    document_entries: tuple[DocumentEntry, ...] = ()
    folders: tuple[Folder, ...] = ()
    associations: tuple[Association, ...] = ()
    identified: tuple[Identified, ...] = field(init=False, repr=False, compare=False)
    """Every object with a patientId and a uniqueId."""
    objects: tuple[RegistryObject, ...] = field(init=False, repr=False, compare=False)
    """Every object of the submission, in the order of ``MetadataObject``."""

    def __post_init__(self) -> None:
        identified = (self.submission_set, *self.document_entries, *self.folders)
        object.__setattr__(self, "identified", identified)
        object.__setattr__(self, "objects", (*identified, *self.associations))
