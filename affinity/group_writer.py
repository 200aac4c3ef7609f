"""SQLite has one writer at a time: who finds nobody writing writes; the others' works are committed together.

A thread drains their queue, runs each work, commits once, then lets everybody answer.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial
from typing import Any, Generic

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from affinity.outages import Trouble, Unavailable, told_by_sqlite
from affinity.sqlite_connections import SQLiteConnections
from affinity.works import Result, Work
from affinity.writers_turn import Turn
from statements.together import done_together, prepare_part

GROUP = 200
"""Most works in one commit: bounds how long the first of a group waits."""


CAREFUL = 50
"""Commits with a savepoint for each work that follow one in which a work failed."""

FROZEN = "affinity: this database was moved"
"""What a trigger says that refuses changes (``affinity.moving``)."""


class _Failed(Exception):
    """A work of a group failed that had no savepoint."""


class WriterStopped(Exception):
    """A write was asked of a database that is closed; nothing of it was stored."""


class _Job(Generic[Result]):
    """A work that waits, and what became of it. ``done`` is released once its group is committed, or is not.

    ``context`` is that of the thread that asked: what the work tells of belongs to its exchange.
    """

    result: Result

    def __init__(self, work: Work[Result]) -> None:
        prepare_part()
        self.work = work
        self.context = copy_context()
        self.failure: Exception | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def outcome(self) -> Result:
        """Wait for it. Raises what the work raised, or what hindered the commit."""
        self.done.acquire()
        if self.failure is not None:
            raise self.failure
        return self.result

    def run(self, connection: Connection) -> None:
        """Do the work. Raises _Failed."""
        try:
            self.result = self.context.run(self.work, connection)
        except Exception as error:
            raise _Failed from error

    def run_apart(self, connection: Connection) -> None:
        """Do the work in a savepoint; its failure is its own.

        SQLAlchemy's own savepoint takes a sixth of the time of a small work, so the driver is told directly.
        """
        self.failure = None
        driver: Any = connection.connection.dbapi_connection
        driver.execute("SAVEPOINT work")
        try:
            self.result = self.context.run(self.work, connection)
        except Exception as error:  # the caller's own: it is handed back to the caller, never swallowed
            if not driver.in_transaction or (isinstance(error, DBAPIError) and error.connection_invalidated):
                raise  # a full or broken disk makes SQLite roll back all that the group has done
            driver.execute("ROLLBACK TO work")
            driver.execute("RELEASE work")
            self.failure = _told(error)
        else:
            driver.execute("RELEASE work")


class GroupWriter:
    """Writes for the threads of this process; where several processes serve, theirs write in ``turn``."""

    def __init__(self, connections: SQLiteConnections, turn: Turn) -> None:
        self._turn = turn
        self._connections = connections
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._admission = threading.Lock()
        self._stopped = False
        self._careful = 0
        self._pen = threading.Lock()
        self._holder: int | None = None
        self._thread = threading.Thread(target=self._serve, name="affinity-writer", daemon=True)
        self._thread.start()

    def write(self, work: Work[Result]) -> Result:
        if self._holder == threading.get_ident():
            raise RuntimeError("a write inside a write would wait for itself")
        if self._queue.empty() and self._pen.acquire(blocking=False):
            return self._write_alone(work)
        job = _Job(work)
        with self._admission:
            self._refuse_if_stopped()
            self._queue.put(job)
        return job.outcome()

    @property
    def waiting(self) -> int:
        """How many works wait for the thread."""
        return self._queue.qsize()

    def stop(self) -> None:
        with self._admission:
            self._stopped = True
            self._queue.put(None)
        self._thread.join()
        with self._pen:
            self._turn.close()

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise WriterStopped("the database is closed")

    def _write_alone(self, work: Work[Result]) -> Result:
        """With the pen in hand: a hand-over to the thread and back takes longer than a small work."""
        self._holder = threading.get_ident()
        try:
            self._refuse_if_stopped()
            with self._turn:
                return self._connections.write(work)
        except Exception as error:
            raise _told(error)  # noqa: B904 - what is told names its cause, or is the work's own error
        finally:
            self._holder = None
            self._pen.release()

    def _serve(self) -> None:
        running = True
        while running and (first := self._queue.get()) is not None:
            group = [first]
            try:
                with self._pen, self._turn:
                    self._holder = threading.get_ident()
                    running = self._gather(group)
                    self._commit(group)
            except Exception as error:  # the commit failed, so no work of the group is stored
                failure = told_by_sqlite(error)
                for job in group:
                    job.failure = failure
            for job in group:
                job.done.release()

    def _commit(self, group: list[_Job[Any]]) -> None:
        """Do all works and commit them.

        A savepoint makes SQLite copy each page that a work changes, and hardly any work fails: so there is none until
        one does, and then all that its group did is taken back and done again, each in its own. What works have in
        common is done together first; if they fail who rely on it, none of their group may.
        """
        if not self._careful:
            try:
                self._connections.write(partial(_together, _Job.run, group))
                return
            except _Failed:
                self._careful = CAREFUL
        self._careful -= 1
        try:
            self._connections.write(partial(_together, _Job.run_apart, group))
        except _Failed:
            self._connections.write(partial(_each, group))

    def _gather(self, group: list[_Job[Any]]) -> bool:
        """Take what else is queued by now; False says that this is the last group."""
        while len(group) < GROUP and not self._queue.empty():
            job = self._queue.get()
            if job is None:
                return False
            group.append(job)
        return True


def _together(run: Callable[[_Job[Any], Connection], None], group: list[_Job[Any]], connection: Connection) -> None:
    """Do what works have in common, then they; the others by ``run``. Raises _Failed.

    They were asked for by threads that wait, each for its own, so that nobody can tell in which order they are done.
    """
    with ExitStack() as stack:
        try:
            done = stack.enter_context(done_together(connection, [job.context for job in group]))
        except Exception as error:
            raise _Failed from error
        for place, job in enumerate(group):
            (_Job.run if place in done else run)(job, connection)


def _each(group: list[_Job[Any]], connection: Connection) -> None:
    for job in group:
        job.run_apart(connection)


def _told(error: Exception) -> Exception:
    """What the caller of a work is told of an error of it, the driver's own or SQLAlchemy's."""
    return Unavailable(Trouble.MOVED) if FROZEN in str(error) else told_by_sqlite(error)
