"""Ids of rows: they grow with time, so that a patient's rows lie in the order in which they were registered."""

import secrets
import threading
import time
from datetime import UTC, datetime

RANDOM_BITS = 21


class RowIds:
    """Makes ids of 63 bits: milliseconds since 1970, then bits that tell apart what several processes make at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> int:
        now = time.time_ns() // 1_000_000 << RANDOM_BITS | secrets.randbits(RANDOM_BITS - 1)
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last


def registered_at(id: int) -> str:
    """When the row with this id was registered, as a DTM in UTC."""
    return datetime.fromtimestamp((id >> RANDOM_BITS) // 1000, UTC).strftime("%Y%m%d%H%M%S")
