"""How many requests each partner may still make: a bucket that fills at its rate and holds its burst."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from affinity.partners import Agreement


@dataclass(slots=True)
class _Bucket:
    left: float
    filled: float


class Allowances:
    """Counts the requests of partners with a rate. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def seconds_to_wait(self, agreement: Agreement) -> float:
        """Take one request out of the bucket: 0 if there was one, else the time until there is."""
        rate, burst = agreement.allowance.requests_per_second, agreement.allowance.burst
        if rate is None:
            return 0.0
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(agreement.partner.name, _Bucket(burst, now))
            bucket.left = min(burst, bucket.left + (now - bucket.filled) * rate)
            bucket.filled = now
            if bucket.left < 1:
                return (1 - bucket.left) / rate
            bucket.left -= 1
            return 0.0
