"""What is written where nothing is known: two such texts agree, and say nothing (PID-5, 6, 7, 11, 13, 14, 19, 23).

Blocking keys are made of it all the same, because they are the same in every version; only what is compared loses it.
"""

from collections.abc import Iterable
from functools import lru_cache
from string import digits

from pix.folding import fold
from pix.matching.dates import exists
from pix.matching.placeholders import GIVEN
from pix.matching.scripts import latin
from pix.matching.vocabulary import vocabulary

NAMELESS = vocabulary("nameless")
FILLERS = vocabulary("fillers")
UNCALLED = GIVEN | vocabulary("uncalled")
TITLES = vocabulary("titles")
NOWHERE = vocabulary("nowhere")
MAILLESS = vocabulary("mailless")
LEAST = 4
"""Fewest digits of a number that is a person's own."""
DAY = 8
"""Digits of a date; with nothing but zeros or nines behind it, it is nobody's number."""
REPEATED = 6
"""Digits at the end of a telephone number that nobody has if they are one and the same."""
COUNTED = "12345678901234567890 9876543210987654321"
Names = tuple[tuple[str, ...], ...]


def names_nobody(words: Iterable[str]) -> bool:
    """Claim that a family name (folded words) says that it is not known: ``Inconnu``, ``Patient inconnu 2``."""
    found = {each.rstrip(digits) for each in words} - {""}
    return not found.isdisjoint(NAMELESS) and found <= NAMELESS | GIVEN | FILLERS


@lru_cache(maxsize=65536)
def called(givens: Names) -> Names:
    """The given names (folded words of each) by which somebody is called: not ``RN``, ``Bébé1`` or ``Madame``."""
    return tuple(each for each in givens if _calls(each))


@lru_cache(maxsize=65536)
def says_nobody(given: str) -> bool:
    """Claim that something stands where the given name belongs, and is none."""
    words = tuple(fold(latin(given)).split())
    return bool(words) and not _calls(words)


def _calls(words: tuple[str, ...]) -> bool:
    first = words[0].rstrip(digits)
    if not UNCALLED.isdisjoint((first, "".join(words))) or TITLES.issuperset(words):
        return False
    # J1 and J2 are twins whom somebody numbered.
    return len(first) > 1 or first == words[0]


def mothers(words: frozenset[str]) -> frozenset[str]:
    """The words of a mother's maiden name that are one."""
    return words - NAMELESS


@lru_cache(maxsize=8192)
def place(text: str) -> str:
    """A folded street, town, postal code or birth place; empty for none, a letter, zeros, or a country."""
    return "" if len(text) < 2 or text.replace(" ", "") in NOWHERE or not text.strip("0 ") else text


def identifiers(numbers: frozenset[str]) -> frozenset[str]:
    """Those that may be somebody's own: not ``N/A``, 999999999, 123456789 or 1980051500000."""
    return frozenset(filter(_is_own, numbers))


def _is_own(number: str) -> bool:
    found = "".join(filter(str.isdecimal, number))
    if len(found) < LEAST or len(set(found)) == 1 or found in COUNTED:
        return False
    day, rest = found[:DAY], found[DAY:]
    return len(day) < DAY or not exists(day) or bool(rest.strip("0") and rest.strip("9"))


def phones(numbers: frozenset[str]) -> frozenset[str]:
    """Those that somebody has: not 123456, nor 621 000 000."""
    return frozenset(each for each in numbers if each not in COUNTED and len(set(each[-REPEATED:])) > 1)


def emails(addresses: frozenset[str]) -> frozenset[str]:
    """Those that somebody reads: not ``N/A``, ``noreply@...`` or ``...@inconnu.lu``."""
    return frozenset(filter(_is_read, addresses))


@lru_cache(maxsize=8192)
def _is_read(address: str) -> bool:
    name, _, domain = address.partition("@")
    said = {fold(each).replace(" ", "") for each in (name, domain.rpartition(".")[0])}
    return bool(domain) and said.isdisjoint(MAILLESS)
