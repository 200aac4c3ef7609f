"""The database as the ports of a node see it: what is changed is recorded by the exchange that is under way."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from affinity.database import Database
from affinity.spans import in_part
from affinity.works import Result, Work


class Owing(Protocol):
    """What is under way in a thread and owes a record of the change that it makes."""

    def read(self, database: Database, work: Work[Result]) -> Result:
        """Look something up for it."""

    def write(self, database: Database, work: Work[Result]) -> Result:
        """Make the change and record it, both or neither."""


class _Nothing:
    """What is done outside of any exchange owes no record."""

    def read(self, database: Database, work: Work[Result]) -> Result:
        return database.read(work)

    def write(self, database: Database, work: Work[Result]) -> Result:
        return database.write(work)


_NOTHING: Owing = _Nothing()
OPEN: ContextVar[Owing] = ContextVar("what owes a record", default=_NOTHING)
"""The exchange under way in this thread."""


@contextmanager
def opened(owing: Owing) -> Iterator[None]:
    """What is changed by way of an ``AuditedDatabase`` in this thread is recorded by ``owing``."""
    token = OPEN.set(owing)
    try:
        yield
    finally:
        OPEN.reset(token)


class AuditedDatabase:
    """The database as the ports of a node see it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def read(self, work: Work[Result]) -> Result:
        """Run ``work`` on one consistent snapshot; that of a replica, if the exchange under way allows it."""
        result: Result = in_part("database", OPEN.get().read, self.database, work)
        return result

    def write(self, work: Work[Result]) -> Result:
        """Run ``work`` in a transaction; with it the record that the exchange under way still owes, if any."""
        result: Result = in_part("database", OPEN.get().write, self.database, work)
        return result
