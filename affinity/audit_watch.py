"""How much of the audit trail waits for a repository: what the metrics show, and when somebody must hear of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import structlog

from affinity.audit_load import Outbox
from affinity.metrics import AUDIT_WAITING, AUDIT_WAITING_SECONDS
from atna.delivery import Delivery
from atna.forwarding import Backlog

log = structlog.get_logger()

EVERY = 5.0
"""Seconds from one look to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """When an operator must hear that a repository falls behind: by age of the oldest record, by number."""

    seconds: float = 300.0
    records: int = 10_000

    def rings(self, backlog: Backlog, now: datetime) -> bool:
        """Is it time?"""
        age = (now - backlog.oldest).total_seconds() if backlog.oldest else 0.0
        return age >= self.seconds or backlog.records >= self.records


class Watch:
    """Looks after one repository's backlog."""

    def __init__(self, repository: str, outbox: Outbox, clock: Callable[[], datetime], alarm: Alarm) -> None:
        self._repository = repository
        self._outbox = outbox
        self._clock = clock
        self._alarm = alarm
        self._looked_at = float("-inf")
        self._ringing = False

    def look(self, delivery: Delivery) -> None:
        """Tell the metrics how much waits, and the log when it becomes too much, or no longer is."""
        if monotonic() - self._looked_at < EVERY:
            return
        self._looked_at = monotonic()
        found, now = self._outbox.backlog(delivery.sent), self._clock()
        age = max((now - found.oldest).total_seconds(), 0.0) if found.oldest else 0.0
        AUDIT_WAITING.labels(self._repository, "waiting").set(found.records)
        AUDIT_WAITING.labels(self._repository, "in doubt").set(delivery.sent - delivery.settled)
        AUDIT_WAITING_SECONDS.labels(self._repository).set(age)
        if self._alarm.rings(found, now) != self._ringing:
            self._ringing = not self._ringing
            tell = log.error if self._ringing else log.info
            event = "audit repository falls behind" if self._ringing else "audit repository has caught up"
            tell(event, repository=self._repository, waiting=found.records, seconds=round(age))
