"""When two records clearly speak of different people: the veto against linking them unless a source does so itself."""

from difflib import SequenceMatcher

from pix.folding import words
from pix.model import Demographics

SIMILAR = 0.75
"""Least similarity of two words that may be spellings of one name: Jon and John, Maria and Marie."""


COMPARED = ("names", "aliases", "birth_time", "sex", "birth_order")
"""The attributes that may contradict; birth order tells twins apart (ITI TF-2: 3.30.4.3)."""


def disagreement(one: Demographics, other: Demographics) -> str | None:
    """Say what contradicts, for example ``name``, or None. What is missing on one side does not contradict."""
    if _births_disagree(one.birth_time, other.birth_time):
        return "birth date"
    if names_disagree(one, other):
        return "name"
    if _sexes_disagree(one, other):
        return "sex"
    return "birth order" if one.birth_order and other.birth_order and one.birth_order != other.birth_order else None


def _births_disagree(one: str | None, other: str | None) -> bool:
    """Compare days at the precision of the less precise date."""
    if not one or not other:
        return False
    common = min(len(one[:8]), len(other[:8]))
    return one[:common] != other[:common]


def names_disagree(one: Demographics, other: Demographics) -> bool:
    """Given names must resemble each other; family names only if there is no given name to compare (marriage)."""
    family_one, given_one = _families(one), _givens(one)
    family_other, given_other = _families(other), _givens(other)
    swapped = _resemble(family_one, given_other) and _resemble(given_one, family_other)
    if given_one and given_other:
        return not (_resemble(given_one, given_other) or swapped)
    return bool(family_one and family_other) and not _resemble(family_one, family_other)


def _sexes_disagree(one: Demographics, other: Demographics) -> bool:
    """Twins have names like Paul and Paula; where a given name is the same, the sex is taken to be mistyped."""
    return {one.sex, other.sex} == {"F", "M"} and not _givens(one) & _givens(other)


def _families(person: Demographics) -> frozenset[str]:
    return frozenset(word for name in (*person.names, *person.aliases) for word in words(name.family))


def _givens(person: Demographics) -> frozenset[str]:
    names = (*person.names, *person.aliases)
    return frozenset(word for name in names for word in words(f"{name.given} {name.further_given}"))


def _resemble(some: frozenset[str], others: frozenset[str]) -> bool:
    return any(_similar(one, other) for one in some for other in others)


def _similar(one: str, other: str) -> bool:
    if one == other or one.startswith(other) or other.startswith(one):
        return True
    # Sorted, because the ratio of two words may depend on their order.
    first, second = sorted((one, other))
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= SIMILAR
