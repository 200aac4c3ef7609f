"""A Patient Demographics Consumer with the option Merge: A40 [ITI-30] (ITI TF-2: 3.30.6.4)."""

from conformance.counterparts.adt import adt, mrg, pid
from conformance.counterparts.patients import Answered, PatientActors, Person
from conformance.covering import Suite, covers
from conformance.expectations import accepted, declined
from conformance.suites.patient_identity_management import CONSUMER, city, created, is_known, is_unknown
from conformance.suites.patient_identity_management import SUITE as PAM
from ihe.datatypes import CX, HD

SUITE = Suite(actor=CONSUMER, profile=PAM.profile, option="Merge", needs=PAM.needs)


def merged(patients: PatientActors, survivor: Person, subsumed: CX) -> Answered:
    """A40."""
    return patients.send("ITI-30", CONSUMER, adt(patients, "A40", pid(survivor.id, person=survivor), mrg(subsumed)))


@covers("ITI-30-006", "ITI-30-117", "ITI-30-118")
def test_a_merge(patients: PatientActors) -> None:
    """After A40 the two patients are one: the survivor is known, the subsumed id not."""
    survivor, subsumed = patients.person(), patients.person()
    for each in (survivor, subsumed):
        accepted(created(patients, each))
    accepted(merged(patients, survivor, subsumed.id))
    is_known(patients, survivor)
    is_unknown(patients, subsumed)


@covers("ITI-30-119", "ITI-30-120")
def test_a_merge_into_nobody(patients: PatientActors) -> None:
    """A40 whose target is unknown gives the patient in MRG-1 the id in PID-3."""
    person = patients.person()
    accepted(created(patients, person))
    target = patients.same_person(person, person.id.authority)
    accepted(merged(patients, target, person.id))
    is_known(patients, target)
    is_unknown(patients, person)
    assert city(patients, target) == person.city


@covers("ITI-30-121", "ITI-30-122")
def test_a_merge_of_nobody(patients: PatientActors) -> None:
    """A40 whose MRG-1 is unknown is acknowledged with AA and changes nothing."""
    survivor, nobody = patients.person(), patients.person()
    accepted(created(patients, survivor))
    accepted(merged(patients, survivor, nobody.id))
    is_known(patients, survivor)
    is_unknown(patients, nobody)


@covers("ITI-30-118")
def test_a_merge_of_an_unknown_domain(patients: PatientActors) -> None:
    """A40 whose MRG-1 is of a domain that nobody knows is refused."""
    survivor = patients.person()
    accepted(created(patients, survivor))
    strange = CX("1", HD("", "2.999.404", "ISO"))
    declined(merged(patients, survivor, strange), "204", location="MRG^1^1^1^4")
    is_known(patients, survivor)
