"""The option Maintain Demographics: A08 [ITI-31] (ITI TF-2: 3.31.7.6)."""

from dataclasses import replace

from conformance.counterparts.adt import a_visit
from conformance.counterparts.patients import PatientActors
from conformance.covering import Suite, covers
from conformance.expectations import accepted
from conformance.suites.patient_encounters import CONSUMER, NEEDS
from conformance.suites.patient_identity_management import city, is_unknown

SUITE = Suite(actor=CONSUMER, profile="PAM", option="Maintain Demographics", needs=NEEDS)


@covers("ITI-31-045", "ITI-31-125", "ITI-31-126")
def test_an_update(patients: PatientActors) -> None:
    """After A08 the patient's record has what the message holds."""
    visit = a_visit(patients)
    accepted(visit.send("A01"))
    moved = replace(visit, person=replace(visit.person, city="Esch-sur-Alzette"))
    accepted(moved.send("A08"))
    assert city(patients, visit.person) == "Esch-sur-Alzette"


@covers("ITI-31-127", "ITI-31-128")
def test_an_update_of_nobody(patients: PatientActors) -> None:
    """A08 about an unknown patient is acknowledged with AA and changes nothing."""
    visit = a_visit(patients)
    accepted(visit.send("A08"))
    is_unknown(patients, visit.person)
