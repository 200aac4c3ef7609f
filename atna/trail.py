"""The audit trail of a node: where every part of it records what happened.

``append`` records with a change, in the change's own database transaction. ``record`` records by itself and returns
once the record is durable; a caller that cannot record refuses what it was asked for. Messages about exchanges are
made by ``atna.exchanges``, all others by ``atna.events``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from atna import store
from atna.entries import entry
from atna.model import AuditMessage
from atna.participants import ThisNode
from ihe.exchange import Transactor


class AuditUnavailable(Exception):
    """An event could not be recorded, so what it describes must not happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """The records of one node. ``node`` is how they name it."""

    database: Transactor[Connection]
    node: ThisNode

    def append(self, connection: Connection, messages: Iterable[AuditMessage]) -> None:
        """Record in the caller's transaction; it must not commit if this raises."""
        store.append(connection, map(entry, messages))

    def record(self, *messages: AuditMessage) -> None:
        """Record in a transaction of its own. Raises AuditUnavailable."""
        entries = tuple(map(entry, messages))
        try:
            self.database.write(lambda connection: store.append(connection, entries))
        except (SQLAlchemyError, RuntimeError) as error:
            raise AuditUnavailable(type(error).__name__) from error
