"""Answers to v3 queries: what the answer to ITI-45 and ITI-47 says of itself (ITI TF-2: 3.45.4.2, 3.47.4.2, O.2.2).

Only the answer is seen, and the copy of the query within it: whether it is the right answer is for a test to know.
"""

from collections.abc import Iterator

from lxml.etree import _Element

from conformance.validators.v3_feeds import provider_has_an_oid_alone
from ihe.citations import tf2
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from pix.v3_demographics import GENDERS
from pix.v3_elements import (
    XSI_TYPE,
    InstanceIdentifier,
    attribute,
    child,
    children,
    instance_identifiers,
    location,
)
from pix.v3_queries import PARAMETERS, QUERY
from pix.v3_registrations import (
    other_ids_are_of_their_scoping_organization,
    patient_ids_have_root_and_extension,
)

SUBJECT = "controlActProcess/subject"
EVENT = f"{SUBJECT}/registrationEvent"
PATIENT = f"{EVENT}/subject1/patient"
ACK = "controlActProcess/queryAck"
AGREEING = {"AA": ("OK", "NF"), "AE": ("AE", "QE"), "AR": ("AE", "QE")}
"""The queryResponseCode that goes with an acknowledgement (ITI TF-2: 3.45.4.2.3, 3.47.4.2.3)."""
QUERY_STATUSES = ("deliveredResponse", "aborted", "executing", "new", "waitContinuedQueryResponse")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.2.2-1"))
def query_ack_has_a_status(body: _Element) -> Iterator[Offence]:
    """queryAck.statusCode is deliveredResponse, aborted, executing, new or waitContinuedQueryResponse."""
    if (code := attribute(body, f"{ACK}/statusCode", "code")) not in QUERY_STATUSES:
        yield Offence(f"{location(body)}/{ACK}/statusCode", code, " ".join(QUERY_STATUSES))


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.2.2-1"))
def response_code_is_of_the_vocabulary(body: _Element) -> Iterator[Offence]:
    """queryAck.queryResponseCode is OK, NF, AE or QE."""
    if (code := attribute(body, f"{ACK}/queryResponseCode", "code")) not in ("OK", "NF", "AE", "QE"):
        yield Offence(f"{location(body)}/{ACK}/queryResponseCode", code, "OK NF AE QE")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("3.47.4.2.3"))
def acknowledgement_and_response_code_agree(body: _Element) -> Iterator[Offence]:
    """With AA goes OK or NF, and with a refusal AE or QE."""
    acknowledged = attribute(body, "acknowledgement/typeCode", "code") or ""
    code = attribute(body, f"{ACK}/queryResponseCode", "code")
    if acknowledged in AGREEING and code not in (None, *AGREEING[acknowledged]):
        wanted = " ".join(AGREEING[acknowledged])
        yield Offence(f"{location(body)}/{ACK}/queryResponseCode", f"{code} with {acknowledged}", wanted)


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table O.2.2-1"))
def query_ack_names_the_query(body: _Element) -> Iterator[Offence]:
    """queryAck.queryId is there, and is that of the query of which the answer has a copy."""
    elements = [child(body, path) for path in (f"{ACK}/queryId", f"{QUERY}/queryId")]
    present = body.find("/".join(f"{{urn:hl7-org:v3}}{step}" for step in f"{ACK}/queryId".split("/")))
    if present is None:
        yield Offence(f"{location(body)}/{ACK}/queryId")
    named, asked = ([each.get("root"), each.get("extension")] if each is not None else None for each in elements)
    if named is not None and asked is not None and named != asked:
        yield Offence(f"{location(body)}/{ACK}/queryId", str(named), str(asked))


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("Table O.2.2-1"))
def patients_are_there_if_the_code_says_so(body: _Element) -> Iterator[Offence]:
    """An answer with OK has a registrationEvent, and one with NF, AE or QE has none."""
    code = attribute(body, f"{ACK}/queryResponseCode", "code")
    found, total = len(children(body, EVENT)), _quantity(body, "Total")
    if code == "OK" and not found and not total:
        yield Offence(f"{location(body)}/{EVENT}", "OK with no registrationEvent", "NF, or a patient")
    if code in ("NF", "AE", "QE") and found:
        yield Offence(f"{location(body)}/{EVENT}", f"{code} with {found} registrationEvent", "none")


