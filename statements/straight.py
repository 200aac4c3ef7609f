"""Statements to PostgreSQL by libpq's own calls, prepared by the server, without a cursor of psycopg or SQLAlchemy.

A small SELECT takes 13 µs of CPU this way, 40 by way of a cursor and 130 by way of SQLAlchemy. The first statement
begins a transaction; who hands out the connection says how, and ends it. Only nodes on PostgreSQL import this.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from statements.asked import Asked, Sending, may_change
from statements.pipeline import PipelinedConnection, Wait

Row = tuple[Any, ...]
MOST_AHEAD = 50
"""Statements that wait for the next one."""


class Unanswered(Exception):
    """What ends a transaction failed, or no answer came: it may be committed all the same. ``error`` is psycopg's."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class StraightConnection(PipelinedConnection):
    """A connection that takes statements straight as well.

    ``beginning`` is the command that begins a transaction, until something is said in it; None: psycopg begins it.
    ``may_wait``: who ends the transaction will settle what waits.
    """

    beginning: bytes | None = None
    may_wait = False

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        """Whoever uses a cursor is in the transaction, after all that was said before."""
        self._begin()
        if self._ahead:
            self._together()
        self._asked.forget()
        return super().cursor(*arguments, **options)

    def rows(self, connection: Connection, text: str, values: Sequence[Any], *, lasts: bool = True) -> list[Row]:
        """Run a statement, whose parameters are ``$1`` and so on; what it returns. One that ``lasts`` may be prepared.

        Raises DBAPIError, also for what went wrong with a statement that waited.
        """
        result = (self._asked and self._asked_before(connection, text, values)) or self._run(
            connection, text, values, lasts=lasts
        )
        if not result.ntuples:
            return []
        loading = self._loading
        loading.set_pgresult(result)
        found: list[Row] = loading.load_rows(0, result.ntuples, tuple)
        return found

    def changed(self, connection: Connection, text: str, values: Sequence[Any]) -> int:
        """Run a statement; how many rows it changed. Raises DBAPIError as ``rows`` does."""
        result = (self._asked and self._asked_before(connection, text, values)) or self._run(connection, text, values)
        return result.command_tuples or 0

    def ask_ahead(self, connection: Connection, asked: Iterable[tuple[str, Sequence[Any]]]) -> None:
        """Run statements with the next; ``rows`` or ``changed`` for the same then have the answers (``Asked``).

        Not at all where nobody settles, and in a savepoint: each is run when its answer is wanted.
        """
        if not self.may_wait or connection.in_nested_transaction():
            return
        try:
            self._begin_for(connection)
            for self._saying, values in asked:
                if len(self._ahead) < MOST_AHEAD:
                    self._ask_ahead(self._saying, values)
        except psycopg.Error as error:
            raise self._told(connection, error) from error

    def _ask_ahead(self, text: str, values: Sequence[Any]) -> None:
        question = (text, repr(values))
        if question not in self._asked:
            send = self._sending(text, values)
            if may_change(text):
                self._asked.forget()
            self._ahead.append(Sending(text, send, question))
            self._asked[question] = None

    def later(self, connection: Connection, text: str, values: Sequence[Any]) -> None:
        """Run a statement of which nobody wants to know anything: together with the next, in one exchange.

        At once where nobody settles, and in a savepoint, which must tell whether all in it went well.
        """
        self._asked.forget()
        if not self.may_wait or len(self._ahead) >= MOST_AHEAD or connection.in_nested_transaction():
            self._run(connection, text, values)
            return
        self._saying = text
        try:
            self._begin_for(connection)
            self._ahead.append(Sending(text, self._sending(text, values)))
        except psycopg.Error as error:
            raise self._told(connection, error) from error

    def commit_with(
        self, connection: Connection, closing: Iterable[tuple[str, Sequence[Any]]], wait: Wait
    ) -> pq.abc.PGresult:
        """Run what waits, and statements that end the transaction, in one exchange; the result of the last.

        Raises DBAPIError for what went wrong with a statement that waited: nothing is committed. Raises Unanswered.
        """
        try:
            ending = [Sending(text, self._sending(text, values, lasts=bool(values))) for text, values in closing]
        except psycopg.Error as error:
            raise self._told(connection, error) from error
        self._asked.clear()
        ahead = self._waiting()
        try:
            results = self._exchange([*ahead, *ending], wait)
        except psycopg.Error as error:
            raise Unanswered(error) from error
        try:
            self._check(ahead, results)
        except psycopg.Error as error:
            raise self._told(connection, error) from error
        try:
            return self._check(ending, results[len(ahead) :])
        except psycopg.Error as error:
            raise Unanswered(error) from error

    def ask(self, statements: Iterable[str], wait: Wait) -> pq.abc.PGresult:
        """Run statements without parameters in one exchange; the result of the last. Raises psycopg.Error."""
        self.catch_up()
        sendings = [Sending(text, self._sending(text, (), lasts=False)) for text in statements]
        return self._check(sendings, self._exchange(sendings, wait))

    def leave(self) -> None:
        """Take the transaction back, and what waits; nobody waits until the server has done so. Raises psycopg.Error.

        Its answer is read before anything else is said, so a connection that was lost meanwhile is noticed then.
        """
        self.beginning = None
        self._ahead.clear()
        self._asked.clear()
        if not self._left and self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            self.pgconn.send_query(b"ROLLBACK")
            self._left = True

    def _run(self, connection: Connection, text: str, values: Sequence[Any], *, lasts: bool = True) -> pq.abc.PGresult:
        self._saying = text
        if self._asked and may_change(text):
            self._asked.forget()
        try:
            self._begin_for(connection)
            send = self._sending(text, values, lasts=lasts)
            if not self._ahead:
                send()
                return self._answer()
            self._ahead.append(Sending(text, send))
            return self._together()
        except psycopg.Error as error:
            raise self._told(connection, error) from error

    def _asked_before(self, connection: Connection, text: str, values: Sequence[Any]) -> pq.abc.PGresult | None:
        """The answer to what was asked ahead; only where anything was."""
        question = (text, repr(values))
        if question not in self._asked:
            return None
        try:
            if self._asked[question] is None:
                self._together()
        except psycopg.Error as error:
            raise self._told(connection, error) from error
        return self._asked.pop(question, None)

    def _together(self) -> pq.abc.PGresult:
        """Run what waits in one exchange; the result of the last."""
        ahead = self._waiting()
        results = self._exchange(ahead, self.wait)
        last = self._check(ahead, results)
        self._asked.answer(ahead, results)
        return last

    def _waiting(self) -> list[Sending]:
        """What waits, and waits no more."""
        ahead = list(self._ahead)
        self._ahead.clear()
        return ahead

    def _begin(self) -> None:
        """Begin the transaction that is to begin, now or with the first statement."""
        self.catch_up()
        if self.beginning is not None:
            beginning, self.beginning = self.beginning, None
            if self.may_wait:
                send = partial(self.pgconn.send_query_params, beginning, None)
                self._ahead.append(Sending(beginning.decode(), send))
            else:
                self.tell(beginning)

    def _begin_for(self, connection: Connection) -> None:
        """The same, or as SQLAlchemy and psycopg begin, for who has a connection of the engine."""
        self._begin()
        if self._ahead or self.pgconn.transaction_status != pq.TransactionStatus.IDLE or self.autocommit:
            return
        if not connection.in_transaction():
            connection.begin()
        self.execute("SELECT 1")

    def _told(self, connection: Connection, error: psycopg.Error) -> Exception:
        """As SQLAlchemy tells of it."""
        return DBAPIError.instance(
            self._saying,
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=self.closed,
            dialect=connection.dialect,
        )

    def _prepare(self, text: str) -> bytes:
        if self._ahead:
            self._together()  # it may be about what they make
        return super()._prepare(text)

    @cached_property
    def _ahead(self) -> list[Sending]:
        return []

    @cached_property
    def _asked(self) -> Asked:
        return Asked()

    @cached_property
    def _loading(self) -> Any:
        return Transformer(self)
