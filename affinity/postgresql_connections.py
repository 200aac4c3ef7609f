"""Connections to a PostgreSQL server that stay at hand between transactions.

SQLAlchemy takes longer to open, begin and end a transaction than the server takes for a small one. So it believes that
each connection is in one transaction for ever, and the server is told where they really begin and end.
"""

import queue
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from affinity.terms import Terms
from affinity.works import Result, Work

LASTING = 16
"""Connections that stay open, the one of the pool included."""
BEGIN = b"BEGIN"
SNAPSHOT = b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class PostgreSQLConnections:
    """At most as many at once as ``terms`` say. The one used last is used next: the server's caches are warm."""

    def __init__(self, engine: Engine, terms: Terms) -> None:
        self._engine = engine
        self._wait = terms.wait
        self._resting: list[Connection] = []
        self._lasting = min(terms.connections, LASTING) - 1
        self._permits: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(terms.connections):
            self._permits.put(None)

    @property
    def resting(self) -> int:
        """How many are at hand, of those that the pool counts as in use."""
        return len(self._resting)

    def take(self, beginning: bytes) -> Connection:
        """One that nobody else uses; its first statement begins a transaction. Raises DBAPIError, TimeoutError."""
        try:
            self._permits.get(timeout=self._wait)
        except queue.Empty:
            raise PoolTimeout(f"{self._wait} seconds have passed, and every connection is in use") from None
        try:
            connection = self._opened()
            driver = driver_of(connection)
            driver.beginning, driver.may_wait = beginning, True
        except BaseException:
            self._permits.put(None)
            raise
        return connection

    def read(self, work: Work[Result]) -> Result:
        """Run a work on one consistent snapshot."""
        connection = self.take(SNAPSHOT)
        try:
            return work(connection)
        finally:
            self.end(connection)

    def end(self, connection: Connection) -> None:
        """Leave nothing of a transaction that is not committed, and keep the connection if it can still be used."""
        try:
            driver_of(connection).leave()
        except (psycopg.Error, SQLAlchemyError):
            self.discard(connection)
        else:
            self.keep(connection)

    def keep(self, connection: Connection) -> None:
        """Keep one at hand whose transaction has ended; give it back to the pool where enough are."""
        try:
            driver_of(connection).may_wait = False
            if len(self._resting) < self._lasting:
                self._resting.append(connection)
            else:
                connection.close()
        finally:
            self._permits.put(None)

    def discard(self, connection: Connection) -> None:
        """Close one, whatever state it is in."""
        try:
            _closed(connection)
        finally:
            self._permits.put(None)

    def let_go(self) -> None:
        """Close those at hand."""
        while True:
            try:
                connection = self._resting.pop()
            except IndexError:
                return
            _closed(connection)

    def _opened(self) -> Connection:
        try:
            return self._resting.pop()
        except IndexError:
            return self._engine.connect()


def driver_of(connection: Connection) -> Any:
    """The connection as the driver knows it."""
    return connection.connection.dbapi_connection


def _closed(connection: Connection) -> None:
    connection.invalidate()
    connection.close()
