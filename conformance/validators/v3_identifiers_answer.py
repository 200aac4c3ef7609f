"""The answer to a PIXV3 query: one patient, with the ids of the domains that were asked for (ITI TF-2: 3.45.4.2)."""

from collections.abc import Iterator

from lxml.etree import _Element

from conformance.validators.v3_answers import EVENT, EVERY_QUERY_ANSWER, PATIENT
from conformance.validators.v3_feeds import provider_is_a_domain_of_the_patients_ids
from ihe.citations import tf2
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.v3_elements import children, instance_identifiers, location
from pix.v3_queries import PARAMETERS

IDS = ("id", "patientPerson/asOtherIDs/id")


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("3.45.4.2.2.3"))
def one_patient_at_most_is_returned(body: _Element) -> Iterator[Offence]:
    """The answer to a PIXV3 query has at most one registrationEvent."""
    if len(found := children(body, EVENT)) > 1:
        yield Offence(f"{location(body)}/{EVENT}", str(len(found)), "at most 1")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table 3.45.4.2.2.2-1"))
def the_patient_has_a_name(body: _Element) -> Iterator[Offence]:
    """Person.name of the answer to a PIXV3 query is there and not null."""
    for each in children(body, f"{PATIENT}/patientPerson"):
        if not children(each, "name"):
            yield Offence(f"{location(each)}/name")


@rule(HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER, tf2("3.45.4.2.3"))
def the_id_asked_about_is_not_returned(body: _Element) -> Iterator[Offence]:
    """The id that was asked about stands in queryByParameter alone, not among the ids returned."""
    asked = {
        (each.root, each.extension) for each in instance_identifiers(body, f"{PARAMETERS}/patientIdentifier/value")
    }
    for path in IDS:
        for each in instance_identifiers(body, f"{PATIENT}/{path}"):
            if (each.root, each.extension) in asked:
                yield Offence(each.location, str(each))


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.45.4.1.2.2"))
def only_requested_domains_are_returned(body: _Element) -> Iterator[Offence]:
    """If domains were requested, Patient.id is of one of them."""
    asked = {each.root for each in instance_identifiers(body, f"{PARAMETERS}/dataSource/value")}
    for each in instance_identifiers(body, f"{PATIENT}/id") if asked else ():
        if each.root not in asked:
            yield Offence(each.location, each.root, " or ".join(sorted(asked)))


IDENTIFIERS_ANSWER = (
    *EVERY_QUERY_ANSWER,
    provider_is_a_domain_of_the_patients_ids,
    one_patient_at_most_is_returned,
    the_patient_has_a_name,
    the_id_asked_about_is_not_returned,
    only_requested_domains_are_returned,
)
