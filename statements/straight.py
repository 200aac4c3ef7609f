"""Statements to PostgreSQL by libpq's own calls, prepared by the server, without a cursor of psycopg or SQLAlchemy.

A small SELECT takes 13 µs of CPU this way, 40 by way of a cursor and 130 by way of SQLAlchemy. The first statement
begins a transaction; who hands out the connection says how, and ends it. Only nodes on PostgreSQL import this.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from statements.asked import Asked, Sending, may_change
from statements.spelling import Spelling, spellings, unusual

Row = tuple[Any, ...]
Wait = Callable[[Any], Any]
"""Waits for the server on behalf of one of psycopg's generators."""
SYNC = pq.ExecStatus.PIPELINE_SYNC
GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
MOST = 300
"""Statements that a connection keeps prepared; the server needs some 20 KB for each."""
MOST_AHEAD = 50
"""Statements that wait for the next one."""
TEXT, BINARY = pq.Format.TEXT, pq.Format.BINARY


class Unanswered(Exception):
    """What ends a transaction failed, or no answer came: it may be committed all the same. ``error`` is psycopg's."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class StraightConnection(psycopg.Connection[Any]):
    """A connection that takes statements straight as well.

    ``beginning`` is the command that begins a transaction, until something is said in it; None: psycopg begins it.
    ``may_wait``: who ends the transaction will settle what waits. ``threshold`` is how often a statement runs before it
    is prepared, None: never. psycopg itself must prepare none, as it lets the server forget all of them at every
    ROLLBACK.
    """

    beginning: bytes | None = None
    may_wait = False
    threshold: int | None = None
    _left = False
    _named = 0
    _saying = ""

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

    def catch_up(self) -> None:
        """Read the answer to the ROLLBACK before. Raises psycopg.Error."""
        if self._left:
            self._left = False
            self._answer()

    def rollback(self) -> None:
        """As psycopg does it, for the pool."""
        self.catch_up()
        super().rollback()

    def tell(self, command: bytes) -> None:
        """Give a command that answers nothing. Raises psycopg.Error."""
        self.pgconn.send_query(command)
        self._answer()

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

    def _exchange(self, sendings: Sequence[Sending], wait: Wait) -> list[pq.abc.PGresult]:
        """Send statements in a pipeline; the result of each. After one that fails none is run.

        Raises psycopg.OperationalError where the server did not come to the end of them.
        """
        self.pgconn.enter_pipeline_mode()
        for each in sendings:
            each.send()
        self.pgconn.pipeline_sync()
        wait(generators.send(self.pgconn))
        results: list[list[pq.abc.PGresult]] = [wait(generators.fetch_many(self.pgconn)) for _ in (*sendings, SYNC)]
        if not results[-1] or results[-1][-1].status != SYNC:
            raise psycopg.OperationalError("the server closed the connection")
        self.pgconn.exit_pipeline_mode()
        return [each[-1] for each in results[:-1]]

    def _check(self, sendings: Sequence[Sending], results: Sequence[pq.abc.PGresult]) -> pq.abc.PGresult:
        """The last result. Raises psycopg.Error for the first that is none, and remembers its statement."""
        for each, result in zip(sendings, results, strict=False):
            self._saying = each.text
            self._require(result)
        return results[-1]

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

    def _sending(self, text: str, values: Sequence[Any], *, lasts: bool = True) -> Callable[[], None]:
        spell = self._spelling
        spelled = [(spell.get(type(each)) or self._unusual)(each) for each in values]
        formats = [BINARY if type(each) is bytes else TEXT for each in values]
        if lasts and (name := self._name(text)):
            return partial(self.pgconn.send_query_prepared, name, spelled, formats)
        told = text.encode(self.info.encoding)
        return partial(self.pgconn.send_query_params, told, spelled, param_formats=formats)

    def _answer(self) -> pq.abc.PGresult:
        return self._require(self.wait(generators.execute(self.pgconn))[-1])

    def _require(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in GOOD:
            raise error_from_result(result, encoding=self.info.encoding)
        return result

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

    def _name(self, text: str) -> bytes | None:
        """The name under which a statement is prepared; None where it is not."""
        name = self._names.get(text)
        if name is not None:
            self._names.move_to_end(text)
            return name
        if self.threshold is None:
            return None
        seen = self._seen[text] = self._seen.pop(text, 0) + 1
        if seen <= self.threshold:
            self._forget_the_oldest_seen()
            return None
        del self._seen[text]
        return self._prepare(text)

    def _prepare(self, text: str) -> bytes:
        if self._ahead:
            self._together()  # it may be about what they make
        if len(self._names) >= MOST:
            self._forget(self._names.popitem(last=False)[1])
        self._named += 1
        name = b"affinity_%d" % self._named
        self.pgconn.send_prepare(name, text.encode(self.info.encoding))
        self._answer()
        self._names[text] = name
        return name

    def _forget(self, name: bytes) -> None:
        """As the protocol has it, where libpq can: a pooler between gives statements names of its own."""
        if not psycopg.capabilities.has_send_close_prepared():
            self.tell(b"DEALLOCATE " + name)
            return
        self.pgconn.send_close_prepared(name)
        self._answer()

    def _forget_the_oldest_seen(self) -> None:
        if len(self._seen) > MOST:
            del self._seen[next(iter(self._seen))]

    @cached_property
    def _ahead(self) -> list[Sending]:
        return []

    @cached_property
    def _asked(self) -> Asked:
        return Asked()

    @cached_property
    def _names(self) -> OrderedDict[str, bytes]:
        return OrderedDict()

    @cached_property
    def _seen(self) -> dict[str, int]:
        return {}

    @cached_property
    def _loading(self) -> Any:
        return Transformer(self)

    @cached_property
    def _spelling(self) -> dict[type, Spelling]:
        return spellings(self)

    @cached_property
    def _unusual(self) -> Spelling:
        return unusual(self)
