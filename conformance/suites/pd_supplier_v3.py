"""A Patient Demographics Supplier on HL7 v3: criteria, domains, answers [ITI-47] (ITI TF-2: 3.47.4.1, 3.47.4.2)."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

import pytest
from lxml.etree import _Element

from affinity.client.patients import Sought
from conformance.counterparts.patients import PatientActors, Person
from conformance.counterparts.v3 import V3Actors
from conformance.covering import Suite, covers
from conformance.expectations_v3 import committed, declined, found, names, nobody
from conformance.suites.pix_manager_v2 import NOWHERE
from conformance.wrong_v3 import at
from ihe.datatypes import HD
from ihe.transactions import Actor
from pix.iti47 import ITI_47
from pix.v3_elements import add, attribute
from pix.v3_queries import PARAMETERS

SUITE = Suite(actor=Actor.PATIENT_DEMOGRAPHICS_SUPPLIER, profile="PDQ", option="PDQv3", needs=(Actor.PIX_MANAGER,))
OTHER_CITY = "Nowhere"


@pytest.fixture
def person(patients: PatientActors, v3: V3Actors) -> Person:
    """Somebody who was just announced."""
    made = patients.person()
    committed(v3.feed(made))
    return made


def _criteria(person: Person) -> Mapping[str, Sought]:
    family = Sought(family=person.family)
    return {
        "id": Sought(id=person.id),
        "family": family,
        "given": replace(family, given=person.given),
        "birth": replace(family, birth_date=person.birth_date),
        "sex": replace(family, sex=person.sex),
        "city": replace(family, city=person.city),
        "street": replace(family, street=person.street),
        "postal-code": replace(family, postal_code=person.postal_code),
        "all": replace(family, given=person.given, birth_date=person.birth_date, sex=person.sex, city=person.city),
    }


@covers("ITI-47-002", "ITI-47-004", "ITI-47-005", "ITI-47-010", "ITI-47-013", "ITI-47-019", "ITI-47-059", "ITI-47-060",
        "ITI-47-061", "ITI-47-062", "ITI-47-063", "ITI-47-064", "ITI-47-067", "ITI-47-095", "ITI-47-096", "ITI-47-097",
        "ITI-47-098", "ITI-47-123")  # fmt: skip
@pytest.mark.parametrize("name", ["id", "family", "given", "birth", "sex", "city", "street", "postal-code", "all"])
def test_a_patient_is_found(name: str, v3: V3Actors, person: Person) -> None:
    """Each criterion finds the patient."""
    found(v3.demographics(_criteria(person)[name]), [person.id.id])


@covers("ITI-47-006")
@pytest.mark.parametrize("name", ["given", "birth", "sex", "city", "street", "postal-code", "all"])
def test_every_criterion_counts(name: str, v3: V3Actors, person: Person) -> None:
    """A criterion that does not fit finds nobody."""
    other = replace(
        person,
        given="Zacharias",
        birth_date="19000101",
        sex="F" if person.sex == "M" else "M",
        city=OTHER_CITY,
        street="99, via Altrove",
        postal_code="L-9999",
    )
    answered = v3.demographics(_criteria(other)[name])
    assert person.id.id not in answered.ids, f"exchange {answered.number}: a patient who does not fit"


@covers("ITI-47-068", "ITI-47-069", "ITI-47-070", "ITI-47-071", "ITI-47-072", "ITI-47-073", "ITI-47-080", "ITI-47-081",
        "ITI-47-082", "ITI-47-083", "ITI-47-084", "ITI-47-085", "ITI-47-086", "ITI-47-087", "ITI-47-088", "ITI-47-089",
        "ITI-47-090", "ITI-47-091", "ITI-47-092", "ITI-47-139")  # fmt: skip
def test_what_is_returned(v3: V3Actors, person: Person) -> None:
    """Name, birth date, sex and address come back as they were announced, with the quantities and the query's id."""
    answered = v3.demographics(_criteria(person)["family"])
    found(answered, [person.id.id])
    number, patient = answered.number, answered.found.patients[0]
    came = (patient.family, patient.given, patient.birth_date[:8], patient.sex, patient.city)
    due = (person.family, person.given, person.birth_date, person.sex, person.city)
    assert came == due, f"exchange {number}: {came} where {due} is due"
    ack = "controlActProcess/queryAck"
    body = answered.called.body
    quantities = [attribute(body, f"{ack}/result{name}Quantity") for name in ("Total", "Current", "Remaining")]
    assert quantities == ["1", "1", "0"], f"exchange {number}: the quantities are {quantities}"
    asked = attribute(answered.question, "controlActProcess/queryByParameter/queryId", "root")
    assert attribute(body, f"{ack}/queryId", "root") == asked, f"exchange {number}: queryAck names another query"
    named = attribute(body, "acknowledgement/targetMessage/id", "root")
    assert named == attribute(answered.question, "id", "root"), f"exchange {number}: targetMessage is {named}"


@covers("ITI-47-116")
def test_nobody(patients: PatientActors, v3: V3Actors) -> None:
    """A search that fits nobody is no error."""
    nobody(v3.demographics(Sought(family=patients.person().family)))


@covers("ITI-47-014")
def test_a_month_of_birth(v3: V3Actors, person: Person) -> None:
    """A birth date cut to the month finds who was born in it."""
    sought = Sought(family=person.family, birth_date=person.birth_date[:6])
    found(v3.demographics(sought), [person.id.id])


