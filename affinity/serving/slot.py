"""The place of one worker: who holds it, who is about to, and how long to wait after one that died."""

from dataclasses import dataclass
from time import monotonic

from affinity.serving.child import Child

FIRST, LONGEST = 0.5, 30.0
"""Seconds before a worker that died is replaced: at first, and at most."""
HEALTHY = 60.0
"""Seconds after which a death is not held to come of the one before."""


@dataclass(slots=True)
class Slot:
    """``holder`` serves or starts, ``successor`` starts to take its place; ``due``: when one is to be started."""

    number: int
    holder: Child | None = None
    successor: Child | None = None
    due: float | None = None
    deaths: int = 0

    def lose_holder(self) -> float:
        """The holder has died. Returns the seconds to wait before it is replaced, twice as long each time."""
        lived = monotonic() - self.holder.since if self.holder else 0.0
        self.holder = None
        self.deaths = 1 if lived > HEALTHY else self.deaths + 1
        return 0.0 if self.successor else self._wait()

    def lose_successor(self) -> None:
        """The successor has died. If the holder had before, somebody else is needed."""
        self.successor = None
        if self.holder is None and self.due is None:
            self._wait()

    def _wait(self) -> float:
        wait = float(min(LONGEST, FIRST * 2.0 ** (self.deaths - 1)))
        self.due = monotonic() + wait
        return wait

    def succeed(self) -> Child | None:
        """The successor is ready and takes the place; returns who held it."""
        before, self.holder, self.successor = self.holder, self.successor, None
        self.due, self.deaths = None, 0
        return before
