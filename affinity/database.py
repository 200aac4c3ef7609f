"""One door to the database: ``read`` and ``write`` run a whole request or nothing; an answer leaves after the commit.

PostgreSQL: a pooled transaction per write, run again when it lost a race. SQLite: one writer thread drains its queue,
runs each work in a savepoint, commits once, then lets every waiting request answer (group commit without a window).
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError

Result = TypeVar("Result")
Work = Callable[[Connection], Result]

GROUP = 200
"""Most works in one SQLite commit: bounds how long the first of a group waits."""
OVERFLOW = 64
"""Connections to SQLite that there may be beside those that are kept: opening one costs next to nothing."""
MAPPED = 2**32
"""Bytes of a SQLite file that are read where the system has them: a search that looks up a thousand rows takes half."""
ATTEMPTS = 4
RACES_LOST = {"40001", "40P01"}
"""SQLSTATE of serialization_failure and deadlock_detected: running the work again is right."""


class WriterStopped(Exception):
    """A write was asked of a database that is closed; nothing of it was stored."""


class Database:
    """A database by URL. ``work`` may run more than once until it commits, so it must do nothing but SQL."""

    def __init__(self, url: str | URL, *, pool_size: int = 16) -> None:
        self.url = make_url(url)
        self.engine = _engine(self.url, pool_size)
        self.most_connections = pool_size + _overflow(self.url, pool_size)
        self._snapshots = self.engine.execution_options(**_snapshot_options(self.engine))
        self._writer = _GroupWriter(self.engine) if self.engine.dialect.name == "sqlite" else None

    def read(self, work: Work[Result]) -> Result:
        """Run ``work`` on one consistent snapshot."""
        with self._snapshots.connect() as connection:
            return work(connection)

    def write(self, work: Work[Result]) -> Result:
        """Run ``work`` in a transaction; return its result once the commit is durable."""
        return self._writer.write(work) if self._writer else self._write_pooled(work)

    def enlarge_cache(self, size: int) -> None:
        """Let SQLite keep ``size`` bytes of its file in memory: for work that touches pages all over it.

        Its own 2 MB spill in the middle of a large transaction, and each page is then written more than once.
        """
        if self._writer:
            pragma = f"PRAGMA cache_size=-{size // 1024}"
            event.listen(self.engine, "connect", lambda connection, _record: connection.execute(pragma))
            self.engine.dispose()

    def _write_pooled(self, work: Work[Result]) -> Result:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if attempt == ATTEMPTS or not _lost_a_race(error):
                    raise
        raise AssertionError("unreachable")

    @property
    def waiting(self) -> int:
        """How many works wait for the one thread that writes to SQLite; 0 on PostgreSQL, which takes each at once."""
        return self._writer.waiting if self._writer else 0

    def close(self) -> None:
        """Finish what is queued, then let go of every connection."""
        if self._writer:
            self._writer.stop()
        self.engine.dispose()


def _lost_a_race(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in RACES_LOST


def _overflow(url: URL, pool_size: int) -> int:
    """How many connections there may be beside those that are kept."""
    return OVERFLOW if url.get_backend_name() == "sqlite" else pool_size


def _engine(url: URL, pool_size: int) -> Engine:
    """Errors are logged without the parameters of their statement: these are data of patients."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=OVERFLOW,
            hide_parameters=True,
            connect_args={"isolation_level": None},
        )
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, pool_size=pool_size, max_overflow=_overflow(url, pool_size), hide_parameters=True)


def _snapshot_options(engine: Engine) -> dict[str, Any]:
    if engine.dialect.name == "sqlite":
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _configure_sqlite(connection: Any, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=10000",
        "foreign_keys=ON",
        f"mmap_size={MAPPED}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@dataclass(frozen=True, slots=True)
class _Job(Generic[Result]):
    work: Work[Result]
    future: Future[Result]

    def run(self, connection: Connection) -> Callable[[], None]:
        """Do the work in a savepoint; return what releases the waiting caller once the group is committed.

        SQLAlchemy's own savepoint takes a sixth of the time of a small work, so the driver is told directly.
        """
        driver: Any = connection.connection.dbapi_connection
        driver.execute("SAVEPOINT work")
        try:
            result = self.work(connection)
        except Exception as error:  # the caller's own: it is handed back to the caller, never swallowed
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            driver.execute("ROLLBACK TO work")
            driver.execute("RELEASE work")
            failure = error
        else:
            driver.execute("RELEASE work")
            return lambda: self.future.set_result(result)
        return lambda: self.future.set_exception(failure)


class _GroupWriter:
    """The one thread that writes to SQLite."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(writer=True)
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._admission = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, name="affinity-writer", daemon=True)
        self._thread.start()

    def write(self, work: Work[Result]) -> Result:
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write inside a write would wait for itself")
        job: _Job[Result] = _Job(work, Future())
        with self._admission:
            if self._stopped:
                raise WriterStopped("the database is closed")
            self._queue.put(job)
        return job.future.result()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def stop(self) -> None:
        with self._admission:
            self._stopped = True
            self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        running = True
        while running:
            group, running = self._next_group()
            if group:
                self._commit(group)

    def _next_group(self) -> tuple[list[_Job[Any]], bool]:
        """Wait for one work, then take what else is queued; False says that this was the last group."""
        group: list[_Job[Any]] = []
        job = self._queue.get()
        while job is not None:
            group.append(job)
            if len(group) == GROUP or self._queue.empty():
                return group, True
            job = self._queue.get()
        return group, False

    def _commit(self, group: list[_Job[Any]]) -> None:
        try:
            with self._engine.begin() as connection:
                releases = [job.run(connection) for job in group]
        except Exception as error:  # the commit failed, so no work of the group is stored
            for job in group:
                job.future.set_exception(error)
            return
        for release in releases:
            release()
