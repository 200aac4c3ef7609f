"""What a household shares: addresses, telephone numbers, e-mail. Compared pair by pair; the best address counts."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product

from rapidfuzz.distance import OSA

from pix.matching.contacts import Place
from pix.matching.subject import Subject

Levels = tuple[tuple[str, str], ...]


def contacts(one: Subject, other: Subject) -> Levels:
    """The levels of telephone and e-mail: one number in common is enough."""
    found = []
    if one.phones and other.phones:
        found.append(("phone", "different" if one.phones.isdisjoint(other.phones) else "same"))
    if one.emails and other.emails:
        found.append(("email", "different" if one.emails.isdisjoint(other.emails) else "same"))
    return tuple(found)


def address(one: Subject, other: Subject, bits: Mapping[tuple[str, str], float]) -> Levels:
    """The levels of the two addresses that agree best: who works across the border has two."""
    if not one.places or not other.places:
        return ()
    if len(one.places) == len(other.places) == 1:
        return compare(*sorted((one.places[0], other.places[0])))
    every = {compare(*sorted(two)) for two in product(one.places, other.places)}
    return max(sorted(every), key=lambda levels: sum(bits[each] for each in levels))


@lru_cache(maxsize=8192)
def compare(one: Place, other: Place) -> Levels:
    """The levels of postal code, city and street of two addresses, where both say something."""
    return tuple(_compared(one, other))


def _compared(one: Place, other: Place) -> Iterator[tuple[str, str]]:
    if one.postal_code and other.postal_code:
        yield "postal_code", texts(one.postal_code, other.postal_code)
    if one.city and other.city:
        yield "city", texts(one.city, other.city)
    if one.street and other.street:
        street = texts(one.street, other.street)
        yield "street", street if street != "same" or one.number == other.number else "without-number"


def texts(one: str, other: str) -> str:
    """Compare two folded texts: same, a slip apart, or different."""
    if one == other:
        return "same"
    allowed = 1 if min(len(one), len(other)) < 8 else 2
    return "slip" if OSA.distance(one, other, score_cutoff=allowed) <= allowed else "different"
