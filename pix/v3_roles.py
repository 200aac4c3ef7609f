"""What others are to the person of an HL7 v3 patient: who issued another id, and the mother (ITI TF-2: E.2, R.2)."""

from lxml.etree import _Element

from ihe.datatypes import CX
from ihe.identifiers import is_oid
from pix.model import Identifier, PersonName
from pix.v3_datatypes import add_person_name
from pix.v3_elements import InstanceIdentifier, add, add_identifier, attribute, children, instance_identifiers

SSN = "2.16.840.1.113883.4.1"
DRIVERS_LICENSES = "2.16.840.1.113883.4.3."
MOTHER = ("MTH", "NMTH", "2.16.840.1.113883.5.111")


def other_ids(patient: _Element) -> tuple[InstanceIdentifier, ...]:
    """The ids of other roles of the person (ITI TF-2: E.2, rule 4)."""
    return instance_identifiers(patient, "patientPerson/asOtherIDs/id")


def is_drivers_license(identifier: InstanceIdentifier) -> bool:
    """Claim that an id is of one of the arcs below which HL7 registers issuers of driver's licences."""
    return identifier.root.startswith(DRIVERS_LICENSES)


def add_other_ids(person: _Element, ids: tuple[Identifier, ...], ssn: str | None, without_id: tuple[str, ...]) -> None:
    """Append OtherIDs: ids, a social security number, and a null for each domain (OID) without id."""
    for each in ids:
        _add_other_id(person, "PAT", each.authority.oid, each.id, each.authority.namespace_id)
    if ssn:
        _add_other_id(person, "ROL", SSN, ssn)
    for domain in without_id:
        _add_other_id(person, "PAT", domain)


def _add_other_id(person: _Element, role: str, domain: str, extension: str = "", name: str = "") -> None:
    """An empty id is a null that says that ``domain`` has none (ITI TF-2: 3.47.4.2.3, case 2)."""
    other = add(person, "asOtherIDs", classCode=role)
    if extension:
        add(other, "id", root=domain, extension=extension, assigningAuthorityName=name)
    else:
        add(other, "id", nullFlavor="UNK")
    organization = add(other, "scopingOrganization", classCode="ORG", determinerCode="INSTANCE")
    add(organization, "id", root=domain)


def mothers(person: _Element | None) -> list[_Element]:
    """The person elements of the mother; there should be one."""
    relations = children(person, "personalRelationship")
    found = [each for each in relations if attribute(each, "code", "code") in MOTHER[:2]]
    return [holder for mother in found for holder in children(mother, "relationshipHolder1")]


def mothers_identifiers(person: _Element | None) -> tuple[CX, ...]:
    """The mother's own ids (PID-21), as far as they name an authority."""
    ids = [each for mother in mothers(person) for each in instance_identifiers(mother, "id")]
    return tuple(CX(each.extension, each.hd) for each in ids if each.is_patient_id)


def add_mother(person: _Element, names: tuple[PersonName, ...], ids: tuple[CX, ...]) -> None:
    """Append the mother, if anything is known of her. An id whose authority has no OID cannot be said in v3."""
    known = [each for each in ids if is_oid(each.authority.universal_id)]
    if not names and not known:
        return
    relation = add(person, "personalRelationship", classCode="PRS")
    add(relation, "code", code=MOTHER[0], codeSystem=MOTHER[2])
    mother = add(relation, "relationshipHolder1", classCode="PSN", determinerCode="INSTANCE")
    for each in known:
        add_identifier(mother, "id", InstanceIdentifier(each.authority.universal_id, each.id))
    for name in names:
        add_person_name(mother, name)
    if not names:
        add(mother, "name", nullFlavor="UNK")
