"""Where XML messages have data of people: HL7 v3, CDA headers, ebRIM, SAML, audit messages; a table of paths.

HL7 v3: ITI TF-2: 3.44 to 3.47. ebRIM: ITI TF-3: 4.2.3. SAML: ITI TF-2: 3.40. Audit: ITI TF-2: 3.20.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from conformance.capture import er7_fields, xml_text
from conformance.capture.er7_fields import Replace
from conformance.capture.pseudonyms import Kind
from hl7v2.encoding import STANDARD

PROFESSIONAL = re.compile(
    r"/(?:author|authenticator|legalAuthenticator|dataEnterer|informant|performer|informationRecipient"
    r"|assignedPerson|assignedAuthor|assignedEntity|responsibleParty|encounterParticipant|authorOrPerformer)\b"
)
ORGANIZATION = re.compile(r"/(?:\w*Organization|asOrganizationPartOf|custodian|device|assigningAuthority)\b")
PERSON = (
    r"/(?:patient|patientRole|patientPerson|asOtherIDs|priorRegisteredRole|priorRegistration|guardian|guardianPerson"
    r"|personalRelationship|relationshipHolder1|identifiedPerson|identifiedEntity|subject1|relatedSubject"
    r"|relatedEntity|assignedEntity|assignedAuthor|assignedPerson|associatedEntity|intendedRecipient|birthPlace)"
)
USER_ID = r"/Attribute\[[^]]*(?:npi|provider-identifier|employee-id)\]/AttributeValue(?:/id/@extension)?"
STREET = r"/(?:streetAddressLine|streetName|houseNumber|additionalLocator|city|postalCode|unitID)"
REFERENCES = r"/Slot\[(?:urn:ihe:iti:xds:2013:r|\$XDSDocumentEntryR)eferenceIdList\]/ValueList/Value"
SCHEMES_OF_PATIENTS = "|".join(
    (
        "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427",
        "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446",
        "urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a",
    )
)
"""identificationScheme of XDSDocumentEntry.patientId, XDSSubmissionSet.patientId, XDSFolder.patientId."""


class Form(Enum):
    """How the value of a place is spelled."""

    PLAIN = auto()
    CX = auto()
    QUOTED_CX = auto()
    XCN = auto()
    XTN = auto()
    PATIENT_INFO = auto()
    BASE64_XML = auto()
    BASE64_DOCUMENT = auto()


class Of(Enum):
    """Of whom or what a place tells."""

    PATIENT = auto()
    PERSON = auto()
    """The patient or a relative, unless it stands within a physician or an organization."""
    AUTHOR = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """Paths, and what stands there."""

    path: re.Pattern[str]
    kind: Kind
    form: Form = Form.PLAIN
    of: Of = Of.PATIENT


def _place(path: str, kind: Kind, form: Form = Form.PLAIN, of: Of = Of.PATIENT) -> Place:
    return Place(re.compile(path + r"\Z"), kind, form, of)


PLACES = (
    # ebRIM
    _place(rf"/ExternalIdentifier\[(?:{SCHEMES_OF_PATIENTS})\]/@value", Kind.ID, Form.CX),
    _place(r"/Slot\[sourcePatientId\]/ValueList/Value", Kind.ID, Form.CX),
    _place(r"/Slot\[sourcePatientInfo\]/ValueList/Value", Kind.ID, Form.PATIENT_INFO),
    _place(r"/Slot\[\$(?:XDS\w*P|p)atientId\]/ValueList/Value", Kind.ID, Form.QUOTED_CX),
    _place(
        r"/Slot\[(?:urn:ihe:iti:xds:2013:r|\$XDSDocumentEntryR)eferenceIdList\]/ValueList/Value",
        Kind.ID,
        Form.QUOTED_CX,
    ),
    _place(r"/Slot\[(?:author|legal)\w*(?:Person|Authenticator)\]/ValueList/Value", Kind.ID, Form.XCN, Of.AUTHOR),
    _place(r"/Slot\[\$XDS\w+AuthorPerson\]/ValueList/Value", Kind.NAME, Form.PLAIN, Of.AUTHOR),
    _place(r"/Slot\[(?:authorTelecommunication)\]/ValueList/Value", Kind.PLACE, Form.XTN, Of.AUTHOR),
    _place(r"/Slot\[intendedRecipient\]/ValueList/Value", Kind.ID, Form.XCN, Of.AUTHOR),
    _place(r"/Description/LocalizedString/@value", Kind.TEXT, Form.PLAIN, Of.TEXT),
    _place(r"/Document", Kind.TEXT, Form.BASE64_DOCUMENT),
    # HL7 v3 and CDA
    _place(PERSON + r"/id/@extension", Kind.ID, Form.PLAIN, Of.PERSON),
    _place(r"/(?:patient|recordTarget|priorRegistration)/.*/id/@extension", Kind.ID, Form.PLAIN, Of.PERSON),
    _place(r"/(?:patientIdentifier|livingSubjectId|patientId)/value/@extension", Kind.ID),
    _place(r"/(?:given|family)", Kind.NAME, Form.PLAIN, Of.PERSON),
    _place(PERSON + r"/name", Kind.NAME, Form.PLAIN, Of.PERSON),
    _place(r"/(?:livingSubjectName|mothersMaidenName|patientMothersMaidenName)/value", Kind.NAME),
    _place(r"/(?:birthTime|deceasedTime)(?:/(?:low|high|center))?/@value", Kind.DATE, Form.PLAIN, Of.PERSON),
    _place(r"/livingSubject(?:Birth|Deceased)Time/value(?:/(?:low|high|center))?/@value", Kind.DATE),
    _place(r"/(?:addr|patientAddress/value)", Kind.PLACE, Form.PLAIN, Of.PERSON),
    _place(STREET, Kind.PLACE, of=Of.PERSON),
    _place(r"/(?:telecom|patientTelecom/value)/@value", Kind.PLACE, Form.PLAIN, Of.PERSON),
    _place(r"/section/text(?:/.*)?", Kind.TEXT, Form.PLAIN, Of.TEXT),
    _place(r"/nonXMLBody/text(?:/.*)?", Kind.TEXT, Form.PLAIN, Of.TEXT),
    # SAML and WS-Security
    _place(r"/Subject/NameID", Kind.PERSON),
    _place(r"/Attribute\[[^]]*(?::resource-id|Ressource_URN)\]/AttributeValue", Kind.ID, Form.CX),
    _place(r"/Attribute\[[^]]*(?:subject-id|SubjectID)\]/AttributeValue", Kind.NAME),
    _place(
        r"/Attribute\[[^]]*(?:npi|provider-identifier|employee-id)\]/AttributeValue(?:/id/@extension)?", Kind.PERSON
    ),
    _place(r"/(?:SignatureValue|DigestValue|CipherValue)", Kind.SECRET),
    _place(r"/UsernameToken/Username", Kind.PERSON),
    _place(r"/UsernameToken/(?:Password|Nonce)", Kind.SECRET),
    # Audit messages: type 1 is a person, and that of an exchange is the patient
    _place(r"/ParticipantObjectIdentification\[1\]/@ParticipantObjectID", Kind.ID, Form.CX),
    _place(r"/ParticipantObjectIdentification\[1\]/ParticipantObjectName", Kind.NAME),
    _place(r"/ParticipantObjectQuery", Kind.TEXT, Form.BASE64_XML),
    _place(r"/ActiveParticipant/@(?:UserName|AlternativeUserID)", Kind.PERSON, Form.PLAIN, Of.AUTHOR),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is taken out beside the data of patients; ``document`` gives the text in place of an inline document."""

    authors: bool
    texts: bool
    document: Callable[[bytes], bytes]


