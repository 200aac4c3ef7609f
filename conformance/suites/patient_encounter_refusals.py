"""Messages of encounters that a Patient Encounter Consumer refuses: one change, one code [ITI-31] (3.31.6)."""

import pytest

from conformance.counterparts.adt import a_visit
from conformance.counterparts.patients import PatientActors
from conformance.covering import Suite, covers
from conformance.expectations import declined
from conformance.suites.patient_identity_management import is_unknown
from conformance.wrong_v2 import Wrong, breaking
from ihe.transactions import Actor

CONSUMER = Actor.PATIENT_ENCOUNTER_CONSUMER
SUITE = Suite(actor=CONSUMER, profile="PAM", needs=(Actor.PIX_MANAGER,))


def _wrong(id: str, sentence: str, place: str, value: str, code: str, *assertions: str, location: str = "") -> Wrong:
    """``place`` is ``PV1-2``; the refusal names it, unless ``location`` says otherwise."""
    segment, _, number = place.partition("-")
    return Wrong(
        id=id,
        sentence=sentence,
        segment=segment,
        field=int(number),
        value=value,
        codes=(code,),
        covering=breaking(*assertions),
        location=location or f"{segment}^1^{number}",
    )


WRONG = (
    _wrong("class", "A visit without patient class.", "PV1-2", "", "101", "ITI-31-047"),
    _wrong("visit", "A visit without visit number and account number.", "PV1-19", "", "101", "ITI-31-048"),
    _wrong("admitted", "A time of admission that is none.", "PV1-44", "soon", "102", "TF2-N-019"),
    _wrong("occurred", "A time of the event that is none.", "EVN-6", "soon", "102", "TF2-N-019"),
    _wrong("name", "A patient without a name.", "PID-5", "", "101", "ITI-8-024"),
    _wrong("family", "A patient without a family name.", "PID-5", "^Ada", "101", "ITI-30-052", location="PID^1^5^1^1"),
    _wrong("birth", "A time of birth that is none.", "PID-7", "tomorrow", "102", "TF2-N-014"),
    _wrong("sex", "A sex that is not of table 0001.", "PID-8", "X", "103", "ITI-30-058"),
)


@covers("ITI-31-001", "ITI-31-077")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, patients: PatientActors) -> None:
    visit = a_visit(patients)
    declined(visit.tell(case.made(visit.message("A01"))), *case.codes, location=case.location)
    is_unknown(patients, visit.person)
