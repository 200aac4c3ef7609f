"""Feeds of HL7 v3 that the harness sends: a record, a merge (ITI TF-2: 3.44.4.1.2, 3.44.4.2.2)."""

from collections.abc import Iterable

from lxml.etree import _Element

from affinity.client.v3 import GENDERS, Devices, begin
from conformance.counterparts.patients import Person
from ihe.datatypes import CX
from pix.iti44 import DUPLICATES_RESOLVED
from pix.v3_elements import add

GENDER = "2.16.840.1.113883.5.1"


def record(devices: Devices, person: Person, interaction: str, others: Iterable[CX] = ()) -> _Element:
    """PRPA_IN201301UV02 or PRPA_IN201302UV02; ``others`` are ids that other organisations gave."""
    message, event = _registration(interaction, devices)
    entity = _add_patient(event, person)
    code = GENDERS.get(person.sex, person.sex)
    add(entity, "administrativeGenderCode", code=code, codeSystem=GENDER)
    add(entity, "birthTime", value=person.birth_date)
    address = add(entity, "addr")
    for name, text in (
        ("streetAddressLine", person.street),
        ("city", person.city),
        ("postalCode", person.postal_code),
    ):
        add(address, name, text)
    for each in others:
        _add_other_id(entity, each)
    _add_provider(entity, person)
    _add_custodian(event, devices)
    return message


def merge(devices: Devices, survivor: Person, subsumed: CX) -> _Element:
    """PRPA_IN201304UV02: the registration of ``subsumed`` is replaced."""
    message, event = _registration(DUPLICATES_RESOLVED, devices)
    _add_provider(_add_patient(event, survivor), survivor)
    _add_custodian(event, devices)
    prior = add(add(event, "replacementOf", typeCode="RPLC"), "priorRegistration", classCode="REG", moodCode="EVN")
    add(prior, "statusCode", code="obsolete")
    role = add(add(prior, "subject1", typeCode="SBJ"), "priorRegisteredRole", classCode="PAT")
    add(role, "id", root=subsumed.authority.universal_id, extension=subsumed.id)
    return message


def _registration(interaction: str, devices: Devices) -> tuple[_Element, _Element]:
    """The message, and its registration event."""
    message, act = begin(interaction, devices)
    subject = add(act, "subject", typeCode="SUBJ", contextConductionInd="false")
    event = add(subject, "registrationEvent", classCode="REG", moodCode="EVN")
    add(event, "id", nullFlavor="NA")
    add(event, "statusCode", code="active")
    return message, event


def _add_patient(event: _Element, person: Person) -> _Element:
    """The patient with an id and a name; returns the person."""
    patient = add(add(event, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    add(patient, "id", root=person.id.authority.universal_id, extension=person.id.id)
    add(patient, "statusCode", code="active")
    entity = add(patient, "patientPerson", classCode="PSN", determinerCode="INSTANCE")
    name = add(entity, "name", use="L")
    add(name, "given", person.given)
    add(name, "family", person.family)
    return entity


def _add_other_id(entity: _Element, other: CX) -> None:
    role = add(entity, "asOtherIDs", classCode="PAT")
    add(role, "id", root=other.authority.universal_id, extension=other.id)
    scope = add(role, "scopingOrganization", classCode="ORG", determinerCode="INSTANCE")
    add(scope, "id", root=other.authority.universal_id)


def _add_provider(entity: _Element, person: Person) -> None:
    """The organisation that issued the patient's id (3.44.4.1.2.1)."""
    patient = entity.getparent()
    assert patient is not None
    provider = add(patient, "providerOrganization", classCode="ORG", determinerCode="INSTANCE")
    add(provider, "id", root=person.id.authority.universal_id)
    add(add(provider, "contactParty", classCode="CON"), "telecom", value="tel:+352-26-000000")


def _add_custodian(event: _Element, devices: Devices) -> None:
    entity = add(add(event, "custodian", typeCode="CST"), "assignedEntity", classCode="ASSIGNED")
    add(entity, "id", root=devices.sender)
