"""A Patient Demographics Supplier with the option Visit Query [ITI-22] (ITI TF-2: 3.22.4)."""

from collections.abc import Mapping

import pytest

from conformance.counterparts.adt import Visit, a_visit, visit_query
from conformance.counterparts.patients import Answered, PatientActors
from conformance.covering import Suite, covers
from conformance.expectations import accepted, declined, not_found
from conformance.suites.pix_manager_v2 import NOWHERE, ids
from ihe.transactions import Actor

SUITE = Suite(
    actor=Actor.PATIENT_DEMOGRAPHICS_SUPPLIER,
    profile="PDQ",
    option="Visit Query",
    needs=(Actor.PIX_MANAGER, Actor.PATIENT_ENCOUNTER_CONSUMER),
)
SERVICE, DOCTOR, ADMITTING = "MED", ("D1", "House", "Gregory"), ("D2", "Wilson", "James")


@pytest.fixture
def visit(patients: PatientActors) -> Visit:
    """Somebody who was just admitted."""
    made = a_visit(patients)
    accepted(made.send("A01", {3: ("W1", "389", "2"), 7: DOCTOR, 10: SERVICE, 17: ADMITTING}))
    return made


def _criteria(visit: Visit) -> Mapping[str, Mapping[str, str]]:
    person = visit.person
    family = {"@PID.5.1.1": person.family}
    authority = person.id.authority.universal_id
    return {
        "id": {"@PID.3.1": person.id.id, "@PID.3.4.2": authority, "@PID.3.4.3": "ISO"},
        "family": family,
        "birth": {**family, "@PID.7.1": person.birth_date},
        "sex": {**family, "@PID.8": person.sex},
        "address": {**family, "@PID.11.3": person.city},
        "class": {**family, "@PV1.2": "I"},
        "ward": {**family, "@PV1.3.1": "W1"},
        "room": {**family, "@PV1.3.2": "389"},
        "doctor": {**family, "@PV1.7.2.1": DOCTOR[1]},
        "service": {**family, "@PV1.10": SERVICE},
        "admitting": {**family, "@PV1.17.1": ADMITTING[0]},
        "visit": {"@PV1.19.1": visit.number.id},
    }


NAMES = ("id", "family", "birth", "sex", "address", "class", "ward", "room", "doctor", "service", "admitting", "visit")
ELSE = {
    "birth": {"@PID.7.1": "19000101"},
    "address": {"@PID.11.3": "Nowhere"},
    "class": {"@PV1.2": "O"},
    "ward": {"@PV1.3.1": "W9"},
    "room": {"@PV1.3.2": "999"},
    "doctor": {"@PV1.7.2.1": "Cuddy"},
    "service": {"@PV1.10": "SUR"},
    "admitting": {"@PV1.17.1": "D9"},
}


def _found(answered: Answered, visit: Visit) -> None:
    found, number = answered.found, answered.exchange.number
    assert (found.code, found.outcome) == ("AA", "OK"), f"exchange {number}: {found.code} {found.outcome}"
    assert ids(answered) == [visit.person.id.id], f"exchange {number}: {ids(answered)}"


@covers("ITI-22-002", "ITI-22-003", "ITI-22-026", "ITI-22-027", "ITI-22-028", "ITI-22-029", "ITI-22-030", "ITI-22-031",
        "ITI-22-043", "ITI-22-055", "ITI-22-056", "ITI-22-058", "ITI-22-059", "ITI-22-101", "ITI-22-102",
        "ITI-22-103")  # fmt: skip
@pytest.mark.parametrize("name", NAMES)
def test_a_patient_is_found(name: str, patients: PatientActors, visit: Visit) -> None:
    """Each criterion of patient and visit finds the patient."""
    _found(visit_query(patients, _criteria(visit)[name]), visit)


@covers("ITI-22-025", "ITI-22-073")
@pytest.mark.parametrize("name", ELSE)
def test_every_criterion_counts(name: str, patients: PatientActors, visit: Visit) -> None:
    """A criterion that does not fit finds nobody."""
    not_found(visit_query(patients, {"@PID.5.1.1": visit.person.family, **ELSE[name]}))


@covers("ITI-22-009", "ITI-22-061", "ITI-22-062", "ITI-22-063", "ITI-22-064", "ITI-22-065", "ITI-22-066", "ITI-22-067",
        "ITI-22-068", "ITI-22-069", "ITI-22-070", "ITI-22-071", "ITI-22-074", "ITI-22-075", "ITI-22-076", "ITI-22-077",
        "ITI-22-078", "ITI-22-086", "ITI-22-088", "ITI-22-089", "ITI-22-090", "ITI-22-093", "ITI-22-094", "ITI-22-095",
        "ITI-22-098")  # fmt: skip
def test_what_is_returned(patients: PatientActors, visit: Visit) -> None:
    """Patient and visit come back as they were told, in RSP^ZV2."""
    answered = visit_query(patients, _criteria(visit)["family"])
    message, number, person = answered.message, answered.exchange.number, visit.person
    assert [each.name for each in message.segments] == ["MSH", "MSA", "QAK", "QPD", "PID", "PV1"], f"exchange {number}"
    pid, pv1 = message["PID"], message["PV1"]
    came = (pid.text(5), pid.text(5, 2), pid.text(7)[:8], pid.text(8), pid.text(11, 3))
    due = (person.family, person.given, person.birth_date, person.sex, person.city)
    assert came == due, f"exchange {number}: {came} where {due} is due"
    told = (pv1.text(2), pv1.text(3), pv1.text(3, 2), pv1.text(7), pv1.text(10), pv1.text(17), pv1.text(19))
    wanted = ("I", "W1", "389", DOCTOR[0], SERVICE, ADMITTING[0], visit.number.id)
    assert told == wanted, f"exchange {number}: {told} where {wanted} is due"
    assert [message["MSH"].text(9, part) for part in (1, 2, 3)] == ["RSP", "ZV2", "RSP_ZV2"], f"exchange {number}"
    question = answered.question
    assert message["MSA"].text(2) == question["MSH"].text(10), f"exchange {number}: MSA-2 names another query"
    assert message["QAK"].text(1) == question["QPD"].text(2), f"exchange {number}: QAK-1 is not the query tag"
    assert message["QPD"].raw(3) == question["QPD"].raw(3), f"exchange {number}: QPD was changed"


@covers("ITI-22-044", "ITI-22-057", "ITI-22-104", "ITI-22-105", "ITI-22-106")
def test_wanted_domains(patients: PatientActors, visit: Visit) -> None:
    """With domains in QPD-8 ids of these alone are returned."""
    _found(visit_query(patients, _criteria(visit)["family"], [visit.person.id.authority]), visit)


@covers("ITI-22-045", "ITI-22-107", "ITI-22-108", "ITI-22-109")
def test_an_unknown_domain(patients: PatientActors, visit: Visit) -> None:
    """A domain in QPD-8 that nobody knows is an error at its repetition."""
    wanted = [visit.person.id.authority, NOWHERE]
    declined(visit_query(patients, _criteria(visit)["family"], wanted), "204", location="QPD^1^8^2")
