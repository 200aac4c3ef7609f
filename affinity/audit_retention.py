"""Retention of the audit trail by policy: whole old batches go, and the proof that nothing else went stays.

A record that a repository of ``repositories.toml`` is not known to have is not removed, however old it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection
from twisted.python.failure import Failure

from affinity.database import Database
from atna import store_exchange, store_removal
from atna.entries import instant
from atna.events import audit_log_used
from atna.model import AuditMessage, EventActionCode
from atna.removal import Removal
from atna.signing import SealingKey
from atna.trail import AuditTrail

log = structlog.get_logger()

POLICY = "retention"
"""Who removes: no human."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Removes what is older than ``keep_days``, which None never is. ``repositories`` are names."""

    database: Database
    trail: AuditTrail
    key: SealingKey
    clock: Callable[[], datetime]
    keep_days: int | None
    repositories: tuple[str, ...] = ()

    def remove_due(self) -> int:
        """Empty batch after batch, each in a small transaction; how many there were."""
        if self.keep_days is None:
            return 0
        before, emptied, last = self.clock() - timedelta(days=self.keep_days), 0, None
        while (removed := self._next(before)) is not None:
            emptied, last = emptied + 1, removed
        if last is not None:
            self.trail.record(self._told(last))
        return emptied

    def _next(self, before: datetime) -> Removal | None:
        return self.database.write(lambda connection: self._empty(connection, before))

    def _empty(self, connection: Connection, before: datetime) -> Removal | None:
        until = self._arrived(connection)
        return store_removal.empty_next(connection, instant(before), until, instant(self.clock()), self.key.sign)

    def _arrived(self, connection: Connection) -> int | None:
        """The number up to which every repository has the trail."""
        settled: Iterable[int] = (store_exchange.progress(connection, each).settled for each in self.repositories)
        return min(settled, default=None)

    def _told(self, removed: Removal) -> AuditMessage:
        """The removal is a record of the trail itself (ITI TF-2: 3.20.4.1.1.1, Audit-Log-Used)."""
        what = f"records up to {removed.last} removed by policy: sealed more than {self.keep_days} days ago"
        used = audit_log_used(self.trail.node, self.clock(), POLICY, what)
        return replace(used, event=replace(used.event, action=EventActionCode.DELETE))


def tell_removed(batches: int) -> None:
    """Say that something went."""
    if batches:
        log.info("old audit records removed", batches=batches)


def complain_of_retention(failure: Failure) -> None:
    """They are still there the next day."""
    log.error("old audit records could not be removed", error=failure.getErrorMessage())
