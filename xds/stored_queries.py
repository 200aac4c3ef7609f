"""The stored queries as the Technical Framework prints them: tables (ITI TF-2: 3.18.4.1.2.3.7, 3.51.4.1.2.1).

The parameters of the Document Metadata Update Option (ITI Suppl. XDS Metadata Update: 3.18.4.1.2.3.5.1.2) are part of
the tables. ``$homeCommunityId`` is not: it is the ``home`` attribute of AdhocQuery (ITI TF-2: 3.18.4.1.2.3.8).
"""

from typing import Final

from ihe.citations import tf2
from xds.model import MetadataObject
from xds.stored_query import Kind, Mult, Opt, Parameter, StoredQuery

O, R = Opt.OPTIONAL, Opt.REQUIRED  # noqa: E741 - as the tables print them
ONE, M, AND_OR = Mult.ONE, Mult.ANY, Mult.ALL_OF_ANY
LEVEL = Parameter("$MetadataLevel", "", Kind.METADATA_LEVEL)
ASSOCIATION_STATUS = Parameter("$XDSAssociationStatus", "Association.availabilityStatus", Kind.STATUS, O, M)
ENTRY_TYPE = Parameter("$XDSDocumentEntryType", "DocumentEntry.objectType", Kind.ENTRY_TYPE, O, M)
ENTRY_STATUS = Parameter("$XDSDocumentEntryStatus", "DocumentEntry.availabilityStatus", Kind.STATUS, R, M)
FORMAT = Parameter("$XDSDocumentEntryFormatCode", "DocumentEntry.formatCode", Kind.CODE, O, M)
CONFIDENTIALITY = Parameter(
    "$XDSDocumentEntryConfidentialityCode", "DocumentEntry.confidentialityCode", Kind.CODE, O, AND_OR
)

DOCUMENT_FILTERS: Final = (
    Parameter("$XDSDocumentEntryClassCode", "DocumentEntry.classCode", Kind.CODE, O, M),
    Parameter("$XDSDocumentEntryTypeCode", "DocumentEntry.typeCode", Kind.CODE, O, M),
    Parameter("$XDSDocumentEntryPracticeSettingCode", "DocumentEntry.practiceSettingCode", Kind.CODE, O, M),
    Parameter("$XDSDocumentEntryCreationTimeFrom", "DocumentEntry.creationTime", Kind.TIME_FROM),
    Parameter("$XDSDocumentEntryCreationTimeTo", "DocumentEntry.creationTime", Kind.TIME_TO),
    Parameter("$XDSDocumentEntryServiceStartTimeFrom", "DocumentEntry.serviceStartTime", Kind.TIME_FROM),
    Parameter("$XDSDocumentEntryServiceStartTimeTo", "DocumentEntry.serviceStartTime", Kind.TIME_TO),
    Parameter("$XDSDocumentEntryServiceStopTimeFrom", "DocumentEntry.serviceStopTime", Kind.TIME_FROM),
    Parameter("$XDSDocumentEntryServiceStopTimeTo", "DocumentEntry.serviceStopTime", Kind.TIME_TO),
    Parameter(
        "$XDSDocumentEntryHealthcareFacilityTypeCode", "DocumentEntry.healthcareFacilityTypeCode", Kind.CODE, O, M
    ),
    Parameter("$XDSDocumentEntryEventCodeList", "DocumentEntry.eventCodeList", Kind.CODE, O, AND_OR),
    CONFIDENTIALITY,
    Parameter("$XDSDocumentEntryAuthorPerson", "DocumentEntry.author", Kind.PATTERN, O, M),
    FORMAT,
    ENTRY_STATUS,
    ENTRY_TYPE,
)
DOCUMENT_AVAILABILITY = Parameter(
    "$XDSDocumentEntryDocumentAvailability", "DocumentEntry.documentAvailability", Kind.AVAILABILITY, O, M
)
FOLDER_FILTERS: Final = (
    Parameter("$XDSFolderLastUpdateTimeFrom", "Folder.lastUpdateTime", Kind.TIME_FROM),
    Parameter("$XDSFolderLastUpdateTimeTo", "Folder.lastUpdateTime", Kind.TIME_TO),
    Parameter("$XDSFolderCodeList", "Folder.codeList", Kind.CODE, O, AND_OR),
    Parameter("$XDSFolderStatus", "Folder.availabilityStatus", Kind.STATUS, R, M),
)
SUBMISSION_SET_STATUS = Parameter("$XDSSubmissionSetStatus", "SubmissionSet.availabilityStatus", Kind.STATUS, R, M)


def _patient_id(name: str, subject: str, opt: Opt = R, mult: Mult = ONE) -> Parameter:
    return Parameter(name, f"{subject}.patientId", Kind.PATIENT_ID, opt, mult)


def _identifiers(subject: str, mult: Mult, *suffixes: str) -> tuple[Parameter, ...]:
    """The alternative ways to name objects: ``$XDSFolderEntryUUID``, ``$XDSFolderUniqueId``, ..."""
    attributes = {"EntryUUID": "entryUUID", "UniqueId": "uniqueId", "LogicalID": "logicalID"}
    return tuple(
        Parameter(f"$XDS{subject}{suffix}", f"{subject}.{attributes[suffix]}", Kind.TEXT, O, mult)
        for suffix in suffixes
    )