@covers("ITI-47-015")
@pytest.mark.parametrize(("low", "high", "fits"), [(0, 1, True), (1, 2, False), (-2, -1, False)])
def test_a_range_of_births(low: int, high: int, fits: bool, v3: V3Actors, person: Person) -> None:
    """A range of birth dates finds who was born within it, and nobody else."""
    year = int(person.birth_date[:4])
    body = v3.demographics_query(Sought(family=person.family, birth_date=person.birth_date))
    value = at(body, f"{PARAMETERS}/livingSubjectBirthTime/value")
    value.attrib.clear()
    value.set("{http://www.w3.org/2001/XMLSchema-instance}type", "IVL_TS")
    add(value, "low", value=f"{year + low}0101")
    add(value, "high", value=f"{year + high}0101")
    answered = v3.send(ITI_47, body)
    if fits:
        found(answered, [person.id.id])
    else:
        nobody(answered)


@covers("ITI-47-016")
def test_two_ids(patients: PatientActors, v3: V3Actors, person: Person) -> None:
    """With two ids of two patients nobody is found: both must match."""
    other = patients.person()
    committed(v3.feed(other))
    body = v3.demographics_query(Sought(id=person.id))
    _instead(_again(body, "livingSubjectId"), root=other.id.authority.universal_id, extension=other.id.id)
    nobody(v3.send(ITI_47, body))


@covers("ITI-47-045")
def test_two_names(patients: PatientActors, v3: V3Actors, person: Person) -> None:
    """Two names are alternatives: both patients are found."""
    other = patients.person()
    committed(v3.feed(other))
    body = v3.demographics_query(Sought(family=person.family))
    at(_again(body, "livingSubjectName"), "value/family").text = other.family
    found(v3.send(ITI_47, body), [person.id.id, other.id.id])


@covers("ITI-47-046")
def test_two_addresses(v3: V3Actors, person: Person) -> None:
    """Two values of the address are alternatives."""
    body = v3.demographics_query(Sought(family=person.family, city=OTHER_CITY))
    value = at(body, f"{PARAMETERS}/patientAddress/value")
    other = deepcopy(value)
    at(other, "city").text = person.city
    value.addnext(other)
    found(v3.send(ITI_47, body), [person.id.id])


@covers("ITI-47-006", "ITI-47-010")
def test_a_name_that_begins_like_it(v3: V3Actors, person: Person) -> None:
    """A part of a family name finds the patient with use="SRCH", and does not find him without."""
    body = v3.demographics_query(Sought(family=person.family[:-2]))
    nobody(v3.send(ITI_47, body))
    again = v3.demographics_query(Sought(family=person.family[:-2]))
    at(again, f"{PARAMETERS}/livingSubjectName/value").set("use", "SRCH")
    found(v3.send(ITI_47, again), [person.id.id])


@covers("ITI-47-102", "ITI-47-103", "ITI-47-104", "ITI-47-105", "ITI-47-106", "ITI-47-107")
def test_wanted_domains(patients: PatientActors, v3: V3Actors, person: Person) -> None:
    """Ids of the requested domains alone are returned; a domain in which the patient has none is a null."""
    domain, second = person.id.authority, patients.system.patients.second_domain
    if second is None:
        pytest.skip("patients.second_domain is not declared")
    there = patients.same_person(person, second)
    committed(v3.feed(there))
    found(v3.demographics(Sought(family=person.family), [second]), [there.id.id])
    found(v3.demographics(Sought(family=person.family), [domain, second]), [person.id.id, there.id.id])
    found(v3.demographics(Sought(family=person.family)), [person.id.id, there.id.id])


@covers("ITI-47-105", "ITI-47-107")
def test_a_domain_without_an_id(patients: PatientActors, v3: V3Actors, person: Person) -> None:
    """A requested domain in which the patient has no id is told as a null."""
    second = patients.system.patients.second_domain
    if second is None:
        pytest.skip("patients.second_domain is not declared")
    answered = v3.demographics(Sought(family=person.family), [person.id.authority, second])
    found(answered, [person.id.id])
    roles = answered.called.body.iterfind(".//{*}asOtherIDs")
    nulls = [scope for role in roles if (scope := _scope_of_null(role)) is not None]
    assert nulls == [second.universal_id], f"exchange {answered.number}: the nulls are of {nulls}"


@covers("ITI-47-020", "ITI-47-111", "ITI-47-112", "ITI-47-113", "ITI-47-114", "ITI-47-115")
def test_unknown_domains(v3: V3Actors, person: Person) -> None:
    """Each requested domain that nobody knows is an error whose XPath selects it, and nobody is returned."""
    other = HD("", "2.999.405", "ISO")
    answered = v3.demographics(Sought(family=person.family), [NOWHERE, person.id.authority, other])
    declined(answered, "204", "/otherIDsScopingOrganization/value", "AE")
    names(answered, "204", {"root": NOWHERE.universal_id}, {"root": other.universal_id})


def _again(body: _Element, name: str) -> _Element:
    """The second instance of a parameter, which is like the first."""
    parameter = at(body, f"{PARAMETERS}/{name}")
    second = deepcopy(parameter)
    parameter.addnext(second)
    return second


def _instead(parameter: _Element, **value: str) -> None:
    for name, text in value.items():
        at(parameter, "value").set(name, text)


def _scope_of_null(role: _Element) -> str | None:
    """The domain of an id that is a null; None for one that is there."""
    id = at(role, "id")
    return at(role, "scopingOrganization/id").get("root") if id.get("nullFlavor") else None
