"""Records that a PIX Manager refuses: one change, one code, at its place [ITI-44] (ITI TF-2: 3.44.4.1.2, O.1.1)."""

import pytest
from lxml.etree import _Element

from conformance.counterparts.patients import PatientActors
from conformance.counterparts.v3 import V3Actors
from conformance.covering import Suite, covers
from conformance.expectations_v3 import declined
from conformance.wrong_v3 import Wrong, altered, at, before, left_out, twice, valued, wrapper_wrongs, wrong
from ihe.transactions import Actor
from pix.iti44 import ITI_44
from pix.v3_elements import add
from pix.v3_registrations import EVENT, PATIENT

SUITE = Suite(actor=Actor.PIX_MANAGER, profile="PIX", option="PIXv3")
ELSEWHERE = "2.999.404"
PERSON = f"{PATIENT}/patientPerson"


def _add_other_id(body: _Element, **scope: str) -> None:
    person = at(body, PERSON)
    role = add(person, "asOtherIDs", classCode="PAT")
    add(role, "id", root="2.999.1", extension="1")
    add(add(role, "scopingOrganization", classCode="ORG", determinerCode="INSTANCE"), "id", **scope)


@wrong("ITI-44-017", "TF2-E-026", code="103", at="/asOtherIDs/id")
def an_id_of_another_scope(body: _Element) -> None:
    """An id in OtherIDs whose root is not that of its scopingOrganization."""
    _add_other_id(body, root="2.999.2")


@wrong("ITI-44-018", code="103", at="/asOtherIDs/scopingOrganization/id")
def a_scope_with_extension(body: _Element) -> None:
    """A scopingOrganization whose id has an extension."""
    _add_other_id(body, root="2.999.1", extension="ward")


@wrong("ITI-44-051", code="100", at="/registrationEvent/replacementOf")
def a_record_that_replaces(body: _Element) -> None:
    """A new record that replaces another one."""
    replaced = add(at(body, EVENT), "replacementOf", typeCode="RPLC")
    prior = add(replaced, "priorRegistration", classCode="REG", moodCode="EVN")
    add(prior, "statusCode", code="obsolete")


def _told(id: str, sentence: str, name: str, value: str, breaking: str) -> Wrong:
    """An element of the person, before the address, whose value is of another type."""
    change = before(f"{PERSON}/addr", name, value=value)
    return altered(id, sentence, change, "102", f"/patientPerson/{name}", breaking)


WRONG = (
    *wrapper_wrongs("ITI-44-045", "ITI-44-049", "ITI-44-048"),
    altered("two", "Two patients.", twice("controlActProcess/subject"), "100", "/subject", "ITI-44-007"),
    altered(
        "event-status",
        "A registration that is not active.",
        valued(f"{EVENT}/statusCode", "code", "completed"),
        "103",
        "/registrationEvent/statusCode",
        "ITI-44-050",
    ),
    altered(
        "patient-status",
        "A patient who is not active.",
        valued(f"{PATIENT}/statusCode", "code", "suspended"),
        "103",
        "/patient/statusCode",
        "ITI-44-024",
    ),
    altered("no-id", "A patient without an id.", left_out(f"{PATIENT}/id"), "101", "/patient/id", "ITI-44-023"),
    altered(
        "extension",
        "An id of the patient without extension.",
        valued(f"{PATIENT}/id", "extension", None),
        "101",
        "/patient/id",
        "TF2-E-038",
    ),
    altered(
        "root",
        "An id of the patient whose root is no OID.",
        valued(f"{PATIENT}/id", "root", "HOSPITAL"),
        "101",
        "/patient/id",
        "TF2-E-037",
    ),
    altered(
        "authority",
        "An id of an authority that nobody knows.",
        valued(f"{PATIENT}/id", "root", ELSEWHERE),
        "204",
        "/patient/id",
    ),
    altered(
        "birth",
        "A time of birth that is none.",
        valued(f"{PERSON}/birthTime", "value", "tomorrow"),
        "102",
        "/birthTime",
        "ITI-44-029",
    ),
    altered(
        "gender",
        "A gender that is not of the vocabulary.",
        valued(f"{PERSON}/administrativeGenderCode", "code", "X"),
        "103",
        "/administrativeGenderCode",
        "ITI-44-028",
    ),
    _told("death", "A time of death that is none.", "deceasedTime", "yesterday", "ITI-44-030"),
    _told("deceased", "A deceasedInd that is neither true nor false.", "deceasedInd", "Y", "ITI-44-031"),
    _told("twin", "A multipleBirthInd that is neither true nor false.", "multipleBirthInd", "Y", "ITI-44-032"),
    _told("order", "A birth order that is no number.", "multipleBirthOrderNumber", "first", "ITI-44-033"),
    an_id_of_another_scope,
    a_scope_with_extension,
    a_record_that_replaces,
)


@covers("ITI-44-005", "TF2-O-023", "TF2-O-026")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, patients: PatientActors, v3: V3Actors) -> None:
    person = patients.person()
    body = v3.record(person)
    case.change(body)
    declined(v3.send(ITI_44, body), case.code, case.at)
    declined(v3.cross_references(person.id), "204", "/patientIdentifier/value", "AE")
