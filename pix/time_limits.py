"""How long a query may keep the database busy: PostgreSQL's statement_timeout, SQLite's progress handler."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from statements.prepared import straight

QUERY_CANCELED = "57014"
"""SQLSTATE query_canceled, which statement_timeout raises."""
SQLITE_INTERRUPT = 9
STEPS = 20_000
"""Instructions of SQLite's virtual machine between two looks at the clock: about a millisecond."""


class TookTooLong(Exception):
    """The database was stopped: the statement ran longer than it may."""


@contextmanager
def time_limit(connection: Connection, seconds: float) -> Iterator[None]:
    """Stop statements inside when the time is over: all of them together on SQLite, each by itself on PostgreSQL.

    The transaction is good for nothing afterwards on PostgreSQL. Raises ``TookTooLong``.
    """
    lift = _limit(connection, seconds)
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        if not _was_stopped(error):
            raise
        raise TookTooLong from error
    finally:
        lift()


def _limit(connection: Connection, seconds: float) -> Callable[[], None]:
    """Set the limit; return what lifts it."""
    if connection.dialect.name == "postgresql":
        # It ends with the transaction.
        limit = f"SET LOCAL statement_timeout = {max(int(seconds * 1000), 1)}"
        if driver := straight(connection):
            driver.later(connection, limit, ())
        else:
            connection.exec_driver_sql(limit)
        return lambda: None
    sqlite: Any = connection.connection.dbapi_connection
    deadline = time.monotonic() + seconds
    sqlite.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    return lambda: sqlite.set_progress_handler(None, 0)


def _was_stopped(error: DBAPIError | sqlite3.Error) -> bool:
    """Claim that the limit stopped a statement, whether SQLAlchemy ran it or the driver itself."""
    own = error.orig if isinstance(error, DBAPIError) else error
    if getattr(own, "sqlstate", None) == QUERY_CANCELED:
        return True
    return getattr(own, "sqlite_errorcode", None) == SQLITE_INTERRUPT
