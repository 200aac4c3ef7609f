"""Keys under which records that may be one person meet: a few hashes per record, each rare enough to look up."""

from collections.abc import Iterable
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
    return _hashed(_stored(subject))


@Last
def lookup_keys(subject: Subject) -> frozenset[int]:
    """What to look up for a record: its own keys, and those it would have with day and month of birth exchanged.

    A key under which very many records stand (a barracks, a test patient) tells nothing: whoever looks them up sets a
    limit for each key and leaves out those that reach it.
    """
    other = dates.swapped(subject.birth)
    stored = stored_keys(subject)
    return stored | _hashed(_named_dates(other, _sounds(subject))) if other else stored


def _stored(subject: Subject) -> list[str]:
    born, families, given = subject.birth, _families(subject), _given(subject)
    sounds, pairs = {*families, *given}, _pairs(families, given)
    found = _named_dates(born, sounds) if len(born) == 8 else []
    if born:
        found += [f"names+year|{each}|{born[:4]}" for each in pairs]
    for place in subject.places[:PLACES]:
        found += _placed(place, born, sounds, pairs)
    if subject.phones:
        found += [f"phone|{each}" for each in sorted(subject.phones)[:PHONES]]
    if subject.nationals:
        found += [f"id|{authority}|{id}" for authority, id in subject.nationals]
    if subject.identifiers:
        found += [f"id||{each}" for each in subject.identifiers]
    return found


def _named_dates(born: str, sounds: Iterable[str]) -> list[str]:
    """Family and given names share the code space, so that names entered in each other's place meet."""
    return [f"name+date|{each}|{born}" for each in sounds]


def _placed(place: Place, born: str, sounds: Iterable[str], pairs: Iterable[str]) -> list[str]:
    found: list[str] = []
    if place.postal_code:
        found += [f"name+post|{each}|{place.postal_code}" for each in sounds]
    if place.street and place.number:
        found.append(f"house|{place.street}|{place.number}|{place.city[:TOWN]}")
    if place.city:
        found += [f"names+town|{each}|{place.city[:TOWN]}" for each in pairs]
    if place.city and len(born) == 8:
        found.append(f"date+town|{born}|{place.city[:TOWN]}")
    return found


def _sounds(subject: Subject) -> set[str]:
    return {*_families(subject), *_given(subject)}


def _pairs(families: list[str], given: list[str]) -> set[str]:
    """A family name and the first given name, in alphabetical order whichever is which."""
    return {f"{min(each, first)}|{max(each, first)}" for each in families[:PAIRED] for first in given}


def _families(subject: Subject) -> list[str]:
    return sorted(set(map(skeleton, subject.family_words)))[:FAMILIES]


def _given(subject: Subject) -> list[str]:
    return [skeleton(subject.givens[0][0])] if subject.givens else []


def _hashed(keys: Iterable[str]) -> frozenset[int]:
    hashes = [blake2b(key.encode(), digest_size=8).digest() for key in keys]
    return frozenset([int.from_bytes(each, "big", signed=True) for each in hashes])
