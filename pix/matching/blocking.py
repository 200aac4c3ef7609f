"""Keys under which records that may be one person meet: a few hashes per record, each rare enough to look up."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import product

from pix.matching import dates, short_forms
from pix.matching.phonetics import skeleton
from pix.matching.subject import Subject

FAMILIES, GIVENS, PLACES, PHONES = 3, 2, 2, 2
"""Most words, places and numbers of one record that make keys, so that nobody has hundreds of rows."""


def stored_keys(subject: Subject) -> frozenset[int]:
    """The rows of a record in the table of blocking keys; signed 64-bit, the same in every process and version."""
    return frozenset(map(_hashed, _stored(subject)))


def lookup_keys(subject: Subject) -> frozenset[int]:
    """What to look up for a record: its own keys, and those it would have with day and month of birth exchanged."""
    other = dates.swapped(subject.birth)
    mistyped = _named_dates(subject, other) if other else ()
    return frozenset(map(_hashed, (*_stored(subject), *mistyped)))


def _stored(subject: Subject) -> Iterator[str]:
    born, year = subject.birth, subject.birth[:4]
    postal_codes = sorted({each.postal_code for each in subject.places if each.postal_code})[:PLACES]
    if len(born) == 8:
        yield from _named_dates(subject, born)
        yield from (f"date+post|{born}|{each}" for each in postal_codes)
    both = _both_names(subject)
    if year:
        yield from (f"names+year|{each}|{year}" for each in both)
    yield from (f"names+post|{each}|{code}" for each, code in product(both, postal_codes))
    yield from (f"phone|{each}" for each in sorted(subject.phones)[:PHONES])
    yield from (f"id|{authority}|{id}" for authority, id in subject.nationals)
    yield from (f"id||{each}" for each in subject.identifiers)


def _named_dates(subject: Subject, born: str) -> Iterator[str]:
    """Family and given names share the code space, so that names entered in each other's place meet."""
    return (f"name+date|{each}|{born}" for each in {*_families(subject), *_givens(subject)})


def _both_names(subject: Subject) -> list[str]:
    """One family and the first given name, in alphabetical order whichever is which."""
    pairs = product(_families(subject)[:2], _givens(subject)[:1])
    return sorted({"+".join(sorted(two)) for two in pairs})


def _families(subject: Subject) -> list[str]:
    return _codes(sorted(subject.family_words))[:FAMILIES]


def _givens(subject: Subject) -> list[str]:
    return _codes(word for words in subject.givens for word in words)[:GIVENS]


def _codes(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(code, words)))


@lru_cache(maxsize=65536)
def code(word: str) -> str:
    """What stands for a name in keys: the group of a known given name, else its consonants by sound."""
    groups = short_forms.groups(word)
    return f"={min(groups)}" if groups else skeleton(word)


def _hashed(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)
