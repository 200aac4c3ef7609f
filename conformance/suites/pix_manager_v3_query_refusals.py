"""Queries that a PIX Manager refuses: one change, one code, at its place [ITI-45] (ITI TF-2: 3.45.4.1.2)."""

import pytest
from lxml.etree import _Element

from conformance.counterparts.patients import PatientActors
from conformance.counterparts.v3 import V3Actors
from conformance.covering import Suite, covers
from conformance.expectations_v3 import declined
from conformance.wrong_v3 import Wrong, altered, at, before, left_out, twice, valued, wrapper_wrongs, wrong
from ihe.transactions import Actor
from pix.iti45 import ITI_45
from pix.v3_elements import add
from pix.v3_queries import PARAMETERS, QUERY

SUITE = Suite(actor=Actor.PIX_MANAGER, profile="PIX", option="PIXv3")
ID = f"{PARAMETERS}/patientIdentifier"
SOURCE = f"{PARAMETERS}/dataSource/value"
AUTHOR = "controlActProcess/authorOrPerformer"


@wrong("TF2-O-003", "TF2-O-038", code="100", at="PRPA_IN201309UV02")
def two_control_acts(body: _Element) -> None:
    """A message with two control acts."""
    twice("controlActProcess")(body)


@wrong("ITI-47-035", code="103", at="/parameterList/livingSubjectName")
def a_foreign_parameter(body: _Element) -> None:
    """A parameter of the demographics query."""
    parameter = add(at(body, PARAMETERS), "livingSubjectName")
    add(add(parameter, "value"), "family", "Tester")
    add(parameter, "semanticsText", "LivingSubject.name")


def _control(id: str, sentence: str, path: str, name: str, value: str, breaking: str) -> Wrong:
    return altered(id, sentence, valued(path, name, value), "103", f"/{path.split('/')[-1]}/@{name}", breaking)


def _query_code(name: str, value: str, breaking: str) -> Wrong:
    sentence = f"A query whose {name} is {value}."
    return altered(
        name, sentence, valued(f"{QUERY}/{name}", "code", value), "103", f"/queryByParameter/{name}", breaking
    )


WRONG = (
    *wrapper_wrongs("ITI-45-025", "ITI-45-030", "ITI-45-028"),
    two_control_acts,
    altered(
        "no-query-id", "A query without an id.", left_out(f"{QUERY}/queryId"), "101", "/controlActProcess", "ITI-45-018"
    ),
    _query_code("statusCode", "executing", "ITI-45-019"),
    _query_code("responsePriorityCode", "D", "ITI-45-020"),
    altered(
        "deferred",
        "A query that is to be answered tomorrow.",
        before(PARAMETERS, "executionAndDeliveryTime", value="20991231"),
        "100",
        "/executionAndDeliveryTime",
        "ITI-45-014",
    ),
    _control("mood", "A query that is not an event.", "controlActProcess", "moodCode", "RQO", "ITI-45-029"),
    _control("author", "A query whose author is none.", AUTHOR, "typeCode", "PRF", "ITI-45-031"),
    altered("two-patients", "Two patients.", twice(ID), "101", "/patientIdentifier/value", "ITI-45-011"),
    altered("two-ids", "Two ids of a patient.", twice(f"{ID}/value"), "101", "/patientIdentifier/value", "ITI-45-012"),
    altered(
        "extension",
        "A patient's id without extension.",
        valued(f"{ID}/value", "extension", None),
        "101",
        "/patientIdentifier/value",
        "ITI-45-015",
    ),
    altered("two-domains", "A DataSource of two domains.", twice(SOURCE), "102", "/dataSource/value", "ITI-45-013"),
    altered(
        "source-root",
        "A DataSource that is no OID.",
        valued(SOURCE, "root", "HOSPITAL"),
        "102",
        "/dataSource/value",
        "ITI-45-021",
    ),
    altered(
        "source-extension",
        "A DataSource with an extension.",
        valued(SOURCE, "extension", "1"),
        "102",
        "/dataSource/value",
        "ITI-45-022",
    ),
    a_foreign_parameter,
)


@covers("ITI-45-004", "TF2-O-035", "TF2-O-058", "TF2-O-060", "TF2-O-061")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, patients: PatientActors, v3: V3Actors) -> None:
    domain = patients.system.patients.domain
    body = v3.identifiers_query(patients.person().id, [domain])
    case.change(body)
    declined(v3.send(ITI_45, body), case.code, case.at)
