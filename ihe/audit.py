"""What an audit record says about the objects of an event (ITI TF-2: 3.20.7; DICOM PS3.15 A.5)."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ihe.datatypes import Code


class EventActionCode(StrEnum):
    """What was done to the participant objects."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class EventOutcomeIndicator(IntEnum):
    """Whether it succeeded, and how bad it is that it did not."""

    SUCCESS = 0
    MINOR_FAILURE = 4
    SERIOUS_FAILURE = 8
    MAJOR_FAILURE = 12


class ObjectTypeCode(IntEnum):
    """What a participant object is."""

    PERSON = 1
    SYSTEM_OBJECT = 2
    ORGANIZATION = 3
    OTHER = 4


class ObjectTypeCodeRole(IntEnum):
    """Which part a participant object plays (DICOM PS3.15 A.5.1.2, as its schema prints them)."""

    PATIENT = 1
    LOCATION = 2
    REPORT = 3
    RESOURCE = 4
    MASTER_FILE = 5
    USER = 6
    LIST = 7
    DOCTOR = 8
    SUBSCRIBER = 9
    GUARANTOR = 10
    SECURITY_USER_ENTITY = 11
    SECURITY_USER_GROUP = 12
    SECURITY_RESOURCE = 13
    SECURITY_GRANULARITY_DEFINITION = 14
    PROVIDER = 15
    DATA_DESTINATION = 16
    DATA_REPOSITORY = 17
    SCHEDULE = 18
    CUSTOMER = 19
    JOB = 20
    JOB_STREAM = 21
    TABLE = 22
    ROUTING_CRITERIA = 23
    QUERY = 24
    DATA_SOURCE = 25
    PROCESSING_ELEMENT = 26


class ObjectDataLifeCycle(IntEnum):
    """The stage in the life of a participant object."""

    ORIGINATION = 1
    IMPORT = 2
    AMENDMENT = 3
    VERIFICATION = 4
    TRANSLATION = 5
    ACCESS = 6
    DE_IDENTIFICATION = 7
    AGGREGATION = 8
    REPORT = 9
    EXPORT = 10
    DISCLOSURE = 11
    RECEIPT_OF_DISCLOSURE = 12
    ARCHIVING = 13
    LOGICAL_DELETION = 14
    PERMANENT_ERASURE = 15


@dataclass(frozen=True, slots=True)
class Detail:
    """A ParticipantObjectDetail: plain bytes, which XML spells in base64."""

    type: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantObject:
    """One ParticipantObjectIdentification. ``query`` holds plain bytes; only one of it and ``name`` may be there."""

    id: str | None
    id_type: Code
    type_code: ObjectTypeCode | None = None
    role: ObjectTypeCodeRole | None = None
    life_cycle: ObjectDataLifeCycle | None = None
    sensitivity: str | None = None
    name: str | None = None
    query: bytes | None = None
    details: tuple[Detail, ...] = ()
