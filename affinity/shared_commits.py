"""PostgreSQL: works of one node that have something in common share a transaction if they have to wait.

Every thread has a connection of its own, and most works need nobody. Of those that have something in common with others
(``statements.together``) a few are under way at a time; what comes meanwhile waits, and the first that waited does it
for all as soon as it is their turn. Nobody waits for a clock.
"""

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy import Connection

from affinity.outages import InDoubt, Unavailable
from affinity.works import Result, Work
from statements.together import done_together, prepare_part

AT_ONCE = 2
"""Transactions of such works that are under way at a time: while one waits for the server, another makes its rows."""
GROUP = 16
"""Most works of one transaction: each patient may lock more than a hundred names, and the server has room for 6,400."""
Position = int | None
Written = tuple[Result, Position]
"""What a work returned, and where the server's log stood afterwards, where somebody asks."""
Some = TypeVar("Some")
Write = Callable[[Work[Some]], Written[Some]]

log = structlog.get_logger()


class _Job(Generic[Result]):
    """A work that waits, and what became of it. ``turn`` is released when it is done, or is to be done.

    ``group`` are the works that its thread is to do, itself among them; ``written`` is None where it is not done yet.
    """

    def __init__(self, work: Work[Result]) -> None:
        prepare_part()
        self.work = work
        self.context = copy_context()
        self.group: list[_Job[Any]] = []
        self.written: Written[Result] | None = None
        self.failure: Exception | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class SharedCommits:
    """``write`` does a work in a transaction; it may run the work several times before it commits."""

    def __init__(self, write: Write[Any]) -> None:
        self._write = write
        self._admission = threading.Lock()
        self._under_way = 0
        self._waiting: list[_Job[Any]] = []

    def write(self, work: Work[Result]) -> Written[Result]:
        """Do a work that has something in common with others. Raises what ``write`` raises."""
        job: _Job[Result] | None = None
        if not self._admitted():
            job = _Job(work)
            if not self._admitted(job):
                return self._in_turn(job)
        try:
            return self._write(work)
        finally:
            self._pass_on()

    @property
    def waiting(self) -> int:
        """How many works wait for their turn."""
        return len(self._waiting)

    def _admitted(self, job: _Job[Any] | None = None) -> bool:
        """Begin at once; else ``job`` waits, if there is one."""
        with self._admission:
            if self._under_way < AT_ONCE:
                self._under_way += 1
                return True
            if job is not None:
                self._waiting.append(job)
            return False

    def _in_turn(self, job: _Job[Result]) -> Written[Result]:
        job.turn.acquire()
        if job.group:
            group, job.group = job.group, []
            self._lead(job, group)
        if job.failure is not None:
            raise job.failure
        return job.written or self._write(job.work)

    def _lead(self, first: _Job[Any], group: list[_Job[Any]]) -> None:
        try:
            if len(group) > 1:
                self._together(group)
            else:
                first.written = self._write(first.work)
        finally:
            self._pass_on()
            for job in group:
                if job is not first:
                    job.turn.release()

    def _together(self, group: list[_Job[Any]]) -> None:
        """Do what can be done together; who fails, or has nothing in common after all, is left to do it alone."""
        try:
            results, reached = self._write(partial(_do, group))
        except (Unavailable, InDoubt) as error:
            for job in group:
                job.failure = error
        except Exception as error:  # each does it alone, and meets its own failure there
            log.info("works that share a commit are done one by one", error=type(error).__name__)
        else:
            for job, result in results:
                job.written = (result, reached)

    def _pass_on(self) -> None:
        """Let the first who waits begin, with others who wait."""
        with self._admission:
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            if not group:
                self._under_way -= 1
                return
        group[0].group = group
        group[0].turn.release()


def _do(group: list[_Job[Any]], connection: Connection) -> list[tuple[_Job[Any], Any]]:
    """Do what works have in common, and those with whom nothing is left over but to tell; what they return."""
    with done_together(connection, [job.context for job in group]) as done:
        jobs = [group[place] for place in sorted(done)]
        return [(job, job.context.run(job.work, connection)) for job in jobs]
