"""Feeds of ITI-44 and notifications of ITI-46, beyond what a node insists on (ITI TF-2: 3.44.4.1.2, 3.44.4.2.2)."""

from collections.abc import Iterator

from lxml.etree import _Element

from ihe.citations import tf2
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.v3_elements import children, instance_identifiers, location
from pix.v3_registrations import PATIENT

OMITTED = (
    "asPatientOfOtherProvider",
    "guarantor",
    "guardian",
    "contactParty",
    "asMember",
    "careGiver",
    "asStudent",
)
"""Roles that the model of IHE leaves out (ITI TF-2: 3.44.4.1.2.2)."""


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.44.4.1.2.1"))
def patient_is_scoped_by_a_provider(body: _Element) -> Iterator[Offence]:
    """The patient is scoped by a providerOrganization with an id."""
    for each in children(body, PATIENT):
        if not instance_identifiers(each, "providerOrganization/id"):
            yield Offence(f"{location(each)}/providerOrganization/id")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("3.44.4.1.2.1"))
def provider_has_an_oid_alone(body: _Element) -> Iterator[Offence]:
    """providerOrganization.id has only a root, an ISO OID."""
    for each in instance_identifiers(body, f"{PATIENT}/providerOrganization/id"):
        if not each.is_domain:
            yield Offence(each.location, str(each), "an OID as root, no extension")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("3.45.4.2.2.1"))
def provider_is_a_domain_of_the_patients_ids(body: _Element) -> Iterator[Offence]:
    """The root of providerOrganization.id is that of at least one id of the patient."""
    for patient in children(body, PATIENT):
        own = {each.root for each in instance_identifiers(patient, "id")}
        for each in instance_identifiers(patient, "providerOrganization/id"):
            if each.root not in own:
                yield Offence(each.location, str(each), " or ".join(sorted(own)))


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.44.4.1.2.1"))
def provider_can_be_reached(body: _Element) -> Iterator[Offence]:
    """providerOrganization has at least one of address, telecommunications address and contact person."""
    for each in children(body, f"{PATIENT}/providerOrganization"):
        if not any(each.find(f"{{urn:hl7-org:v3}}{name}") is not None for name in ("addr", "telecom", "contactParty")):
            yield Offence(location(each), None, "addr, telecom or contactParty")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.44.4.1.2.1"))
def own_ids_are_of_the_provider(body: _Element) -> Iterator[Offence]:
    """Patient.id holds the ids of the providerOrganization, and OtherIDs.id all others."""
    for patient in children(body, PATIENT):
        scopes = {each.root for each in instance_identifiers(patient, "providerOrganization/id")}
        for each in instance_identifiers(patient, "id") if scopes else ():
            if each.root not in scopes:
                yield Offence(each.location, each.root, " or ".join(sorted(scopes)))


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("3.44.4.1.2.2"))
def omitted_roles_are_not_sent(body: _Element) -> Iterator[Offence]:
    """The roles that the model leaves out, as guarantor, guardian or asMember, are not sent."""
    for name in OMITTED:
        yield from (Offence(location(each)) for each in children(body, f"{PATIENT}/patientPerson/{name}"))


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("3.44.4.1.2.2"))
def focal_entity_is_a_person(body: _Element) -> Iterator[Offence]:
    """The patient of a feed is a person."""
    yield from (Offence(location(each)) for each in children(body, f"{PATIENT}/patientNonPersonLivingSubject"))


FEEDS = (
    provider_has_an_oid_alone,
    provider_can_be_reached,
    omitted_roles_are_not_sent,
    focal_entity_is_a_person,
)
ADD_OR_REVISE = (patient_is_scoped_by_a_provider, own_ids_are_of_the_provider, *FEEDS)
MERGES = (provider_is_a_domain_of_the_patients_ids, *FEEDS)
