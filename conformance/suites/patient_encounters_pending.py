"""The option Pending Event Management: events that are expected [ITI-31] (ITI TF-2: 3.31.7.13 to 3.31.7.18)."""

import pytest

from conformance.counterparts.patients import PatientActors
from conformance.covering import Suite, covers
from conformance.encounters import ADMITTED, NOTHING, Story, of, play, story
from conformance.suites.patient_encounters import CONSUMER, NEEDS

SUITE = Suite(actor=CONSUMER, profile="PAM", option="Pending Event Management", needs=NEEDS)
STORIES = (
    story(
        "admission",
        "After A14 an admission is pending.",
        ("A14", {2: "P"}),
        shown={2: "P"},
        covers=of("ITI-31", 14, 200, 201, 202),
    ),
    story(
        "no-admission",
        "After A27 no admission is pending.",
        ("A14", {2: "P"}),
        ("A27", {2: "P"}),
        shown=None,
        covers=of("ITI-31", 15, 208, 209),
    ),
    story(
        "nothing-pending",
        "A27 without a pending admission changes nothing.",
        ADMITTED,
        ("A27", NOTHING),
        shown={2: "I", 3: "W1"},
        covers=of("ITI-31", 210, 211),
    ),
    story(
        "transfer",
        "After A15 a transfer to PV1-42 is pending.",
        ADMITTED,
        ("A15", {42: ("W4",)}),
        shown={3: "W1", 42: "W4"},
        covers=of("ITI-31", 16, 218, 219),
    ),
    story(
        "transfer-of-nobody",
        "A15 without an inpatient changes nothing.",
        ("A15", {42: ("W4",)}),
        shown=None,
        covers=of("ITI-31", 220, 221),
    ),
    story(
        "no-transfer",
        "After A26 no transfer is pending.",
        ADMITTED,
        ("A15", {42: ("W4",)}),
        ("A26", NOTHING),
        shown={3: "W1", 42: ""},
        covers=of("ITI-31", 17, 228, 229),
    ),
    story(
        "no-transfer-pending",
        "A26 without a pending transfer changes nothing.",
        ADMITTED,
        ("A26", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 230, 231),
    ),
    story(
        "discharge",
        "A16 says that a discharge is pending: the patient is still there.",
        ADMITTED,
        ("A16", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 18, 239),
    ),
    story(
        "discharge-of-nobody",
        "A16 without an inpatient changes nothing.",
        ("A16", NOTHING),
        shown=None,
        covers=of("ITI-31", 240, 241),
    ),
    story(
        "no-discharge",
        "A25 takes it back.",
        ADMITTED,
        ("A16", NOTHING),
        ("A25", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 19, 248),
    ),
    story(
        "no-discharge-pending",
        "A25 without a pending discharge changes nothing.",
        ADMITTED,
        ("A25", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 249, 250),
    ),
)


@covers("ITI-31-001")
@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.id)
def test_it_is_told(case: Story, patients: PatientActors) -> None:
    play(patients, case)
