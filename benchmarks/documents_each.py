"""How many documents a patient has: log-normal, after the registries that the design was measured with.

Mean 17, one patient of a hundred with 147 or more, nobody with more than 1,953, nobody without one.
"""

from collections.abc import Iterator
from math import exp, log, sqrt
from random import Random

MEAN, P99, MOST = 17.0, 147.0, 1953
Z99 = 2.3263
"""The 99th percentile of the standard normal distribution."""
SIGMA = Z99 - sqrt(Z99**2 - 2 * log(P99 / MEAN))
MU = log(MEAN) - SIGMA**2 / 2
"""Both follow from exp(MU + SIGMA²/2) = MEAN and exp(MU + Z99·SIGMA) = P99."""


def documents_each(seed: int) -> Iterator[int]:
    """A count for each of any number of patients."""
    random = Random(seed)
    while True:
        yield min(max(round(exp(random.gauss(MU, SIGMA))), 1), MOST)
