"""The time by which a node destroys what is old: nothing is old because a wall clock is ahead for a while."""

from collections.abc import Callable
from datetime import datetime, timedelta


class Unhurried:
    """A wall clock that is never further ahead of its beginning than the monotonic clock says that it can be.

    One that was behind at the beginning, and was set right since, stays behind by as much: what is old goes later.
    """

    def __init__(self, wall: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._began, self._since = wall(), monotonic()

    def __call__(self) -> datetime:
        return min(self._wall(), self._began + timedelta(seconds=self._monotonic() - self._since))
