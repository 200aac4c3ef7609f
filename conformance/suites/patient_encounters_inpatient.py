"""The option Inpatient/Outpatient Encounter Management: transfers, changes of class [ITI-31] (3.31.7.7 to 12)."""

import pytest

from conformance.counterparts.patients import PatientActors
from conformance.covering import Suite, covers
from conformance.encounters import ADMITTED, NOTHING, Story, of, play, story
from conformance.suites.patient_encounters import CONSUMER, NEEDS

SUITE = Suite(actor=CONSUMER, profile="PAM", option="Inpatient/Outpatient Encounter Management", needs=NEEDS)
STORIES = (
    story(
        "pre-admitted",
        "After A05 the patient is pre-admitted.",
        ("A05", {2: "P"}),
        shown={2: "P"},
        covers=of("ITI-31", 7, 135, 136, 137),
    ),
    story(
        "no-pre-admission",
        "After A38 there is no pre-admission.",
        ("A05", {2: "P"}),
        ("A38", {2: "P"}),
        shown=None,
        covers=of("ITI-31", 8, 143, 144),
    ),
    story(
        "nothing-pre-admitted",
        "A38 without a pre-admission changes nothing.",
        ADMITTED,
        ("A38", NOTHING),
        shown={2: "I", 3: "W1"},
        covers=of("ITI-31", 145, 146),
    ),
    story(
        "inpatient",
        "After A06 an outpatient is an inpatient, in the ward of PV1-3.",
        ("A04", {2: "O"}),
        ("A06", {3: ("W2",)}),
        shown={2: "I", 3: "W2"},
        covers=of("ITI-31", 9, 156, 157, 159),
    ),
    story(
        "new-inpatient",
        "A06 without a visit begins one.",
        ("A06", NOTHING),
        shown={2: "I"},
        covers=of("ITI-31", 160),
    ),
    story(
        "outpatient",
        "After A07 an inpatient is an outpatient, in the place of PV1-3.",
        ADMITTED,
        ("A07", {2: "O", 3: ("W3",)}),
        shown={2: "O", 3: "W3"},
        covers=of("ITI-31", 10, 170, 171, 173),
    ),
    story(
        "new-outpatient",
        "A07 without a visit begins one.",
        ("A07", {2: "O"}),
        shown={2: "O"},
        covers=of("ITI-31", 174),
    ),
    story(
        "transfer",
        "After A02 the patient is in the ward of PV1-3.",
        ADMITTED,
        ("A02", {3: ("W2",)}),
        shown={3: "W2"},
        covers=of("ITI-31", 11, 181, 182),
    ),
    story(
        "transfer-of-nobody",
        "A02 without a visit is recorded.",
        ("A02", {3: ("W2",)}),
        shown={3: "W2"},
        covers=of("ITI-31", 183),
    ),
    story(
        "no-transfer",
        "After A12 the patient is in the ward of PV1-3.",
        ADMITTED,
        ("A02", {3: ("W2",)}),
        ("A12", {3: ("W1",)}),
        shown={3: "W1"},
        covers=of("ITI-31", 12, 190, 191),
    ),
    story(
        "nothing-transferred",
        "A12 without a transfer changes nothing.",
        ADMITTED,
        ("A12", {3: ("W9",)}),
        shown={3: "W1"},
        covers=of("ITI-31", 192, 193),
    ),
)


@covers("ITI-31-001")
@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.id)
def test_it_is_told(case: Story, patients: PatientActors) -> None:
    play(patients, case)
