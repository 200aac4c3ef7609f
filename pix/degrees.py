"""How well a person fits what was asked, in percent: what an approximate search is ranked by."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rapidfuzz.distance import JaroWinkler

from pix.folding import name_words, words
from pix.model import Demographics
from pix.queries import Criteria

SWAPPED = 0.9
"""What a birth date is worth whose day and month are swapped; and all that fits, if family and given name are."""


def degree(criteria: Criteria, person: Demographics) -> int:
    """100 where every name asked for is one of the person's, less where it only resembles them.

    Each name counts as one, and the birth date, too; what an approximate search does not relax counts nothing.
    """
    birth = tuple(_birth(criteria, person))
    swapped = replace(criteria, family=criteria.given, given=criteria.family)
    as_asked = _mean((*_names(criteria, person), *birth))
    if not (criteria.family and criteria.given):
        return round(100 * as_asked)
    return round(100 * max(as_asked, SWAPPED * _mean((*_names(swapped, person), *birth))))


def _mean(found: tuple[float, ...]) -> float:
    return sum(found) / len(found) if found else 1.0


def _names(criteria: Criteria, person: Demographics) -> Iterator[float]:
    names = (*person.names, *person.aliases)
    family = frozenset(word for name in names for word in _words(name.family, name.own_family, name.partner_family))
    given = frozenset(word for name in names for word in _words(name.given, name.further_given))
    yield from (_likeness(word, family) for text in criteria.family for word in words(text))
    yield from (_likeness(word, given) for text in criteria.given for word in words(text))


def _words(*texts: str) -> Iterator[str]:
    return (word for text in texts for word in name_words(text))


def _likeness(word: str, names: Iterable[str]) -> float:
    if "*" in word:
        return 1.0
    return max((JaroWinkler.similarity(word, name) for name in names), default=0.0)


def _birth(criteria: Criteria, person: Demographics) -> Iterator[float]:
    if criteria.birth is not None and (born := (person.birth_time or "")[:8]):
        low, high = (each[:8] for each in criteria.birth)
        shortest = min(len(born), len(low))
        yield 1.0 if low[:shortest] <= born[:shortest] and born <= high + "\U0010ffff" else SWAPPED
