"""Birth dates compared: equal, mistyped in a way people do, vague, or of somebody else."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from rapidfuzz.distance import OSA

from pix.matching.vocabulary import vocabulary

Key = TypeVar("Key")
GENERATION = 13
"""Years between two dates with the same day from which they may be a parent's and a child's, and no slip."""
CENTURY = 100
UNDATED = vocabulary("undated")


class Birth(StrEnum):
    """How two birth dates agree, best first."""

    # Enum hashes by name, in Python; these are looked up many thousand times a second.
    __hash__ = str.__hash__

    SAME = "same"
    NEW_YEAR = "same-1-january"
    SWAPPED = "day-and-month-swapped"
    TYPO = "one-digit"
    PARTIAL = "as-far-as-known"
    GENERATION = "a-generation-apart"
    DIFFERENT = "different"


CONTRADICTING = frozenset({Birth.GENERATION, Birth.DIFFERENT})
MISTYPED = frozenset({Birth.SWAPPED, Birth.TYPO})
"""Levels at which the two dates are of one birth only if one of them is wrong."""


def day(birth_time: str | None) -> str:
    """The known part of a DTM as YYYYMMDD, YYYYMM or YYYY; empty if there is none or it is no date."""
    known = (birth_time or "")[:8]
    if len(known) == 8 and known.endswith("00"):
        known = known[:6]
    if len(known) == 6 and known.endswith("00"):
        known = known[:4]
    if len(known) not in (4, 6, 8) or not known.isdecimal() or not known.isascii():
        return ""
    return known if exists(known) else ""


def swapped(known: str) -> str | None:
    """The date with day and month exchanged, if that is another date that exists."""
    if len(known) != 8:
        return None
    other = known[:4] + known[6:] + known[4:6]
    return other if other != known and exists(other) else None


def compare(one: str, other: str) -> Birth | None:
    """Compare two results of ``day``; None where one of them is empty, or stands for no day (1 January 1900)."""
    if not one or not other or one in UNDATED or other in UNDATED:
        return None
    if one == other and len(one) == 8:
        # Registries write 1 January where only the year is known.
        return Birth.NEW_YEAR if one.endswith("0101") else Birth.SAME
    if len(one) < 8 or len(other) < 8 or one.endswith("0101") or other.endswith("0101"):
        common = min(len(_certain(one)), len(_certain(other)))
        if common < 8:
            return Birth.PARTIAL if one[:common] == other[:common] else Birth.DIFFERENT
    if one[:4] == other[:4] and one[4:6] == other[6:] and one[6:] == other[4:6]:
        return Birth.SWAPPED
    # Most who are compared are of other births, and leave here.
    is_slip = OSA.distance(one, other, score_cutoff=1) <= 1
    if not is_slip and one[4:] != other[4:]:
        return Birth.DIFFERENT
    apart = abs(int(one[:4]) - int(other[:4]))
    if one[4:] == other[4:] and apart == CENTURY:
        return Birth.TYPO
    if not is_slip:
        return Birth.DIFFERENT
    # A slip of the decade may be a father and his son of the same name.
    return Birth.GENERATION if GENERATION <= apart < CENTURY else Birth.TYPO


def alike(one: str, others: Mapping[Key, str]) -> set[Key]:
    """Those whose date is not ``DIFFERENT`` from this one. Of thousands of strangers most are told by a glance."""
    if len(one) < 8 or one.endswith("0101") or one in UNDATED:
        return {key for key, other in others.items() if compare(one, other) is not Birth.DIFFERENT}
    # One slip leaves the year or the day as it is, unless it exchanges the digits on either side of the two.
    year, rest = one[:4], one[4:]
    across = one[:3] + one[4] + one[3] + one[5:]
    near = [
        (key, other)
        for key, other in others.items()
        if other[:4] == year
        or other[4:] == rest
        or other[4:] == "0101"
        or len(other) < 8
        or other == across
        or other in UNDATED
    ]
    return {key for key, other in near if compare(one, other) is not Birth.DIFFERENT}


def _certain(known: str) -> str:
    return known[:4] if known.endswith("0101") and len(known) == 8 else known


def exists(known: str) -> bool:
    """Claim that YYYYMMDD, YYYYMM or YYYY is a date of the calendar."""
    filled = known + "0101"[len(known) - 4 :] if len(known) < 8 else known
    try:
        date(int(filled[:4]), int(filled[4:6]), int(filled[6:8]))
    except ValueError:
        return False
    return True
