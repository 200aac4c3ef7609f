"""The national matricule: YYYYMMDDNNN and two check digits over these eleven, Luhn's and then Verhoeff's."""

import re
from datetime import date
from enum import Enum

SHAPE = re.compile(r"[0-9]{13}")
OLD_SHAPE = re.compile(r"[0-9]{11}")


class Form(Enum):
    """Which of the two forms a text has. Of the older one, without Verhoeff's digit, nothing can be checked."""

    CURRENT = 13
    OLD = 11


# Verhoeff: multiplication in the dihedral group D5, and the permutation applied once more at each position.
PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
INVERSE = (0, 4, 3, 2, 1, 5, 6, 7, 8, 9)
PERMUTATION = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


def luhn(payload: str) -> str:
    """The Luhn check digit of a string of digits."""
    total = 0
    for position, digit in enumerate(reversed(payload)):
        doubled = int(digit) * (2 - position % 2)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def verhoeff(payload: str) -> str:
    """The Verhoeff check digit of a string of digits."""
    check = 0
    for position, digit in enumerate(reversed(payload), 1):
        check = PRODUCT[check][PERMUTATION[position % 8][int(digit)]]
    return str(INVERSE[check])


def complete(payload: str) -> str:
    """Append both check digits to YYYYMMDDNNN."""
    return payload + luhn(payload) + verhoeff(payload)


def is_valid(text: str) -> bool:
    """Claim that ``text`` is a matricule: thirteen digits, a date that exists, both check digits right."""
    return SHAPE.fullmatch(text) is not None and _begins_with_a_date(text) and complete(text[:11]) == text


def form(text: str) -> Form | None:
    """Tell a matricule by its length and the date in front; its check digits are ``is_valid``'s business."""
    if not _begins_with_a_date(text):
        return None
    if SHAPE.fullmatch(text):
        return Form.CURRENT
    return Form.OLD if OLD_SHAPE.fullmatch(text) else None


def plausible(text: str, birth_time: str | None) -> bool:
    """Claim that nothing speaks against a matricule of somebody born then; a vague date agrees as far as it is known.

    A matricule of either form begins with the birth date. One that does not may be mistyped, or somebody else's.
    """
    if form(text) is None:
        return False
    known = (birth_time or "")[:8]
    return text.startswith(known) if known.isdecimal() and known.isascii() else True


def _begins_with_a_date(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True
