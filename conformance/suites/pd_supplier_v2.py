"""A Patient Demographics Supplier on HL7 v2: searches, domains, continuation [ITI-21] (ITI TF-2: 3.21.4)."""

import uuid
from dataclasses import replace

import pytest

from conformance.counterparts.patients import Answered, PatientActors, Person
from conformance.covering import Suite, covers
from conformance.expectations import accepted, declined, not_found
from hl7v2.compose import FieldValue, compose, segment
from hl7v2.message import Message
from ihe.datatypes import HD
from ihe.transactions import Actor

SUITE = Suite(actor=Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, profile="PDQ", option="PDQv2", needs=(Actor.PIX_MANAGER,))
NOWHERE = HD("", "2.999.404", "ISO")


@pytest.fixture
def person(patients: PatientActors) -> Person:
    """Somebody who was just announced."""
    made = patients.person()
    accepted(patients.feed(Actor.PIX_MANAGER, "A04", made))
    return made


def _ids(answered: Answered) -> set[str]:
    return {each.id for patient in answered.found.patients for each in patient.identifiers}


def _criteria(person: Person) -> dict[str, dict[str, str]]:
    family = {"@PID.5.1.1": person.family}
    authority = person.id.authority
    return {
        "id": {"@PID.3.1": person.id.id, "@PID.3.4.2": authority.universal_id, "@PID.3.4.3": "ISO"},
        "family": family,
        "given": {**family, "@PID.5.2": person.given},
        "birth": {**family, "@PID.7.1": person.birth_date},
        "sex": {**family, "@PID.8": person.sex},
        "address": {**family, "@PID.11.3": person.city},
        "wildcard": {"@PID.5.1.1": f"{person.family[:9]}*"},
    }


@covers("ITI-21-002", "ITI-21-036", "ITI-21-037", "ITI-21-038", "ITI-21-039", "ITI-21-040", "ITI-21-069", "ITI-21-103",
        "ITI-21-104", "ITI-21-105", "ITI-21-106")  # fmt: skip
@pytest.mark.parametrize("name", ["id", "family", "given", "birth", "sex", "address", "wildcard"])
def test_a_patient_is_found(name: str, patients: PatientActors, person: Person) -> None:
    """Each criterion finds the patient."""
    answered = patients.demographics(_criteria(person)[name])
    found, number = answered.found, answered.exchange.number
    assert (found.code, found.outcome) == ("AA", "OK"), f"exchange {number}: {found.code} {found.outcome}"
    assert person.id.id in _ids(answered), f"exchange {number}: {_ids(answered)} where {person.id.id} is due"


@covers("ITI-21-035")
@pytest.mark.parametrize("name", ["given", "birth", "sex", "address"])
def test_every_criterion_counts(name: str, patients: PatientActors, person: Person) -> None:
    """A criterion that does not fit finds nobody."""
    other = replace(
        person, given="Zacharias", birth_date="19000101", sex="F" if person.sex == "M" else "M", city="Nowhere"
    )
    answered = patients.demographics(_criteria(replace(other, id=person.id))[name])
    assert person.id.id not in _ids(answered), f"exchange {answered.exchange.number}: a patient who does not fit"


@covers("ITI-21-073", "ITI-21-080", "ITI-21-081", "ITI-21-084", "ITI-21-089", "ITI-21-090", "ITI-21-091", "ITI-21-092",
        "ITI-21-093", "ITI-21-191")  # fmt: skip
def test_what_is_returned(patients: PatientActors, person: Person) -> None:
    """Id, name, birth date, sex and address come back as they were announced."""
    answered = patients.demographics(_criteria(person)["family"])
    message, number = answered.message, answered.exchange.number
    pid = message["PID"]
    came = (pid.text(5), pid.text(5, 2), pid.text(7)[:8], pid.text(8), pid.text(11, 3))
    due = (person.family, person.given, person.birth_date, person.sex, person.city)
    assert came == due, f"exchange {number}: {came} where {due} is due"
    assert message["MSA"].text(2) == answered.question["MSH"].text(10), f"exchange {number}: MSA-2"
    assert message["QAK"].text(1) == answered.question["QPD"].text(2), f"exchange {number}: QAK-1"
    assert [message["MSH"].text(9, part) for part in (1, 2)] == ["RSP", "K22"], f"exchange {number}: MSH-9"


@covers("ITI-21-088", "ITI-21-123")
def test_nobody(patients: PatientActors) -> None:
    """A search that fits nobody is no error."""
    not_found(patients.demographics({"@PID.5.1.1": patients.person().family}))


