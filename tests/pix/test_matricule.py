"""The matricule: its two forms, and whether it fits the birth date."""

import pytest

from pix import matricule
from pix.matricule import Form

CURRENT = matricule.complete("19800312123")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (CURRENT, Form.CURRENT),
        (CURRENT[:12] + str((int(CURRENT[12]) + 1) % 10), Form.CURRENT),  # a wrong check digit is still that form
        ("19800312123", Form.OLD),
        ("19801312123", None),  # no thirteenth month
        ("1980031212", None),
        (CURRENT + "0", None),
        ("1980031212a", None),
        ("١٩٨٠٠٣١٢١٢٣", None),  # digits, but not ASCII's
        ("", None),
    ],
)
def test_the_form_is_told_by_length_and_date(text: str, form: Form | None) -> None:
    assert matricule.form(text) is form


@pytest.mark.parametrize(
    ("birth_time", "plausible"),
    [
        ("19800312", True),
        ("198003121530", True),
        ("198003", True),
        ("1980", True),
        (None, True),
        ("", True),
        ("unknown", True),
        ("19800313", False),
        ("19801203", False),
        ("1981", False),
    ],
)
def test_a_matricule_fits_the_birth_date_as_far_as_that_is_known(birth_time: str | None, plausible: bool) -> None:
    assert matricule.plausible(CURRENT, birth_time) is plausible
    assert matricule.plausible("19800312123", birth_time) is plausible


def test_what_is_no_matricule_fits_nobody() -> None:
    assert not matricule.plausible("12345", None)
