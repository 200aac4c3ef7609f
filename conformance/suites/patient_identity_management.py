"""A Patient Demographics Consumer (PAM): patients created, updated, renumbered [ITI-30] (ITI TF-2: 3.30.6)."""

from dataclasses import replace

import pytest

from conformance.counterparts.adt import about, adt, mrg, no_visit, pid
from conformance.counterparts.patients import Answered, PatientActors, Person
from conformance.covering import Suite, covers
from conformance.expectations import accepted, declined
from conformance.suites.pix_feed_refusals import WRONG as OF_ANY_FEED
from conformance.wrong_v2 import Wrong, breaking
from hl7v2.message import Message
from ihe.transactions import Actor

CONSUMER = Actor.PATIENT_DEMOGRAPHICS_CONSUMER
SUITE = Suite(actor=CONSUMER, profile="PAM", needs=(Actor.PIX_MANAGER, Actor.PATIENT_DEMOGRAPHICS_SUPPLIER))
UNKNOWN = "QPD^1^3^1^1"


def created(patients: PatientActors, person: Person) -> Answered:
    """A28 about a person."""
    return patients.send("ITI-30", CONSUMER, adt(patients, "A28", about(person), no_visit()))


def city(patients: PatientActors, person: Person) -> str:
    """The city of the one patient with this id."""
    authority = person.id.authority.universal_id
    answered = patients.demographics({"@PID.3.1": person.id.id, "@PID.3.4.2": authority, "@PID.3.4.3": "ISO"})
    found = answered.found.patients
    assert len(found) == 1, f"exchange {answered.exchange.number}: {len(found)} patients where one is due"
    return found[0].city


def is_known(patients: PatientActors, person: Person) -> None:
    """A PIX query knows the id."""
    answered = patients.cross_references(person.id)
    assert answered.acknowledgement.code == "AA", f"exchange {answered.exchange.number}: {person.id.id} is not known"


def is_unknown(patients: PatientActors, person: Person) -> None:
    """A PIX query does not know the id."""
    declined(patients.cross_references(person.id), "204", location=UNKNOWN)


@covers("ITI-30-003", "ITI-30-023", "ITI-30-026", "ITI-30-028", "ITI-30-092", "ITI-30-098", "ITI-30-099")
def test_a_new_patient(patients: PatientActors) -> None:
    """A patient who was created by A28 is known, with the demographics of the message."""
    person = patients.person()
    answered = created(patients, person)
    accepted(answered)
    told, asked = answered.message["MSA"].text(2), answered.question["MSH"].text(10)
    assert told == asked, f"exchange {answered.exchange.number}: MSA-2 is {told} where {asked} was sent"
    is_known(patients, person)
    assert city(patients, person) == person.city


@covers("ITI-30-004", "ITI-30-106", "ITI-30-108")
def test_an_update(patients: PatientActors) -> None:
    """The record of a patient is that of A31 after it."""
    person = patients.person()
    accepted(created(patients, person))
    moved = replace(person, city="Esch-sur-Alzette")
    accepted(patients.send("ITI-30", CONSUMER, adt(patients, "A31", about(moved), no_visit())))
    assert city(patients, person) == "Esch-sur-Alzette"


@covers("ITI-30-107")
def test_an_update_of_nobody(patients: PatientActors) -> None:
    """A31 about an unknown patient adds the patient."""
    person = patients.person()
    accepted(patients.send("ITI-30", CONSUMER, adt(patients, "A31", about(person), no_visit())))
    is_known(patients, person)


@covers("ITI-30-056")
@pytest.mark.parametrize("length", [4, 6])
def test_a_birth_that_is_cut(length: int, patients: PatientActors) -> None:
    """A birth cut to the year or month comes back as it was sent."""
    whole = patients.person()
    person = replace(whole, birth_date=whole.birth_date[:length])
    accepted(created(patients, person))
    answered = patients.demographics({"@PID.5.1.1": person.family})
    came = answered.message["PID"].text(7)
    assert came == person.birth_date, f"exchange {answered.exchange.number}: {came} where {person.birth_date} is due"


@covers("ITI-30-032")
def test_an_accented_name(patients: PatientActors) -> None:
    """A name in UTF-8 comes back as it was sent."""
    plain = patients.person()
    person = replace(plain, given="Zoé-Jérôme", city="Lëtzebuerg")
    accepted(created(patients, person))
    assert city(patients, person) == person.city


@covers("ITI-30-005", "ITI-30-130", "ITI-30-131")
def test_another_id(patients: PatientActors) -> None:
    """After A47 the patient is known by the id in PID-3, and no longer by that in MRG-1."""
    person = patients.person()
    accepted(created(patients, person))
    renumbered = patients.same_person(person, person.id.authority)
    accepted(patients.send("ITI-30", CONSUMER, _changed(patients, renumbered, person)))
    is_known(patients, renumbered)
    is_unknown(patients, person)
    assert city(patients, renumbered) == person.city


@covers("ITI-30-132", "ITI-30-133")
def test_an_id_of_another_patient(patients: PatientActors) -> None:
    """A47 whose PID-3 belongs to another patient is answered with AE, and changes nothing."""
    person, other = patients.person(), patients.person()
    for each in (person, other):
        accepted(created(patients, each))
    declined(patients.send("ITI-30", CONSUMER, _changed(patients, other, person)), "205")
    is_known(patients, person)


@covers("ITI-30-134")
def test_another_id_of_nobody(patients: PatientActors) -> None:
    """A47 whose MRG-1 is unknown is acknowledged with AA."""
    person, nobody = patients.person(), patients.person()
    accepted(patients.send("ITI-30", CONSUMER, _changed(patients, person, nobody)))


def _changed(patients: PatientActors, new: Person, old: Person) -> Message:
    return adt(patients, "A47", pid(new.id, person=new), mrg(old.id))


NO_FAMILY_NAME = Wrong(
    id="no-family",
    sentence="A patient without a family name.",
    covering=breaking("ITI-30-052"),
    segment="PID",
    field=5,
    value="^Ada",
    codes=("101",),
    location="PID^1^5^1^1",
)
WRONG = (NO_FAMILY_NAME, *(each for each in OF_ANY_FEED if each.segment == "PID"))


@covers("ITI-30-092", "ITI-30-099", "ITI-30-108")
@pytest.mark.parametrize("event", ["A28", "A31"])
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, event: str, patients: PatientActors) -> None:
    person = patients.person()
    wrong = case.made(adt(patients, event, about(person), no_visit()))
    declined(patients.send("ITI-30", CONSUMER, wrong), *case.codes, location=case.location)
    is_unknown(patients, person)
