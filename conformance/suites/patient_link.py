"""A Patient Demographics Consumer with the option Link/Unlink: A24, A37 [ITI-30] (ITI TF-2: 3.30.6.6, 3.30.6.7)."""

import pytest

from conformance.counterparts.adt import adt, pid
from conformance.counterparts.patients import Answered, PatientActors, Person
from conformance.covering import Suite, covers
from conformance.expectations import accepted, declined, not_found
from conformance.suites.patient_identity_management import CONSUMER, created, is_unknown
from conformance.suites.patient_identity_management import SUITE as PAM
from conformance.suites.pix_manager_v2 import ids

SUITE = Suite(actor=CONSUMER, profile=PAM.profile, option="Link/Unlink", needs=PAM.needs)


@pytest.fixture
def two(patients: PatientActors) -> tuple[Person, Person]:
    """Two patients of two domains who are nothing alike."""
    domains = patients.system.patients
    if domains.second_domain is None:
        pytest.skip("patients.second_domain is not declared")
    both = (patients.person(), patients.person(domains.second_domain))
    for each in both:
        accepted(created(patients, each))
    return both


def _both(patients: PatientActors, event: str, one: Person, other: Person) -> Answered:
    """A24 or A37 about two patients."""
    return patients.send("ITI-30", CONSUMER, adt(patients, event, pid(one.id), pid(other.id)))


def _are_linked(patients: PatientActors, one: Person, other: Person) -> None:
    for here, there in ((one, other), (other, one)):
        answered = patients.cross_references(here.id, [there.id.authority])
        assert ids(answered) == [there.id.id], f"exchange {answered.exchange.number}: {ids(answered)}"


def _are_apart(patients: PatientActors, one: Person, other: Person) -> None:
    for here, there in ((one, other), (other, one)):
        not_found(patients.cross_references(here.id, [there.id.authority]))


@covers("ITI-30-007", "ITI-30-008", "ITI-30-139", "ITI-30-158")
def test_a_link(patients: PatientActors, two: tuple[Person, Person]) -> None:
    """After A24 a PIX query for one yields the other."""
    accepted(_both(patients, "A24", *two))
    _are_linked(patients, *two)


@covers("ITI-30-009", "ITI-30-147", "ITI-30-148")
def test_a_link_that_is_undone(patients: PatientActors, two: tuple[Person, Person]) -> None:
    """After A37 a PIX query for one no longer yields the other, and each has its own data."""
    accepted(_both(patients, "A24", *two))
    accepted(_both(patients, "A37", *two))
    _are_apart(patients, *two)
    for each in two:
        answered = patients.demographics({"@PID.5.1.1": each.family})
        found = [id.id for patient in answered.found.patients for id in patient.identifiers]
        assert found == [each.id.id], f"exchange {answered.exchange.number}: {found} where {each.id.id} is due"


@covers("ITI-30-149", "ITI-30-150")
def test_nothing_to_undo(patients: PatientActors, two: tuple[Person, Person]) -> None:
    """A37 about lists that are not linked is acknowledged with AA and changes nothing."""
    accepted(_both(patients, "A37", *two))
    _are_apart(patients, *two)


@covers("ITI-30-141", "ITI-30-142")
def test_a_link_with_nobody(patients: PatientActors, two: tuple[Person, Person]) -> None:
    """A24 with an unknown identifier list is acknowledged with AA and creates no patient."""
    nobody = patients.person()
    accepted(_both(patients, "A24", two[0], nobody))
    is_unknown(patients, nobody)


@covers("ITI-30-092")
def test_a_link_of_one(patients: PatientActors, two: tuple[Person, Person]) -> None:
    """A24 with one PID is refused."""
    alone = adt(patients, "A24", pid(two[0].id))
    declined(patients.send("ITI-30", CONSUMER, alone), "100", location="PID^2")