@covers("ITI-21-046", "ITI-21-108", "ITI-21-109", "ITI-21-111", "ITI-21-112", "ITI-21-114")
def test_wanted_domains(patients: PatientActors, person: Person) -> None:
    """With domains in QPD-8 ids of these alone are returned, and nobody who has none."""
    domains = patients.system.patients
    answered = patients.demographics(_criteria(person)["family"], [domains.domain])
    assert _ids(answered) == {person.id.id}, f"exchange {answered.exchange.number}: {_ids(answered)}"
    if domains.second_domain is not None:
        not_found(patients.demographics(_criteria(person)["family"], [domains.second_domain]))


@covers("ITI-21-047", "ITI-21-116", "ITI-21-117", "ITI-21-118", "ITI-21-119", "ITI-21-120", "ITI-21-121", "ITI-21-122")
def test_an_unknown_domain(patients: PatientActors, person: Person) -> None:
    """A domain in QPD-8 that nobody knows is an error at its repetition."""
    wanted = [patients.system.patients.domain, NOWHERE]
    declined(patients.demographics(_criteria(person)["family"], wanted), "204", location="QPD^1^8^2")


@covers("ITI-21-028")
def test_an_id_without_domain(patients: PatientActors, person: Person) -> None:
    """A search for an id that does not say of which domain."""
    answered = patients.demographics({"@PID.3.1": person.id.id})
    assert answered.acknowledgement.code == "AE", f"exchange {answered.exchange.number}: {answered.acknowledgement}"


@covers("ITI-21-072", "ITI-21-096", "ITI-21-097", "ITI-21-098", "ITI-21-099", "ITI-21-100", "ITI-21-107")
def test_increments(patients: PatientActors) -> None:
    """Three patients in increments of two: each comes once, with DSC while there is more."""
    first = patients.person(given="Ada", birth_date="19410203")
    others = {"Bruno": "19670809", "Clara": "19991112"}
    family = [
        first,
        *(
            replace(patients.person(given=given, birth_date=born), family=first.family)
            for given, born in others.items()
        ),
    ]
    for each in family:
        accepted(patients.feed(Actor.PIX_MANAGER, "A04", each))
    began = patients.demographics({"@PID.5.1.1": first.family}, quantity=2)
    number = began.exchange.number
    assert len(began.found.patients) == 2, f"exchange {number}: {len(began.found.patients)} patients"
    pointer = began.message.find("DSC")
    assert pointer is not None and pointer.text(1), f"exchange {number}: no DSC although there is more"
    going_on = patients.send("ITI-21", Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, _continued(began.question, pointer.text(1)))
    ended = going_on.message.find("DSC")
    assert ended is None or not ended.text(1), f"exchange {going_on.exchange.number}: DSC although there is no more"
    assert _ids(began) | _ids(going_on) == {each.id.id for each in family}
    assert len(going_on.found.patients) == 1, f"exchange {going_on.exchange.number}: a patient came twice"


@covers("ITI-21-101", "ITI-21-132")
def test_a_cancelled_query(patients: PatientActors) -> None:
    """After QCN^J01 there are no more increments."""
    first = patients.person()
    for each in (first, replace(patients.person(), family=first.family)):
        accepted(patients.feed(Actor.PIX_MANAGER, "A04", each))
    began = patients.demographics({"@PID.5.1.1": first.family}, quantity=1)
    pointer = began.message["DSC"].text(1)
    accepted(patients.send("ITI-21", Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, _cancelled(patients, began.question)))
    again = _continued(began.question, pointer)
    more = patients.send("ITI-21", Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, again)
    assert not more.found.patients, f"exchange {more.exchange.number}: an increment after the query was cancelled"


def _continued(question: Message, pointer: str) -> Message:
    """The same query with DSC (ITI TF-2: 3.21.4.1.2.4)."""
    header = {number: question["MSH"].text(number) for number in (3, 4, 5, 6, 7, 11, 12)}
    rest = [each for each in question.segments if each.name != "MSH"]
    asked: dict[int, FieldValue] = {**header, 9: ("QBP", "Q22", "QBP_Q21"), 10: uuid.uuid4().hex[:20]}
    return compose(asked, (*rest, segment("DSC", {1: pointer, 2: "I"})))


def _cancelled(patients: PatientActors, question: Message) -> Message:
    """QCN^J01 (ITI TF-2: 3.21.4.4)."""
    header = {number: question["MSH"].text(number) for number in (3, 4, 5, 6, 7, 11, 12)}
    asked: dict[int, FieldValue] = {**header, 9: ("QCN", "J01", "QCN_J01"), 10: uuid.uuid4().hex[:20]}
    query = question["QPD"]
    name = (query.text(1),)
    return compose(asked, (segment("QID", {1: query.text(2), 2: name}),))
