"""The attribute tables of Document Sharing metadata, as the Technical Framework prints them.

How each attribute is coded: ITI TF-3: Tables 4.2.3.2-1, 4.2.3.3-1, 4.2.3.4-1 and section 4.2.5. Who sends it (R, R2, O
or X in the columns XDS DS, XDS DR, XDM MC, XDR DS, XDR MS, XDS OD): Table 4.3.1-3. ``logicalID``, ``version`` and
``documentAvailability``: XDS Metadata Update: 4.2.3. The rows stand in the order in which the schema has the elements.
"""

from collections.abc import Mapping

from xds.attribute_types import (
    ASSOCIATION_TYPE,
    AVAILABILITY,
    CX_ID,
    INTEGER,
    LIFECYCLE,
    LOGICAL_ID,
    OBJECT_TYPE,
    REFERENCE,
    SET_STATUS,
    STATUS,
    TEXT,
    UNIQUE_ID,
    YES_NO,
)
from xds.attributes import (
    Attribute,
    AuthorList,
    Classification,
    ClassificationList,
    ExternalIdentifier,
    Flag,
    ObjectTable,
    Slot,
    SlotList,
    Text,
    Version,
    XMLAttribute,
)
from xds.model import MetadataObject

ALL_O = "O O O O O O"
ALL_R = "R R R R R R"
LIMITED = "R R R2 R R2 R"  # required, except where limited metadata or media allow less
IF_KNOWN = "R2 R2 R2 R2 R2 R2"
FLAG = "X X O X R X"
SOURCE_ID_SCHEME = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"

