"""The audit trail of a node: where every part of it records what happened.

``append`` records with a change, in the change's own database transaction. ``record`` records by itself and returns
once the record is durable; a caller that cannot record refuses what it was asked for. Records of exchanges are
made ready by ``atna.exchanges``, messages about all others are made by ``atna.events``.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import sleep

from sqlalchemy import Connection

from atna import store
from atna.entries import Entry, entry
from atna.model import AuditMessage
from atna.participants import ThisNode
from ihe.exchange import Transactor

DELAY, SIBLINGS = 0.003, 5
"""Seconds that a commit waits for more records while so many exchanges are under way that have none yet."""


class AuditUnavailable(Exception):
    """An event could not be recorded, so what it describes must not happen."""


class _Waiting:
    """Records of one caller, and what became of them. ``turn`` is released once they are done, or once it may lead."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.is_done = False
        self.failure: Exception | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class _Together:
    """Whoever comes while others are being written waits, and is written together with all who came meanwhile.

    One transaction for many records: with 32 connections that is a tenth of the commits. One of those who wait does it
    for all, and wakes each of them once. While many exchanges are under way it waits a moment for more of them, as
    PostgreSQL does by commit_delay and commit_siblings; who is alone never waits.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._is_led = False
        self.under_way: set[object] = set()
        """Exchanges that will bring a record."""
        self._guard = threading.Lock()

    def write(self, database: Transactor[Connection], entries: Sequence[Entry]) -> None:
        """Return once they are durable. Raises AuditUnavailable."""
        mine = _Waiting(entries)
        with self._guard:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.turn.acquire()
        if not mine.is_done:
            self._lead(database)
        if mine.failure is not None:
            raise AuditUnavailable(type(mine.failure).__name__) from mine.failure

    def _lead(self, database: Transactor[Connection]) -> None:
        """Write for all who wait, then let one of those lead who came meanwhile."""
        if len(self.under_way) - len(self._waiting) >= SIBLINGS:
            sleep(DELAY)
        with self._guard:
            group, self._waiting = self._waiting, []
        _write(database, group)
        with self._guard:
            successor = self._waiting[0] if self._waiting else None
            self._is_led = successor is not None
        if successor is not None:
            successor.turn.release()
        for each in group:
            each.turn.release()


def _write(database: Transactor[Connection], group: list[_Waiting]) -> None:
    entries = group[0].entries if len(group) == 1 else [one for each in group for one in each.entries]
    failure: Exception | None = None
    try:
        database.write(partial(store.append_all, entries=entries))
    except Exception as error:  # every caller's own: each of them refuses what it was asked for
        failure = error
    for each in group:
        each.failure, each.is_done = failure, True


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """The records of one node. ``node`` is how they name it."""

    database: Transactor[Connection]
    node: ThisNode
    together: _Together = field(default_factory=_Together)

    def append(self, connection: Connection, messages: Iterable[AuditMessage]) -> None:
        """Record in the caller's transaction; it must not commit if this raises."""
        self.append_entries(connection, map(entry, messages))

    def append_entries(self, connection: Connection, entries: Iterable[Entry]) -> None:
        """The same of messages that were made ready before it."""
        store.append(connection, entries)

    def record(self, *messages: AuditMessage) -> None:
        """Record in a transaction of its own. Raises AuditUnavailable."""
        self.record_entries(tuple(map(entry, messages)))

    def record_entries(self, entries: Sequence[Entry]) -> None:
        """The same of messages that were made ready before it."""
        self.together.write(self.database, entries)
