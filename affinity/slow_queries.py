"""The log of slow statements: their shape, how long they took and for whom; no parameter, no literal, no row."""

import re
import time
from collections.abc import Callable
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


def watch(engine: Engine, seconds: float | None) -> None:
    """Tell of an engine's slow statements, if anybody wants to know."""
    if seconds is not None:
        SlowQueries(seconds).watch(engine)


class SlowQueries:
    """Tells of each statement that takes ``seconds`` or longer. ``clock`` gives seconds that only grow."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._seconds = seconds
        self._clock = clock

    def watch(self, engine: Engine) -> None:
        """Time every statement of an engine, those that fail included: a time-out is the slowest of all."""
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

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
        if begun is None or (taken := self._clock() - begun) < self._seconds:
            return
        doing = under_way()
        log.warning(
            "slow query",
            statement=shape(statement),
            seconds=round(taken, 3),
            transaction=doing.transaction,
            correlation=doing.correlation,
        )
