"""Queries that a PD Supplier refuses: one change, one code, at its place [ITI-47] (ITI TF-2: 3.47.4.1.2)."""

import pytest
from lxml.etree import _Element

from affinity.client.patients import Sought
from conformance.counterparts.patients import PatientActors
from conformance.counterparts.v3 import V3Actors
from conformance.covering import Suite, covers
from conformance.expectations_v3 import committed, declined
from conformance.suites.pd_supplier_v3 import SUITE as SEARCHES
from conformance.wrong_v3 import Wrong, altered, at, before, left_out, twice, valued, wrapper_wrongs, wrong
from pix.iti47 import ITI_47
from pix.v3_elements import add
from pix.v3_queries import PARAMETERS, QUERY

SUITE: Suite = SEARCHES
NAME = f"{PARAMETERS}/livingSubjectName"


@wrong("ITI-47-035", code="103", at="/parameterList/patientStatusCode", covers=("ITI-47-036",))
def a_parameter_of_another_model(body: _Element) -> None:
    """A parameter that no supplier has."""
    parameter = add(at(body, PARAMETERS), "patientStatusCode")
    add(parameter, "value", code="active")
    add(parameter, "semanticsText", "Patient.statusCode")


@wrong("ITI-47-026", code="101", at="/mothersMaidenName/value")
def a_parameter_without_value(body: _Element) -> None:
    """A parameter without a value."""
    add(add(at(body, PARAMETERS), "mothersMaidenName"), "semanticsText", "Person.MothersMaidenName")


@wrong("ITI-47-011", code="103", at="/matchAlgorithm/value")
def an_unknown_algorithm(body: _Element) -> None:
    """A match algorithm that nobody agreed on."""
    _criterion(body, "matchAlgorithm", "Divination", "MatchAlgorithm")


@wrong("ITI-47-032", code="102", at="/minimumDegreeMatch/value")
def an_impossible_degree(body: _Element) -> None:
    """A degree of match of more than all."""
    _criterion(body, "minimumDegreeMatch", "101", "MinimumDegreeMatch")


def _criterion(body: _Element, name: str, value: str, meaning: str) -> None:
    parameters = at(body, PARAMETERS)
    criteria = add(at(body, QUERY), "matchCriterionList")
    parameters.addprevious(criteria)
    criterion = add(criteria, name)
    add(criterion, "value", value=value)
    add(criterion, "semanticsText", meaning)


def _query_code(name: str, value: str, breaking: str) -> Wrong:
    sentence = f"A query whose {name} is {value}."
    return altered(
        name, sentence, valued(f"{QUERY}/{name}", "code", value), "103", f"/queryByParameter/{name}", breaking
    )


def _parameter(id: str, sentence: str, name: str, value: str | None, code: str, breaking: str) -> Wrong:
    """The value of a parameter has another attribute."""
    parameter, _, attribute = name.partition("@")
    path = f"{PARAMETERS}/{parameter}/value"
    return altered(id, sentence, valued(path, attribute, value), code, f"/{parameter}/value", breaking)


def _twice(name: str, breaking: str) -> Wrong:
    return altered(f"two-{name}", f"{name} comes twice.", twice(f"{PARAMETERS}/{name}"), "103", f"/{name}", breaking)


WRONG = (
    *wrapper_wrongs("ITI-47-051", "ITI-47-056", "ITI-47-054"),
    altered(
        "no-query-id", "A query without an id.", left_out(f"{QUERY}/queryId"), "101", "/controlActProcess", "ITI-47-037"
    ),
    _query_code("statusCode", "executing", "ITI-47-038"),
    _query_code("responseModalityCode", "B", "ITI-47-030"),
    _query_code("responsePriorityCode", "D", "ITI-47-029"),
    altered(
        "quantity-code",
        "A quantity that is not counted in records.",
        before(PARAMETERS, "initialQuantityCode", code="CH"),
        "103",
        "/initialQuantityCode",
        "ITI-47-041",
    ),
    altered(
        "quantity",
        "A quantity that is no number.",
        valued(f"{QUERY}/initialQuantity", "value", "many"),
        "102",
        "/initialQuantity",
        "ITI-47-040",
    ),
    altered(
        "deferred",
        "A query that is to be answered tomorrow.",
        before(PARAMETERS, "executionAndDeliveryTime", value="20991231"),
        "100",
        "/executionAndDeliveryTime",
        "ITI-47-028",
    ),
    altered(
        "mood",
        "A query that is not an event.",
        valued("controlActProcess", "moodCode", "RQO"),
        "103",
        "/controlActProcess/@moodCode",
        "ITI-47-055",
    ),
    a_parameter_of_another_model,
    a_parameter_without_value,
    altered(
        "two-values", "A name of two values.", twice(f"{NAME}/value"), "101", "/livingSubjectName/value", "ITI-47-026"
    ),
    _twice("livingSubjectAdministrativeGender", "ITI-47-027"),
    _twice("patientAddress", "ITI-47-048"),
    _twice("patientTelecom", "ITI-47-049"),
    _parameter("id", "An id without extension.", "livingSubjectId@extension", None, "101", "ITI-47-044"),
    _parameter(
        "gender",
        "A gender that is not of the vocabulary.",
        "livingSubjectAdministrativeGender@code",
        "X",
        "103",
        "ITI-47-042",
    ),
    _parameter("birth", "A birth that is no time.", "livingSubjectBirthTime@value", "tomorrow", "102", "ITI-47-043"),
    an_unknown_algorithm,
    an_impossible_degree,
)


@covers("ITI-47-004", "TF2-O-035", "TF2-O-058", "TF2-O-060", "TF2-O-061")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, patients: PatientActors, v3: V3Actors) -> None:
    person = patients.person()
    committed(v3.feed(person))
    sought = Sought(
        id=person.id,
        family=person.family,
        birth_date=person.birth_date,
        sex=person.sex,
        city=person.city,
        phone="+352-26-000000",
    )
    body = v3.demographics_query(sought, quantity=5)
    case.change(body)
    declined(v3.send(ITI_47, body), case.code, case.at)