def _names(parameters: tuple[Parameter, ...]) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in parameters)


ENTRIES: Final = _identifiers("DocumentEntry", M, "EntryUUID", "UniqueId")
ENTRIES_OR_VERSIONS: Final = _identifiers("DocumentEntry", M, "EntryUUID", "UniqueId", "LogicalID")
ENTRY: Final = _identifiers("DocumentEntry", ONE, "EntryUUID", "UniqueId")
FOLDERS_OR_VERSIONS: Final = _identifiers("Folder", M, "EntryUUID", "UniqueId", "LogicalID")
FOLDER: Final = _identifiers("Folder", ONE, "EntryUUID", "UniqueId")
SUBMISSION_SET: Final = _identifiers("SubmissionSet", ONE, "EntryUUID", "UniqueId")

FIND_DOCUMENTS: Final = StoredQuery(
    id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
    name="FindDocuments",
    citation=tf2("3.18.4.1.2.3.7.1"),
    parameters=(
        _patient_id("$XDSDocumentEntryPatientId", "DocumentEntry"),
        *DOCUMENT_FILTERS,
        DOCUMENT_AVAILABILITY,
        LEVEL,
    ),
)
FIND_SUBMISSION_SETS: Final = StoredQuery(
    id="urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9",
    name="FindSubmissionSets",
    citation=tf2("3.18.4.1.2.3.7.2"),
    parameters=(
        _patient_id("$XDSSubmissionSetPatientId", "SubmissionSet"),
        Parameter("$XDSSubmissionSetSourceId", "SubmissionSet.sourceId", Kind.TEXT, O, M),
        Parameter("$XDSSubmissionSetSubmissionTimeFrom", "SubmissionSet.submissionTime", Kind.TIME_FROM),
        Parameter("$XDSSubmissionSetSubmissionTimeTo", "SubmissionSet.submissionTime", Kind.TIME_TO),
        Parameter("$XDSSubmissionSetAuthorPerson", "SubmissionSet.author", Kind.PATTERN),
        Parameter("$XDSSubmissionSetContentType", "SubmissionSet.contentTypeCode", Kind.CODE, O, M),
        SUBMISSION_SET_STATUS,
    ),
)
FIND_FOLDERS: Final = StoredQuery(
    id="urn:uuid:958f3006-baad-4929-a4de-ff1114824431",
    name="FindFolders",
    citation=tf2("3.18.4.1.2.3.7.3"),
    parameters=(_patient_id("$XDSFolderPatientId", "Folder"), *FOLDER_FILTERS, LEVEL),
)
GET_ALL: Final = StoredQuery(
    id="urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3",
    name="GetAll",
    citation=tf2("3.18.4.1.2.3.7.4"),
    parameters=(
        _patient_id("$patientId", "*"),
        ENTRY_STATUS,
        SUBMISSION_SET_STATUS,
        Parameter("$XDSFolderStatus", "Folder.availabilityStatus", Kind.STATUS, R, M),
        FORMAT,
        CONFIDENTIALITY,
        ENTRY_TYPE,
        ASSOCIATION_STATUS,
        LEVEL,
    ),
)
GET_DOCUMENTS: Final = StoredQuery(
    id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
    name="GetDocuments",
    citation=tf2("3.18.4.1.2.3.7.5"),
    parameters=(*ENTRIES_OR_VERSIONS, LEVEL),
    exactly_one=_names(ENTRIES_OR_VERSIONS),
    one_patient=frozenset({MetadataObject.DOCUMENT_ENTRY}),
)
GET_FOLDERS: Final = StoredQuery(
    id="urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4",
    name="GetFolders",
    citation=tf2("3.18.4.1.2.3.7.6"),
    parameters=(*FOLDERS_OR_VERSIONS, LEVEL),
    exactly_one=_names(FOLDERS_OR_VERSIONS),
    one_patient=frozenset({MetadataObject.FOLDER}),
)
GET_ASSOCIATIONS: Final = StoredQuery(
    id="urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155",
    name="GetAssociations",
    citation=tf2("3.18.4.1.2.3.7.7"),
    parameters=(Parameter("$uuid", "*.entryUUID", Kind.TEXT, R, M), ASSOCIATION_STATUS, LEVEL),
)
GET_DOCUMENTS_AND_ASSOCIATIONS: Final = StoredQuery(
    id="urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a",
    name="GetDocumentsAndAssociations",
    citation=tf2("3.18.4.1.2.3.7.8"),
    parameters=(*ENTRIES, ASSOCIATION_STATUS, LEVEL),
    exactly_one=_names(ENTRIES),
    one_patient=frozenset({MetadataObject.DOCUMENT_ENTRY}),
)
GET_SUBMISSION_SETS: Final = StoredQuery(
    id="urn:uuid:51224314-5390-4169-9b91-b1980040715a",
    name="GetSubmissionSets",
    citation=tf2("3.18.4.1.2.3.7.9"),
    parameters=(Parameter("$uuid", "*.entryUUID", Kind.TEXT, R, M), LEVEL),
    one_patient=frozenset({MetadataObject.SUBMISSION_SET}),
)
GET_SUBMISSION_SET_AND_CONTENTS: Final = StoredQuery(
    id="urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83",
    name="GetSubmissionSetAndContents",
    citation=tf2("3.18.4.1.2.3.7.10"),
    parameters=(*SUBMISSION_SET, FORMAT, CONFIDENTIALITY, ENTRY_TYPE, LEVEL),
    exactly_one=_names(SUBMISSION_SET),
    one_patient=frozenset({MetadataObject.SUBMISSION_SET, MetadataObject.FOLDER, MetadataObject.DOCUMENT_ENTRY}),
)
GET_FOLDER_AND_CONTENTS: Final = StoredQuery(
    id="urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7",
    name="GetFolderAndContents",
    citation=tf2("3.18.4.1.2.3.7.11"),
    parameters=(*FOLDER, FORMAT, CONFIDENTIALITY, ENTRY_TYPE, ASSOCIATION_STATUS, LEVEL),
    exactly_one=_names(FOLDER),
    one_patient=frozenset({MetadataObject.FOLDER, MetadataObject.DOCUMENT_ENTRY}),
)
GET_FOLDERS_FOR_DOCUMENT: Final = StoredQuery(
    id="urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578",
    name="GetFoldersForDocument",
    citation=tf2("3.18.4.1.2.3.7.12"),
    parameters=(*ENTRY, ASSOCIATION_STATUS, LEVEL),
    exactly_one=_names(ENTRY),
)
GET_RELATED_DOCUMENTS: Final = StoredQuery(
    id="urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6",
    name="GetRelatedDocuments",
    citation=tf2("3.18.4.1.2.3.7.13"),
    parameters=(
        *ENTRY,
        Parameter("$AssociationTypes", "Association.associationType", Kind.ASSOCIATION_TYPE, R, M),
        ENTRY_TYPE,
        ASSOCIATION_STATUS,
        LEVEL,
    ),
    exactly_one=_names(ENTRY),
)
FIND_DOCUMENTS_BY_REFERENCE_ID: Final = StoredQuery(
    id="urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492",
    name="FindDocumentsByReferenceId",
    citation=tf2("3.18.4.1.2.3.7.14"),
    parameters=(
        _patient_id("$XDSDocumentEntryPatientId", "DocumentEntry"),
        Parameter("$XDSDocumentEntryReferenceIdList", "DocumentEntry.referenceIdList", Kind.PATTERN, R, AND_OR),
        *DOCUMENT_FILTERS,
        DOCUMENT_AVAILABILITY,
        LEVEL,
    ),
)
FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS: Final = StoredQuery(
    id="urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f",
    name="FindDocumentsForMultiplePatients",
    citation=tf2("3.51.4.1.2.1.1"),
    parameters=(
        _patient_id("$XDSDocumentEntryPatientId", "DocumentEntry", O, M),
        *DOCUMENT_FILTERS,
        DOCUMENT_AVAILABILITY,
        LEVEL,
    ),
    at_least_one=(
        "$XDSDocumentEntryPatientId",
        "$XDSDocumentEntryClassCode",
        "$XDSDocumentEntryEventCodeList",
        "$XDSDocumentEntryHealthcareFacilityTypeCode",
    ),
)
FIND_FOLDERS_FOR_MULTIPLE_PATIENTS: Final = StoredQuery(
    id="urn:uuid:50d3f5ac-39a2-11de-a1ca-b366239e58df",
    name="FindFoldersForMultiplePatients",
    citation=tf2("3.51.4.1.2.1.2"),
    parameters=(_patient_id("$XDSFolderPatientId", "Folder", O, M), *FOLDER_FILTERS, LEVEL),
    at_least_one=("$XDSFolderPatientId", "$XDSFolderCodeList"),
)

REGISTRY_STORED_QUERIES: Final = (
    FIND_DOCUMENTS,
    FIND_SUBMISSION_SETS,
    FIND_FOLDERS,
    GET_ALL,
    GET_DOCUMENTS,
    GET_FOLDERS,
    GET_ASSOCIATIONS,
    GET_DOCUMENTS_AND_ASSOCIATIONS,
    GET_SUBMISSION_SETS,
    GET_SUBMISSION_SET_AND_CONTENTS,
    GET_FOLDER_AND_CONTENTS,
    GET_FOLDERS_FOR_DOCUMENT,
    GET_RELATED_DOCUMENTS,
    FIND_DOCUMENTS_BY_REFERENCE_ID,
)
"""What ITI-18 answers (ITI TF-2: 3.18.4.1.2.4)."""
MULTI_PATIENT_STORED_QUERIES: Final = (FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS, FIND_FOLDERS_FOR_MULTIPLE_PATIENTS)
"""What ITI-51 answers (ITI TF-2: 3.51.4.1.2.2)."""
