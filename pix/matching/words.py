"""Two words of names compared: the same, forms of one name, the same to the ear, a slip of the finger, or two names."""

from enum import IntEnum
from functools import lru_cache

from rapidfuzz.distance import OSA

from pix.matching.phonetics import sound
from pix.matching.short_forms import groups

TINY = 3
"""Letters below which any slip makes another word."""
SHORT = 4
"""Letters up to which one letter more or less makes another name: Tim and Tom, Lena and Lina."""
LONG = 8
"""Letters from which two slips are still slips."""
ENDINGS = ("", "a", "e", "o", "ne", "le", "te", "ie", "us", "as", "ina", "ine", "ette", "ia")
"""What makes a man's name a woman's in some language: Simon and Simone, Mario and Maria, Andreas and Andrea."""


class Likeness(IntEnum):
    """How alike two words are; the higher the better."""

    NONE = 0
    DOUBTFUL = 1
    CLOSE = 2
    SOUND = 3
    FORM = 4
    SAME = 5


@lru_cache(maxsize=131072)
def given_likeness(one: str, other: str) -> Likeness:
    """Compare two given names. Names that are known to be two are two; very like ones are doubtful."""
    if one == other:
        return Likeness.SAME
    if _are_numbered(one, other):
        return Likeness.NONE
    groups_one, groups_other = groups(one), groups(other)
    if groups_one & groups_other:
        return Likeness.FORM
    two_names = bool(groups_one and groups_other)
    if not two_names and sound(one) == sound(other):
        return Likeness.SOUND
    if not is_slip(one, other):
        return Likeness.NONE
    doubtful = two_names or min(len(one), len(other)) <= SHORT or _differ_in_gender(one, other)
    return Likeness.DOUBTFUL if doubtful else Likeness.CLOSE


@lru_cache(maxsize=131072)
def family_likeness(one: str, other: str) -> Likeness:
    """Compare two family names."""
    if one == other:
        return Likeness.SAME
    if sound(one) == sound(other):
        return Likeness.SOUND
    return Likeness.CLOSE if len(one) >= SHORT <= len(other) and is_slip(one, other) else Likeness.NONE


def is_slip(one: str, other: str) -> bool:
    """Claim that one word may be the other mistyped; tiny ones are not."""
    return len(one) >= TINY <= len(other) and are_a_slip_apart(one, other)


def are_a_slip_apart(one: str, other: str) -> bool:
    """Claim that one slip makes the one text the other; in long texts two."""
    allowed = 2 if len(one) >= LONG <= len(other) else 1
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed


def _are_numbered(one: str, other: str) -> bool:
    """Claim that somebody numbered people who have no names yet, or are made up: ``Twin1`` is not ``Twin2``."""
    first, second = ("".join(filter(str.isdigit, each)) for each in (one, other))
    return bool(first and second) and first != second


def _differ_in_gender(one: str, other: str) -> bool:
    stem = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        stem += 1
    return stem >= 2 and one[stem:] in ENDINGS and other[stem:] in ENDINGS
