"""What is written where nothing is known: two such texts agree, and say nothing (PID-5, 6, 11, 19, 23).

Blocking keys are made of it all the same, because they are the same in every version; only what is compared loses it.
"""

from collections.abc import Iterable
from functools import lru_cache

from pix.matching.placeholders import GIVEN
from pix.matching.vocabulary import vocabulary

NAMELESS = vocabulary("nameless")
NOWHERE = vocabulary("nowhere")
LEAST = 4
"""Fewest digits of a number that is a person's own."""
COUNTED = "12345678901234567890"


def names_nobody(words: Iterable[str]) -> bool:
    """Claim that a family name (folded words) says that it is not known: ``Inconnu``, ``Patient inconnu``."""
    found = set(words)
    return not found.isdisjoint(NAMELESS) and found <= NAMELESS | GIVEN


def mothers(words: frozenset[str]) -> frozenset[str]:
    """The words of a mother's maiden name that are one."""
    return words - NAMELESS


@lru_cache(maxsize=8192)
def place(text: str) -> str:
    """A folded street, town, postal code or birth place; empty if it stands for none, or is nothing but zeros."""
    return "" if text.replace(" ", "") in NOWHERE or not text.strip("0 ") else text


def identifiers(numbers: frozenset[str]) -> frozenset[str]:
    """Those that may be somebody's own: not ``N/A``, 999999999 or 123456789."""
    return frozenset(filter(_is_own, numbers))


def _is_own(number: str) -> bool:
    digits = "".join(filter(str.isdecimal, number))
    return len(digits) >= LEAST and len(set(digits)) > 1 and digits not in COUNTED
