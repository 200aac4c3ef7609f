"""Patience with a peer that does not read: without a bound it would hold its answer in our memory for ever."""

from collections.abc import Callable
from typing import Any


class Stall:
    """Calls ``expire`` when a stall that began does not end within ``seconds``."""

    def __init__(self, call_later: Callable[..., Any], seconds: float, expire: Callable[[], None]) -> None:
        self._call_later = call_later
        self._seconds = seconds
        self._expire = expire
        self._deadline: Any = None

    def begin(self) -> None:
        """Wait from now on, if we do not wait already."""
        if self._deadline is None:
            self._deadline = self._call_later(self._seconds, self._expired)

    def end(self) -> None:
        """There is nothing to wait for any more."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()

    def _expired(self) -> None:
        self._deadline = None
        self._expire()
