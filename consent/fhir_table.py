"""FHIR R4 Consent: which element says what; read by both directions (FHIR R4: 6.2)."""

from consent.statements import Access, Attribute, InstanceIdentifier, Value
from ihe.citations import Citation
from ihe.datatypes import Code
from ihe.identifiers import is_oid

R4 = Citation("FHIR R4", "6.2")
URI = "urn:ietf:rfc:3986"
OID = "urn:oid:"
UNIQUE_ID = "urn:ihe:iti:xds:2013:uniqueId"
"""System of a uniqueId that is no OID alone (ITI TF-3: Table 4.2.3.1.7-2, CXi)."""
CONSENT_ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
ACTIONS = {Access.READ: "access", Access.WRITE: "collect"}
SCOPE = ("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")
ACTORS = {
    Attribute.ORGANIZATION_ID: "Organization",
    Attribute.NPI: "Practitioner",
    Attribute.USER_ID: "Person",
    Attribute.ROLE: "PractitionerRole",
}
"""The type of the reference that names the one who asks."""
CODINGS = {
    Attribute.PURPOSE_OF_USE: "purpose",
    Attribute.CONFIDENTIALITY_CODE: "securityLabel",
    Attribute.CLASS_CODE: "class",
}
"""Elements that are lists of Coding. ``code``, for the typeCode, is a list of CodeableConcept."""


def system_of(scheme: str) -> str:
    """A coding scheme as FHIR spells it: an OID as URN."""
    return f"{OID}{scheme}" if is_oid(scheme) else scheme


def scheme_of(system: str) -> str:
    """The other way round."""
    oid = system.removeprefix(OID)
    return oid if system.startswith(OID) and is_oid(oid) else system


def identifier_of(value: Value) -> tuple[str | None, str]:
    """System and value of a reference's identifier. A plain string has no system, an OID alone is a URI."""
    match value:
        case Code(code=code, scheme=scheme):
            return system_of(scheme), code
        case InstanceIdentifier(root=root, extension=extension):
            return (f"{OID}{root}", extension) if extension else (URI, f"{OID}{root}")
        case text:
            return None, text


def named_by(system: str | None, value: str) -> Value:
    """The other way round, for an attribute that is no code."""
    if system is None:
        return value
    oid = (value if system == URI else system).removeprefix(OID)
    if not is_oid(oid):
        raise ValueError("the system of an identifier is an OID as URN, or the identifier itself is one")
    return InstanceIdentifier(oid) if system == URI else InstanceIdentifier(oid, value)


def document_of(unique_id: str) -> tuple[str, str]:
    """System and value of a document's identifier."""
    return (URI, f"{OID}{unique_id}") if is_oid(unique_id) else (UNIQUE_ID, unique_id)


def unique_id_of(system: str | None, value: str) -> str:
    """The other way round."""
    if system == URI and is_oid(value.removeprefix(OID)):
        return value.removeprefix(OID)
    if system == UNIQUE_ID and not is_oid(value):
        return value
    raise ValueError(f"a document is named by {URI} and an OID as URN, or by {UNIQUE_ID}")
