"""Keys under which records that may be one person meet: a few hashes per record, each rare enough to look up."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from pix.matching import dates
from pix.matching.contacts import Place
from pix.matching.phonetics import skeleton
from pix.matching.subject import Subject
from pix.remembering import Last

FAMILIES, PLACES, PHONES = 3, 2, 2
"""Most family names, places and numbers of one record that make keys, so that nobody has hundreds of rows."""
PAIRED = 2
"""Family names that are joined with the first given name."""
TOWN = 3
"""Letters of a town that stand for it: names of towns are cut off and abbreviated at the end."""


@Last
def stored_keys(subject: Subject) -> frozenset[int]:
    """The rows of a record in the table of blocking keys; signed 64-bit, the same in every process and version.

    A feed first looks for others by them, then stores them.
    """
    return frozenset(map(_hashed, _stored(subject)))


@Last
def lookup_keys(subject: Subject) -> frozenset[int]:
    """What to look up for a record: its own keys, and those it would have with day and month of birth exchanged.

    A key under which very many records stand (a barracks, a test patient) tells nothing: whoever looks them up sets a
    limit for each key and leaves out those that reach it.
    """
    other = dates.swapped(subject.birth)
    mistyped = _named_dates(other, _sounds(subject)) if other else ()
    return stored_keys(subject).union(map(_hashed, mistyped))


def _stored(subject: Subject) -> Iterator[str]:
    born, sounds = subject.birth, _sounds(subject)
    pairs = _pairs(subject)
    if len(born) == 8:
        yield from _named_dates(born, sounds)
    if born:
        yield from (f"names+year|{each}|{born[:4]}" for each in pairs)
    for place in subject.places[:PLACES]:
        yield from _placed(place, born, sounds, pairs)
    yield from (f"phone|{each}" for each in sorted(subject.phones)[:PHONES])
    yield from (f"id|{authority}|{id}" for authority, id in subject.nationals)
    yield from (f"id||{each}" for each in subject.identifiers)


def _named_dates(born: str, sounds: Iterable[str]) -> Iterator[str]:
    """Family and given names share the code space, so that names entered in each other's place meet."""
    return (f"name+date|{each}|{born}" for each in sounds)


def _placed(place: Place, born: str, sounds: Iterable[str], pairs: Iterable[str]) -> Iterator[str]:
    if place.postal_code:
        yield from (f"name+post|{each}|{place.postal_code}" for each in sounds)
    if place.street and place.number:
        yield f"house|{place.street}|{place.number}|{place.city[:TOWN]}"
    if place.city:
        yield from (f"names+town|{each}|{place.city[:TOWN]}" for each in pairs)
    if place.city and len(born) == 8:
        yield f"date+town|{born}|{place.city[:TOWN]}"


def _sounds(subject: Subject) -> frozenset[str]:
    return frozenset((*_families(subject), *_given(subject)))


def _pairs(subject: Subject) -> frozenset[str]:
    """A family name and the first given name, in alphabetical order whichever is which."""
    families = _families(subject)[:PAIRED]
    return frozenset(f"{min(each, first)}|{max(each, first)}" for each in families for first in _given(subject))


def _families(subject: Subject) -> list[str]:
    return sorted(set(map(skeleton, subject.family_words)))[:FAMILIES]


def _given(subject: Subject) -> list[str]:
    return [skeleton(subject.givens[0][0])] if subject.givens else []


def _hashed(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)
