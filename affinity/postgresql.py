"""PostgreSQL: pooled transactions that survive a lost connection, and know whether they were committed.

A work that meets a lost connection runs again on another, since it does nothing but SQL. A COMMIT whose answer is lost
is looked up by its mark (``affinity.commit_marks``): it is never repeated blindly, and never answered wrongly.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from select import POLLIN, POLLOUT, poll
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.waiting import Ready, Wait
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from affinity import commit_marks
from affinity.outages import InDoubt, Outage, Trouble, Unavailable, trouble
from affinity.postgresql_connections import BEGIN, PostgreSQLConnections, driver_of
from affinity.shifts import Shift
from affinity.terms import Terms
from statements.straight import StraightConnection, Unanswered

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
Position = int
"""Where the write-ahead log of the primary stood, in bytes since its beginning."""

ATTEMPTS = 4
"""How often a work runs that loses a race."""
KEEPALIVE = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000"}
"""A server that vanished without a word is noticed within 12 seconds: senders often wait no longer than 30."""
SHIFT = "SELECT pg_try_advisory_xact_lock(3418, hashtext($1))"
"""3418 is the class of shifts; consents have one of their own, and locks of the index have none."""
WHERE_THE_LOG_STANDS = "SELECT pg_current_wal_insert_lsn()"
EVENTS = {Wait.R: POLLIN, Wait.W: POLLOUT, Wait.RW: POLLIN | POLLOUT}


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
    event.listen(engine, "do_connect", _straight(terms))
    if terms.statement is not None:
        event.listen(engine, "connect", _limiting(terms.statement))
    return engine


def _straight(terms: Terms) -> Callable[[object, object, Any, Any], StraightConnection]:
    """Connect, and have statements prepared and answers waited for as the terms say."""
    seconds = None if terms.statement is None else terms.statement + terms.silence

    def connect(_dialect: object, _record: object, said: Any, further: Any) -> StraightConnection:
        driver = StraightConnection.connect(*said, **further)
        driver.threshold, driver.seconds = terms.prepare_threshold, seconds
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
        self._after = (WHERE_THE_LOG_STANDS,) if terms.replicas else ()
        self.outage = Outage(terms.patience)

    def read(self, work: Work[Result]) -> Result:
        """Run ``work`` on one consistent snapshot; where patience is agreed it may run several times."""
        return self._persist(lambda: self.connections.read(work))

    def write(self, work: Work[Result]) -> tuple[Result, Position | None]:
        """Run ``work`` in a transaction; its result, and where the log stood after the commit where there are replicas.

        ``work`` may run several times before it commits. Raises Unavailable: nothing was stored; InDoubt: who knows.
        """
        return self._persist(lambda: self._once(work))

    @contextmanager
    def shift(self, name: str) -> Iterator[Shift]:
        """Have what one of all nodes has at a time, as long as the context lasts.

        A transaction keeps it that does nothing else: a pooler between leaves it its session. Raises Unavailable.
        """
        connection, is_mine = self._persist(lambda: self._began(name))
        try:
            yield Shift(is_mine, lambda: _lasts(connection, name))
        finally:
            self.connections.end(connection)

    def _began(self, name: str) -> tuple[Connection, bool]:
        connection = self.connections.take(BEGIN)
        try:
            return connection, _has(connection, name)
        except BaseException:
            self.connections.end(connection)
            raise

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
            reached = self._commit(connection, mark)
        except Unanswered as unanswered:
            failure = _as_told(driver_of(connection), unanswered.error)
            self.connections.discard(connection)
        except BaseException:
            self.connections.end(connection)
            raise
        else:
            self.connections.keep(connection)
            return result, reached
        committed, reached = self._found_out(mark)
        if not committed:
            raise failure
        return result, reached

    def _commit(self, connection: Connection, mark: commit_marks.Mark) -> Position | None:
        """Commit, in one exchange with the server. Raises DBAPIError: nothing is committed; Unanswered."""
        driver = driver_of(connection)
        if driver.beginning is not None:
            driver.leave()
            return None  # it has not even read
        closing = (*commit_marks.closing(mark), *((each, ()) for each in self._after))
        return _position(driver.commit_with(connection, closing, within(driver, self._terms.statement)))

    def _found_out(self, mark: commit_marks.Mark) -> tuple[bool, Position | None]:
        """Ask until somebody can answer whether it was committed. Raises InDoubt where nobody can."""
        while True:
            try:
                with self._engine.connect() as connection:
                    committed = commit_marks.was_committed(connection, mark)
                    reached = tell(driver_of(connection), ("COMMIT", *self._after), self._terms.statement)
                self.outage.over()
                return committed, reached
            except (DBAPIError, PoolTimeout) as error:
                if trouble(error) not in (Trouble.AWAY, Trouble.BUSY) or not self.outage.wait():
                    raise InDoubt from error


def tell(driver: Any, statements: Iterable[str], seconds: float | None) -> Position | None:
    """Have the server run statements in one exchange; the position that the last one gives, if any.

    Raises OperationalError, after which some of them may have been done.
    """
    try:
        return _position(driver.ask(statements, within(driver, seconds)))
    except psycopg.Error as error:
        raise _as_told(driver, error) from error


def _as_told(driver: Any, error: psycopg.Error) -> OperationalError:
    return OperationalError("", {}, error, connection_invalidated=driver.closed)


def _position(result: pq.abc.PGresult) -> Position | None:
    """Read ``16/B374D848`` (pg_lsn); None for NULL, and where nothing was asked."""
    value = result.get_value(0, 0) if result.ntuples else None
    if value is None:
        return None
    high, _, low = value.partition(b"/")
    return (int(high, 16) << 32) + int(low, 16)


def within(driver: Any, seconds: float | None) -> Callable[[Any], Any]:
    """Wait for the server for so many seconds altogether, on behalf of psycopg's generators.

    The server's own limit does not cover a COMMIT that waits for a standby: afterwards the connection is given up.
    What waits raises psycopg.OperationalError where no complete answer comes.
    """
    deadline = None if seconds is None else time.monotonic() + seconds

    def wait(generator: Any) -> Any:
        try:
            wanted = next(generator)
            while True:
                wanted = generator.send(_ready(driver.pgconn.socket, EVENTS[wanted], deadline))
        except StopIteration as ended:
            return ended.value

    return wait


def _ready(socket: int, events: int, deadline: float | None) -> Ready:
    waiting = poll()
    waiting.register(socket, events)
    left = None if deadline is None else max(deadline - time.monotonic(), 0) * 1000
    [[_, found]] = waiting.poll(left) or [(socket, 0)]
    if not found:
        raise psycopg.OperationalError("no answer in time")
    return Ready(((found & ~POLLOUT) and Ready.R) | ((found & ~POLLIN) and Ready.W))


def _has(connection: Connection, name: str) -> bool:
    [[is_mine]] = driver_of(connection).rows(connection, SHIFT, (name,))
    return bool(is_mine)


def _lasts(connection: Connection, name: str) -> bool:
    try:
        return _has(connection, name)
    except DBAPIError:
        return False
