"""Connections to a SQLite file that stay at hand between transactions.

SQLAlchemy takes longer to open, begin and end a transaction than SQLite takes for a small one. So it believes that each
connection is in one transaction for ever, and the driver is told where they really begin and end.
"""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from affinity.works import Result, Work

MAPPED = 0x7FFF0000
"""Bytes of a SQLite file that are read where the system has them: a search that looks up a thousand rows takes half.

SQLite maps no more (SQLITE_MAX_MMAP_SIZE) unless it was built to.
"""
LASTING, MOST = 16, 80
"""Connections that stay open, and the most at once."""
TOLD_DIRECTLY = "affinity_told_directly"
"""Execution option: who uses the connection begins and ends its transactions."""


class SQLiteConnections:
    """Runs works on connections that nobody else uses meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{TOLD_DIRECTLY: True})
        self._resting: list[Connection] = []

    def read(self, work: Work[Result]) -> Result:
        """Run a work on one snapshot."""
        return self._run("BEGIN", "ROLLBACK", work)

    def write(self, work: Work[Result]) -> Result:
        """Run a work and commit it. One thread at a time: SQLite would let the others wait without order."""
        return self._run("BEGIN IMMEDIATE", "COMMIT", work)

    @property
    def resting(self) -> int:
        """How many connections are at hand, of those that the pool counts as in use."""
        return len(self._resting)

    def let_go(self) -> None:
        """Close those at hand."""
        while self._resting:
            self._resting.pop().close()

    def _run(self, begin: str, end: str, work: Work[Result]) -> Result:
        connection = self._taken()
        try:
            driver: Any = connection.connection.dbapi_connection
            driver.execute(begin)
            result = work(connection)
            _end(driver, end)
        except BaseException:
            self._undo(connection)
            raise
        self._keep(connection)
        return result

    def _taken(self) -> Connection:
        try:
            return self._resting.pop()
        except IndexError:
            return self._engine.connect()

    def _keep(self, connection: Connection) -> None:
        """Keep it at hand, unless enough are, or somebody waits for one of the pool."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        if len(self._resting) < LASTING and pool.overflow() < MOST - LASTING:
            self._resting.append(connection)
        else:
            connection.close()

    def _undo(self, connection: Connection) -> None:
        """Leave nothing of the transaction, and keep the connection if it can still be used."""
        try:
            driver: Any = connection.connection.dbapi_connection
            if driver.in_transaction:
                driver.execute("ROLLBACK")
        except (sqlite3.Error, SQLAlchemyError):
            connection.invalidate()
            connection.close()
        else:
            self._keep(connection)


def _end(driver: Any, how: str) -> None:
    """COMMIT is what takes time: it returns once the log is on the disk."""
    driver.execute(how)


def sqlite_engine(url: URL) -> Engine:
    """Errors are logged without the parameters of their statement: these are data of patients."""
    engine = create_engine(
        url,
        pool_size=LASTING,
        max_overflow=MOST - LASTING,
        hide_parameters=True,
        connect_args={"isolation_level": None},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=10000",
        "foreign_keys=ON",
        f"mmap_size={MAPPED}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get(TOLD_DIRECTLY):
        connection.exec_driver_sql("BEGIN")
