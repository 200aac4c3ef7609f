"""The names of two records compared: family names, given names, and both entered in each other's place."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from pix.matching.subject import Subject
from pix.matching.unsaid import called
from pix.matching.words import Likeness, family_likeness, given_likeness, is_slip


class Level(StrEnum):
    """How two names agree. The configuration has a weight for each that a field knows."""

    # Enum hashes by name, in Python; these are looked up many thousand times a second.
    __hash__ = str.__hash__

    SAME = "same"
    FORM = "another-form"
    PART = "part"
    SECOND = "not-the-first"
    OVERLAP = "overlap"
    SOUND = "sound"
    CLOSE = "slip"
    INITIAL = "initial"
    MIXED = "first-only"
    DOUBTFUL = "doubtful"
    SWAPPED = "swapped"
    DIFFERENT = "different"


class Agreement(NamedTuple):
    """A level, and the words in which both agree: how much that says depends on how frequent they are."""

    level: Level
    words: tuple[str, ...] = ()


Words = tuple[str, ...]

OF_LIKENESS = {
    Likeness.SAME: Level.SAME,
    Likeness.FORM: Level.FORM,
    Likeness.SOUND: Level.SOUND,
    Likeness.CLOSE: Level.CLOSE,
    Likeness.DOUBTFUL: Level.DOUBTFUL,
    Likeness.NONE: Level.DIFFERENT,
}
RANK = {
    level: rank
    for rank, level in enumerate(
        (
            Level.SAME, Level.FORM, Level.SOUND, Level.PART, Level.CLOSE, Level.SECOND, Level.INITIAL, Level.MIXED,
            Level.DOUBTFUL, Level.DIFFERENT,
        )
    )
}  # fmt: skip
DIFFERENT = Agreement(Level.DIFFERENT)


def compare_families(one: Subject, other: Subject) -> Agreement | None:
    """Compare all family names of one record with all of the other; None if one has none."""
    mine, theirs = one.family_words, other.family_words
    if not mine or not theirs:
        return None
    if mine == theirs:
        return Agreement(Level.SAME, tuple(mine) if len(mine) == 1 else tuple(sorted(mine)))
    for each, another in product(one.surnames, other.surnames):
        if each.words == another.words or each.joined == another.joined:
            return Agreement(Level.SAME, tuple(sorted(each.words | another.words)))
    shared = mine & theirs
    if shared:
        inside = mine <= theirs or theirs <= mine
        return Agreement(Level.PART if inside else Level.OVERLAP, tuple(sorted(shared)))
    best, words = max((family_likeness(*sorted(two)), sorted(two)) for two in product(mine, theirs))
    if best is Likeness.NONE and _written_together(one, other):
        return Agreement(Level.CLOSE, tuple(sorted(mine | theirs)))
    return DIFFERENT if best is Likeness.NONE else Agreement(OF_LIKENESS[best], tuple(words))


def compare_givens(one: Subject, other: Subject) -> Agreement | None:
    """Compare the given names; the best of all names and aliases; None if one record has none."""
    mine, theirs = called(one.givens), called(other.givens)
    if not mine or not theirs:
        return None
    if len(mine) == len(theirs) == 1:
        return _compare_lists(mine[0], theirs[0])
    every = (_compare_lists(each, another) for each, another in product(mine, theirs))
    return min(every, key=lambda found: (RANK[found.level], found.words))


def are_swapped(one: Subject, other: Subject) -> Agreement | None:
    """The words in which the family name of each is the given name of the other, one of them perhaps mistyped."""
    given_one = {word for words in one.givens for word in words}
    given_other = {word for words in other.givens for word in words}
    across, back = one.family_words & given_other, given_one & other.family_words
    if across and back:
        return Agreement(Level.SWAPPED, tuple(sorted(across | back)))
    close = (across and _alike(given_one, other.family_words)) or (back and _alike(one.family_words, given_other))
    return Agreement(Level.SWAPPED) if close else None


def _alike(some: Collection[str], others: Collection[str]) -> bool:
    return any(family_likeness(*sorted(two)) is not Likeness.NONE for two in product(some, others))


@lru_cache(maxsize=65536)
def _compare_lists(one: Words, other: Words) -> Agreement:
    if one == other:
        # L. and L. are called Lena and Lina, perhaps.
        return Agreement(Level.SAME, one) if any(len(word) > 1 for word in one) else Agreement(Level.INITIAL)
    shorter, longer = sorted((one, other), key=lambda words: (len(words), words))
    found = [_best(word, longer) for word in shorter]
    if all(likeness > Likeness.DOUBTFUL for likeness, _ in found):
        return _all_found(shorter, longer, found)
    first = given_likeness(*sorted((one[0], other[0])))
    if _are_initials(shorter, longer):
        return Agreement(Level.INITIAL)
    joined = sorted(("".join(one), "".join(other)))
    if joined[0] == joined[1]:
        return Agreement(Level.SAME, shorter)
    if len(one) != len(other) and first <= Likeness.DOUBTFUL:
        return _agreed(given_likeness(*joined), joined)
    if first > Likeness.DOUBTFUL:
        return Agreement(Level.MIXED, tuple(sorted({one[0], other[0]})))
    return _agreed(first, {one[0], other[0]})


def _agreed(likeness: Likeness, words: Iterable[str]) -> Agreement:
    return Agreement(OF_LIKENESS[likeness], tuple(sorted(words)) if likeness > Likeness.DOUBTFUL else ())


def _all_found(shorter: Words, longer: Words, found: list[tuple[Likeness, str]]) -> Agreement:
    worst = min(likeness for likeness, _ in found)
    words = shorter if worst is Likeness.SAME else tuple(sorted({*shorter, *(word for _, word in found)}))
    if given_likeness(*sorted((shorter[0], longer[0]))) <= Likeness.DOUBTFUL:
        same_words = len(shorter) == len(longer) > 1
        return Agreement(Level.PART if same_words and worst >= Likeness.FORM else Level.SECOND, words)
    if len(shorter) < len(longer) and worst > Likeness.SOUND:
        return Agreement(Level.PART, words)
    return Agreement(OF_LIKENESS[worst], words)


def _best(word: str, among: Words) -> tuple[Likeness, str]:
    return max((given_likeness(*sorted((word, each))), each) for each in among)


def _are_initials(shorter: Words, longer: Words) -> bool:
    """Claim that every word agrees at least in its first letter, where one of the two is only that letter."""
    pairs = list(zip(shorter, longer, strict=False))
    letters = any(len(one) == 1 or len(other) == 1 for one, other in pairs)
    return letters and all(
        one[0] == other[0] if len(one) == 1 or len(other) == 1 else given_likeness(*sorted((one, other))) >= 2
        for one, other in pairs
    )


def _written_together(one: Subject, other: Subject) -> bool:
    return any(is_slip(each.joined, another.joined) for each, another in product(one.surnames, other.surnames))