def _quantity(body: _Element, which: str) -> int | None:
    text = attribute(body, f"{ACK}/result{which}Quantity") or ""
    return int(text) if len(text) < 10 and text.isascii() and text.isdecimal() else None


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table O.2.2-1"))
def quantities_are_those_of_the_answer(body: _Element) -> Iterator[Offence]:
    """resultCurrentQuantity counts the patients here; with those that remain they do not exceed the total."""
    total, current, remaining = (_quantity(body, which) for which in ("Total", "Current", "Remaining"))
    found = len(children(body, EVENT))
    if current is not None and current != found:
        yield Offence(f"{location(body)}/{ACK}/resultCurrentQuantity", str(current), str(found))
    least = (found if current is None else current) + (remaining or 0)
    if total is not None and total < least:
        yield Offence(f"{location(body)}/{ACK}/resultTotalQuantity", str(total), f"at least {least}")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.47.4.3.3"))
def all_quantities_are_told(body: _Element) -> Iterator[Offence]:
    """An answer that found patients has all of resultTotalQuantity, resultCurrentQuantity, resultRemainingQuantity."""
    if attribute(body, f"{ACK}/queryResponseCode", "code") == "OK":
        for which in ("Total", "Current", "Remaining"):
            if attribute(body, f"{ACK}/result{which}Quantity") is None:
                yield Offence(f"{location(body)}/{ACK}/result{which}Quantity")


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("3.45.4.2.2.3"))
def answer_has_a_copy_of_the_query(body: _Element) -> Iterator[Offence]:
    """The answer has a copy of the queryByParameter of the query."""
    if child(body, QUERY) is None and attribute(body, f"{ACK}/queryResponseCode", "code") in ("OK", "NF"):
        yield Offence(f"{location(body)}/{QUERY}")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.47.4.4.2.3-1"))
def control_act_of_the_answer_is_an_event(body: _Element) -> Iterator[Offence]:
    """controlActProcess.moodCode of an answer is EVN, and its code, where it is given, the trigger event."""
    for each in children(body, "controlActProcess"):
        if each.get("moodCode") != "EVN":
            yield Offence(f"{location(each)}/@moodCode", each.get("moodCode"), "EVN")


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("Table 3.47.4.4.2.3-1"))
def answer_replaces_nothing(body: _Element) -> Iterator[Offence]:
    """An answer has no replacementOf."""
    yield from (Offence(location(each)) for each in children(body, f"{EVENT}/replacementOf"))


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("Table 3.47.4.4.2.3-1"))
def each_result_is_one_person(body: _Element) -> Iterator[Offence]:
    """Each registrationEvent is about exactly one patient, who is a person."""
    for each in children(body, EVENT):
        if len(found := children(each, "subject1/patient")) != 1:
            yield Offence(f"{location(each)}/subject1/patient", str(len(found)), "1")
        if children(each, "subject1/patient/patientNonPersonLivingSubject"):
            yield Offence(f"{location(each)}/subject1/patient/patientNonPersonLivingSubject")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.47.4.2.2.2-1"))
def patients_of_the_answer_are_active(body: _Element) -> Iterator[Offence]:
    """The status of each patient of an answer is active."""
    for each in children(body, PATIENT):
        if (status := attribute(each, "statusCode", "code")) != "active":
            yield Offence(f"{location(each)}/statusCode", status, "active")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table 3.47.4.2.2.2-1"))
