"""PostgreSQL: pooled transactions that survive a lost connection, and know whether they were committed.

A work that meets a lost connection runs again on another, since it does nothing but SQL. A COMMIT whose answer is lost
is looked up by its mark (``affinity.commit_marks``): it is never repeated blindly, and never answered wrongly.
"""

import time
from collections.abc import Callable
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
from affinity.postgresql_connections import BEGIN, PostgreSQLConnections, driver_of
from affinity.terms import Terms
from statements.straight import StraightConnection

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
Position = int
"""Where the write-ahead log of the primary stood, in bytes since its beginning."""

ATTEMPTS = 4
"""How often a work runs that loses a race."""
KEEPALIVE = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "15000"}
"""A server that vanished without a word is noticed within 25 seconds, not in two hours."""
WHERE_THE_LOG_STANDS = b"; SELECT pg_current_wal_insert_lsn()"
GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


def engine_of(url: URL, terms: Terms) -> Engine:
    """Connections to a server. Errors are logged without the parameters of their statement: these are data of patients.

    SQLAlchemy's own pool opens and counts them, and keeps one for who uses the engine itself; all others that last stay
    at hand (``affinity.postgresql_connections``).
    """
    said = {"connect_timeout": str(terms.connect), **KEEPALIVE}
    engine = create_engine(
        url.update_query_dict({name: value for name, value in said.items() if name not in url.query}),
        pool_size=1,
        max_overflow=terms.connections - 1,
        pool_timeout=terms.wait,
        hide_parameters=True,
        connect_args={"prepare_threshold": None},
    )
    event.listen(engine, "do_connect", _straight(terms.prepare_threshold))
    if terms.statement is not None:
        event.listen(engine, "connect", _limiting(terms.statement))
    return engine


def _straight(threshold: int | None) -> Callable[[object, object, Any, Any], StraightConnection]:
    """Connect, and have statements prepared that run so often."""

    def connect(_dialect: object, _record: object, said: Any, further: Any) -> StraightConnection:
        driver = StraightConnection.connect(*said, **further)
        driver.threshold = threshold
        return driver

    return connect


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
        self.connections = PostgreSQLConnections(engine, terms)
        self._terms = terms
        self._after = WHERE_THE_LOG_STANDS if terms.replicas else b""
        self.outage = Outage(terms.patience)

    def read(self, work: Work[Result]) -> Result:
        """Run ``work`` on one consistent snapshot; where patience is agreed it may run several times."""
        return self._persist(lambda: self.connections.read(work))

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
                if found is Trouble.AWAY:
                    self.connections.let_go()  # the others were cut as well, or lead to what is the primary no more
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
        connection = self.connections.take(BEGIN)
        try:
            result = work(connection)
            driver_of(connection).settle(connection)
        except BaseException:
            self.connections.end(connection)
            raise
        if driver_of(connection).beginning is not None:
            self.connections.end(connection)
            return result, None  # it has not even read
        try:
            reached = self._commit(connection, commit_marks.closing(mark) + self._after)
        except DBAPIError as error:
            self.connections.discard(connection)
            failure = error
        else:
            self.connections.keep(connection)
            return result, reached
        committed, reached = self._found_out(mark)
        if not committed:
            raise failure
        return result, reached

    def _commit(self, connection: Connection, closing: bytes) -> Position | None:
        """Commit, in one exchange with the server. Raises OperationalError: it may be committed all the same."""
        value = tell(driver_of(connection), closing, self._terms.statement)
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


def position(text: str) -> Position:
    """Read ``16/B374D848`` (pg_lsn)."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def tell(driver: Any, statements: bytes, seconds: float | None) -> str | None:
    """Have the server run statements in one exchange; the last one's first value, None for NULL or no row.

    Raises OperationalError, after which some of them may have been done.
    """
    try:
        driver.catch_up()
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
