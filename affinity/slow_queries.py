"""The log of slow statements: their shape, how long they took and for whom; no parameter, no literal, no row."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Engine, event

from affinity.under_way import under_way

log = structlog.get_logger()

LONGEST = 600
"""Characters of a shape: enough to find the statement in the code."""
LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
PARAMETER = re.compile(r"%\(\w+\)s|%s|\$\d+|(?<!:):[A-Za-z_]\w*")
LIST = re.compile(r"\?(?:::\w+)?(?:, \?(?:::\w+)?)+")
ROWS = re.compile(r"(\([^()]*\))(?:, \([^()]*\))+")


def shape(statement: str) -> str:
    """A statement without anything that was said: literals and parameters are ``?``, lists of them ``?, ...``."""
    spaced = " ".join(statement.split())
    bare = LITERAL.sub("?", PARAMETER.sub("?", spaced))
    return ROWS.sub(r"\1, ...", LIST.sub("?, ...", bare))[:LONGEST]


def watch(engines: Iterable[Engine], seconds: float | None) -> None:
    """Tell of slow statements of each engine, if anybody wants to know."""
    if seconds is not None:
        slow = SlowQueries(seconds)
        for each in engines:
            slow.watch(each)


class SlowQueries:
    """Tells of each statement that takes ``seconds`` or longer. ``clock`` gives seconds that only grow."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._seconds = seconds
        self._clock = clock

    def watch(self, engine: Engine) -> None:
        """Time every statement of an engine, those that fail included: a time-out is the slowest of all.

        Most statements are told to SQLite past SQLAlchemy (``statements.prepared``), so cursors of its own time them;
        those of PostgreSQL go by way of SQLAlchemy as soon as somebody listens to it.
        """
        if engine.dialect.name == "sqlite":
            event.listen(engine, "do_connect", self._open_with_timed_cursors)
            engine.dispose()
            return
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

    @contextmanager
    def timing(self, cursor: "TimedCursor") -> Iterator[None]:
        """Add to the time of the statement that a cursor is at; tell of it once it is slow."""
        begun = self._clock()
        try:
            yield
        finally:
            before, cursor.taken = cursor.taken, cursor.taken + self._clock() - begun
            if before < self._seconds <= cursor.taken:
                tell(cursor.statement, cursor.taken)

    def _open_with_timed_cursors(self, _dialect: object, _record: object, _words: Any, options: dict[str, Any]) -> None:
        options["factory"] = lambda *words, **further: TimedConnection(self, *words, **further)

    def _begin(
        self, connection: Any, _cursor: Any, _statement: str, _parameters: Any, _context: Any, _many: Any
    ) -> None:
        connection.info["affinity_begun"] = self._clock()

    def _end(self, connection: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: Any) -> None:
        self._tell(connection, statement)

    def _fail(self, failure: Any) -> None:
        if failure.connection is not None and failure.statement is not None:
            self._tell(failure.connection, failure.statement)

    def _tell(self, connection: Any, statement: str) -> None:
        begun = connection.info.pop("affinity_begun", None)
        if begun is not None and (taken := self._clock() - begun) >= self._seconds:
            tell(statement, taken)


def tell(statement: str, taken: float) -> None:
    """Tell of a statement that took so many seconds."""
    doing = under_way()
    log.warning(
        "slow query",
        statement=shape(statement),
        seconds=round(taken, 3),
        transaction=doing.transaction,
        correlation=doing.correlation,
    )


class TimedConnection(sqlite3.Connection):
    """One whose cursors are timed."""

    def __init__(self, slow: SlowQueries, *words: Any, **further: Any) -> None:
        super().__init__(*words, **further)
        self.slow = slow

    def cursor(self, _factory: object = None) -> "TimedCursor":  # type: ignore[override]
        """The only kind that it has."""
        return super().cursor(TimedCursor)

    def execute(self, statement: str, *parameters: Any) -> "TimedCursor":
        """Begin a statement by a cursor of its own."""
        return self.cursor().execute(statement, *parameters)


class TimedCursor(sqlite3.Cursor):
    """SQLite finds a row when it is asked for it, so that is timed as well."""

    connection: TimedConnection
    statement, taken = "", 0.0

    def execute(self, statement: str, *parameters: Any) -> "TimedCursor":
        """Begin a statement."""
        self.statement, self.taken = statement, 0.0
        with self.connection.slow.timing(self):
            return super().execute(statement, *parameters)

    def executemany(self, statement: str, *parameters: Any) -> "TimedCursor":
        """Run it for each set of parameters."""
        self.statement, self.taken = statement, 0.0
        with self.connection.slow.timing(self):
            return super().executemany(statement, *parameters)

    def fetchone(self) -> Any:
        """The next row."""
        with self.connection.slow.timing(self):
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        """All that are left."""
        with self.connection.slow.timing(self):
            return super().fetchall()
