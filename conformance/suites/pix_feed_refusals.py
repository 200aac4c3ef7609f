"""Feeds that a PIX Manager refuses: one change, one code, at its place [ITI-8] (ITI TF-2: 3.8.4, C.2.3, N.5)."""

import pytest

from conformance.counterparts.patients import PatientActors
from conformance.covering import Covering, Suite, covers
from conformance.expectations import declined
from conformance.wrong_v2 import Wrong
from ihe.transactions import Actor

SUITE = Suite(actor=Actor.PIX_MANAGER, profile="PIX", option="PIXv2")


WRONG = (
    Wrong(
        id="no-id",
        sentence="A patient without an id.",
        covering=Covering(breaking=("ITI-8-023",)),
        segment="PID",
        field=3,
        value="",
        codes=("101",),
        location="PID^1^3",
    ),
    Wrong(
        id="no-name",
        sentence="A patient without a name.",
        covering=Covering(breaking=("ITI-8-024",)),
        segment="PID",
        field=5,
        value="",
        codes=("101",),
        location="PID^1^5",
    ),
    Wrong(
        id="sex",
        sentence="A sex that is not of table 0001.",
        covering=Covering(breaking=("ITI-30-058",)),
        segment="PID",
        field=8,
        value="X",
        codes=("103",),
        location="PID^1^8",
    ),
    Wrong(
        id="birth-date",
        sentence="A time of birth that is none.",
        covering=Covering(breaking=("TF2-N-014",)),
        segment="PID",
        field=7,
        value="tomorrow",
        codes=("102",),
        location="PID^1^7",
    ),
    Wrong(
        id="authority",
        sentence="An assigning authority that nobody knows.",
        covering=Covering(("ITI-8-191",)),
        segment="PID",
        field=3,
        value="1^^^&2.999.404&ISO",
        codes=("204",),
        location="PID^1^3^1^4",
    ),
    Wrong(
        id="event",
        sentence="A trigger event that nobody knows.",
        covering=Covering(),
        segment="MSH",
        field=9,
        value="ADT^Z42^ADT_Z42",
        codes=("201", "200"),
    ),
)


@covers("ITI-8-009")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_it_is_declined(case: Wrong, patients: PatientActors) -> None:
    person = patients.person()
    wrong = case.made(patients.identity_feed("A04", person))
    declined(patients.send("ITI-8", Actor.PIX_MANAGER, wrong), *case.codes, location=case.location)
    declined(patients.cross_references(person.id), "204")
