"""The option Advanced Encounter Management: doctors and leaves of absence [ITI-31] (ITI TF-2: 3.31.7.19 to 24)."""

import pytest

from conformance.counterparts.patients import PatientActors
from conformance.covering import Suite, covers
from conformance.encounters import ADMITTED, NOTHING, Story, of, play, story
from conformance.suites.patient_encounters import CONSUMER, NEEDS

SUITE = Suite(actor=CONSUMER, profile="PAM", option="Advanced Encounter Management", needs=NEEDS)
STORIES = (
    story(
        "doctor",
        "After A54 the attending doctor is that of PV1-7.",
        ("A01", {7: ("D1", "House")}),
        ("A54", {7: ("D2", "Wilson")}),
        shown={7: "D2"},
        covers=of("ITI-31", 20, 258, 259),
    ),
    story(
        "doctor-of-nobody",
        "A54 without a visit changes nothing.",
        ("A54", {7: ("D2", "Wilson")}),
        shown=None,
        covers=of("ITI-31", 260, 261),
    ),
    story(
        "former-doctor",
        "After A55 the attending doctor is that of PV1-7.",
        ("A01", {7: ("D1", "House")}),
        ("A54", {7: ("D2", "Wilson")}),
        ("A55", {7: ("D1", "House")}),
        shown={7: "D1"},
        covers=of("ITI-31", 21, 268, 269),
    ),
    story(
        "former-doctor-of-nobody",
        "A55 without a visit changes nothing.",
        ("A55", {7: ("D1", "House")}),
        shown=None,
        covers=of("ITI-31", 270, 271),
    ),
    story(
        "leave",
        "A21 begins a leave, A22 ends it.",
        ADMITTED,
        ("A21", NOTHING),
        ("A22", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 22, 24, 280, 301),
    ),
    story(
        "no-leave",
        "A52 takes a leave back.",
        ADMITTED,
        ("A21", NOTHING),
        ("A52", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 23, 290),
    ),
    story(
        "no-return",
        "A53 takes a return back.",
        ADMITTED,
        ("A21", NOTHING),
        ("A22", NOTHING),
        ("A53", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 25, 312),
    ),
    story(
        "leave-of-nobody",
        "A21 without a visit changes nothing.",
        ("A21", NOTHING),
        shown=None,
        covers=of("ITI-31", 281, 282),
    ),
    story(
        "nobody-left",
        "A52 without a leave changes nothing.",
        ADMITTED,
        ("A52", NOTHING),
        shown={3: "W1"},
        covers=of("ITI-31", 291, 292),
    ),
    story(
        "nobody-returned",
        "A22 without a leave changes nothing.",
        ADMITTED,
        ("A22", {3: ("W9",)}),
        shown={3: "W1"},
        covers=of("ITI-31", 302, 303),
    ),
    story(
        "no-return-to-cancel",
        "A53 without a return changes nothing.",
        ADMITTED,
        ("A53", {3: ("W9",)}),
        shown={3: "W1"},
        covers=of("ITI-31", 313, 314),
    ),
)


@covers("ITI-31-001")
@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.id)
def test_it_is_told(case: Story, patients: PatientActors) -> None:
    play(patients, case)