def rewrite(text: str, replace_value: Replace, scope: Scope) -> str:
    """Rewrite the values of a whole XML document."""

    def visit(path: str, value: str) -> str:
        place = _place_of(path, scope.authors, scope.texts)
        if place is None:
            return replace_value(None, value)
        return _spelled(value, place, replace_value, scope)

    return xml_text.rewrite(text, visit)


@lru_cache(maxsize=8192)
def _place_of(path: str, authors: bool, texts: bool) -> Place | None:
    taken_out = {Of.AUTHOR: authors, Of.TEXT: texts, Of.PERSON: _is_of_person(path, authors)}
    return next((each for each in PLACES if each.path.search(path) and taken_out.get(each.of, True)), None)


def _is_of_person(path: str, authors: bool) -> bool:
    return ORGANIZATION.search(path) is None and (authors or PROFESSIONAL.search(path) is None)


def _spelled(value: str, place: Place, replace_value: Replace, scope: Scope) -> str:
    match place.form:
        case Form.CX:
            return er7_fields.rewrite_as(value, er7_fields.CX, replace_value)
        case Form.QUOTED_CX:
            return re.sub(r"'((?:[^']|'')*)'|([^'(),\s][^'(),]*)", lambda each: _quoted(each, replace_value), value)
        case Form.XCN:
            return er7_fields.rewrite_as(value, er7_fields.XCN, replace_value)
        case Form.XTN:
            return er7_fields.rewrite_as(value, er7_fields.XTN, replace_value)
        case Form.PATIENT_INFO:
            return _patient_info(value, replace_value)
        case Form.BASE64_XML:
            return _packed(value, replace_value, scope)
        case Form.BASE64_DOCUMENT:
            return _document(value, scope)
    return replace_value(place.kind, value)


def _quoted(found: re.Match[str], replace_value: Replace) -> str:
    """One literal of a query; a quote within it is doubled (ITI TF-2: 3.18.4.1.2.3.5)."""
    if found[1] is None:
        return er7_fields.rewrite_as(found[2], er7_fields.CX, replace_value)
    new = er7_fields.rewrite_as(found[1].replace("''", "'"), er7_fields.CX, replace_value)
    return "'" + new.replace("'", "''") + "'"


def _patient_info(value: str, replace_value: Replace) -> str:
    """``PID-5|Wolter^Léonie`` (ITI TF-3: 4.2.3.2.23)."""
    field, bar, content = value.partition("|")
    segment, _, number = field.partition("-")
    if not bar or not number.isdecimal():
        return replace_value(None, value)
    return f"{field}|{er7_fields.rewrite_field(content, segment, int(number), replace_value)}"


def _packed(value: str, replace_value: Replace, scope: Scope) -> str:
    """A query in base64, rewritten as what it is; what is none is text."""
    try:
        inside = b64decode(value, validate=False).decode()
    except ValueError:
        return replace_value(Kind.TEXT, value)
    if inside.lstrip().startswith("<"):
        new = rewrite(inside, replace_value, scope)
    else:
        new = er7_fields.rewrite(inside, STANDARD, replace_value, authors=scope.authors, texts=scope.texts)
    return b64encode(new.encode()).decode()


def _document(value: str, scope: Scope) -> str:
    try:
        return b64encode(scope.document(b64decode(value))).decode()
    except ValueError:
        return scope.document(value.encode()).decode("latin-1")
