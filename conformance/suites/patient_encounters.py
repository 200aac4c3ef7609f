"""A Patient Encounter Consumer: visits begin, move and end [ITI-31], as a visit query tells (ITI TF-2: 3.31.7)."""

import pytest

from conformance.counterparts.adt import Visit, a_visit
from conformance.counterparts.patients import PatientActors
from conformance.covering import Suite, covers
from conformance.expectations import accepted, declined, not_found
from conformance.suites.patient_identity_management import is_known
from hl7v2.message import Segment
from ihe.transactions import Actor

CONSUMER = Actor.PATIENT_ENCOUNTER_CONSUMER
NEEDS = (Actor.PIX_MANAGER, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER)
SUITE = Suite(actor=CONSUMER, profile="PAM", needs=NEEDS)


def shown(visit: Visit) -> Segment:
    """PV1 of the visit, as a visit query returns it."""
    answered = visit.asked()
    found = answered.message.all("PV1")
    assert len(found) == 1, f"exchange {answered.exchange.number}: {len(found)} PV1 where one is due"
    return found[0]


def located(visit: Visit, ward: str) -> None:
    """The patient is in this ward (PV1-3)."""
    came = shown(visit).text(3)
    assert came == ward, f"the visit {visit.number.id} is in {came}, where {ward} is due"


def is_of_class(visit: Visit, patient_class: str) -> None:
    """The patient class (PV1-2) is this."""
    came = shown(visit).text(2)
    assert came == patient_class, f"the class of visit {visit.number.id} is {came}, where {patient_class} is due"


def no_visit_is_found(visit: Visit) -> None:
    """Nobody has a visit of this number."""
    not_found(visit.asked())


@covers("ITI-31-001", "ITI-31-002", "ITI-31-076", "ITI-31-077")
def test_an_admission(patients: PatientActors) -> None:
    """After A01 the patient is an inpatient in the ward of PV1-3."""
    visit = a_visit(patients)
    accepted(visit.send("A01"))
    is_known(patients, visit.person)
    is_of_class(visit, "I")
    located(visit, "W1")


@covers("ITI-31-078", "ITI-31-079")
def test_an_admission_of_the_admitted(patients: PatientActors) -> None:
    """An admission while another one is open is an error and changes nothing."""
    visit = a_visit(patients)
    accepted(visit.send("A01"))
    second = Visit(patients=patients, person=visit.person, number=a_visit(patients).number)
    declined(second.send("A01", {3: ("W2", "1", "1")}), "205", location="PV1^1^19")
    no_visit_is_found(second)
    located(visit, "W1")


@covers("ITI-31-003", "ITI-31-094", "ITI-31-095")
def test_an_outpatient(patients: PatientActors) -> None:
    """After A04 the patient has a visit."""
    visit = a_visit(patients)
    accepted(visit.send("A04", {2: "O"}))
    is_of_class(visit, "O")


@covers("ITI-31-096")
def test_an_outpatient_visit_of_the_admitted(patients: PatientActors) -> None:
    """A04 while an inpatient encounter is open is recorded."""
    visit = a_visit(patients)
    accepted(visit.send("A01"))
    second = Visit(patients=patients, person=visit.person, number=a_visit(patients).number)
    accepted(second.send("A04", {2: "O"}))
    is_of_class(second, "O")


@covers("ITI-31-005", "ITI-31-085", "ITI-31-086", "ITI-31-392")
@pytest.mark.parametrize("event", ["A01", "A04"])
def test_a_beginning_that_is_cancelled(event: str, patients: PatientActors) -> None:
    """After A11 there is no visit."""
    visit = a_visit(patients)
    accepted(visit.send(event))
    accepted(visit.send("A11"))
    no_visit_is_found(visit)


@covers("ITI-31-004", "ITI-31-107", "ITI-31-108")
def test_a_discharge(patients: PatientActors) -> None:
    """After A03 the patient can be admitted again."""
    visit = a_visit(patients)
    accepted(visit.send("A01"))
    accepted(visit.send("A03", {45: "20261120100000"}))
    second = Visit(patients=patients, person=visit.person, number=a_visit(patients).number)
    accepted(second.send("A01"))
    is_of_class(second, "I")


@covers("ITI-31-006", "ITI-31-116", "ITI-31-117", "ITI-31-118")
def test_a_discharge_that_is_cancelled(patients: PatientActors) -> None:
    """After A13 the patient is admitted, in the ward of PV1-3."""
    visit = a_visit(patients)
    accepted(visit.send("A01"))
    accepted(visit.send("A03", {3: ("W1", "1", "1")}))
    accepted(visit.send("A13", {3: ("W8", "1", "1")}))
    located(visit, "W8")
    second = Visit(patients=patients, person=visit.person, number=a_visit(patients).number)
    declined(second.send("A01"), "205")


@covers("ITI-31-087", "ITI-31-088", "ITI-31-109", "ITI-31-110", "ITI-31-119", "ITI-31-120")
@pytest.mark.parametrize("event", ["A03", "A11", "A13"])
def test_an_end_without_a_beginning(event: str, patients: PatientActors) -> None:
    """Without a visit an end, a cancellation, changes nothing, and is acknowledged with AA."""
    visit = a_visit(patients)
    accepted(visit.send(event))
    no_visit_is_found(visit)
