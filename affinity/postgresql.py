"""PostgreSQL: pooled transactions that survive a lost connection, and know whether they were committed.

A work that meets a lost connection runs again on another, since it does nothing but SQL. A COMMIT whose answer is lost
is looked up by its mark (``affinity.commit_marks``): it is never repeated blindly, and never answered wrongly.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import POLLIN, POLLOUT, poll
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from affinity import commit_marks
from affinity.outages import InDoubt, Outage, Trouble, Unavailable, trouble
from affinity.terms import Terms

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
Position = int
"""Where the write-ahead log of the primary stood, in bytes since its beginning."""

ATTEMPTS = 4
"""How often a work runs that loses a race."""
SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
KEEPALIVE = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "15000"}
"""A server that vanished without a word is noticed within 25 seconds, not in two hours."""
WHERE_THE_LOG_STANDS = b"; SELECT pg_current_wal_insert_lsn()"
GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


def engine_of(url: URL, terms: Terms) -> Engine:
    """Connections to a server. Errors are logged without the parameters of their statement: these are data of patients.

    SQLAlchemy's own pool: it has no thread and no queue of its own, and knows which connections an error has ended. The
    one used last is used next, so that the server's caches are warm and the rest stays idle.
    """
    lasting = min(terms.connections, 16)
    said = {"connect_timeout": str(terms.connect), **KEEPALIVE}
    engine = create_engine(
        url.update_query_dict({name: value for name, value in said.items() if name not in url.query}),
        pool_size=lasting,
        max_overflow=terms.connections - lasting,
        pool_timeout=terms.wait,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={"prepare_threshold": terms.prepare_threshold},
    )
    if terms.statement is not None:
        event.listen(engine, "connect", _limiting(terms.statement))
    return engine


def _limiting(seconds: float) -> Callable[[Any, object], None]:
    """Set the limit when a connection is made: not in its start-up packet, which a pooler between may refuse."""

    def limit(driver: Any, _record: object) -> None:
        driver.autocommit = True
        driver.execute(f"SET statement_timeout = {max(int(seconds * 1000), 1)}")
        driver.autocommit = False

    return limit


class Primary:
    """The server that takes changes."""

    def __init__(self, engine: Engine, terms: Terms) -> None:
        self._engine = engine
        self._snapshots = engine.execution_options(**SNAPSHOT)
        self._terms = terms
        self._after = WHERE_THE_LOG_STANDS if terms.replicas else b""
        self.outage = Outage(terms.patience)

    def read(self, work: Work[Result]) -> Result:
        """Run ``work`` on one consistent snapshot; where patience is agreed it may run several times."""

        def once() -> Result:
            with _connected(self._snapshots) as connection:
                return work(connection)

        return self._persist(once)

    def write(self, work: Work[Result]) -> tuple[Result, Position | None]:
        """Run ``work`` in a transaction; its result, and where the log stood after the commit where there are replicas.

        ``work`` may run several times before it commits. Raises Unavailable: nothing was stored; InDoubt: who knows.
        """
        return self._persist(lambda: self._once(work))

    def _persist(self, once: Callable[[], Result]) -> Result:
        races = 1
        while True:
            try:
                result = once()
            except (DBAPIError, PoolTimeout) as error:
                found = trouble(error)
                if found is Trouble.RACE and races < ATTEMPTS:
                    races += 1
                elif found is not Trouble.AWAY or not self.outage.wait():
                    if (told := self._told(error, found)) is error:
                        raise
                    raise told from error
            else:
                self.outage.over()
                return result

    def _told(self, error: Exception, found: Trouble | None) -> Exception:
        """What the caller is told: a breach of a constraint, and a defect, as it is."""
        if found is None or isinstance(error, IntegrityError) or not self._terms.patience:
            return error
        return Unavailable(found)

    def _once(self, work: Work[Result]) -> tuple[Result, Position | None]:
        mark = commit_marks.Mark()
        with _connected(self._engine) as connection:
            result = work(connection)
            if not connection.in_transaction():
                return result, None  # it has not even read
            try:
                return result, self._commit(connection, commit_marks.closing(mark) + self._after)
            except DBAPIError as error:
                connection.invalidate()
                failure = error
        committed, reached = self._found_out(mark)
        if not committed:
            raise failure
        return result, reached

    def _commit(self, connection: Connection, closing: bytes) -> Position | None:
        """Commit, in one exchange with the server. Raises OperationalError: it may be committed all the same."""
        value = tell(connection.connection.driver_connection, closing, self._terms.statement)
        return None if value is None else position(value)

    def _found_out(self, mark: commit_marks.Mark) -> tuple[bool, Position | None]:
        """Ask until somebody can answer whether it was committed. Raises InDoubt where nobody can."""
        while True:
            try:
                with self._engine.connect() as connection:
                    committed = commit_marks.was_committed(connection, mark)
                    reached = self._commit(connection, b"COMMIT" + self._after)
                self.outage.over()
                return committed, reached
            except (DBAPIError, PoolTimeout) as error:
                if trouble(error) not in (Trouble.AWAY, Trouble.BUSY) or not self.outage.wait():
                    raise InDoubt from error


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """A connection that is not used again where its server, though it answers, is the primary no more."""
    with engine.connect() as connection:
        try:
            yield connection
        except DBAPIError as error:
            if trouble(error) is Trouble.AWAY:
                connection.invalidate()
            raise


def position(text: str) -> Position:
    """Read ``16/B374D848`` (pg_lsn)."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def tell(driver: Any, statements: bytes, seconds: float | None) -> str | None:
    """Have the server run statements in one exchange; the last one's first value, None for NULL or no row.

    Raises OperationalError, after which some of them may have been done.
    """
    try:
        results = _exchange(driver.pgconn, statements, seconds)
        for each in results:
            if each.status not in GOOD:
                raise error_from_result(each)
    except psycopg.Error as error:
        raise OperationalError("", {}, error, connection_invalidated=driver.closed) from error
    value = results[-1].get_value(0, 0) if results[-1].ntuples else None
    return None if value is None else value.decode()


def _exchange(pgconn: pq.abc.PGconn, statements: bytes, seconds: float | None) -> list[pq.abc.PGresult]:
    """Send statements by the simple protocol; a result for each that ran.

    The server's own limit does not cover a COMMIT that waits for a standby: after ``seconds`` the connection is given
    up. Raises psycopg.OperationalError where no complete answer comes.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    results: list[pq.abc.PGresult] = []
    pgconn.send_query(statements)
    while pgconn.flush():
        _wait(pgconn, POLLOUT, deadline)
    while True:
        while pgconn.is_busy():
            _wait(pgconn, POLLIN, deadline)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return results
        results.append(result)


def _wait(pgconn: pq.abc.PGconn, events: int, deadline: float | None) -> None:
    waiting = poll()
    waiting.register(pgconn.socket, events)
    left = None if deadline is None else max(deadline - time.monotonic(), 0) * 1000
    if not waiting.poll(left):
        raise psycopg.OperationalError("no answer in time")
