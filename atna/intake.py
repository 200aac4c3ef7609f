"""Between the sockets of the Audit Record Repository and the database: bounded, in order, stored in groups.

RFC 5425 has no acknowledgement, so the one way to tell a sender that we are not ready is to read no more: TCP slows it
down. Over UDP nothing slows a sender down; what does not fit is lost before we could see it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from atna.reception import Arrival

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """How many octets may wait, how many messages are stored at once, and when a failure is tried again."""

    held: int = 32 * 1024 * 1024
    group: int = 500
    retry_seconds: float = 1.0


class Source(Protocol):
    """What brings messages, and can be told to wait."""

    def pause(self) -> None:
        """Read no more."""

    def resume(self) -> None:
        """Read on."""


class Intake:
    """What was received and is not stored yet.

    ``store`` returns a Deferred; ``clock`` is the reactor (IReactorTime).
    """

    def __init__(
        self, store: Callable[[Sequence[Arrival]], Any], clock: Any, limits: IntakeLimits | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits or IntakeLimits()
        self._waiting: deque[Arrival] = deque()
        self._sources: set[Source] = set()
        self._held = 0
        self._busy = self.full = False
        self._when_empty: list[Callable[[], object]] = []

    def attach(self, source: Source) -> None:
        """A new source; it waits as all others do."""
        self._sources.add(source)
        if self.full:
            source.pause()

    def detach(self, source: Source) -> None:
        """A source has ended; what it brought stays."""
        self._sources.discard(source)

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Queue what came, and see that it is stored."""
        self._waiting.extend(arrivals)
        self._held += sum(len(each.data) for each in arrivals)
        self._throttle()
        self._work()

    def when_empty(self, call: Callable[[], object]) -> None:
        """Call this once nothing waits any more."""
        self._when_empty.append(call)
        self._settle()

    def _work(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        group = [self._waiting.popleft() for _ in range(min(self._limits.group, len(self._waiting)))]
        self._attempt(group)

    def _attempt(self, group: list[Arrival]) -> None:
        self._store(group).addCallbacks(self._stored, self._failed, (group,), errbackArgs=(group,))

    def _stored(self, _result: object, group: list[Arrival]) -> None:
        self._busy = False
        self._held -= sum(len(each.data) for each in group)
        self._throttle()
        self._work()
        self._settle()

    def _failed(self, failure: Any, group: list[Arrival]) -> None:
        """Nothing is dropped: the group is tried again, and as long nobody is read from."""
        log.error("audit records could not be stored", count=len(group), exc_info=failure.value)
        self._clock.callLater(self._limits.retry_seconds, self._attempt, group)

    def _throttle(self) -> None:
        full = self._held >= self._limits.held
        if full != self.full:
            self.full = full
            for each in tuple(self._sources):
                (each.pause if full else each.resume)()

    def _settle(self) -> None:
        if not self._busy and not self._waiting:
            calls, self._when_empty = self._when_empty, []
            for call in calls:
                call()
