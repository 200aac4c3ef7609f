"""Addresses compared: the two that agree best count, for who works across the border has two."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from pix.matching.configuration import Configuration, Evidence
from pix.matching.contacts import Place
from pix.matching.unsaid import place
from pix.matching.words import are_a_slip_apart


def address(places: tuple[Place, ...], others: tuple[Place, ...], configuration: Configuration) -> tuple[Evidence, ...]:
    """The evidence of postal code, city and street of the two addresses that agree best."""
    if len(places) == len(others) == 1:
        return _compared(*sorted((places[0], others[0])), configuration)
    every = {_compared(*sorted(two), configuration) for two in product(places, others)}
    return max(sorted(every), key=lambda found: sum(each.bits for each in found))


@lru_cache(maxsize=16384)
def _compared(one: Place, other: Place, configuration: Configuration) -> tuple[Evidence, ...]:
    return tuple(_evidence(one, other, configuration))


def _evidence(one: Place, other: Place, configuration: Configuration) -> Iterator[Evidence]:
    listed = configuration.evidence
    if place(one.postal_code) and place(other.postal_code):
        yield listed["postal_code", texts(one.postal_code, other.postal_code)]
    if place(one.city) and place(other.city):
        yield _city(one.city, other.city, configuration)
    if place(one.street) and place(other.street):
        street = texts(one.street, other.street)
        yield listed["street", street if street != "same" or one.number == other.number else "without-number"]


def _city(one: str, other: str, configuration: Configuration) -> Evidence:
    """To live in the capital says less than to live in a village."""
    level = texts(one, other)
    found = configuration.evidence["city", level]
    if level != "same":
        return found
    return found._replace(bits=max(0.0, found.bits + configuration.rarities["city"].get(one, 0.0)))


def texts(one: str, other: str) -> str:
    """Compare two folded texts: same, a slip apart, or different."""
    if one == other:
        return "same"
    return "slip" if are_a_slip_apart(one, other) else "different"
