"""What an audit record says about the objects of an event (ITI TF-2: 3.20.7; DICOM PS3.15 A.5)."""

from collections.abc import Sequence
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


DCM = "DCM"
QUERY = Code("110112", DCM, "Query")
EXPORT = Code("110106", DCM, "Export")
IMPORT = Code("110107", DCM, "Import")
PATIENT_RECORD = Code("110110", DCM, "Patient Record")
USER_AUTHENTICATION = Code("110114", DCM, "User Authentication")
LOGIN = Code("110122", DCM, "Login")
SOURCE = Code("110153", DCM, "Source Role ID")
DESTINATION = Code("110152", DCM, "Destination Role ID")
PATIENT_NUMBER = Code("2", "RFC-3881", "Patient Number")
REPORT_NUMBER = Code("9", "RFC-3881", "Report Number")
SUBMISSION_SET = Code(
    "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd", "IHE XDS Metadata", "submission set classificationNode"
)
LONGEST_QUERY = 64 * 1024
WHOLE_LENGTH = "urn:affinity:lengthOfQuery"
"""Type of a detail with the length of a query of which only the beginning is recorded."""
ALSO_KNOWN_AS = "urn:affinity:patientId"
"""Type of a detail with a further id of the same patient: the tables of IHE have room for one patient (1)."""


def transaction_code(id: str, name: str) -> Code:
    """The EventTypeCode of a transaction, with the name that its table prints."""
    return Code(id, "IHE Transactions", name)


def patient(ids: Sequence[str], *details: Detail, life_cycle: ObjectDataLifeCycle | None = None) -> ParticipantObject:
    """A patient by ids in CX form; what stands for all is the first of them."""
    first, *others = ids
    if others:
        details += tuple([Detail(ALSO_KNOWN_AS, each.encode()) for each in others])
    return ParticipantObject(
        id=first,
        id_type=PATIENT_NUMBER,
        type_code=ObjectTypeCode.PERSON,
        role=ObjectTypeCodeRole.PATIENT,
        life_cycle=life_cycle,
        details=details,
    )


def query(asked: Code, content: bytes, *details: Detail, id: str | None = None) -> ParticipantObject:
    """The parameters of a query of the transaction ``asked``; of a very long one, how it begins."""
    if len(content) > LONGEST_QUERY:
        details = (*details, Detail(WHOLE_LENGTH, str(len(content)).encode()))
        content = content[:LONGEST_QUERY]
    return ParticipantObject(
        id=id,
        id_type=asked,
        type_code=ObjectTypeCode.SYSTEM_OBJECT,
        role=ObjectTypeCodeRole.QUERY,
        query=content,
        details=details,
    )


def report(
    id: str, *details: Detail, id_type: Code = REPORT_NUMBER, life_cycle: ObjectDataLifeCycle | None = None
) -> ParticipantObject:
    """A document by its uniqueId, or an object of the registry by its entryUUID."""
    return ParticipantObject(
        id=id,
        id_type=id_type,
        type_code=ObjectTypeCode.SYSTEM_OBJECT,
        role=ObjectTypeCodeRole.REPORT,
        life_cycle=life_cycle,
        details=details,
    )


def submission_set(id: str | None) -> ParticipantObject:
    """A SubmissionSet by its uniqueId."""
    return ParticipantObject(
        id=id,
        id_type=SUBMISSION_SET,
        type_code=ObjectTypeCode.SYSTEM_OBJECT,
        role=ObjectTypeCodeRole.JOB,
    )
