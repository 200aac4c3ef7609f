"""The option Temporary Patient Transfers Tracking: temporary places [ITI-31] (ITI TF-2: 3.31.7.26 to 3.31.7.29)."""

import pytest

from conformance.counterparts.patients import PatientActors
from conformance.covering import Suite, covers
from conformance.encounters import ADMITTED, NOTHING, Story, of, play, story
from conformance.suites.patient_encounters import CONSUMER, NEEDS

SUITE = Suite(actor=CONSUMER, profile="PAM", option="Temporary Patient Transfers Tracking", needs=NEEDS)
STORIES = (
    story(
        "departs",
        "After A09 the patient is in the place of PV1-11.",
        ADMITTED,
        ("A09", {11: ("T1",)}),
        shown={11: "T1"},
        covers=of("ITI-31", 27, 333, 334),
    ),
    story(
        "departs-not",
        "After A33 the patient is where PV1-3 says.",
        ADMITTED,
        ("A09", {11: ("T1",)}),
        ("A33", NOTHING),
        shown={3: "W1", 11: ""},
        covers=of("ITI-31", 28, 343, 344),
    ),
    story(
        "arrives",
        "After A10 the patient is in the place of PV1-11.",
        ADMITTED,
        ("A10", {11: ("T2",)}),
        shown={11: "T2"},
        covers=of("ITI-31", 29, 354, 355),
    ),
    story(
        "arrives-not",
        "After A32 the patient is where PV1-3 says.",
        ADMITTED,
        ("A10", {11: ("T2",)}),
        ("A32", NOTHING),
        shown={3: "W1", 11: ""},
        covers=of("ITI-31", 30, 363, 364),
    ),
    story(
        "nobody-departs",
        "A09 without a visit changes nothing.",
        ("A09", {11: ("T1",)}),
        shown=None,
        covers=of("ITI-31", 335, 336),
    ),
    story(
        "nobody-departed",
        "A33 without a visit changes nothing.",
        ("A33", NOTHING),
        shown=None,
        covers=of("ITI-31", 345, 346),
    ),
    story(
        "nobody-arrives",
        "A10 without a visit changes nothing.",
        ("A10", {11: ("T1",)}),
        shown=None,
        covers=of("ITI-31", 356, 357),
    ),
    story(
        "nobody-arrived",
        "A32 without a visit changes nothing.",
        ("A32", NOTHING),
        shown=None,
        covers=of("ITI-31", 365, 366),
    ),
)


@covers("ITI-31-001")
@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.id)
def test_it_is_told(case: Story, patients: PatientActors) -> None:
    play(patients, case)
