"""The statistics, counted at most once a minute however often they are asked for: each count reads the whole index."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from pix.manager import PatientIndex
from pix.statistics import SourceStatistics, by_source

SECONDS = 60.0


@dataclass(slots=True)
class Counted:
    """What was counted last. ``clock`` gives seconds that only grow."""

    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _until: float = float("-inf")
    _last: tuple[tuple[SourceStatistics, ...], str] | None = None

    def by_source(self, index: PatientIndex) -> tuple[tuple[SourceStatistics, ...], str]:
        """The counts and when they were taken (ISO 8601); who asks meanwhile waits for the same count."""
        with self._lock:
            if self._last is None or self.clock() >= self._until:
                at = index.clock().isoformat()
                self._last = (by_source(index), at)
                self._until = self.clock() + SECONDS
            return self._last
