"""What the connections of one port hold of messages that are not answered: each is bounded, and so is their sum."""

from typing import Protocol

import structlog

log = structlog.get_logger()


class Holder(Protocol):
    """A connection that holds bytes."""

    def abort(self) -> None:
        """Cut it."""


class Memory:
    """Counts bytes by connection. Above ``limit`` the connection that holds the most is cut: it can send again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[Holder, int] = {}
        self._total = 0

    def hold(self, holder: Holder, size: int) -> None:
        """Note how many bytes a connection holds now; 0 when it is gone."""
        self._total += size - self._held.pop(holder, 0)
        if size:
            self._held[holder] = size
        if self._total > self._limit:
            self._cut()

    def _cut(self) -> None:
        largest = max(self._held, key=self._held.__getitem__)
        size = self._held.pop(largest)
        self._total -= size
        log.warning("mllp connection cut: too much is held for all together", size=size, limit=self._limit)
        largest.abort()
