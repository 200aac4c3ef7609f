"""A bell between workers: whoever leaves news for subscribers rings, whoever is on duty wakes the couriers."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

SIZE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """The two ends of one pipe that all workers share. ``rung`` does not block; while nobody listens, it remembers."""

    heard: int
    rung: int

    def ring(self) -> None:
        """There is news. A pipe that is full holds enough of it."""
        with suppress(BlockingIOError):
            os.write(self.rung, b".")

    def heed(self, wake: Callable[[], None]) -> None:
        """Call ``wake``, in a thread of its own, whenever somebody rings; for the process that is on duty."""
        threading.Thread(target=self._listen, args=(wake,), name="affinity-bell", daemon=True).start()

    def _listen(self, wake: Callable[[], None]) -> None:
        while os.read(self.heard, SIZE):
            wake()
