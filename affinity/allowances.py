"""How many requests each partner may still make: a bucket that fills at its rate and holds its burst."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from affinity.partners import Agreement


@dataclass(slots=True)
class Bucket:
    """What is left in it, and when that was so, by a clock whose seconds only grow."""

    left: float
    filled: float


class Buckets(Protocol):
    """Where the buckets stand."""

    def held(self, partner: str, full: Bucket) -> AbstractContextManager[Bucket]:
        """The bucket of a partner, ``full`` if there was none, to be changed in the context by nobody else."""


class BucketsOfProcess:
    """The buckets of the one process that serves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}

    @contextmanager
    def held(self, partner: str, full: Bucket) -> Iterator[Bucket]:
        """The bucket of a partner, for one thread."""
        with self._lock:
            yield self._buckets.setdefault(partner, full)


class Allowances:
    """Counts the requests of partners with a rate. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, buckets: Buckets | None = None) -> None:
        self._clock = clock
        self._buckets = buckets or BucketsOfProcess()

    def seconds_to_wait(self, agreement: Agreement) -> float:
        """Take one request out of the bucket: 0 if there was one, else the time until there is."""
        rate, burst = agreement.allowance.requests_per_second, agreement.allowance.burst
        if rate is None:
            return 0.0
        now = self._clock()
        with self._buckets.held(agreement.partner.name, Bucket(burst, now)) as bucket:
            now = max(now, bucket.filled)
            bucket.left = min(burst, bucket.left + (now - bucket.filled) * rate)
            bucket.filled = now
            if bucket.left < 1:
                return (1 - bucket.left) / rate
            bucket.left -= 1
            return 0.0
