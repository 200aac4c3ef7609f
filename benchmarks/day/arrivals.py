"""When requests arrive: a Poisson process from a seed, so that a run can be repeated, and what each of them is."""

from collections.abc import Iterator, Mapping
from random import Random

SHARES: Mapping[str, float] = {
    "ITI-18": 60,
    "ITI-9": 8,
    "ITI-21": 8,
    "ITI-47": 4,
    "ADT": 10,
    "ITI-43": 7,
    "ITI-41": 3,
}
"""Percent of the requests of a day; ITI-9, ITI-21 and ITI-47 share the 20 of PIX and PDQ."""


def arrivals(rate: float, seconds: float, seed: int) -> Iterator[tuple[float, str]]:
    """Moments in seconds from the start, ``rate`` of them each second on average, each with its kind.

    Several clients with seeds of their own and a part of the rate make one Poisson process together.
    """
    random = Random(seed)
    kinds, weights = tuple(SHARES), tuple(SHARES.values())
    now = random.expovariate(rate)
    while now < seconds:
        (kind,) = random.choices(kinds, weights)
        yield now, kind
        now += random.expovariate(rate)