def patients_of_the_answer_have_ids(body: _Element) -> Iterator[Offence]:
    """Each patient of an answer has at least one id that is not null."""
    for each in children(body, PATIENT):
        if not instance_identifiers(each, "id"):
            yield Offence(f"{location(each)}/id")


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.47.4.2.2.2-1"))
def genders_of_the_answer_are_of_the_vocabulary(body: _Element) -> Iterator[Offence]:
    """administrativeGenderCode of an answer is M, F or UN."""
    for each in children(body, f"{PATIENT}/patientPerson/administrativeGenderCode"):
        if each.get("code") not in dict(GENDERS):
            yield Offence(location(each), each.get("code"), "M, F or UN")


@rule(HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER, tf2("Table 3.47.4.2.2.2-1"))
def ids_stand_in_one_place(body: _Element) -> Iterator[Offence]:
    """No id stands both in Patient.id and in OtherIDs.id."""
    for patient in children(body, PATIENT):
        own = {_spelled(each) for each in instance_identifiers(patient, "id")}
        for each in instance_identifiers(patient, "patientPerson/asOtherIDs/id"):
            if _spelled(each) in own:
                yield Offence(each.location, str(each))


def _spelled(identifier: InstanceIdentifier) -> tuple[str, str]:
    return identifier.root, identifier.extension


@rule(HL7ErrorCode.TABLE_VALUE_NOT_FOUND, tf2("Table 3.47.4.2.2.2-1"))
def quality_of_the_match_is_a_number(body: _Element) -> Iterator[Offence]:
    """queryMatchObservation.value is an INT, and not below the MinimumDegreeMatch that was asked for."""
    asked = attribute(body, f"{QUERY}/matchCriterionList/minimumDegreeMatch/value") or "0"
    for each in children(body, f"{PATIENT}/subjectOf1/queryMatchObservation/value"):
        value, kind = each.get("value", ""), (each.get(XSI_TYPE) or "").rpartition(":")[2]
        number = len(value) < 10 and value.isascii() and value.isdecimal()
        if kind != "INT" or not number:
            yield Offence(location(each), f"{kind} {value}", "INT and a number")
        elif len(asked) < 10 and asked.isascii() and asked.isdecimal() and int(value) < int(asked):
            yield Offence(location(each), value, f"at least {asked}")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("3.47.4.2.3"))
def requested_domains_are_answered(body: _Element) -> Iterator[Offence]:
    """Each domain that was requested has an id of each patient, or an OtherIDs with a null in its place."""
    asked = instance_identifiers(body, f"{PARAMETERS}/otherIDsScopingOrganization/value")
    for patient in children(body, PATIENT) if asked else ():
        held = {each.root for each in instance_identifiers(patient, "id")}
        scopes = instance_identifiers(patient, "patientPerson/asOtherIDs/scopingOrganization/id")
        told = held | {each.root for each in scopes}
        for each in asked:
            if each.root not in told:
                yield Offence(f"{location(patient)}/patientPerson/asOtherIDs", None, each.root)


EVERY_QUERY_ANSWER = (
    query_ack_has_a_status,
    response_code_is_of_the_vocabulary,
    acknowledgement_and_response_code_agree,
    query_ack_names_the_query,
    patients_are_there_if_the_code_says_so,
    quantities_are_those_of_the_answer,
    answer_has_a_copy_of_the_query,
    control_act_of_the_answer_is_an_event,
    answer_replaces_nothing,
    each_result_is_one_person,
    patients_of_the_answer_are_active,
    patients_of_the_answer_have_ids,
    provider_has_an_oid_alone,
    patient_ids_have_root_and_extension,
    other_ids_are_of_their_scoping_organization,
)
DEMOGRAPHICS_ANSWER = (
    *EVERY_QUERY_ANSWER,
    all_quantities_are_told,
    genders_of_the_answer_are_of_the_vocabulary,
    ids_stand_in_one_place,
    quality_of_the_match_is_a_number,
    requested_domains_are_answered,
)
