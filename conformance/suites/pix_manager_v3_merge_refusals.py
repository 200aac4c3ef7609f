"""Merges that a PIX Manager refuses: one change, one code, and nothing is merged [ITI-44] (ITI TF-2: 3.44.4.2)."""

import pytest
from lxml.etree import _Element

from conformance.counterparts.patients import PatientActors, Person
from conformance.counterparts.v3 import V3Actors
from conformance.counterparts.v3_feeds import merge
from conformance.covering import Suite, covers
from conformance.expectations_v3 import committed, declined, nobody
from conformance.wrong_v3 import Wrong, altered, at, left_out, twice, valued, wrong
from ihe.transactions import Actor
from pix.iti44 import ITI_44
from pix.v3_registrations import EVENT, PATIENT, PRIOR, PRIOR_ID

SUITE = Suite(actor=Actor.PIX_MANAGER, profile="PIX", option="PIXv3")
REPLACED = "/replacementOf/priorRegistration"


@pytest.fixture
def two(patients: PatientActors, v3: V3Actors) -> tuple[Person, Person]:
    """Two patients of one domain whom nobody merged."""
    both = (patients.person(), patients.person())
    for each in both:
        committed(v3.feed(each))
    return both


@wrong("ITI-44-074", code="205", at="/patient/id")
def two_survivors(body: _Element) -> None:
    """Two ids of the subsumed id's domain that survive."""
    twice(f"{PATIENT}/id")(body)
    valued(f"{PATIENT}/id", "extension", "CTANOTHER")(body)


@wrong("ITI-44-095", code="100", at=f"{REPLACED}/subject1/priorRegisteredRole/id")
def no_role(body: _Element) -> None:
    """A prior registration of nobody."""
    left_out(f"{PRIOR}/subject1")(body)


@wrong("ITI-44-074", code="204", at="/priorRegisteredRole/id")
def another_domain(body: _Element) -> None:
    """A subsumed id of another domain than that of the surviving id."""
    at(body, PRIOR_ID).set("root", "2.999.404")


WRONG = (
    altered(
        "nothing", "A merge that replaces nothing.", left_out(f"{EVENT}/replacementOf"), "100", REPLACED, "ITI-44-093"
    ),
    altered(
        "prior-status",
        "A prior registration that is not obsolete.",
        valued(f"{PRIOR}/statusCode", "code", "active"),
        "100",
        f"{REPLACED}/statusCode",
        "ITI-44-094",
    ),
    altered("two-ids", "Two ids that are subsumed.", twice(PRIOR_ID), "100", "/priorRegisteredRole/id", "ITI-44-096"),
    altered(
        "event-status",
        "A merge whose registration is not active.",
        valued(f"{EVENT}/statusCode", "code", "completed"),
        "103",
        "/registrationEvent/statusCode",
        "ITI-44-092",
    ),
    altered(
        "patient-status",
        "A surviving patient who is not active.",
        valued(f"{PATIENT}/statusCode", "code", "suspended"),
        "103",
        "/patient/statusCode",
        "ITI-44-085",
    ),
    altered("no-id", "A merge without a surviving id.", left_out(f"{PATIENT}/id"), "101", "/patient/id", "ITI-44-084"),
    altered(
        "interaction",
        "A merge that says that it is a new record.",
        valued("interactionId", "extension", "PRPA_IN201301UV02"),
        "200",
        "/interactionId",
        "ITI-44-087",
    ),
    altered(
        "trigger",
        "A merge with the trigger event of a new record.",
        valued("controlActProcess/code", "code", "PRPA_TE201301UV02"),
        "201",
        "/controlActProcess/code",
        "ITI-44-091",
    ),
    altered("receivers", "A merge with two receivers.", twice("receiver"), "101", "/receiver", "ITI-44-090"),
    two_survivors,
    no_role,
    another_domain,
)


@covers("ITI-44-075", "TF2-O-023")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, v3: V3Actors, two: tuple[Person, Person]) -> None:
    survivor, other = two
    body = merge(v3.devices, survivor, other.id)
    case.change(body)
    declined(v3.send(ITI_44, body), case.code, case.at)
    nobody(v3.cross_references(other.id))