DOCUMENT_ENTRY = ObjectTable(
    kind=MetadataObject.DOCUMENT_ENTRY,
    element="ExtrinsicObject",
    node=None,
    attributes=(
        Attribute("logicalID", XMLAttribute("lid", LOGICAL_ID), ALL_O, "4.2.3.2.31"),
        Attribute("objectType", XMLAttribute("objectType", OBJECT_TYPE), ALL_R, "4.2.3.2.30"),
        Attribute("mimeType", XMLAttribute("mimeType", TEXT), ALL_R, "4.2.3.2.15"),
        Attribute("availabilityStatus", XMLAttribute("status", LIFECYCLE), ALL_O, "4.2.3.2.2"),
        Attribute("homeCommunityId", XMLAttribute("home", TEXT), ALL_O, "4.2.3.2.12"),
        Attribute("creationTime", Slot("creationTime", TEXT), "R R R2 R R2 X", "4.2.3.2.6"),
        Attribute("hash", Slot("hash", TEXT), "O R R O O X", "4.2.3.2.10"),
        Attribute("languageCode", Slot("languageCode", TEXT), LIMITED, "4.2.3.2.13"),
        Attribute("legalAuthenticator", Slot("legalAuthenticator", TEXT), ALL_O, "4.2.3.2.14"),
        Attribute("repositoryUniqueId", Slot("repositoryUniqueId", TEXT), "O R O O O R", "4.2.3.2.18"),
        Attribute("serviceStartTime", Slot("serviceStartTime", TEXT), "R2 R2 R2 R2 R2 O", "4.2.3.2.19"),
        Attribute("serviceStopTime", Slot("serviceStopTime", TEXT), "R2 R2 R2 R2 R2 O", "4.2.3.2.20"),
        Attribute("size", Slot("size", INTEGER), "O R R O O X", "4.2.3.2.21"),
        Attribute("sourcePatientId", Slot("sourcePatientId", CX_ID), LIMITED, "4.2.3.2.22"),
        Attribute("sourcePatientInfo", SlotList("sourcePatientInfo"), "O O R2 O R2 O", "4.2.3.2.23"),
        Attribute("URI", Slot("URI", TEXT), "O O R O O O", "4.2.3.2.27"),
        Attribute("referenceIdList", SlotList("urn:ihe:iti:xds:2013:referenceIdList"), ALL_O, "4.2.3.2.28"),
        Attribute("documentAvailability", Slot("documentAvailability", AVAILABILITY), "O O O O O X", "4.2.3.2.30"),
        Attribute("title", Text("Name"), ALL_O, "4.2.3.2.24"),
        Attribute("comments", Text("Description"), ALL_O, "4.2.3.2.4"),
        Attribute("version", Version(), ALL_O, "4.2.3.2.32"),
        Attribute("author", AuthorList("urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"), IF_KNOWN, "4.2.3.2.1"),
        Attribute("classCode", Classification("urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"), LIMITED, "4.2.3.2.3"),
        Attribute(
            "confidentialityCode",
            ClassificationList("urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"),
            LIMITED,
            "4.2.3.2.5",
        ),
        Attribute(
            "eventCodeList", ClassificationList("urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"), ALL_O, "4.2.3.2.8"
        ),
        Attribute("formatCode", Classification("urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"), LIMITED, "4.2.3.2.9"),
        Attribute(
            "healthcareFacilityTypeCode",
            Classification("urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"),
            LIMITED,
            "4.2.3.2.11",
        ),
        Attribute(
            "practiceSettingCode",
            Classification("urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"),
            LIMITED,
            "4.2.3.2.17",
        ),
        Attribute("typeCode", Classification("urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"), LIMITED, "4.2.3.2.25"),
        Attribute("limitedMetadata", Flag("urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85"), FLAG, "4.2.3.2.29"),
        Attribute(
            "uniqueId",
            ExternalIdentifier("urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", "XDSDocumentEntry.uniqueId", UNIQUE_ID),
            ALL_R,
            "4.2.3.2.26",
        ),
        Attribute(
            "patientId",
            ExternalIdentifier("urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", "XDSDocumentEntry.patientId", CX_ID),
            LIMITED,
            "4.2.3.2.16",
        ),
    ),
)
SUBMISSION_SET = ObjectTable(
    kind=MetadataObject.SUBMISSION_SET,
    element="RegistryPackage",
    node="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd",
    attributes=(
        Attribute("logicalID", XMLAttribute("lid", LOGICAL_ID), ALL_O, "4.2.3.2.31"),
        Attribute("availabilityStatus", XMLAttribute("status", LIFECYCLE), ALL_O, "4.2.3.3.2"),
        Attribute("homeCommunityId", XMLAttribute("home", TEXT), ALL_O, "4.2.3.3.6"),
        Attribute("intendedRecipient", SlotList("intendedRecipient"), "O O R2 R2 R2 O", "4.2.3.3.7"),
        Attribute("submissionTime", Slot("submissionTime", TEXT), ALL_R, "4.2.3.3.10"),
        Attribute("title", Text("Name"), ALL_O, "4.2.3.3.11"),
        Attribute("comments", Text("Description"), ALL_O, "4.2.3.3.3"),
        Attribute("version", Version(), ALL_O, "4.2.3.2.32"),
        Attribute("author", AuthorList("urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"), IF_KNOWN, "4.2.3.3.1"),
        Attribute(
            "contentTypeCode", Classification("urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"), LIMITED, "4.2.3.3.4"
        ),
        Attribute("limitedMetadata", Flag("urn:uuid:5003a9db-8d8d-49e6-bf0c-990e34ac7707"), FLAG, "4.2.3.3.13"),
        Attribute(
            "uniqueId",
            ExternalIdentifier("urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", "XDSSubmissionSet.uniqueId", UNIQUE_ID),
            ALL_R,
            "4.2.3.3.12",
        ),
        Attribute(
            "sourceId",
            ExternalIdentifier(SOURCE_ID_SCHEME, "XDSSubmissionSet.sourceId", TEXT),
            ALL_R,
            "4.2.3.3.9",
        ),
        Attribute(
            "patientId",
            ExternalIdentifier("urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446", "XDSSubmissionSet.patientId", CX_ID),
            LIMITED,
            "4.2.3.3.8",
        ),
    ),
)
FOLDER = ObjectTable(
    kind=MetadataObject.FOLDER,
    element="RegistryPackage",
    node="urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2",
    attributes=(
        Attribute("logicalID", XMLAttribute("lid", LOGICAL_ID), ALL_O, "4.2.3.4.11"),
        Attribute("availabilityStatus", XMLAttribute("status", LIFECYCLE), ALL_O, "4.2.3.4.1"),
        Attribute("homeCommunityId", XMLAttribute("home", TEXT), ALL_O, "4.2.3.4.5"),
        Attribute("lastUpdateTime", Slot("lastUpdateTime", TEXT), ALL_O, "4.2.3.4.6"),
        Attribute("title", Text("Name"), "R R O R O R", "4.2.3.4.8"),
        Attribute("comments", Text("Description"), ALL_O, "4.2.3.4.3"),
        Attribute("version", Version(), ALL_O, "4.2.3.4.12"),
        Attribute(
            "codeList", ClassificationList("urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5"), LIMITED, "4.2.3.4.2"
        ),
        Attribute("limitedMetadata", Flag("urn:uuid:2c144a76-29a9-4b7c-af54-b25409fe7d03"), FLAG, "4.2.3.4.10"),
        Attribute(
            "uniqueId",
            ExternalIdentifier("urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a", "XDSFolder.uniqueId", UNIQUE_ID),
            ALL_R,
            "4.2.3.4.9",
        ),
        Attribute(
            "patientId",
            ExternalIdentifier("urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a", "XDSFolder.patientId", CX_ID),
            LIMITED,
            "4.2.3.4.7",
        ),
    ),
)
ASSOCIATION = ObjectTable(
    kind=MetadataObject.ASSOCIATION,
    element="Association",
    node=None,
    attributes=(
        Attribute("logicalID", XMLAttribute("lid", LOGICAL_ID), ALL_O, "4.2.2"),
        Attribute("associationType", XMLAttribute("associationType", ASSOCIATION_TYPE), ALL_R, "4.2.2"),
        Attribute("sourceObject", XMLAttribute("sourceObject", REFERENCE), ALL_R, "4.2.2"),
        Attribute("targetObject", XMLAttribute("targetObject", REFERENCE), ALL_R, "4.2.2"),
        Attribute("availabilityStatus", XMLAttribute("status", LIFECYCLE), ALL_O, "4.2.2"),
        Attribute("homeCommunityId", XMLAttribute("home", TEXT), ALL_O, "4.2.2"),
        Attribute("SubmissionSetStatus", Slot("SubmissionSetStatus", SET_STATUS), ALL_O, "4.2.2.1.1"),
        Attribute("PreviousVersion", Slot("PreviousVersion", INTEGER), ALL_O, "4.2.2.1"),
        Attribute("AssociationPropagation", Slot("AssociationPropagation", YES_NO), ALL_O, "4.2.2.1"),
        Attribute("OriginalStatus", Slot("OriginalStatus", STATUS), ALL_O, "4.2.2.3"),
        Attribute("NewStatus", Slot("NewStatus", STATUS), ALL_O, "4.2.2.3"),
        Attribute("version", Version(), ALL_O, "4.2.2"),
        Attribute(
            "associationDocumentation",
            Classification("urn:uuid:abd807a3-4432-4053-87b4-fd82c643d1f3"),
            ALL_O,
            "4.2.2.2",
        ),
    ),
)
TABLES: Mapping[MetadataObject, ObjectTable] = {
    table.kind: table for table in (SUBMISSION_SET, DOCUMENT_ENTRY, FOLDER, ASSOCIATION)
}
AUTHOR: Mapping[str, str] = {
    "authorPerson": "author_person",
    "authorInstitution": "author_institution",
    "authorRole": "author_role",
    "authorSpecialty": "author_specialty",
    "authorTelecommunication": "author_telecommunication",
}
"""The sub-attributes of an author: Slot and field (ITI TF-3: 4.2.3.1.4). Only authorPerson has at most one value."""
